#!/usr/bin/env bash
# Software: stomp.py 9.0.0 (Python), a STOMP client, spoken to by a server of this script
# Guess: LFs between frames are heart-beats, as STOMP says, and nothing to the frame behind them, however many have come
#   and in whatever packet they come.
# Behaviour: One LF in a read is skipped. When two have come at once, they and the frame behind them are thrown away:
#   the message is not delivered, and no error is told. So who was busy for two heart-beats, or whose network was, loses
#   the line that comes next.
# Output seen:
#   nothing in front:         'one' 'two'
#   an LF in front:           'one' 'two'
#   two LFs in front:         'two'
#   two LFs, read apart:      'one' 'two'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    stomp.py==9.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stomp.py==9.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, threading
import stomp

def message(text):
    return b"MESSAGE\nsubscription:1\nmessage-id:%b\ndestination:/room\n\n%b\0" % (text, text)

def serve(listener, packets, done):
    connection = listener.accept()[0]
    read = b""
    while b"\0" not in read:
        read += connection.recv(1000)
    connection.sendall(b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0")
    while b"SUBSCRIBE" not in read:
        read += connection.recv(1000)
    for packet in packets:
        connection.sendall(packet)
        done.wait(0.5)              # so that packets are read one by one
    done.wait(15)
    connection.close()

class Reader(stomp.ConnectionListener):
    def __init__(self):
        self.read, self.done = [], threading.Event()

    def on_message(self, frame):
        self.read.append(frame.body)
        if frame.body == "two":
            self.done.set()

def once(*packets):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client, reader = stomp.Connection12([listener.getsockname()], heartbeats=(0, 0)), Reader()
        threading.Thread(target=serve, args=(listener, packets, reader.done), daemon=True).start()
        client.set_listener("", reader)
        client.connect(wait=True)
        client.subscribe("/room", id="1")
        assert reader.done.wait(15), "the second message did not come"
        client.transport.stop()
    return reader.read

one, two = message(b"one"), message(b"two")
seen = {"nothing in front:": once(one, two), "an LF in front:": once(b"\n" + one, two),
        "two LFs in front:": once(b"\n\n" + one, two), "two LFs, read apart:": once(b"\n", b"\n", one, two)}
for name, read in seen.items():
    print(name.ljust(25), *map(repr, read))
lost = seen.pop("two LFs in front:")
assert all(read == ["one", "two"] for read in seen.values()), "the comparison no longer holds"
assert lost == ["two"], "the behaviour has changed"
PY
