#!/usr/bin/env bash
# Software: mqtt-match 3.0.0 and mqtt-wildcard 3.0.9 (npm), against topic_matches_sub() of paho-mqtt 2.2.0 (Python)
# Guess: They match as a broker does, which does not give topics that begin with $ to who subscribes to # or +: MQTT
#   forbids it (4.7.2). So a client that is subscribed to # and, for its statistics, to $SYS/# sorts what comes by them.
# Behaviour: For both libraries # and + match $SYS too: what comes for the one subscription is handed to the handler of
#   the other as well, such as a chat's, for whom it is a room named $SYS.
# Output seen:
#   # and room/tea        mqtt-match true   mqtt-wildcard true    paho true
#   $SYS/# and $SYS/load  mqtt-match true   mqtt-wildcard true    paho true
#   # and $SYS/load       mqtt-match true   mqtt-wildcard true    paho false
#   +/load and $SYS/load  mqtt-match true   mqtt-wildcard true    paho false

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    paho-mqtt==2.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: paho-mqtt==2.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    mqtt-match@3.0.0 mqtt-wildcard@3.0.9 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: mqtt-match@3.0.0 mqtt-wildcard@3.0.9" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const loaded = ["mqtt-match", "mqtt-wildcard"].map((name) => require(name)).map((module) => module.default || module);
const [match, wildcard] = loaded;
const [filter, topic] = process.argv.slice(2);
console.log(`mqtt-match ${String(match(filter, topic)).padEnd(6)}`,
  `mqtt-wildcard ${String(wildcard(topic, filter) !== null).padEnd(6)}`);
JS
match() { # FILTER TOPIC: what the three say
    printf '%-21s %s  paho %s\n' "$1 and $2" "$(timeout 20 node "$work/probe.js" "$1" "$2")" \
        "$(timeout 20 python3 -c 'import sys; from paho.mqtt.client import topic_matches_sub
print(str(topic_matches_sub(*sys.argv[1:])).lower())' "$1" "$2")"
}
seen=$(match '#' room/tea; match '$SYS/#' '$SYS/load'; match '#' '$SYS/load'; match +/load '$SYS/load')
echo "$seen"
expected='# and room/tea        mqtt-match true   mqtt-wildcard true    paho true
$SYS/# and $SYS/load  mqtt-match true   mqtt-wildcard true    paho true
# and $SYS/load       mqtt-match true   mqtt-wildcard true    paho false
+/load and $SYS/load  mqtt-match true   mqtt-wildcard true    paho false'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
