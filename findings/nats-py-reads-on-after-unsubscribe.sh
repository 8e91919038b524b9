#!/usr/bin/env bash
# Software: nats-py 2.16.0 (Python; with nats-server 2.9.10, Debian 2.9.10-1+b3)
# Guess: unsubscribe() ends a subscription there and then, and drain() lets it read what has come already: that is the
#   difference between the two. Who loops over sub.messages, or calls next_msg(), gets nothing more after unsubscribe().
# Behaviour: That holds for a callback alone. The other two are given all that had come before, as after drain(): who
#   has left a room goes on reading what is queued, up to 524288 messages. Only then does the loop end.
# Output seen:
#   callback:   unsubscribe() at 2 of 6: 2 read   drain() at 2 of 6: 6 read
#   messages:   unsubscribe() at 2 of 6: 6 read   drain() at 2 of 6: 6 read
#   next_msg:   unsubscribe() at 2 of 6: 6 read   drain() at 2 of 6: 6 read

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    nats-py==2.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nats-py==2.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in nats-server=2.9.10-1+b3; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work/debian/usr/sbin/nats-server" <<'PY'
import asyncio, socket, subprocess, sys, time

import nats

def start_server():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.argv[1], "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nats-server does not listen"
            time.sleep(0.05)

async def count(client, way, end):
    """How many of six messages that have come are read when the reader ends its subscription at the second one."""
    read, go, ending = 0, asyncio.Event(), None

    async def take(_):
        nonlocal read, ending
        await go.wait()
        read += 1
        if read == 2:
            ending = asyncio.create_task(getattr(subscription, end)())
            await asyncio.sleep(0.2)

    async def loop():
        if way == "messages":
            async for message in subscription.messages:
                await take(message)
        else:
            while True:
                try:
                    await take(await subscription.next_msg(timeout=1))
                except (nats.errors.TimeoutError, nats.errors.BadSubscriptionError):
                    return

    subscription = await client.subscribe("room", cb=take if way == "callback" else None)
    for number in range(6):
        await client.publish("room", b"%d" % number)
    await client.flush()          # all six come before the answer to this
    reader = None if way == "callback" else asyncio.create_task(loop())
    go.set()
    await asyncio.sleep(2)
    await ending
    if reader:
        reader.cancel()
    return f"{end}() at 2 of 6: {read} read"

async def main(port):
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    seen = [[await count(client, way, end) for end in ("unsubscribe", "drain")]
            for way in ("callback", "messages", "next_msg")]
    await client.close()
    return seen

server, port = start_server()
try:
    seen = asyncio.run(main(port))
finally:
    server.kill()
    server.wait()
for way, results in zip(("callback:", "messages:", "next_msg:"), seen):
    print(way, " ", "   ".join(results))
assert seen[0] == ["unsubscribe() at 2 of 6: 2 read", "drain() at 2 of 6: 6 read"], "the comparison no longer holds"
now = ["unsubscribe() at 2 of 6: 6 read", "drain() at 2 of 6: 6 read"]
assert seen[1:] == [now, now], "the behaviour has changed"
PY
