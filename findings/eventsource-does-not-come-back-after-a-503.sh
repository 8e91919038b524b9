#!/usr/bin/env bash
# Software: eventsource 5.1.5 (npm), which does as the standard of EventSource says
# A reader would guess: An EventSource comes back by itself whenever its connection ends: while the server restarts it
#   tries again every few seconds, whatever it meets.
# Behaviour: It comes back when the connection is lost or refused, and stops for good at the first answer that is not
#   200: with a proxy in front, a restart of the backend is a 502 or 503 for a second, and every page that asks in that
#   second is silent until it is loaded anew. Retry-After changes nothing. A page has to look for readyState CLOSED in
#   onerror and make a new EventSource; a proxy had better hold the request, or refuse the connection.
# Output seen:
#   the stream ends:               error, state CONNECTING
#   the server refuses a while:    error, state CONNECTING
#   the server answers 503:        error, state CLOSED
#   three seconds later:           no more requests, state CLOSED

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    eventsource@5.1.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: eventsource@5.1.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const { once } = require("events");
const { EventSource } = require("eventsource");

const states = ["CONNECTING", "OPEN", "CLOSED"];

const alive = setInterval(() => {}, 1000);         // waiting to come back alone does not keep Node running

(async () => {
  let requests = 0;
  let ready = true;
  const serve = async (port) => {
    const server = http.createServer((request, response) => {
      requests += 1;
      if (ready) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("retry: 300\ndata: hello\n\n");
      } else {
        response.writeHead(503, { "retry-after": "1" }).end("restarting");
      }
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server = await serve(0);
  const port = server.address().port;
  const source = new EventSource(`http://127.0.0.1:${port}/`);
  const next = (event) => new Promise((done) => source.addEventListener(event, done, { once: true }));
  const tell = (step, what) => console.log(step.padEnd(30), `${what}, state ${states[source.readyState]}`);

  await next("message");
  server.close();
  server.closeAllConnections();
  await next("error");
  tell("the stream ends:", "error");
  await next("error");
  tell("the server refuses a while:", "error");
  ready = false;
  server = await serve(port);
  await next("error");
  while (source.readyState !== 2 && requests < 2) await next("error");
  tell("the server answers 503:", "error");
  const before = requests;
  ready = true;
  await new Promise((done) => setTimeout(done, 3000));
  tell("three seconds later:", requests === before ? "no more requests" : "it has asked again");
  clearInterval(alive);
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='the stream ends:               error, state CONNECTING
the server refuses a while:    error, state CONNECTING
the server answers 503:        error, state CLOSED
three seconds later:           no more requests, state CLOSED'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
