#!/usr/bin/env bash
# Software: Twisted 26.10.0 (Python), the "haproxy:" endpoint's protocol, PROXY protocol versions 1 and 2
# Guess: Where the network cuts the header does not matter: TCP is a stream, and the endpoint reads until it is whole.
# Behaviour: Cut in its first bytes (within 7 of version 1, within 15 of version 2) the header is no header: the
#   connection is closed. Cut later it is read. The first read has to tell the version, and nothing waits for a second.
# Output seen:
#   version 1, 42 bytes, cut after 1 to 41:   closed after 1 to 7
#   version 2, 28 bytes, cut after 1 to 27:   closed after 1 to 15

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    twisted==26.10.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: twisted==26.10.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, struct
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.protocols.haproxy._wrapper import HAProxyWrappingFactory

TEXT = b"hello\r\n"
HEADERS = {
    "version 1": b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n",
    "version 2": (b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(">H", 12) + socket.inet_aton("192.0.2.1") +
                  socket.inet_aton("192.0.2.2") + struct.pack(">HH", 1000, 2000)),
}

def receive(*reads):
    """Whose connection it is and what they said, or None if it was closed."""
    said = []

    class Chat(Protocol):
        def dataReceived(self, data):
            said.append(data)

    protocol = HAProxyWrappingFactory(Factory.forProtocol(Chat)).buildProtocol(None)
    transport = StringTransport(peerAddress=IPv4Address("TCP", "127.0.0.1", 1))
    protocol.makeConnection(transport)
    for data in reads:
        protocol.dataReceived(data)
    if not transport.disconnecting:
        return protocol.wrappedProtocol.transport.getPeer().host, b"".join(said)

closed = {}
for name, header in HEADERS.items():
    assert receive(header + TEXT) == ("192.0.2.1", TEXT), "the comparison no longer holds"
    ends = {at: receive(header[:at], header[at:] + TEXT) for at in range(1, len(header))}
    closed[name] = [at for at, end in ends.items() if end is None]
    assert all(end == ("192.0.2.1", TEXT) for end in ends.values() if end), "the comparison no longer holds"
    print(f"{name}, {len(header)} bytes, cut after 1 to {len(header) - 1}:  ",
          f"closed after {closed[name][0]} to {closed[name][-1]}" if closed[name] else "read")
assert closed == {"version 1": [*range(1, 8)], "version 2": [*range(1, 16)]}, "the behaviour has changed"
PY
