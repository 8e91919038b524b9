#!/usr/bin/env bash
# Software: amqtt 0.12.1 (Python), an MQTT broker, spoken to over MQTT 3.1.1
# Guess: A client that comes back to its session (clean session 0) while its old connection still seems to be there
#   takes it over: the old connection is closed, and the new one lives (MQTT 3.1.4).
# Behaviour: The newcomer is accepted, told that its session is there, and then closed together with the old
#   connection. So a client that has changed its network, and is quicker than the broker's keepalive, is thrown out
#   by its own return; a client that was told about its session believes that it has missed nothing.
# Output seen:
#   old connection gone before:   the newcomer was accepted, and its ping is answered
#   old connection still there:   the newcomer was accepted, session present, then the end of both

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    amqtt==0.12.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: amqtt==0.12.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/broker.py" <<'PY'
import asyncio, sys
from amqtt.broker import Broker

async def main():
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
                     "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}})
    await broker.start()
    await asyncio.sleep(60)

asyncio.run(main())
PY
timeout 60 python3 - "$work/broker.py" <<'PY'
import socket, struct, subprocess, sys, time

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
broker = subprocess.Popen([sys.executable, sys.argv[1], str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def come(name):
    """Connects to the session of that name; the socket, and whether the broker knew the session."""
    deadline = time.monotonic() + 20
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 10)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.1)
    body = b"\0\4MQTT\4\0" + struct.pack(">HH", 60, len(name)) + name
    client.sendall(bytes([0x10, len(body)]) + body)
    answer = client.recv(4)
    assert answer[:2] == b"\x20\2" and answer[3] == 0, f"not accepted: {answer}"
    return client, answer[2]

def says(client):
    """What a ping is answered with; b"" at the end of the connection."""
    try:
        client.sendall(b"\xc0\0")
        return client.recv(100)
    except (BrokenPipeError, ConnectionResetError):
        return b""

try:
    first = come(b"ann")[0]
    first.sendall(b"\xe0\0")    # DISCONNECT
    assert first.recv(1) == b"", "the comparison no longer holds"
    gone = says(come(b"ann")[0])
    old, new = come(b"joe")[0], come(b"joe")
    old_end = old.recv(1)
    # The end may come after an answer to the ping: it is waited for.
    there = new[1], new[0].recv(1)
finally:
    broker.terminate()
    broker.wait(15)
print("old connection gone before:   the newcomer was accepted, and its ping is",
      "answered" if gone == b"\xd0\0" else f"not: {gone}")
print("old connection still there:   the newcomer was accepted,",
      "session present," if there[0] else "no session,", "then the end of both" if (old_end, there[1]) == (b"", b"") else there)
assert gone == b"\xd0\0", "the comparison no longer holds"
assert (old_end, there) == (b"", (1, b"")), "the behaviour has changed"
PY
