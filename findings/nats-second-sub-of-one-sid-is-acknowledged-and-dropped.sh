#!/usr/bin/env bash
# Software: nats-server 2.9.10 (Debian 2.9.10-1+b3), spoken to over its text protocol
# Guess: A SUB with a subscription id that is in use is refused, or replaces the subscription that has
#   the id, as a second name for one thing does elsewhere.
# Behaviour: It is acknowledged with +OK and does nothing: the first subject goes on being delivered, and
#   nothing ever comes for the second.
# Output seen:
#   answer to both SUBs: b'+OK\r\n+OK\r\n'
#   delivered: b'MSG first 1 2\r\nhi\r\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in nats-server=2.9.10-1+b3; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export PATH=$work/debian/usr/sbin:$work/debian/usr/bin:$PATH

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, time

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)

def connect():
    deadline = time.monotonic() + 15
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 10).makefile("rwb", buffering=0)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)
    assert client.readline().startswith(b"INFO ")
    return client

def ask(client, command):
    """All lines up to the answer to a PING that follows the command."""
    client.write(command + b"PING\r\n")
    answer = b""
    while (line := client.readline()) != b"PONG\r\n":
        assert line, "the server has closed the connection"
        answer += line
    return answer

try:
    subscriber, publisher = connect(), connect()
    answer = ask(subscriber, b"SUB first 1\r\nSUB second 1\r\n")
    ask(publisher, b"PUB second 2\r\nho\r\nPUB first 2\r\nhi\r\n")
    delivered = ask(subscriber, b"")
finally:
    server.terminate()
    server.wait()
print("answer to both SUBs:", answer)
print("delivered:", delivered)
assert answer == b"+OK\r\n+OK\r\n", "the behaviour has changed"
assert delivered == b"MSG first 1 2\r\nhi\r\n", "the behaviour has changed"
PY
