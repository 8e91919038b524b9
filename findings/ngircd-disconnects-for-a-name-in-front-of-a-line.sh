#!/usr/bin/env bash
# Software: ngIRCd 26.1 (Debian 26.1-1+deb12u1), an IRC server
# Guess: A client that puts somebody else's name in front of a line (a bot that hands on lines as it read
#   them) has that line ignored: RFC 1459 (2.3) has such a message "ignored silently".
# Behaviour: If there is somebody of that name the client is disconnected, and the room reads that it left for a
#   "Spoofed prefix". If there is nobody, it reads ERROR, which otherwise stands before the end, and stays.
# Output seen:
#   joe sends :joe PRIVMSG #a :hello, joe reads nothing, the room reads PRIVMSG #a :hello
#   joe sends :eve PRIVMSG #a :hello, joe reads ERROR :Invalid prefix "eve", the room reads nothing
#   joe sends :ann PRIVMSG #a :hello, joe reads ERROR :Spoofed prefix, the room reads QUIT :Spoofed prefix

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
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
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
        if any(word in line for word in words):
            return line
    return b""

def until(client, mark, *words):
    """What stands before the mark, without the sender: the first line with one of the words, or "nothing"."""
    line = wait_for(client, mark, *words).decode().strip()
    return "nothing" if mark.decode() in line else line[line.startswith(":") and line.index(" ") + 1:]

seen = []
try:
    ann, joe = come("ann"), come("joe")
    for name in ("joe", "eve", "ann"):
        joe.write(f":{name} PRIVMSG #a :hello\r\n".encode())
        if name != "ann":       # whoever is disconnected would have these unread, and the end as an error
            joe.write(b"PING :mark\r\nPRIVMSG #a :mark\r\n")
        seen.append((until(joe, b":mark", b"ERROR"), until(ann, b":mark", b":hello", b" QUIT ")))
        print(f"joe sends :{name} PRIVMSG #a :hello, joe reads {seen[-1][0]}, the room reads {seen[-1][1]}")
        if seen[-1][1].startswith("PRIVMSG"):
            wait_for(ann, b":mark")
        if seen[-1][0].startswith("ERROR :Invalid"):
            wait_for(joe, b":mark")
finally:
    server.terminate()
    server.wait()
assert seen[0] == ("nothing", "PRIVMSG #a :hello"), "the comparison no longer holds"
assert seen[1] == ('ERROR :Invalid prefix "eve"', "nothing"), "the behaviour has changed"
assert seen[2] == ("ERROR :Spoofed prefix", "QUIT :Spoofed prefix"), "the behaviour has changed"
PY
