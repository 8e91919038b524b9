#!/usr/bin/env bash
# Software: stomper 0.4.3 (Python), STOMP's frames, against stomp.py 9.0.0 (Python)
# Guess: The body of a frame is what stands between the blank line and the NUL, and unpack_frame gives it as it is.
# Behaviour: The body is put together from its lines, without what was between them and without the spaces that a
#   line begins with: the end of one paragraph and the start of the next become one word. pack() writes all of it, so a
#   text that is packed and unpacked is another one.
# Output seen:
#   "one\n\ntwo"        stomp.py "one\n\ntwo", stomper "onetwo"
#   "shopping:\n  tea"  stomp.py "shopping:\n  tea", stomper "shopping:tea"
#   "  indented"        stomp.py "  indented", stomper "indented"
#   "one line"          stomp.py "one line", stomper "one line"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    stomper==0.4.3 stomp.py==9.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stomper==0.4.3 stomp.py==9.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import json
import stomp.utils, stomper

for text in ["one\n\ntwo", "shopping:\n  tea", "  indented", "one line"]:
    frame = stomper.Frame()
    frame.cmd, frame.headers, frame.body = "MESSAGE", {"destination": "/topic/tea", "message-id": "1"}, text
    wire = frame.pack()
    assert f"\n\n{text}\0" in wire, "the text is not sent as it is"
    other = stomp.utils.parse_frame(wire.split("\0")[0].encode()).body
    back = stomper.unpack_frame(wire)["body"]
    print(f"{json.dumps(text):<19} stomp.py {json.dumps(str(other, 'utf-8') if isinstance(other, bytes) else other)}, "
          f"stomper {json.dumps(back)}")
PROBE
seen=$(timeout 20 python3 "$work/probe.py")
echo "$seen"
expected='"one\n\ntwo"        stomp.py "one\n\ntwo", stomper "onetwo"
"shopping:\n  tea"  stomp.py "shopping:\n  tea", stomper "shopping:tea"
"  indented"        stomp.py "  indented", stomper "indented"
"one line"          stomp.py "one line", stomper "one line"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
