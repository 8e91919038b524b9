#!/usr/bin/env bash
# Software: hitch 1.7.2 (Debian 1.7.2-1+b1), a TLS terminator in front of a plain TCP server
# Guess: A close_notify of the client becomes a half-close towards the server, whose answer is still
#   encrypted and sent, as stunnel and haproxy do (TLS 1.3 makes close_notify end one direction only).
# Behaviour: hitch takes the close_notify as the end of both directions: it answers with its own
#   close_notify at once, and drops what the server says afterwards.
# Output seen:
#   server read b'a line\n' and the end of file
#   client got b'' and then an orderly close_notify, before the server had answered

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    trustme==1.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: trustme==1.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in hitch=1.7.2-1+b1 libev4=1:4.33-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import os, socket, subprocess, sys, threading, time

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

import ssl
import trustme

authority = trustme.CA()
certificate = authority.issue_cert("localhost")
certificate.private_key_and_cert_chain_pem.write_to_path(f"{work}/both.pem")
os.chmod(work, 0o755)
os.chmod(f"{work}/both.pem", 0o644)
server = socket.create_server(("127.0.0.1", 0))
server.settimeout(20)
log, answered = [], []

def serve():
    while True:
        connection, _ = server.accept()
        connection.settimeout(15)
        got = b""
        while data := connection.recv(100):
            got += data
        if not got:
            continue            # only the check that hitch listens
        log.append(got)
        time.sleep(1)
        answered.append(time.monotonic())
        try:
            connection.sendall(b"reply\n")
        except OSError:
            pass
        connection.close()
        return

thread = threading.Thread(target=serve, daemon=True)
thread.start()
front = free_port()
user = ["--user=nobody"] if os.getuid() == 0 else []
hitch = subprocess.Popen(["hitch", *user, f"--frontend=[127.0.0.1]:{front}", "--workers=1", "--quiet",
                          f"--backend=[127.0.0.1]:{server.getsockname()[1]}", f"{work}/both.pem"],
                         stderr=subprocess.DEVNULL)
try:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    client = connect(front)
    client.settimeout(15)

    def until(step):
        while True:
            try:
                result = step()
                client.sendall(outgoing.read())
                return result
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                data = client.recv(10000)
                if not data:
                    raise EOFError("bare end of file")
                incoming.write(data)

    until(tls.do_handshake)
    until(lambda: tls.write(b"a line\n"))
    try:
        tls.unwrap()            # sends close_notify, and would wait for the other's
    except ssl.SSLWantReadError:
        client.sendall(outgoing.read())
    try:
        got = until(lambda: tls.read(100))
    except ssl.SSLZeroReturnError:
        got = b""
    before = not answered
    thread.join(15)
finally:
    hitch.terminate()
    hitch.wait(10)
print(f"server read {log[0]!r} and the end of file")
print(f"client got {got!r} and then an orderly close_notify,", "before" if before else "after", "the server had answered")
assert log == [b"a line\n"] and got == b"" and before, "the behaviour has changed"
PY
