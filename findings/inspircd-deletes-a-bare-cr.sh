#!/usr/bin/env bash
# Software: InspIRCd 3.15.0 (Debian 3.15.0-1), an IRC server
# Guess: A CR that no LF follows ends a line, as in servers that take either byte for an end; or it stays
#   in the text.
# Behaviour: It is deleted: what stands before and after it is glued together, so that the second of two
#   commands becomes the end of what the first one says.
# Output seen:
#   sent: b'PRIVMSG #a :one\rPRIVMSG #a :two\n'
#   read: b':joe!joe@127.0.0.1 PRIVMSG #a :onePRIVMSG #a :two\r\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in inspircd=3.15.0-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export PATH=$work/debian/usr/sbin:$PATH

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import glob, os, socket, subprocess, sys, time

work = sys.argv[1]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
modules = os.path.dirname(glob.glob(f"{work}/debian/usr/lib/**/core_message.so", recursive=True)[0])
with open(f"{work}/inspircd.conf", "w") as file:
    file.write(f'''<path configdir="{work}" datadir="{work}" logdir="{work}" moduledir="{modules}" runtimedir="{work}">
<server name="irc.test.example" description="test" network="test">
<admin name="admin" nick="admin" email="admin@test.example">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="main" allow="*" resolvehostnames="no" useident="no" fakelag="no" commandrate="100000">
''')
command = ["inspircd", f"--config={work}/inspircd.conf", "--nofork", "--nopid", "--runasroot"]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def connect():
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10).makefile("rwb", buffering=0)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)

def come(name):
    client = connect()
    client.write(f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode())
    wait_for(client, b" 001 ")      # welcome
    client.write(b"JOIN #a\r\n")
    wait_for(client, b" 366 ")      # the end of the list of names: they are in the channel
    return client

def wait_for(client, word):
    while True:
        line = client.readline()
        assert line, "the server has closed the connection"
        if line.startswith(b"PING"):
            client.write(line.replace(b"PING", b"PONG"))
        if word in line:
            return line

SENT = b"PRIVMSG #a :one\rPRIVMSG #a :two\n"
try:
    joe, ann = come("joe"), come("ann")
    joe.write(SENT)
    read = wait_for(ann, b" PRIVMSG ")
finally:
    server.terminate()
    server.wait()
print("sent:", SENT)
print("read:", read)
assert read == b":joe!joe@127.0.0.1 PRIVMSG #a :onePRIVMSG #a :two\r\n", "the behaviour has changed"
PY
