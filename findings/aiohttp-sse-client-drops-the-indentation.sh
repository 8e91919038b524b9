#!/usr/bin/env bash
# Software: aiohttp-sse-client 0.2.1 (Python), against httpx-sse 0.4.3
# Guess: One space after "data:" belongs to the format, and what follows it is the text.
# Behaviour: All white space there is dropped, on each line: indented text (code that somebody pastes into a
#   chat, YAML, a table) arrives flat.
# Output seen:
#   httpx-sse:          'if late:\n    go()'
#   aiohttp-sse-client: 'if late:\ngo()'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiohttp-sse-client==0.2.1 aiohttp==3.14.5 httpx-sse==0.4.3 httpx==0.28.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiohttp-sse-client==0.2.1 aiohttp==3.14.5 httpx-sse==0.4.3 httpx==0.28.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, http.server, threading

import httpx, httpx_sse
from aiohttp_sse_client.client import EventSource

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: if late:\ndata:     go()\n\n")

    def log_message(self, *arguments):
        pass

async def first_event(url):
    async with EventSource(url) as source:
        async for event in source:
            return event.data

with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    with httpx.Client() as client, httpx_sse.connect_sse(client, "GET", url) as source:
        other = next(source.iter_sse()).data
    mine = asyncio.run(asyncio.wait_for(first_event(url), 15))
    server.shutdown()
    thread.join()
print(f"httpx-sse:          {other!r}")
print(f"aiohttp-sse-client: {mine!r}")
assert other == "if late:\n    go()", "the comparison no longer holds"
assert mine == "if late:\ngo()", "the behaviour has changed"
PY
