#!/usr/bin/env bash
# Software: sse-pubsub 1.4.5 (npm), with the client of eventsource 4.1.0
# A reader would guess: The ping that keeps proxies from closing a quiet connection is a comment, as the standard of
#   EventSource recommends: the page is not told.
# Behaviour: It is a message without text: onmessage is called every three seconds (pingInterval), with "" for the
#   data. A page that parses each message as JSON fails at each ping, and one that prints messages prints
#   empty ones.
# Output seen:
#   published "one", and "two" some time later
#   onmessage read "" "one" "" "two"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    sse-pubsub@1.4.5 eventsource@4.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sse-pubsub@1.4.5 eventsource@4.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const SSEChannel = require("sse-pubsub");
const { EventSource } = require("eventsource");

const channel = new SSEChannel({ pingInterval: 500 });
const server = http.createServer((request, response) => channel.subscribe(request, response));
server.listen(0, "127.0.0.1", () => {
  const source = new EventSource(`http://127.0.0.1:${server.address().port}/`);
  const [read, texts] = [[], ["one", "two"]];
  const publish = () => texts.length && channel.publish(texts.shift());
  // Each text is published at a ping; if none is told, both are in the end.
  setTimeout(() => [publish(), publish()], 15000);
  source.onmessage = ({ data }) => {
    if (data === "" && read.at(-1) === "") return;
    read.push(data);
    if (data === "") publish();
    if (data !== "two") return;
    console.log("onmessage read", read.map((text) => JSON.stringify(text)).join(" "));
    process.exit(0);
  };
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
[ "$seen" = 'onmessage read "" "one" "" "two"' ] || { echo "the behaviour has changed" >&2; exit 1; }
