#!/usr/bin/env bash
# Software: haproxy 2.6.12 (Debian 2.6.12-1+deb12u4), a server with "check", mode tcp
# Guess: The health check connects and closes: the server accepts a connection that says nothing, and one that hangs
#   and accepts no more is marked down after three checks.
# Behaviour: The check resets the connection before the handshake is complete on the server's side: the server never
#   gets to accept it, so its log and its limits do not know of checks, and the kernel goes on answering for a process
#   that hangs: it stays up, and clients are sent to it. "option tcp-check" with send and expect asks the program
#   itself.
# Output seen:
#   check, a server that accepts:              UP (L4OK), nothing to accept
#   check, a server that never accepts:        UP (L4OK), nothing to accept
#   tcp-check expect, one that never accepts:  DOWN (L7TOUT), 1 or more to accept

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "haproxy=2.6.12-1*" libopentracing-c-wrapper0=1.1.3-3+b1 libopentracing1=1.6.0-4 liblua5.3-0=5.3.6-2; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import os, select, socket, subprocess, sys, time

work, libraries = sys.argv[1:]

def try_out(what, accepts, check=""):
    backend = socket.create_server(("127.0.0.1", 0))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        front = probe.getsockname()[1]
    with open(f"{work}/haproxy.cfg", "w") as file:
        file.write(f"""global
    stats socket {work}/stats
defaults
    mode tcp
    timeout connect 500ms
    timeout check 500ms
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:{front}
    default_backend back
backend back
    {check}
    server chat 127.0.0.1:{backend.getsockname()[1]} check inter 200ms fall 3
""")
    proxy = subprocess.Popen([f"{work}/debian/usr/sbin/haproxy", "-f", f"{work}/haproxy.cfg", "-db"],
                             env={**os.environ, "LD_LIBRARY_PATH": libraries},
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def state():
        with socket.socket(socket.AF_UNIX) as stats:
            stats.connect(f"{work}/stats")
            stats.sendall(b"show stat\n")
            lines = stats.makefile().read().splitlines()
        names = lines[0].lstrip("# ").split(",")
        row = next(dict(zip(names, line.split(","))) for line in lines if line.startswith("back,chat,"))
        return row["status"], row["check_status"], int(row["lastchg"] or 0)

    connections = []
    start = time.monotonic()
    status = check_status = None
    # Twenty checks or so, which is many more than the three that count.
    while time.monotonic() < start + 4:
        time.sleep(0.1)
        if accepts and select.select([backend], [], [], 0)[0]:
            connections.append(backend.accept()[0])
        try:
            status, check_status, _ = state()
        except (FileNotFoundError, ConnectionRefusedError):
            assert time.monotonic() < start + 20, "haproxy does not start"
    proxy.terminate()
    proxy.wait(15)
    waiting = connections or select.select([backend], [], [], 0)[0]
    backend.close()
    print(f"{what:<42} {status.split()[0]} ({check_status.lstrip('* ')}),",
          "1 or more to accept" if waiting else "nothing to accept")

try_out("check, a server that accepts:", True)
try_out("check, a server that never accepts:", False)
try_out("tcp-check expect, one that never accepts:", False,
        "option tcp-check\n    tcp-check connect\n    tcp-check expect string welcome")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work" "$libraries")
echo "$seen"
expected='check, a server that accepts:              UP (L4OK), nothing to accept
check, a server that never accepts:        UP (L4OK), nothing to accept
tcp-check expect, one that never accepts:  DOWN (L7TOUT), 1 or more to accept'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
