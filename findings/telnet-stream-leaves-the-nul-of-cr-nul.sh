#!/usr/bin/env bash
# Software: telnet-stream 1.1.0 (npm), TelnetInput
# Guess: What comes out is the text without the protocol: IAC IAC is one byte 255, commands are gone, and CR NUL,
#   which is how telnet sends a CR alone (RFC 854, and what many clients send for Enter), is CR.
# Behaviour: The first two are done; the NUL stays. Whoever splits the lines at CR, or at CR or LF, has a NUL at the
#   beginning of each line after the first: commands from such a client do not match, and a name has a byte
#   in it that nobody sees.
# Output seen:
#   IAC IAC within a line:  "a\xffb\r\n"
#   a command within it:    "ab\r\n"
#   CR NUL after each:      "/nick ann\r\0/join tea\r\0"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    telnet-stream@1.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: telnet-stream@1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { TelnetInput } = require("telnet-stream");

const IAC = 255, GO_AHEAD = 249;
const escape = { "\r": "\\r", "\n": "\\n", "\0": "\\0", "\xff": "\\xff" };

const read = (...pieces) => new Promise((done) => {
  const input = new TelnetInput();
  let text = "";
  input.on("data", (piece) => { text += piece.toString("latin1"); });
  input.on("end", () => done('"' + text.replace(/[\r\n\0\xff]/g, (letter) => escape[letter]) + '"'));
  input.end(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
});

(async () => {
  console.log("IAC IAC within a line: ", await read("a", [IAC, IAC], "b\r\n"));
  console.log("a command within it:   ", await read("a", [IAC, GO_AHEAD], "b\r\n"));
  console.log("CR NUL after each:     ", await read("/nick ann\r\0", "/join tea\r\0"));
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='IAC IAC within a line:  "a\xffb\r\n"
a command within it:    "ab\r\n"
CR NUL after each:      "/nick ann\r\0/join tea\r\0"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
