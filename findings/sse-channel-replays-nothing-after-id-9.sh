#!/usr/bin/env bash
# Software: sse-channel 4.0.2 (npm), history with Last-Event-ID
# A reader would guess: A client that comes back with Last-Event-ID: 9 is sent what followed the event with that id,
#   be the ids numbers or texts: an id is a text on the wire.
# Behaviour: Ids that are texts are compared as such, letter by letter, from the newest back: "11" comes before "9", so
#   nothing newer than 9 is found, and what was missed is not sent. With ids that are numbers in the program it
#   is. So ids that came from somewhere else, as text, lose messages at each power of ten, and ids that are
#   no numbers (1700000000000-9 and -10 of a Redis stream) do so too.
# Output seen:
#   ids 7 to 11 as numbers, Last-Event-ID 8:   sent 9 10 11
#   ids 7 to 11 as numbers, Last-Event-ID 9:   sent 10 11
#   ids "7" to "11", Last-Event-ID 8:          sent nothing
#   ids "7" to "11", Last-Event-ID 10:         sent 11

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    sse-channel@4.0.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sse-channel@4.0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const SseChannel = require("sse-channel");

// What a client that comes back with that id is sent before an event without an id, which ends the look.
async function replayed(makeId, lastId) {
  const channel = new SseChannel({ historySize: 100 });
  for (let id = 7; id <= 11; id += 1) channel.send({ id: makeId(id), data: `line ${id}` });
  const server = http.createServer((request, response) => {
    channel.addClient(request, response, () => channel.send("that is all"));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const text = await new Promise((done) => {
    const options = { host: "127.0.0.1", port: server.address().port, headers: { "Last-Event-ID": String(lastId) } };
    http.get(options, (response) => {
      let all = "";
      response.on("data", (piece) => {
        all += piece;
        if (all.includes("that is all")) done(all);
      });
    });
  });
  return [...text.matchAll(/line (\d+)/g)].map((match) => match[1]).join(" ") || "nothing";
}

(async () => {
  for (const id of [8, 9]) {
    console.log(`ids 7 to 11 as numbers, Last-Event-ID ${id}:   sent ${await replayed((n) => n, id)}`);
  }
  for (const id of [8, 10]) {
    console.log(`${`ids "7" to "11", Last-Event-ID ${id}:`.padEnd(42)} sent ${await replayed(String, id)}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='ids 7 to 11 as numbers, Last-Event-ID 8:   sent 9 10 11
ids 7 to 11 as numbers, Last-Event-ID 9:   sent 10 11
ids "7" to "11", Last-Event-ID 8:          sent nothing
ids "7" to "11", Last-Event-ID 10:         sent 11'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
