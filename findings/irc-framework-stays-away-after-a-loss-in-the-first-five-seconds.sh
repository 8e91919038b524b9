#!/usr/bin/env bash
# Software: irc-framework 4.14.0 (npm), an IRC client with auto_reconnect, as it is by default
# Guess: A client that was welcomed and then lost its connection comes back, whether it was there for a second or
#   for a week.
# Behaviour: It comes back if it was there for more than five seconds. Lost before that it emits "close" and stays away
#   for good, without another attempt. So a server that is restarted twice in short order loses the bot: the
#   first loss is followed by a new connection, and the second, which comes soon after the welcome, by none.
# Output seen:
#   lost 6 seconds after the welcome:  reconnecting
#   lost 3 seconds after the welcome:  close

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    irc-framework@4.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc-framework@4.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const { Client } = require("irc-framework");

let stay;

// A server that welcomes everybody and loses them later.
const server = net.createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    if (!String(piece).includes("USER")) return;
    socket.write(":irc.test.example 001 bot :hello\r\n:irc.test.example 376 bot :end\r\n");
    setTimeout(() => socket.destroy(), stay * 1000);
  });
});

server.listen(0, "127.0.0.1", async () => {
  for (stay of [6, 3]) {
    const bot = new Client({ host: "127.0.0.1", port: server.address().port, nick: "bot" });
    const welcomed = new Promise((done) => bot.once("registered", done));
    const next = new Promise((done) => {
      bot.once("reconnecting", () => done("reconnecting"));
      bot.once("close", () => done("close"));
    });
    bot.connect();
    await welcomed;
    console.log(`lost ${stay} seconds after the welcome:  ${await next}`);
    bot.quit();
  }
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='lost 6 seconds after the welcome:  reconnecting
lost 3 seconds after the welcome:  close'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
