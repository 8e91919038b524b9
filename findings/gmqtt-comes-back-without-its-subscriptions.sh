#!/usr/bin/env bash
# Software: gmqtt 0.8.0 (Python), an MQTT client, against MQTT.js 5.16.0 (npm)
# Guess: The client comes back by itself after the connection was lost, and what it had subscribed to is subscribed to
#   again, as MQTT.js does it: the program goes on as if nothing had been.
# Behaviour: It comes back and subscribes to nothing: the connection is up, pings are answered, publishing works, and
#   not one message is delivered any more. A bot is deaf after the first restart of the broker. subscribe() belongs
#   into on_connect, which is called each time, and not behind connect().
# Output seen:
#   MQTT.js:  CONNECT SUBSCRIBE, lost, CONNECT SUBSCRIBE
#   gmqtt:    CONNECT SUBSCRIBE, lost, CONNECT

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    gmqtt==0.8.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: gmqtt==0.8.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    mqtt@5.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: mqtt@5.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/gmqtt_client.py" <<'PY'
import asyncio, sys

import gmqtt

async def main():
    client = gmqtt.Client("reader")
    await client.connect("127.0.0.1", int(sys.argv[1]), version=4)
    client.subscribe("tea", qos=0)
    await asyncio.sleep(60)

asyncio.run(main())
PY
cat >"$work/mqtt_js.js" <<'JS'
const client = require("mqtt").connect(`mqtt://127.0.0.1:${process.argv[2]}`, { clientId: "reader" });
client.once("connect", () => client.subscribe("tea"));
client.on("error", () => {});
JS
cat >"$work/probe.py" <<'PROBE'
import os, socket, subprocess, sys, time

NAMES = {1: "CONNECT", 8: "SUBSCRIBE", 12: "PINGREQ", 14: "DISCONNECT"}

def packets(client, patience):
    """The names of the packets that come, each answered as a broker does, until nothing has come for a while."""
    client.settimeout(patience)
    stream = client.makefile("rb", buffering=0)
    seen = []
    try:
        while head := stream.read(2):
            kind, length = head[0] >> 4, head[1]        # all of them are short
            body = b""
            while len(body) < length:
                body += stream.read(length - len(body))
            seen.append(NAMES.get(kind, str(kind)))
            if kind == 1:
                client.sendall(b"\x20\2\0\0")           # accepted, no session is present
            if kind == 8:
                client.sendall(b"\x90\3" + body[:2] + b"\0")
                break
    except TimeoutError:
        pass
    return " ".join(seen)

def follow(name, *command):
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.settimeout(30)
        child = subprocess.Popen([*command, str(broker.getsockname()[1])], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            with broker.accept()[0] as first:
                before = packets(first, 20)
                time.sleep(0.5)                         # the client has read that it is subscribed
            with broker.accept()[0] as second:
                after = packets(second, 4)
        finally:
            child.kill()
            child.wait()
    print(f"{name:<9} {before}, lost, {after}")

work = os.path.dirname(os.path.abspath(__file__))
follow("MQTT.js:", "node", f"{work}/mqtt_js.js")
follow("gmqtt:", sys.executable, f"{work}/gmqtt_client.py")
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='MQTT.js:  CONNECT SUBSCRIBE, lost, CONNECT SUBSCRIBE
gmqtt:    CONNECT SUBSCRIBE, lost, CONNECT'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
