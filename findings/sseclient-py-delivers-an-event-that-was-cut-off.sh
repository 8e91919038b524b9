#!/usr/bin/env bash
# Software: sseclient-py 1.9.0 (Python), against httpx-sse 0.4.3
# Guess: An event without the empty line that ends it, since the connection ended before, is dropped, as the
#   standard of EventSource says; it comes again after the reconnect.
# Behaviour: What has come of it is delivered as an event: the beginning of the text, with its type and its
#   id. A client that reconnects with that id as Last-Event-ID is not sent the whole one.
# Output seen:
#   httpx-sse:     [('1', 'whole')]
#   sseclient-py:  [('1', 'whole'), ('2', 'only the begin')]

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    sseclient-py==1.9.0 requests==2.34.2 httpx-sse==0.4.3 httpx==0.28.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sseclient-py==1.9.0 requests==2.34.2 httpx-sse==0.4.3 httpx==0.28.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import http.server, threading

import httpx, httpx_sse, requests, sseclient

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"id: 1\ndata: whole\n\nid: 2\ndata: only the begin")

    def log_message(self, *arguments):
        pass

with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
        other = [(event.id, event.data) for event in source.iter_sse()]
    mine = [(event.id, event.data) for event in sseclient.SSEClient(requests.get(url, stream=True)).events()]
    server.shutdown()
    thread.join()
print("httpx-sse:    ", other)
print("sseclient-py: ", mine)
assert other == [("1", "whole")], "the comparison no longer holds"
assert mine == [("1", "whole"), ("2", "only the begin")], "the behaviour has changed"
PY
