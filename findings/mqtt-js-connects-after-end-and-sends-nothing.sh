#!/usr/bin/env bash
# Software: MQTT.js 5.16.0 (npm), against aedes 1.2.0
# Guess: connect(), publish() and end() in a row send the message: what is published before the connection is
#   there is queued, and end() without force ends when that has been sent.
# Behaviour: end() calls back, and the connection is made all the same and stays; the message is not sent, and the
#   callback of publish() is not called, not with an error either. So a script that is to say one thing says
#   nothing and does not exit. If end() is called in the callback of publish(), all is as meant.
# Output seen:
#   end() in the callback of publish():  publish() told ok, end() done, the broker got ["hello"], connected: no
#   end() at once:                       publish() told nothing, end() done, the broker got [], connected: yes

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

const run = (endInCallback) => new Promise(async (done) => {
  const broker = await Aedes.createBroker();
  const server = net.createServer(broker.handle);
  const got = [];
  let told = "nothing", ended = false, connected = "no";
  const report = () => done(`publish() told ${told}, end() ${ended ? "done" : "not done"}, ` +
                            `the broker got ${JSON.stringify(got)}, connected: ${connected}`);
  broker.on("publish", (packet, from) => from && got.push(String(packet.payload)));
  broker.on("clientReady", () => {
    connected = "yes";
    setTimeout(report, 3000);           // for what else may come
  });
  broker.on("clientDisconnect", () => { connected = "no"; });
  server.listen(0, "127.0.0.1", () => {
    const client = mqtt.connect({ host: "127.0.0.1", port: server.address().port });
    const end = () => client.end(false, () => { ended = true; });
    client.publish("room", "hello", { qos: 0 }, (error) => {
      told = error ? error.message : "ok";
      if (endInCallback) end();
    });
    if (!endInCallback) end();
  });
});

(async () => {
  console.log(`end() in the callback of publish():  ${await run(true)}`);
  console.log(`end() at once:                       ${await run(false)}`);
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='end() in the callback of publish():  publish() told ok, end() done, the broker got ["hello"], connected: no
end() at once:                       publish() told nothing, end() done, the broker got [], connected: yes'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
