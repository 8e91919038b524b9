#!/usr/bin/env bash
# Software: reconnecting-eventsource 1.6.5 (npm), over the client of eventsource 4.1.0
# Guess: After an answer of 503, at which an EventSource gives up, it makes a new one and asks for what followed the
#   last event it read (?lastEventId=7), whether that was read by onmessage or by addEventListener("message").
# Behaviour: It looks at the id of an event only where it dispatches one to listeners. With onmessage it remembers none,
#   and asks from the beginning: what was sent meanwhile is missed, or all of the history read again. It shows only at
#   an answer that is an error: after a connection that was just lost, the inner EventSource sends its id.
# Output seen:
#   onmessage:          lost: id 7, 503: id 7, after the 503: nothing
#   addEventListener:   lost: id 7, 503: id 7, after the 503: ?lastEventId=7

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    reconnecting-eventsource@1.6.5 eventsource@4.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: reconnecting-eventsource@1.6.5 eventsource@4.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const { EventSource } = require("eventsource");
const Reconnecting = require("reconnecting-eventsource").default;

// What the client asks with, after the first time: once its connection was lost, once more, and after a 503.
const asks = (listen) => new Promise((done) => {
  const asked = [];
  const server = http.createServer((request, response) => {
    const id = request.headers["last-event-id"];
    asked.push(id ? `id ${id}` : request.url.slice(1) || "nothing");
    if (asked.length === 3) return response.writeHead(503).end();
    if (asked.length === 4) {
      client.close();
      response.end();
      server.close();
      return done(`lost: ${asked[1]}, 503: ${asked[2]}, after the 503: ${asked[3]}`);
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("retry: 50\nid: 7\ndata: hello\n\n");
    setTimeout(() => response.destroy(), 200);
  });
  let client;
  server.listen(0, "127.0.0.1", () => {
    const url = `http://127.0.0.1:${server.address().port}/`;
    client = new Reconnecting(url, { eventSourceClass: EventSource, max_retry_time: 200 });
    listen(client);
  });
});

(async () => {
  console.log("onmessage:         ", await asks((client) => { client.onmessage = () => {}; }));
  console.log("addEventListener:  ", await asks((client) => client.addEventListener("message", () => {})));
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='onmessage:          lost: id 7, 503: id 7, after the 503: nothing
addEventListener:   lost: id 7, 503: id 7, after the 503: ?lastEventId=7'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
