#!/usr/bin/env bash
# Software: aiohttp-sse-client2 0.3.0 (Python; with aiohttp 3.14.5), against requests-sse 0.5.3
# Guess: An event source comes back when its connection is lost, as the standard of EventSource says, and it says so of
#   all connections that end: in an orderly way or not.
# Behaviour: It comes back after an orderly end of the response alone. When the connection breaks off in the middle,
#   which is what a crash and a restart look like, the loop ends with aiohttp's ClientPayloadError, and
#   max_connect_retry is not used.
# Output seen:
#   orderly end:   requests-sse comes back, aiohttp-sse-client2 comes back
#   lost:          requests-sse comes back, aiohttp-sse-client2 raises ClientPayloadError

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiohttp-sse-client2==0.3.0 aiohttp==3.14.5 requests-sse==0.5.3 requests==2.34.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiohttp-sse-client2==0.3.0 aiohttp==3.14.5 requests-sse==0.5.3 requests==2.34.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, http.server, threading

import requests_sse
from aiohttp_sse_client2 import client

class Stream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        event = b"retry: 100\ndata: hello\n\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        if self.path == "/end":
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *details):
        pass

def with_requests_sse(url):
    with requests_sse.EventSource(url, timeout=10) as source:
        for number, event in enumerate(source, 1):
            if number == 2:
                return "comes back"

def with_aiohttp_sse_client2(url):
    async def read():
        async with client.EventSource(url) as source:
            number = 0
            async for event in source:
                number += 1
                if number == 2:
                    return "comes back"
    return asyncio.run(asyncio.wait_for(read(), 10))

def outcome(read, url):
    try:
        return read(url)
    except Exception as error:
        return f"raises {type(error).__name__}"

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = []
for name, path in (("orderly end:", "end"), ("lost:", "lost")):
    url = f"http://127.0.0.1:{server.server_port}/{path}"
    seen.append((outcome(with_requests_sse, url), outcome(with_aiohttp_sse_client2, url)))
    print(f"{name:<14} requests-sse {seen[-1][0]}, aiohttp-sse-client2 {seen[-1][1]}", flush=True)
server.shutdown()
assert [row[0] for row in seen] == ["comes back"] * 2, "the comparison no longer holds"
assert [row[1] for row in seen] == ["comes back", "raises ClientPayloadError"], "the behaviour has changed"
PY
