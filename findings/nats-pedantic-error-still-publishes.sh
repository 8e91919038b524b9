#!/usr/bin/env bash
# Software: nats-server 2.9.10 (Debian 2.9.10-1+b3), spoken to over its text protocol
# Guess: A publish that is answered with -ERR 'Invalid Publish Subject' has been refused: nobody gets
#   the message, and no +OK follows, since a command has one answer.
# Behaviour: The check of the subject (which is on for a client that has sent no CONNECT) only complains:
#   the same publish is then acknowledged with +OK, and delivered to whoever subscribes to it.
# Output seen:
#   publisher read:  b"-ERR 'Invalid Publish Subject'\r\n+OK\r\n"
#   subscriber read: b'MSG rooms.* 1 2\r\nhi\r\n'

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

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

def connect(port):
    deadline = time.monotonic() + 15
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), 10)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)
    return connection, connection.makefile("rb")

def ask(client, command):
    """All lines up to the answer to a PING that follows the command."""
    connection, lines = client
    connection.sendall(command + b"PING\r\n")
    answer = b""
    while (line := lines.readline()) != b"PONG\r\n":
        assert line, "the server has closed the connection"
        answer += line
    return answer

port = free_port()
server = subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
try:
    subscriber, publisher = connect(port), connect(port)
    for _, lines in (subscriber, publisher):
        assert lines.readline().startswith(b"INFO ")
    assert ask(subscriber, b"SUB rooms.> 1\r\n").startswith(b"+OK")
    published = ask(publisher, b"PUB rooms.* 2\r\nhi\r\n")
    received = ask(subscriber, b"")
finally:
    server.terminate()
    server.wait()
print("publisher read: ", published)
print("subscriber read:", received)
assert published == b"-ERR 'Invalid Publish Subject'\r\n+OK\r\n", "the behaviour has changed"
assert received == b"MSG rooms.* 1 2\r\nhi\r\n", "the behaviour has changed"
PY
