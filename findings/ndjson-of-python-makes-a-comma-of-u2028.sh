#!/usr/bin/env bash
# Software: ndjson 0.3.1 (Python), dumps(ensure_ascii=False) and loads(), against jsonlines 4.0.0
# A reader would guess: What the library has written it reads back: a line of NDJSON ends with LF, and JSON allows
#   U+2028 and U+0085 within a text.
# Behaviour: loads() cuts at everything that str.splitlines() takes for an end of a line, and joins the pieces with
#   commas: the value is valid JSON again, with a comma in place of the character and no error. A text that somebody
#   pasted from a word processor comes out of the history changed. Splitting at LF alone, and json.loads(), does what
#   was meant.
# Output seen:
#   written:            {"text": "one\u2028two"}
#   jsonlines read:     {"text": "one\u2028two"}
#   ndjson read:        {"text": "one,two"}
#   ndjson, of U+0085:  {"text": "one,two"}

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    ndjson==0.3.1 jsonlines==4.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ndjson==0.3.1 jsonlines==4.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import io, json

import jsonlines, ndjson

def shown(value):
    return json.dumps(value)            # with \u2028 for the character

line = {"text": "one\u2028two"}
written = ndjson.dumps([line], ensure_ascii=False)
assert "\u2028" in written and "\n" not in written, "it is written in another way now"
print("written:           ", shown(line))
print("jsonlines read:    ", *map(shown, jsonlines.Reader(io.StringIO(written))))
print("ndjson read:       ", *map(shown, ndjson.loads(written)))
print("ndjson, of U+0085: ", *map(shown, ndjson.loads(written.replace("\u2028", "\u0085"))))
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='written:            {"text": "one\u2028two"}
jsonlines read:     {"text": "one\u2028two"}
ndjson read:        {"text": "one,two"}
ndjson, of U+0085:  {"text": "one,two"}'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
