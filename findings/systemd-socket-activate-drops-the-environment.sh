#!/usr/bin/env bash
# Software: systemd-socket-activate 252.39 (Debian systemd 252.39-1~deb12u2)
# Guess: A program that is started by it in a shell sees the variables of that shell, as below env, nohup or
#   setpriv; LISTEN_FDS comes in addition.
# Behaviour: Of the caller's variables only a few, such as PATH, HOME and TERM, are handed on. A server that
#   takes its settings or secrets from the environment starts without them, so what is tried on the command
#   line differs from the unit file. Each variable has to be named with -E.
# Output seen:
#   run directly:             CHAT_TOPIC 'tea', LISTEN_FDS unset
#   socket-activate:          CHAT_TOPIC unset, LISTEN_FDS '1'
#   with -E CHAT_TOPIC:       CHAT_TOPIC 'tea', LISTEN_FDS '1'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "systemd=252.*" "libsystemd-shared=252.*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name 'libsystemd-shared*.so' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/program" <<'PY'
import os

for name in ("CHAT_TOPIC", "LISTEN_FDS"):
    print(repr(os.environ[name]) if name in os.environ else "unset", end="\n" if name == "LISTEN_FDS" else " ")
PY
timeout 60 python3 - "$work" "$libraries" <<'PY'
import os, socket, subprocess, sys, time

work, libraries = sys.argv[1:]
environment = {**os.environ, "CHAT_TOPIC": "tea", "LD_LIBRARY_PATH": libraries}
program = [sys.executable, f"{work}/program"]

def activated(*options):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [f"{work}/debian/usr/bin/systemd-socket-activate", "-l", f"127.0.0.1:{port}", *options]
    process = subprocess.Popen(command + program, env=environment, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        deadline = time.monotonic() + 15
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port), 10):
                    return process.communicate(timeout=10)[0].split()
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, "systemd-socket-activate does not listen"
                time.sleep(0.05)
    finally:
        process.kill()
        process.wait()

direct = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout.split()
seen = [direct, activated(), activated("-E", "CHAT_TOPIC")]
for name, (topic, count) in zip(("run directly:", "socket-activate:", "with -E CHAT_TOPIC:"), seen):
    print(f"{name:<25} CHAT_TOPIC {topic}, LISTEN_FDS {count}")
assert seen[0] == ["'tea'", "unset"] and seen[2] == ["'tea'", "'1'"], "the comparison no longer holds"
assert seen[1] == ["unset", "'1'"], "the behaviour has changed"
PY
