#!/usr/bin/env bash
# Software: Caddy 2.6.2 (Debian 2.6.2-5), reverse_proxy in front of a WebSocket backend, "caddy reload"
# Guess: Connections that are proxied outlive a reload, as nginx's old workers keep them; or else both
#   ends see TCP close.
# Behaviour: Caddy ends each WebSocket at a reload by a close frame of its own (1001) to both ends. It
#   sends the backend, whose client it is, the same bytes as the client: a frame without a mask, which
#   RFC 6455 (5.1) has the backend take for a protocol error. So a backend counts 1002, not 1001.
# Output seen:
#   client read:  88 02 03 e9, then the end of file
#   backend read: 88 02 03 e9, then the end of file

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in caddy=2.6.2-5; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export PATH=$work/debian/usr/bin:$PATH HOME=$work

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import base64, hashlib, socket, subprocess, sys, threading, time

work = sys.argv[1]

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

def connect(port):
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.05)

def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return head

def read_to_end(connection):
    got = b""
    try:
        while data := connection.recv(100):
            got += data
        return f"{got.hex(' ')}, then the end of file"
    except ConnectionResetError:
        return f"{got.hex(' ')}, then a reset"

backend = socket.create_server(("127.0.0.1", 0))
backend.settimeout(30)
seen = []

def serve():
    connection, _ = backend.accept()
    connection.settimeout(20)
    head = read_head(connection).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key:"))
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
    seen.append(read_to_end(connection))

thread = threading.Thread(target=serve, daemon=True)
thread.start()
port, admin = free_port(), free_port()
with open(f"{work}/Caddyfile", "w") as file:
    file.write(f"{{\n\tadmin 127.0.0.1:{admin}\n\tauto_https off\n}}\n"
               f"http://127.0.0.1:{port} {{\n\treverse_proxy 127.0.0.1:{backend.getsockname()[1]}\n}}\n")
config = ["--config", f"{work}/Caddyfile"]
caddy = subprocess.Popen(["caddy", "run", *config], stderr=subprocess.DEVNULL)
try:
    client = connect(port)
    client.settimeout(20)
    client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n".encode())
    assert b" 101 " in read_head(client), "no WebSocket through the proxy"
    subprocess.run(["caddy", "reload", "--force", *config], check=True, capture_output=True, timeout=20)
    at_client = read_to_end(client)
    thread.join(15)
finally:
    caddy.terminate()
    caddy.wait()
print("client read: ", at_client)
print("backend read:", *seen)
assert at_client.startswith("88 02 03 e9"), "the behaviour has changed: no close frame 1001 for the client"
assert seen and seen[0].startswith("88 02 03 e9"), "the behaviour has changed: the backend is not sent this frame"
PY
