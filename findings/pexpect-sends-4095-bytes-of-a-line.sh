#!/usr/bin/env bash
# Software: pexpect 4.9.0 (Python) with Debian's netcat-openbsd 1.219, on Linux
# Guess: sendline() sends the line, however long: to test the limit of a server for lines, let it send 5000 letters.
# Behaviour: The program gets 4095 bytes and the LF. The terminal that pexpect makes is in line mode, where the kernel
#   keeps that much of a line and drops the rest without a word; sendline() returns 5001. So a test of a limit above 4
#   KiB passes without having reached it. "stty raw -echo" in front of the program, or no terminal (popen_spawn), sends
#   all.
# Output seen:
#   sendline() of 4000 letters:             returned 4001, the server read 4001 bytes
#   sendline() of 5000 letters:             returned 5001, the server read 4096 bytes
#   sendline() of 5000 letters, stty raw:   returned 5001, the server read 5001 bytes

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    pexpect==4.9.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: pexpect==4.9.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in netcat-openbsd=1.219-1 "libbsd0=0.11.7-2*" "libmd0=1.0.4-2*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export LD_LIBRARY_PATH=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import socket, sys

import pexpect

def try_out(command, length, note=""):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(15)
        child = pexpect.spawn("sh", ["-c", command.format(port=server.getsockname()[1])], timeout=15)
        connection, _ = server.accept()
        connection.settimeout(15)
        connection.sendall(b"welcome\n")
        child.expect("welcome")             # nc runs, and whatever was set is set
        returned = child.sendline("x" * length)
        with connection, connection.makefile("rb") as lines:
            read = len(lines.readline())
        child.close(force=True)
    step = f"sendline() of {length} letters{note}:"
    print(f"{step:<39} returned {returned}, the server read {read} bytes")

nc = sys.argv[1] + " 127.0.0.1 {port}"
try_out("exec " + nc, 4000)
try_out("exec " + nc, 5000)
try_out("stty raw -echo; exec " + nc, 5000, ", stty raw")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work/debian/bin/nc.openbsd")
echo "$seen"
expected='sendline() of 4000 letters:             returned 4001, the server read 4001 bytes
sendline() of 5000 letters:             returned 5001, the server read 4096 bytes
sendline() of 5000 letters, stty raw:   returned 5001, the server read 5001 bytes'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
