#!/usr/bin/env bash
# Software: MQTT.js 5.16.0 (npm), against aedes 1.2.0
# A reader would guess: subscribe() sends a SUBSCRIBE each time. MQTT has the broker send the retained
#   message again for a subscription that exists already, so a second subscribe() is the way to ask for the
#   present state.
# Behaviour: For a topic that the client holds already nothing is sent: the call succeeds with an empty list
#   of grants, and the retained message does not come. After unsubscribe() it does.
# Output seen:
#   subscribe:               granted 1, read ["kept"]
#   subscribe again:         granted 0, read []
#   unsubscribe, subscribe:  granted 1, read ["kept"]

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    mqtt@5.16.0 aedes@1.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: mqtt@5.16.0 aedes@1.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const { Aedes } = require("aedes");
const mqtt = require("mqtt");

(async () => {
  const broker = await Aedes.createBroker();
  const server = net.createServer(broker.handle);
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.address().port}`);
  let read = [];
  client.on("message", (topic, payload) => topic === "state" && read.push(String(payload)));
  await client.publishAsync("state", "kept", { retain: true, qos: 1 });

  const show = async (name) => {
    read = [];
    const granted = await client.subscribeAsync("state");
    for (let left = 50; left && !read.length; left--) {
      await new Promise((next) => setTimeout(next, 40));
    }
    console.log(`${name.padEnd(24)} granted ${granted.length}, read ${JSON.stringify(read)}`);
  };
  await show("subscribe:");
  await show("subscribe again:");
  await client.unsubscribeAsync("state");
  await show("unsubscribe, subscribe:");
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='subscribe:               granted 1, read ["kept"]
subscribe again:         granted 0, read []
unsubscribe, subscribe:  granted 1, read ["kept"]'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
