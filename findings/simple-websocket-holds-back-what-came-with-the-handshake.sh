#!/usr/bin/env bash
# Software: simple-websocket 1.1.0 (Python), its client
# Guess: A server that greets right away, so that its first message comes in one packet with the answer to the
#   handshake, is heard as any other: receive() gives the greeting.
# Behaviour: The greeting is kept back until the next bytes come, and then given together with them. Against a
#   server that waits for an answer to its greeting both wait for the other; over a slower way, where the
#   greeting comes in a packet of its own, all is well.
# Output seen:
#   greeting in a packet of its own:   receive() gave 'hello'
#   greeting with the handshake:       receive() gave None within 3 s; after 'more' was sent: 'hello', 'more'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    simple-websocket==1.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: simple-websocket==1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import base64, hashlib, socket, threading
import simple_websocket

listener = socket.create_server(("127.0.0.1", 0))
url = f"ws://127.0.0.1:{listener.getsockname()[1]}/"

def text(word):
    return bytes([0x81, len(word)]) + word

def serve(together, go_on):
    """Greets, and says more when told to."""
    connection = listener.accept()[0]
    with connection, connection.makefile("rb") as stream:
        lines = iter(stream.readline, b"\r\n")
        key = next(line.split(b":")[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key"))
        while stream.readline() != b"\r\n":
            pass
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        answer = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        if together:
            connection.sendall(answer + text(b"hello"))
        else:
            connection.sendall(answer)
            assert connected.wait(10)
            connection.sendall(text(b"hello"))
        assert go_on.wait(20)
        connection.sendall(text(b"more"))
        connection.recv(100)    # the close frame

seen = []
for together in (False, True):
    connected, go_on = threading.Event(), threading.Event()
    threading.Thread(target=serve, args=(together, go_on), daemon=True).start()
    client = simple_websocket.Client(url)
    connected.set()
    first = client.receive(timeout=3 if together else 10)
    go_on.set()
    seen.append((first, client.receive(timeout=10), None if first else client.receive(timeout=10)))
    client.close()
print(f"greeting in a packet of its own:   receive() gave {seen[0][0]!r}")
print("greeting with the handshake:       receive() gave {!r} within 3 s; after 'more' was sent: {!r}, {!r}".format(*seen[1]))
assert seen[0] == ("hello", "more", None), "the comparison no longer holds"
assert seen[1] == (None, "hello", "more"), "the behaviour has changed"
PY
