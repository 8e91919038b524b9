#!/usr/bin/env bash
# Software: mosquitto 2.0.11 (Debian 2.0.11-1.2+deb12u2), an MQTT broker, spoken to over MQTT 3.1.1
# Guess: A client that has gone silent is dropped, and its last will published, after one and a half times its
#   keepalive, as MQTT asks (3.1.2.10): after 3 seconds for a keepalive of 2.
# Behaviour: The broker looks only each five seconds: of clients that fall silent one after the other several are
#   dropped at one moment, some of them after more than five seconds, which is two and a half times their keepalive.
#   Where the will says who has left, a room hears of it in bunches, and late; a test with a short keepalive has to
#   wait for the longest of these times. A keepalive of half a minute or more makes it a small part.
# Output seen:
#   10 clients with a keepalive of 2, one each 0.6 seconds:
#   none is dropped before 2 seconds:                 yes
#   dropped at how many moments:                      3 or fewer
#   the one that stayed longest was there more than:  5 seconds

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "mosquitto=2.0.11-1.2*" libcjson1=1.7.15-1* libdlt2=2.18.8-6 "libev4=1:4.33-1" \
    libmosquitto1=2.0.11-1.2* libuv1=1.44.2-1* libwebsockets17=4.1.6-3 libwrap0=7.6.q-32; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import os, socket, struct, subprocess, sys, threading, time

work, libraries = sys.argv[1:]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
with open(f"{work}/mosquitto.conf", "w") as file:
    file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")

def text(value):
    return struct.pack(">H", len(value)) + value

def connect():
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 30)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.05)

def silent(number):
    """Comes with a keepalive of 2 seconds, says nothing more, and notes when it came and when it was dropped."""
    time.sleep(0.6 * number)
    with connect() as client:
        body = text(b"MQTT") + bytes([4, 2, 0, 2]) + text(b"silent%d" % number)
        client.sendall(bytes([0x10, len(body)]) + body)
        assert client.recv(4) == b"\x20\2\0\0", "not accepted"
        came = time.monotonic()
        assert client.recv(1) == b"", "something was sent"
        stays.append((came, time.monotonic()))

broker = subprocess.Popen([f"{work}/debian/usr/sbin/mosquitto", "-c", f"{work}/mosquitto.conf"],
                          env={**os.environ, "LD_LIBRARY_PATH": libraries},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
stays = []
try:
    connect().close()
    clients = [threading.Thread(target=silent, args=(number,)) for number in range(10)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
finally:
    broker.terminate()
    broker.wait(15)
assert len(stays) == 10, "not every client was dropped"
waits = [end - came for came, end in stays]
ends = sorted(end for _, end in stays)
# Moments that lie less than half a second apart are one; the clients came further apart than that.
moments = 1 + sum(later - earlier > 0.5 for earlier, later in zip(ends, ends[1:]))
print("10 clients with a keepalive of 2, one each 0.6 seconds:")
print("none is dropped before 2 seconds:                ", "yes" if min(waits) > 2 else f"no, {min(waits):.1f}")
print("dropped at how many moments:                     ", "3 or fewer" if moments <= 3 else moments)
print("the one that stayed longest was there more than: ", "5 seconds" if max(waits) > 5 else f"{max(waits):.1f}")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work" "$libraries")
echo "$seen"
expected='10 clients with a keepalive of 2, one each 0.6 seconds:
none is dropped before 2 seconds:                 yes
dropped at how many moments:                      3 or fewer
the one that stayed longest was there more than:  5 seconds'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
