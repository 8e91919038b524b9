#!/usr/bin/env bash
# Software: @microsoft/fetch-event-source 2.0.1 (npm), against eventsource 5.1.5
# A reader would guess: It is EventSource with headers, as it says: an answer that is not an event stream, such as 401
#   for a token that has run out, ends it with an error.
# Behaviour: It asks again each second, for ever, and the promise that it returned neither resolves nor rejects. Every
#   page left open overnight is one request a second to the login check, and in the logs an attack. onopen has to throw
#   for such an answer, and onerror has to throw that on.
# Output seen:
#   eventsource:               1 request within 3.5 seconds, then an error, state CLOSED
#   fetchEventSource():        at least 3 requests within 3.5 seconds, the promise is pending

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    @microsoft/fetch-event-source@2.0.1 eventsource@5.1.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: @microsoft/fetch-event-source@2.0.1 eventsource@5.1.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const { EventSource } = require("eventsource");

// The two things of a browser that it looks at: is the page hidden, and its timers.
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
globalThis.window = globalThis;

const { fetchEventSource } = require("@microsoft/fetch-event-source");

const requests = { "/source": 0, "/fetch": 0 };
const server = http.createServer((request, response) => {
  requests[request.url] += 1;
  response.writeHead(401).end("the token has run out");
});
server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  const source = new EventSource(`${url}/source`);
  let failed = false;
  source.onerror = () => { failed = true; };
  let settled = "pending";
  fetchEventSource(`${url}/fetch`, {}).then(() => { settled = "resolved"; }, () => { settled = "rejected"; });
  await new Promise((done) => setTimeout(done, 3500));
  const state = ["CONNECTING", "OPEN", "CLOSED"][source.readyState];
  console.log("eventsource:              ", `${requests["/source"]} request within 3.5 seconds,`,
              `then ${failed ? "an error" : "nothing"}, state ${state}`);
  const often = requests["/fetch"] >= 3 ? "at least 3" : requests["/fetch"];
  console.log("fetchEventSource():       ", `${often} requests within 3.5 seconds, the promise is ${settled}`);
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='eventsource:               1 request within 3.5 seconds, then an error, state CLOSED
fetchEventSource():        at least 3 requests within 3.5 seconds, the promise is pending'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
