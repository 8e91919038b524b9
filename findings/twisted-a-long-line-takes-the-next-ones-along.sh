#!/usr/bin/env bash
# Software: Twisted 26.10.0 (Python), LineReceiver with MAX_LENGTH
# Guess: A protocol that answers lineLengthExceeded() by a word to the client, and stays connected, gets the
#   lines that follow the long one.
# Behaviour: What is handed to lineLengthExceeded(), and is gone with it, is the long line and all else that
#   had come with it: the next lines are lost if they were in the same packet, and arrive if they were not. If
#   the long line itself comes in pieces, its end arrives as a line of its own.
# Output seen:
#   in one packet:            lines one; too long: 41 bytes
#   a packet each:            lines one, two, three; too long: 31 bytes
#   the long line in pieces:  lines one, the end of it, two, three; too long: 30 bytes

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    Twisted==26.10.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: Twisted==26.10.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import LineReceiver

class Chat(LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 20

    def __init__(self):
        self.lines, self.too_long = [], []

    def lineReceived(self, line):
        self.lines.append(line.decode())

    def lineLengthExceeded(self, line):
        self.too_long.append(len(line))
        self.sendLine(b"too long")

LONG = b"x" * 30
seen = []
for name, packets in (("in one packet:", [b"one\n" + LONG + b"\ntwo\nthree\n"]),
                      ("a packet each:", [b"one\n", LONG + b"\n", b"two\n", b"three\n"]),
                      ("the long line in pieces:", [b"one\n", LONG, b"the end of it\n", b"two\n", b"three\n"])):
    chat = Chat()
    chat.makeConnection(StringTransport())
    for packet in packets:
        chat.dataReceived(packet)
    seen.append((chat.lines, chat.too_long))
    print(f"{name:<25} lines {', '.join(chat.lines)}; too long: {', '.join(map(str, chat.too_long))} bytes")
assert seen == [(["one"], [41]), (["one", "two", "three"], [31]),
                (["one", "the end of it", "two", "three"], [30])], "the behaviour has changed"
PY
