#!/usr/bin/env bash
# Software: ircv3 0.33.1 (npm), parseMessage(), against irc-framework 4.14.0
# A reader would guess: Two spaces between parameters count as one: RFC 1459 (2.3.1) has one or more there, and
#   servers do send them.
# Behaviour: Each further space is an empty parameter, and those behind it are shifted: of a line to a room the
#   text is empty, or it is the name of the room, with no error.
# Output seen:
#   "PRIVMSG #a :hello":   irc-framework #a 'hello', ircv3 #a 'hello'
#   "PRIVMSG #a  :hello":  irc-framework #a 'hello', ircv3 #a ''
#   "PRIVMSG  #a :hello":  irc-framework #a 'hello', ircv3  '#a'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    ircv3@0.33.1 irc-framework@4.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ircv3@0.33.1 irc-framework@4.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { parseMessage } = require("ircv3");
const { ircLineParser } = require("irc-framework");

for (const line of ["PRIVMSG #a :hello", "PRIVMSG #a  :hello", "PRIVMSG  #a :hello"]) {
  const [room, text] = ircLineParser(":ann!a@test.example " + line).params;
  const message = parseMessage(":ann!a@test.example " + line);
  console.log(`"${line}":`.padEnd(22), `irc-framework ${room} '${text}', ircv3 ${message.target} '${message.text}'`);
}
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="\"PRIVMSG #a :hello\":   irc-framework #a 'hello', ircv3 #a 'hello'
\"PRIVMSG #a  :hello\":  irc-framework #a 'hello', ircv3 #a ''
\"PRIVMSG  #a :hello\":  irc-framework #a 'hello', ircv3  '#a'"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
