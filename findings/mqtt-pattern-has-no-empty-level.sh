#!/usr/bin/env bash
# Software: mqtt-pattern 2.1.1 (npm), matches(), with aedes 1.2.0 and MQTT.js 5.16.0
# Guess: The pattern that a client subscribes with is the pattern it sorts its messages by: what the broker delivers
#   for room/+ matches room/+ here too.
# Behaviour: A level may be empty in MQTT (4.7.1.1), and the broker delivers room/ and /news for room/+ and +/news.
#   Here + wants at least one letter, so these messages match nothing and fall through the client's switch.
# Output seen:
#   room/+ delivered room/tea, matches() true
#   room/+ delivered room/, matches() false
#   +/news delivered /news, matches() false

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    mqtt-pattern@2.1.1 aedes@1.2.0 mqtt@5.16.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: mqtt-pattern@2.1.1 aedes@1.2.0 mqtt@5.16.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const mqtt = require("mqtt");
const { Aedes } = require("aedes");
const { matches } = require("mqtt-pattern");

(async () => {
  const broker = await Aedes.createBroker();
  const server = net.createServer(broker.handle);
  server.listen(0, "127.0.0.1", async () => {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.address().port}`);
    const cases = [["room/+", "room/tea"], ["room/+", "room/"], ["+/news", "/news"]];
    for (const [pattern, topic] of cases) {
      await client.subscribeAsync(pattern);
      const delivered = new Promise((done) => client.once("message", done));
      await client.publishAsync(topic, "hello");
      console.log(`${pattern} delivered ${await delivered}, matches() ${matches(pattern, topic)}`);
      await client.unsubscribeAsync(pattern);
    }
    process.exit(0);
  });
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='room/+ delivered room/tea, matches() true
room/+ delivered room/, matches() false
+/news delivered /news, matches() false'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
