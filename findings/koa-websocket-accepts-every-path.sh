#!/usr/bin/env bash
# Software: koa-websocket 7.0.0 with koa 3.3.0 and koa-route 4.0.1 (npm), against @fastify/websocket 11.3.7 with fastify
#   5.12.8, with the client of ws 8.23.0
# Guess: A WebSocket to a path for which there is no route is refused with 404, as a request to it is.
# Behaviour: It is accepted, and nobody listens: the connection stays open, its pings are answered, what is said is
#   lost. A client with a mistyped or an old path shows "connected" and waits; a check that only connects passes.
# Output seen:
#   fastify: /room opened and answered, /rom refused with 404
#   koa:     /room opened and answered, /rom opened, its ping answered, its message not

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    koa-websocket@7.0.0 koa@3.3.0 koa-route@4.0.1 @fastify/websocket@11.3.7 fastify@5.12.8 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: koa-websocket@7.0.0 koa@3.3.0 koa-route@4.0.1 @fastify/websocket@11.3.7 fastify@5.12.8 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket } = require("ws");

async function withFastify() {
  const app = require("fastify")();
  await app.register(require("@fastify/websocket"));
  app.get("/room", { websocket: true }, (socket) => socket.on("message", (text) => socket.send(String(text))));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return app.server.address().port;
}

async function withKoa() {
  const app = require("koa-websocket")(new (require("koa"))());
  app.ws.use(require("koa-route").all("/room", ({ websocket }) => {
    websocket.on("message", (text) => websocket.send(String(text)));
  }));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  return server.address().port;
}

// Says something and, behind it, pings: the pong comes last, whether or not there is an answer.
const look = (url) => new Promise((done) => {
  const client = new WebSocket(url);
  let answered = false;
  client.on("unexpected-response", (_, response) => done(`refused with ${response.statusCode}`));
  client.on("open", () => {
    client.send("hello");
    client.ping();
  });
  client.on("message", () => { answered = true; });
  client.on("pong", () => done(answered ? "opened and answered" : "opened, its ping answered, its message not"));
});

(async () => {
  for (const [name, make] of [["fastify:", withFastify], ["koa:", withKoa]]) {
    const url = `ws://127.0.0.1:${await make()}`;
    console.log(`${name.padEnd(8)} /room ${await look(`${url}/room`)}, /rom ${await look(`${url}/rom`)}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='fastify: /room opened and answered, /rom refused with 404
koa:     /room opened and answered, /rom opened, its ping answered, its message not'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
