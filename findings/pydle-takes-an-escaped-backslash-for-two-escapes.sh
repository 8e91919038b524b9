#!/usr/bin/env bash
# Software: pydle 1.2.0 (Python), message tags of IRCv3, against irctokens 2.0.2
# Guess: The value of a tag is unescaped as IRCv3 has it, from left to right: what one library has escaped, the other
#   reads as it was.
# Behaviour: The escapes are replaced one after the other over the whole value, and the one for a backslash as the last:
#   of two backslashes and an n the second and the n become a newline. Paths, patterns and other text with
#   backslashes come out with line ends and spaces in them, and where neither n, r, s nor : follows the
#   backslash is just gone.
# Output seen:
#   'two words; more'  irctokens 'two words; more', pydle 'two words; more'
#   'C:\\new\\songs'   irctokens 'C:\\new\\songs', pydle 'C:\new ongs'
#   'a\\d+'            irctokens 'a\\d+', pydle 'ad+'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    pydle==1.2.0 irctokens==2.0.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: pydle==1.2.0 irctokens==2.0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import irctokens
from pydle.features.ircv3.tags import TaggedMessage

seen = []
for value in ("two words; more", "C:\\new\\songs", "a\\d+"):
    line = irctokens.build("PRIVMSG", ["#a", "hello"], tags={"+what": value}).format()
    tokens = irctokens.tokenise(line).tags["+what"]
    seen.append((value, tokens, TaggedMessage.parse(line.encode() + b"\r\n").tags["+what"]))
    print(f"{value!r:<18} irctokens {tokens!r}, pydle {seen[-1][2]!r}")
assert all(value == tokens for value, tokens, _ in seen), "the comparison no longer holds"
assert [pydle for _, _, pydle in seen] == ["two words; more", "C:\new ongs", "ad+"], "the behaviour has changed"
PY
