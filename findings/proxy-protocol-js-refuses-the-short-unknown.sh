#!/usr/bin/env bash
# Software: proxy-protocol-js 4.0.6 (npm), PROXY protocol version 1
# Guess: "PROXY UNKNOWN" and CR LF is a whole header by the specification: it is what a proxy sends for a
#   connection of its own, such as a health check, and for one that is neither IPv4 nor IPv6.
# Behaviour: It is refused as no header at all. UNKNOWN is taken only with two addresses and two ports behind it,
#   which the specification lets a sender leave out; the receiver has to ignore them, and here they come out
#   as source and destination.
# Output seen:
#   TCP4 192.0.2.1 192.0.2.2 4000 1337: TCP4 from 192.0.2.1 to 192.0.2.2
#   UNKNOWN: V1ProxyProtocolParseError
#   UNKNOWN ffff::1 ffff::2 1 2: UNKNOWN from ffff::1 to ffff::2

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    proxy-protocol-js@4.0.6 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: proxy-protocol-js@4.0.6" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { V1ProxyProtocol } = require("proxy-protocol-js");

for (const header of ["TCP4 192.0.2.1 192.0.2.2 4000 1337", "UNKNOWN", "UNKNOWN ffff::1 ffff::2 1 2"]) {
  let answer;
  try {
    const { inetProtocol, source, destination } = V1ProxyProtocol.parse(`PROXY ${header}\r\nhello\n`);
    answer = `${inetProtocol} from ${source.ipAddress} to ${destination.ipAddress}`;
  } catch (error) {
    answer = error.constructor.name;
  }
  console.log(`${header}: ${answer}`);
}
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='TCP4 192.0.2.1 192.0.2.2 4000 1337: TCP4 from 192.0.2.1 to 192.0.2.2
UNKNOWN: V1ProxyProtocolParseError
UNKNOWN ffff::1 ffff::2 1 2: UNKNOWN from ffff::1 to ffff::2'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
