#!/usr/bin/env bash
# Software: extended-eventsource 2.1.0 (npm), against eventsource 5.1.5
# Guess: A comment (a line that begins with a colon, which servers send so that proxies keep the
#   connection) is no event, as the standard of EventSource says.
# Behaviour: A comment and the empty line after it are dispatched as a message with empty data. A page that
#   prints what comes, or counts it, does so at each keepalive.
# Output seen:
#   eventsource:           messages ["one","two"]
#   extended-eventsource:  messages ["one","","","two"]

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    extended-eventsource@2.1.0 eventsource@5.1.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: extended-eventsource@2.1.0 eventsource@5.1.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");

const server = http.createServer((request, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.end("data: one\n\n: still here\n\n: still here\n\ndata: two\n\n");
});

const once = (EventSource) => new Promise((done) => {
  const source = new EventSource(`http://127.0.0.1:${server.address().port}/`);
  const messages = [];
  source.onmessage = (event) => {
    messages.push(event.data);
    if (event.data === "two") {
      source.close();
      done(JSON.stringify(messages));
    }
  };
});

server.listen(0, "127.0.0.1", async () => {
  for (const name of ["eventsource", "extended-eventsource"]) {
    console.log(`${(name + ":").padEnd(22)} messages ${await once(require(name).EventSource)}`);
  }
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='eventsource:           messages ["one","two"]
extended-eventsource:  messages ["one","","","two"]'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
