#!/usr/bin/env bash
# Software: coilmq 1.1.0, a STOMP broker, and stomper 0.4.3, which writes a client's frames (both Python)
# Guess: A line feed between two frames says nothing: it may stand behind the NUL of a frame, and is a client's
#   heart-beat (STOMP 1.2). stomper ends each frame with NUL and LF, and a broker skips the LF.
# Behaviour: The LF ends the reading: it stays in front of the broker's buffer for an empty command, and no frame behind
#   it is ever looked at. Whoever writes with stomper is told CONNECTED, and nothing after that is answered, passed on or
#   refused, while the connection stays. A client that sends heart-beats goes unheard after the first one.
# Output seen:
#   frames end with NUL:         CONNECTED RECEIPT RECEIPT
#   the same, a heart-beat:      CONNECTED RECEIPT
#   frames as stomper has them:  CONNECTED

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    coilmq==1.1.0 stomper==0.4.3 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: coilmq==1.1.0 stomper==0.4.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import socket, subprocess, sys, time

import stomper

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

def answers(*frames):
    """The commands of what the broker answers to each of the frames, which are sent one after the other."""
    seen = []
    with come() as client:
        for frame in frames:
            client.settimeout(2)
            client.sendall(frame)
            answer = b""
            try:
                while not answer.endswith(b"\0"):
                    more = client.recv(4096)
                    assert more, "disconnected"
                    answer += more
            except TimeoutError:
                continue
            seen.append(answer.split(b"\n")[0].decode())
    return " ".join(seen)

def text(cmd, headers, body=""):
    frame = stomper.Frame()
    frame.cmd, frame.headers, frame.body = cmd, headers, body
    return frame.pack().encode()

start = text("CONNECT", {"accept-version": "1.2", "host": "localhost"})
first = text("SEND", {"destination": "/topic/tea", "receipt": "1"}, "hello")
second = text("SEND", {"destination": "/topic/tea", "receipt": "2"}, "hello")
assert start.endswith(b"\0\n") and first.endswith(b"\0\n"), "stomper ends its frames in another way"

broker = subprocess.Popen([sys.executable, "-m", "coilmq.start", "-b", "127.0.0.1", "-p", str(port)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    plain = [frame.rstrip(b"\n") for frame in (start, first, second)]
    print("frames end with NUL:        ", answers(*plain))
    print("the same, a heart-beat:     ", answers(*plain[:2], b"\n" + plain[2]))
    print("frames as stomper has them: ", answers(start, first, second))
finally:
    broker.terminate()
    broker.wait(15)
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='frames end with NUL:         CONNECTED RECEIPT RECEIPT
the same, a heart-beat:      CONNECTED RECEIPT
frames as stomper has them:  CONNECTED'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
