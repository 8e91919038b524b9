#!/usr/bin/env bash
# Software: coilmq 1.1.0 (Python), a STOMP broker, which agrees on version 1.2
# Guess: UNSUBSCRIBE names the id of the subscription and nothing else, as 1.1 and 1.2 have it (the destination is of
#   1.0): the subscription ends.
# Behaviour: It is answered with an ERROR, "Missing destination for UNSUBSCRIBE command.", and the subscription goes on:
#   its messages are still delivered, under the id that was to end. The connection, which an ERROR ends by the
#   protocol, stays open, too. So no library that keeps to 1.1 or 1.2 ever leaves a room; with a destination
#   beside the id it works.
# Output seen:
#   id alone:            ERROR Missing destination for UNSUBSCRIBE command., and after it a MESSAGE
#   id and destination:  RECEIPT, and after it nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    coilmq==1.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: coilmq==1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import socket, subprocess, sys, time

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]

def come():
    deadline = time.monotonic() + 20
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 10)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.1)
    client.sendall(b"CONNECT\naccept-version:1.1,1.2\nhost:localhost\n\n\0")
    assert b"\nversion:1.2\n" in frame(client), "another version"
    return client

def frame(client):
    seen = b""
    while not seen.endswith(b"\0"):
        more = client.recv(1)
        assert more, "disconnected"
        seen += more
    return seen

def kind(seen):
    lines = seen.decode().rstrip("\0").split("\n")
    return " ".join([lines[0], lines[-1]]).strip()

def leave(how):
    with come() as reader, come() as speaker:
        reader.sendall(b"SUBSCRIBE\nid:7\ndestination:/topic/tea\nreceipt:1\n\n\0")
        assert kind(frame(reader)) == "RECEIPT"
        reader.sendall(b"UNSUBSCRIBE\n" + how + b"receipt:2\n\n\0")
        answer = kind(frame(reader))
        speaker.sendall(b"SEND\ndestination:/topic/tea\nreceipt:3\n\nhello\0")
        assert kind(frame(speaker)) == "RECEIPT"
        # What the broker had for the reader comes in front of the answer to a further subscription.
        reader.sendall(b"SUBSCRIBE\nid:8\ndestination:/topic/other\nreceipt:4\n\n\0")
        after = frame(reader)
        if b"receipt-id:4" in after:
            return f"{answer}, and after it nothing"
        assert b"\nsubscription:7\n" in after, "another subscription"
        return f"{answer}, and after it a {kind(after).split()[0]}"

broker = subprocess.Popen([sys.executable, "-m", "coilmq.start", "-b", "127.0.0.1", "-p", str(port)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    print("id alone:           ", leave(b"id:7\n"))
    print("id and destination: ", leave(b"id:7\ndestination:/topic/tea\n"))
finally:
    broker.terminate()
    broker.wait(15)
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='id alone:            ERROR Missing destination for UNSUBSCRIBE command., and after it a MESSAGE
id and destination:  RECEIPT, and after it nothing'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
