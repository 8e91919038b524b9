#!/usr/bin/env bash
# Software: ncat 7.93 (Debian 7.93+dfsg1-1) as a listener with --sh-exec
# Guess: The program behind ncat -l --sh-exec sees the end of its input when the client half-closes,
#   and what it prints afterwards still reaches the client, as behind inetd.
# Behaviour: Once the client has half-closed, ncat hands the program the end of file but forwards
#   nothing that it prints from then on: the client gets an orderly end of file with the answer
#   missing, and nothing tells of an error. Only a client that keeps its sending side open gets the
#   answer.
# Output seen:
#   client half-closes:       got b''
#   client keeps it open:     got b'counted 1\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in ncat=7.93+dfsg1-1 liblua5.3-0=5.3.6-2 libpcap0.8=1.10.3-1; do
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

def connect(port, deadline):
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "ncat does not listen"
            time.sleep(0.05)

def once(half_close, program):
    server, port = listen()
    server.close()
    ncat = subprocess.Popen(["ncat", "-l", "127.0.0.1", str(port), "--sh-exec", program])
    try:
        client = connect(port, time.monotonic() + 10)
        client.settimeout(10)
        client.sendall(b"a line\n")
        if half_close:
            client.shutdown(socket.SHUT_WR)
        got = b""
        while data := client.recv(1000):
            got += data
        return got
    finally:
        ncat.kill()
        ncat.wait()

halved = once(True, "n=$(wc -l); sleep 1; echo counted $n")
whole = once(False, "read line; sleep 1; echo counted 1")
print(f"client half-closes:       got {halved!r}")
print(f"client keeps it open:     got {whole!r}")
assert whole == b"counted 1\n", "the comparison no longer holds"
assert halved == b"", "the behaviour has changed"
PY
