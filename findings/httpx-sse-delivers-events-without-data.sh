#!/usr/bin/env bash
# Software: httpx-sse 0.4.3 (Python), with httpx 0.28.1, against launchdarkly-eventsource 1.7.4
# Guess: What has no line of data is no event: the standard of EventSource has a client drop it. So servers send an id
#   alone to say how far the client is, or a name alone as a sign of life.
# Behaviour: Each is delivered as an event with the text "". A loop that parses each event as JSON fails at it, and one
#   that prints what comes prints nothing at each sign of life. It looks the same as an event whose data is empty.
# Output seen:
#   sent an id alone, a name alone, a message:
#   launchdarkly-eventsource: message 'hello'
#   httpx-sse:                message '', ping '', message 'hello'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    httpx-sse==0.4.3 httpx==0.28.1 launchdarkly-eventsource==1.7.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: httpx-sse==0.4.3 httpx==0.28.1 launchdarkly-eventsource==1.7.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import http.server, threading
import httpx
import httpx_sse
import ld_eventsource

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"id: 7\n\nevent: ping\n\ndata: hello\n\n")

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
    of_httpx = [(event.event, event.data) for event in source.iter_sse()]
source = ld_eventsource.SSEClient(url)
of_ld = [(event.event, event.data) for event in source.events]
source.close()
server.shutdown()
for name, events in (("launchdarkly-eventsource:", of_ld), ("httpx-sse:", of_httpx)):
    print(f"{name:<25}", ", ".join(f"{event} {data!r}" for event, data in events))
assert of_ld == [("message", "hello")], "the comparison no longer holds"
assert of_httpx == [("message", ""), ("ping", ""), ("message", "hello")], "the behaviour has changed"
PY
