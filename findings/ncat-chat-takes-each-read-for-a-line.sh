#!/usr/bin/env bash
# Software: ncat 7.93 (Debian 7.93+dfsg1-1) as a chat server (ncat -l --chat)
# Guess: Its chat is made of lines: who said it stands in front of each line, however the bytes of the line
#   were split into packets on the way.
# Behaviour: Each read of the socket is a message. A line that comes in two packets is shown with the name
#   in the middle of it, and of two lines that come in one packet only the first has a name.
# Output seen:
#   one line in two packets: b'<user4> hel<user4> lo\n'
#   two lines in one packet: b'<user4> one\ntwo\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in ncat=7.93+dfsg1-1 liblua5.3-0=5.3.6-2 libpcap0.8=1.10.3-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/usr/bin:$PATH LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - <<'PY'
import re, socket, subprocess, time

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen(["ncat", "-l", "--chat", "127.0.0.1", str(port)])

def connect():
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)

def read_until(client, end):
    got = b""
    while not got.endswith(end):
        data = client.recv(4096)
        assert data, "the server has closed the connection"
        got += data
    return re.sub(rb"<user\d+>", b"<user4>", got)

try:
    talker = connect()
    read_until(talker, b"nobody.\n")
    reader = connect()
    # What it is told of who is here comes in one or two pieces, and is read away.
    read_until(reader, b".\n")
    time.sleep(0.3)
    reader.setblocking(False)
    try:
        while reader.recv(4096):
            pass
    except BlockingIOError:
        pass
    reader.settimeout(10)
    talker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    talker.sendall(b"hel")
    first = read_until(reader, b"hel")
    talker.sendall(b"lo\n")
    split = first + read_until(reader, b"lo\n")
    talker.sendall(b"one\ntwo\n")
    joined = read_until(reader, b"two\n")
finally:
    server.terminate()
    server.wait()
print("one line in two packets:", split)
print("two lines in one packet:", joined)
assert split == b"<user4> hel<user4> lo\n", "the behaviour has changed"
assert joined == b"<user4> one\ntwo\n", "the behaviour has changed"
PY
