#!/usr/bin/env bash
# Software: amqtt 0.12.1 (Python), an MQTT broker, spoken to over MQTT 3.1.1
# Guess: With clean session 0 the broker keeps the session of a client that leaves: its subscriptions, and what is
#   published for them with qos 1, whoever the client is; the session belongs to the client's id.
# Behaviour: A session is kept only for a client that has logged in. Where everybody may come (allow_anonymous) nothing
#   is kept for who is away, though it has been acknowledged to the publisher: whoever is back reads none of it,
#   and a moment after they left their subscriptions are gone, too. So what works with names does not without.
# Output seen:
#   logged in:  back, and read "while away"
#   anonymous:  back, and read nothing

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
    plugin, settings = {
        "anonymous": ("AnonymousAuthPlugin", {"allow_anonymous": True}),
        "logged in": ("FileAuthPlugin", {"password_file": sys.argv[3]}),
    }[sys.argv[2]]
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
                     "plugins": {f"amqtt.plugins.authentication.{plugin}": settings}})
    await broker.start()
    await asyncio.sleep(60)

asyncio.run(main())
PY
timeout 60 python3 - "$work" <<'PY'
import socket, struct, subprocess, sys, time
from argon2 import PasswordHasher

work = sys.argv[1]
with open(f"{work}/passwords", "w") as file:
    file.write(f"ann:{PasswordHasher().hash('secret')}\n")

def text(value):
    return struct.pack(">H", len(value)) + value

def packet(kind, body):
    assert len(body) < 128
    return bytes([kind, len(body)]) + body

def come(port, name, user):
    """Connects to the session of that name, with a login or without."""
    deadline = time.monotonic() + 20
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 10)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.1)
    flags, login = (0xC0, text(b"ann") + text(b"secret")) if user else (0, b"")
    client.sendall(packet(0x10, text(b"MQTT") + bytes([4, flags, 0, 60]) + text(name) + login))
    answer = client.recv(4)
    assert answer[:2] == b"\x20\2" and answer[3] == 0, f"not accepted: {answer}"
    return client

def leave(client):
    client.sendall(b"\xe0\0")
    assert client.recv(1) == b""

seen = {}
for user in (True, False):
    kind = "logged in" if user else "anonymous"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    broker = subprocess.Popen([sys.executable, f"{work}/broker.py", str(port), kind, f"{work}/passwords"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        reader = come(port, b"reader", user)
        reader.sendall(packet(0x82, b"\0\1" + text(b"room") + b"\1"))
        assert reader.recv(5)[0] == 0x90, "not subscribed"
        leave(reader)
        speaker = come(port, b"speaker", user)
        speaker.sendall(packet(0x32, text(b"room") + b"\0\1while away"))
        assert speaker.recv(4) == b"\x40\2\0\1", "not acknowledged"
        reader = come(port, b"reader", user)
        # What was kept comes in front of the answer to a ping.
        reader.sendall(b"\xc0\0")
        read = b""
        while not read.endswith(b"\xd0\0"):
            more = reader.recv(100)
            assert more, "disconnected"
            read += more
        seen[kind] = b"while away" in read
    finally:
        broker.terminate()
        broker.wait(15)
    what = '"while away"' if seen[kind] else "nothing"
    print(f"{kind}:  back, and read {what}")
assert seen["logged in"], "the comparison no longer holds"
assert seen["anonymous"] is False, "the behaviour has changed"
PY
