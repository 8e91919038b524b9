#!/usr/bin/env bash
# Software: stunnel 5.68 (Debian 3:5.68-2+deb12u1), protocol = proxy, listening on all addresses
#   (accept = :::PORT)
# Guess: A client that comes by IPv4 is announced as "PROXY TCP4 127.0.0.1 ...": the header tells the
#   family that the client used.
# Behaviour: The header tells the family of the listening socket: "PROXY TCP6 ::ffff:127.0.0.1 ...".
#   Bans, limits by address and allow lists that hold the plain IPv4 address do not match, unless the
#   receiver maps such addresses back. With accept = 0.0.0.0:PORT the same client is TCP4.
# Output seen:
#   accept = 0.0.0.0:  PROXY TCP4 127.0.0.1 127.0.0.1
#   accept = :::       PROXY TCP6 ::ffff:127.0.0.1 ::ffff:127.0.0.1

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    trustme==1.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: trustme==1.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in "stunnel4=3:5.68-2*" libwrap0=7.6.q-32; do
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
authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(f"{work}/both.pem")

def header(address):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    port = free_port()
    with open(f"{work}/stunnel.conf", "w") as file:
        file.write(f"""foreground = yes
pid =
[chat]
accept = {address}:{port}
connect = 127.0.0.1:{server.getsockname()[1]}
protocol = proxy
cert = {work}/both.pem
""")
    stunnel = subprocess.Popen(["stunnel4", f"{work}/stunnel.conf"], stderr=subprocess.DEVNULL)
    try:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        client = context.wrap_socket(connect(port), server_hostname="localhost")
        connection, _ = server.accept()
        connection.settimeout(10)
        line = b""
        while not line.endswith(b"\n") and (data := connection.recv(1)):
            line += data
        client.close()
        return line.decode().split()[:4]
    finally:
        stunnel.terminate()
        stunnel.wait(10)

four, both = header("0.0.0.0"), header("::")
print("accept = 0.0.0.0: ", *four)
print("accept = :::      ", *both)
assert four == ["PROXY", "TCP4", "127.0.0.1", "127.0.0.1"], "the comparison no longer holds"
assert both == ["PROXY", "TCP6", "::ffff:127.0.0.1", "::ffff:127.0.0.1"], "the behaviour has changed"
PY
