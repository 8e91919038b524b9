#!/usr/bin/env bash
# Software: paho-mqtt 2.2.0 (Python)
# Guess: publish() returns MQTT_ERR_NO_CONN while the client is not connected: the message was not taken, with
#   any quality of service, and the caller has to publish it again later.
# Behaviour: With qos=0 it is so. With qos=1 the same error is returned, and the message is kept and goes out with
#   the next connection. A caller who tries again until the code is 0 sends each message as often as they
#   tried.
# Output seen:
#   not connected, qos=0:  publish() returned 4 (The client is not currently connected.)
#   not connected, qos=1:  publish() returned 4 (The client is not currently connected.)
#   sent once connected:   'with qos 1'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    paho-mqtt==2.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: paho-mqtt==2.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, threading

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="ann")
returned = [client.publish("room", f"with qos {qos}", qos=qos).rc for qos in (0, 1)]
for qos, code in enumerate(returned):
    print(f"not connected, qos={qos}:  publish() returned {code} ({mqtt.error_string(code)})")

def packets(stream):
    """The first byte and the body of each MQTT packet (all here are shorter than 128 bytes)."""
    while head := stream.read(2):
        yield head[0], stream.read(head[1])

def serve(listener, sent):
    connection = listener.accept()[0]
    connection.settimeout(15)
    for kind, body in packets(connection.makefile("rb")):
        if kind >> 4 == 1:                          # CONNECT
            connection.sendall(b"\x20\x02\x00\x00")
        elif kind >> 4 == 3:                        # PUBLISH: topic, an identifier if qos is 1, text
            text = body[2 + len("room"):]
            if kind & 6:
                connection.sendall(b"\x40\x02" + text[:2])
                text = text[2:]
            sent.append(text.decode())
        elif kind >> 4 == 14:                       # DISCONNECT
            return

sent, acknowledged = [], threading.Event()
client.on_publish = lambda *_: acknowledged.set()
with socket.create_server(("127.0.0.1", 0)) as listener:
    server = threading.Thread(target=serve, args=(listener, sent), daemon=True)
    server.start()
    client.connect("127.0.0.1", listener.getsockname()[1])
    client.loop_start()
    acknowledged.wait(10)
    client.disconnect()
    server.join(15)
    client.loop_stop()
print("sent once connected:  ", ", ".join(map(repr, sent)))
assert returned == [4, 4] and sent == ["with qos 1"], "the behaviour has changed"
PY
