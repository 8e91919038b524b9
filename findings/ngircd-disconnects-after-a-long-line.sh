#!/usr/bin/env bash
# Software: ngIRCd 26.1 (Debian 26.1-1+deb12u1), an IRC server
# Guess: A line that is longer than the 512 bytes of IRC is cut, or answered with 417 (input line was too long):
#   whoever pastes a paragraph loses its end, or the line.
# Behaviour: The connection is closed with "Request too long", and the room reads that as what the person said
#   on leaving. A bot or a client that does not split its lines is thrown out at the first long one.
# Output seen:
#   a line of 400 bytes:  the room read PRIVMSG
#   a line of 600 bytes:  the room read QUIT :Request too long, the speaker ERROR :Request too long and the end

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "ngircd=26.1-1*" libident=0.32-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
timeout 60 python3 - "$work" "$libraries" <<'PY'
import os, socket, subprocess, sys, time

work, libraries = sys.argv[1:]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
with open(f"{work}/ngircd.conf", "w") as file:
    file.write(f"""[Global]
Name = irc.test.example
Info = test
Listen = 127.0.0.1
Ports = {port}
[Options]
DNS = no
Ident = no
PAM = no
""")
server = subprocess.Popen([f"{work}/debian/usr/sbin/ngircd", "-n", "-f", f"{work}/ngircd.conf"],
                          env={**os.environ, "LD_LIBRARY_PATH": libraries}, stdout=subprocess.DEVNULL)

def come(name):
    deadline = time.monotonic() + 15
    while True:
        try:
            client = socket.create_connection(("127.0.0.1", port), 10).makefile("rwb", buffering=0)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)
    client.write(f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode())
    wait_for(client, b" 001 ")      # welcome
    client.write(b"JOIN #a\r\n")
    wait_for(client, b" 366 ")      # the end of the list of names: they are in the channel
    return client

def wait_for(client, *words):
    """The first line with one of the words; b"" at the end of the connection."""
    while line := client.readline():
        if line.startswith(b"PING"):
            client.write(line.replace(b"PING", b"PONG"))
        if any(word in line for word in words):
            return line
    return b""

def say(speaker, length):
    start = b"PRIVMSG #a :"
    speaker.write(start + b"x" * (length - len(start)) + b"\r\n")
    return wait_for(ann, b" PRIVMSG ", b" QUIT ").decode().strip().split(" ", 1)[1]

try:
    ann, joe = come("ann"), come("joe")
    short = say(joe, 400).split()[0]
    long = say(joe, 600)
    speaker = wait_for(joe, b"ERROR").decode().strip()
    ended = wait_for(joe, b"nothing else comes") == b""
finally:
    server.terminate()
    server.wait()
print("a line of 400 bytes:  the room read", short)
print("a line of 600 bytes:  the room read", long + ", the speaker", speaker, "and the end" if ended else "")
assert short == "PRIVMSG", "the comparison no longer holds"
assert (long, speaker) == ("QUIT :Request too long", "ERROR :Request too long"), "the behaviour has changed"
assert ended, "the behaviour has changed"
PY
