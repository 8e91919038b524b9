#!/usr/bin/env bash
# Software: openssl s_client 3.0.22 (Debian 3.0.22-1~deb12u2), TLS 1.3, without -quiet
# Guess: Whatever is typed reaches the server: s_client is the telnet of TLS.
# Behaviour: Each read from standard input is a command if its first letter is Q, k or K, whatever
#   follows: "Kim is here" and "kim is here" are swallowed (they ask for new keys), "Quite so" ends
#   the session. With -quiet they are sent. So a chat over s_client loses lines by their first letter,
#   with no error.
# Output seen:
#   typed 'hello'         server read 'hello'
#   typed 'Kim is here'   server read nothing
#   typed 'kim is here'   server read nothing
#   typed 'again'         server read 'again'
#   typed 'Quite so'      server read end of session

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    trustme==1.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: trustme==1.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in "openssl=3.0.*" "libssl3=3.0.*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, sys, threading, time

def listen():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    return server, server.getsockname()[1]

import queue, ssl
import trustme

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
trustme.CA().issue_cert("localhost").configure_cert(context)
server, port = listen()
lines = queue.Queue()

def serve():
    connection, _ = server.accept()
    connection.settimeout(20)
    connection = context.wrap_socket(connection, server_side=True)
    connection.sendall(b"welcome\n")
    lines.put("ready")
    try:
        while data := connection.recv(1000):
            lines.put(data.decode().strip())
    except OSError:
        pass
    lines.put("end of session")

threading.Thread(target=serve, daemon=True).start()
client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
assert lines.get(timeout=20) == "ready"
while b"welcome" not in client.stdout.readline():
    pass
threading.Thread(target=client.stdout.read, daemon=True).start()
seen = []
for typed in ("hello", "Kim is here", "kim is here", "again", "Quite so"):
    client.stdin.write(typed.encode() + b"\n")
    client.stdin.flush()
    try:
        read = repr(lines.get(timeout=2))
    except queue.Empty:
        read = "nothing"
    seen.append(read.strip("'") if "end" in read else read)
    print(f"typed {typed!r:<15} server read {seen[-1]}")
client.stdin.close()
client.wait(10)
assert seen == ["'hello'", "nothing", "nothing", "'again'", "end of session"], "the behaviour has changed"
PY
