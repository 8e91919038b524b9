#!/usr/bin/env bash
# Software: GNU inetutils telnet 2.4 (Debian 2:2.4-2+deb12u3)
# Guess: printf "one\ntwo\n" | telnet HOST PORT sends both lines, since they are in the pipe before
#   the end of file; at worst the replies are lost.
# Behaviour: When the lines and the end of file are both there, telnet reads them, sees the end, and
#   closes the connection without sending one byte. If the pipe stays open for a while after the
#   lines, the same lines are sent, so the usual test with a sleep hides it.
# Output seen:
#   pipe closed at once:     server read b''
#   pipe held for a moment:  server read b'one\r\ntwo\r\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "inetutils-telnet=2:2.4-2*"; do
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

import shutil

def once(hold):
    server, port = listen()
    got = bytearray()

    def serve():
        connection, _ = server.accept()
        connection.settimeout(15)
        connection.sendall(b"welcome\r\n")
        while data := connection.recv(1000):
            got.extend(data)
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    reader, writer = socket.socketpair()
    writer.sendall(b"one\ntwo\n")
    if not hold:
        writer.shutdown(socket.SHUT_WR)
    client = subprocess.Popen([shutil.which("inetutils-telnet"), "127.0.0.1", str(port)],
                              stdin=reader, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if hold:
        deadline = time.monotonic() + 15
        while len(got) < 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        writer.shutdown(socket.SHUT_WR)
    client.wait(15)
    thread.join(15)
    return bytes(got)

at_once, held = once(False), once(True)
print(f"pipe closed at once:     server read {at_once!r}")
print(f"pipe held for a moment:  server read {held!r}")
assert held == b"one\r\ntwo\r\n", "telnet no longer sends lines from a pipe"
assert at_once == b"", "the behaviour has changed"
PY
