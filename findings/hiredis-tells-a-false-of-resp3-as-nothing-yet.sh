#!/usr/bin/env bash
# Software: hiredis 3.5.0 (Python), Reader.gets()
# A reader would guess: gets() tells "no whole reply yet" from every reply there is, so that a loop reads replies until
#   it says so.
# Behaviour: It returns False for that, and False for the reply #f of RESP3, which servers send since HELLO 3. A loop
#   that stops at False leaves the replies behind it unread until more arrives, and takes each for the answer to what
#   was asked later. notEnoughData=object() gives "not yet" a value of its own.
# Output seen:
#   nothing fed:              gets() False
#   #f and +OK fed:           gets() False, then 'OK'
#   a loop until False read:  nothing
#   with notEnoughData:       False, 'OK', not yet

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    hiredis==3.5.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: hiredis==3.5.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import hiredis

reader = hiredis.Reader(encoding="utf-8")
print("nothing fed:             ", "gets()", reader.gets())
replies = b"#f\r\n+OK\r\n"
reader.feed(replies)
print("#f and +OK fed:          ", "gets()", str(reader.gets()) + ", then", repr(reader.gets()))

reader = hiredis.Reader(encoding="utf-8")
reader.feed(replies)
read = []
while (reply := reader.gets()) is not False:
    read.append(reply)
print("a loop until False read: ", read or "nothing")

not_yet = object()
reader = hiredis.Reader(encoding="utf-8", notEnoughData=not_yet)
reader.feed(replies)
seen = [reader.gets() for _ in range(3)]
print("with notEnoughData:      ", ", ".join("not yet" if reply is not_yet else repr(reply) for reply in seen))
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected="nothing fed:              gets() False
#f and +OK fed:           gets() False, then 'OK'
a loop until False read:  nothing
with notEnoughData:       False, 'OK', not yet"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
