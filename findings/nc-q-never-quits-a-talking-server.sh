#!/usr/bin/env bash
# Software: OpenBSD netcat 1.219 (Debian netcat-openbsd 1.219-1)
# Guess: nc -q 1 quits one second after the end of its standard input, as the manual says and as
#   nc.traditional -q 1 (Debian 1.10-47) does.
# Behaviour: The second is counted from the last byte that came from the server, again and again.
#   Against a server that says something more often (a chat, a ticker, a stream of events), nc -q 1
#   does not quit at all while that goes on; nc.traditional quits after one second.
# Output seen:
#   nc.traditional -q 1: quit
#   nc.openbsd -q 1:     still running after 5 s of a line each 0.3 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in netcat-openbsd=1.219-1 netcat-traditional=1.10-47 libbsd0=0.11.7-2 libmd0=1.0.4-2; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, sys, threading, time

def listen():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    return server, server.getsockname()[1]

def once(program):
    server, port = listen()

    def talk():
        connection, _ = server.accept()
        try:
            for number in range(100):
                connection.sendall(b"tick\n")
                time.sleep(0.3)
        except OSError:
            pass

    threading.Thread(target=talk, daemon=True).start()
    client = subprocess.Popen([program, "-q", "1", "127.0.0.1", str(port)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL)
    try:
        client.wait(5)
        return "quit"
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()
        return "still running"

traditional, openbsd = once("nc.traditional"), once("nc.openbsd")
print("nc.traditional -q 1:", traditional)
print("nc.openbsd -q 1:    ", openbsd, "after 5 s of a line each 0.3 s")
assert traditional == "quit", "nc.traditional is no longer the comparison"
assert openbsd == "still running", "the behaviour has changed"
PY
