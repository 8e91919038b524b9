#!/usr/bin/env bash
# Software: coilmq 1.1.0 (Python), a STOMP broker
# Guess: Without a content-length the body of a frame goes up to the NUL, however many packets and reads it takes.
# Behaviour: The NUL has to come with the same read of 4096 bytes, or of what has arrived by then, as the headers
#   do: else the broker takes the frame for broken and closes the connection without an ERROR. A client that leaves
#   the length away is lost at its first long message, and at a short one that is sent in two parts. With the
#   header both arrive.
# Output seen:
#   50 bytes:                        RECEIPT
#   5000 bytes:                      the end of the connection
#   5000 bytes, with content-length: RECEIPT
#   50 bytes in two packets:         the end of the connection

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
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.1)

def answer(client):
    frame = b""
    while not frame.endswith(b"\0"):
        try:
            more = client.recv(4096)
        except ConnectionResetError:        # it was closed before all was read
            more = b""
        if not more:
            return "the end of the connection"
        frame += more
    return frame.split(b"\n")[0].decode()

def tell(what, size, header=b"", cut=None):
    frame = b"SEND\ndestination:/topic/tea\nreceipt:1\n" + header + b"\n" + b"x" * size + b"\0"
    with come() as client:
        client.sendall(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0")
        assert answer(client) == "CONNECTED"
        client.sendall(frame[:cut])
        if cut:
            time.sleep(0.5)
            client.sendall(frame[cut:])
        print(f"{what:<32} {answer(client)}")

broker = subprocess.Popen([sys.executable, "-m", "coilmq.start", "-b", "127.0.0.1", "-p", str(port)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    tell("50 bytes:", 50)
    tell("5000 bytes:", 5000)
    tell("5000 bytes, with content-length:", 5000, b"content-length:5000\n")
    tell("50 bytes in two packets:", 50, cut=-10)
finally:
    broker.terminate()
    broker.wait(15)
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='50 bytes:                        RECEIPT
5000 bytes:                      the end of the connection
5000 bytes, with content-length: RECEIPT
50 bytes in two packets:         the end of the connection'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
