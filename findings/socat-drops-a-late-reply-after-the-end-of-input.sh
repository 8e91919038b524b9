#!/usr/bin/env bash
# Software: socat 1.7.4.4 (Debian 1.7.4.4-2) between standard input and a TCP server
# Guess: At the end of its input socat shuts the connection down for writing and goes on printing what the
#   server sends, until the server closes too, as netcat -N does.
# Behaviour: Half a second after the end of one direction it ends the other: a reply that takes longer is
#   never printed, and the exit code is 0. A larger -t waits longer.
# Output seen:
#   reply after 1.5 s:        printed b'', exit 0
#   reply after 1.5 s, -t 9:  printed b'reply\n', exit 0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in socat=1.7.4.4-2 libwrap0=7.6.q-32; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/usr/bin:$PATH LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, threading, time

def serve(server):
    connection, _ = server.accept()
    connection.settimeout(10)
    while connection.recv(100):
        pass
    time.sleep(1.5)         # what the server takes to answer
    try:
        connection.sendall(b"reply\n")
    except OSError:
        pass                # nobody is there any more
    connection.close()

def once(options):
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    thread = threading.Thread(target=serve, args=(server,), daemon=True)
    thread.start()
    address = f"TCP:127.0.0.1:{server.getsockname()[1]}"
    client = subprocess.run(["socat", *options, "-", address], input=b"question\n",
                            capture_output=True, timeout=20)
    thread.join(15)
    return client.stdout, client.returncode

default, patient = once([]), once(["-t", "9"])
for name, (printed, code) in (("reply after 1.5 s:       ", default), ("reply after 1.5 s, -t 9: ", patient)):
    print(f"{name} printed {printed!r}, exit {code}")
assert patient == (b"reply\n", 0), "the comparison has changed"
assert default == (b"", 0), "the behaviour has changed"
PY
