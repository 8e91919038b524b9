#!/usr/bin/env bash
# Software: slate-irc 0.9.7 (npm), an IRC client, against irc-framework 4.14.0
# Guess: "PRIVMSG #tea hello" says the same as "PRIVMSG #tea :hello": the colon is needed only for a text with spaces
#   (RFC 1459, 2.3.1), and libraries leave it out where it is not needed, as the crate irc-proto does.
# Behaviour: All that stands before the first colon is taken for one parameter: the event has the room "#tea hello" and
#   an empty text. Topics, notices and the last words of who leaves are lost in the same way, if they are of one
#   word; a bot in such company works until somebody says "ok".
# Output seen:
#   PRIVMSG #tea :hello  irc-framework "#tea" "hello", slate-irc "#tea" "hello"
#   PRIVMSG #tea hello   irc-framework "#tea" "hello", slate-irc "#tea hello" ""

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    slate-irc@0.9.7 irc-framework@4.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: slate-irc@0.9.7 irc-framework@4.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const framework = require("irc-framework");
const { default: slate } = require("slate-irc");

const lines = ["PRIVMSG #tea :hello", "PRIVMSG #tea hello"];

// A server that welcomes whoever comes and then says the lines.
const server = net.createServer((socket) => {
  let welcomed = false;
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    if (welcomed || !String(piece).includes("USER")) return;
    welcomed = true;
    const said = lines.map((line) => `:ann!a@test.example ${line}`);
    socket.write([":irc.test.example 001 bot :hello", ":bot!b@test.example JOIN #tea", ...said, ""].join("\r\n"));
  });
});

const messages = (client, pick) => new Promise((done) => {
  const seen = [];
  client.on("message", (event) => seen.push(pick(event).map((text) => JSON.stringify(text)).join(" ")) === 2 && done(seen));
});

server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const one = new framework.Client({ host: "127.0.0.1", port, nick: "bot", auto_reconnect: false });
  const ofFramework = messages(one, (event) => [event.target, event.message]);
  one.connect();
  const other = slate(net.connect(port, "127.0.0.1"));
  const ofSlate = messages(other, (event) => [event.to, event.message]);
  other.nick("bot");
  other.user("bot", "bot");
  const [first, second] = [await ofFramework, await ofSlate];
  lines.forEach((line, at) => {
    console.log(`${line.padEnd(20)} irc-framework ${first[at]}, slate-irc ${second[at]}`);
  });
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='PRIVMSG #tea :hello  irc-framework "#tea" "hello", slate-irc "#tea" "hello"
PRIVMSG #tea hello   irc-framework "#tea" "hello", slate-irc "#tea hello" ""'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
