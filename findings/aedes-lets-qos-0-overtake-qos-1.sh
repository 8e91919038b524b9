#!/usr/bin/env bash
# Software: aedes 1.2.0 (npm), an MQTT broker, with MQTT.js 5.16.0
# Guess: What one client publishes to one topic over one connection arrives in that order at a subscriber, also if
#   some of it has qos 1 and some qos 0: it is one stream in and one stream out. (MQTT promises it only for
#   messages of the same qos.)
# Behaviour: What has qos 0 passes what has qos 1 and was published before it. So a chat that takes qos 1 for some of
#   its lines only (who comes and goes, say) arrives out of order as soon as they come close together.
# Output seen:
#   all with qos 0:     1 2 3 4 5 6 7 8
#   all with qos 1:     1 2 3 4 5 6 7 8
#   even ones qos 0:    2 4 6 8 1 3 5 7

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    aedes@1.2.0 mqtt@5.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aedes@1.2.0 mqtt@5.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const mqtt = require("mqtt");
const { Aedes } = require("aedes");

async function order(url, topic, qosOf) {
  const [reader, speaker] = [await mqtt.connectAsync(url), await mqtt.connectAsync(url)];
  await reader.subscribeAsync(topic, { qos: 1 });
  const all = new Promise((done) => {
    const seen = [];
    reader.on("message", (_, text) => seen.push(String(text)) === 8 && done(seen.join(" ")));
  });
  for (let at = 1; at <= 8; at += 1) speaker.publish(topic, String(at), { qos: qosOf(at) });
  return all;
}

(async () => {
  const broker = await Aedes.createBroker();
  const server = net.createServer(broker.handle);
  server.listen(0, "127.0.0.1", async () => {
    const url = `mqtt://127.0.0.1:${server.address().port}`;
    console.log("all with qos 0:    ", await order(url, "room/0", () => 0));
    console.log("all with qos 1:    ", await order(url, "room/1", () => 1));
    console.log("even ones qos 0:   ", await order(url, "room/2", (at) => at % 2));
    process.exit(0);
  });
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='all with qos 0:     1 2 3 4 5 6 7 8
all with qos 1:     1 2 3 4 5 6 7 8
even ones qos 0:    2 4 6 8 1 3 5 7'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
