#!/usr/bin/env bash
# Software: requests-sse 0.5.3 and aiohttp-sse-client2 0.3.0 (Python), both with reconnection_time of 1 s, against
#   sseclient 0.0.27
# Guess: A client that was told "retry: 500" comes back half a second after each loss, until it is told another time: so
#   the standard of EventSource has it.
# Behaviour: The line holds for the connection that it came over. After the next one the client waits for
#   reconnection_time again, which is five seconds by default. And it waits for twice as long as either says, with the
#   first attempt to come back already.
# Output seen:
#   sseclient:             0.5 s, 0.5 s, 0.5 s
#   requests-sse:          1 s, 2 s, 2 s
#   aiohttp-sse-client2:   1 s, 2 s, 2 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    requests-sse==0.5.3 aiohttp-sse-client2==0.3.0 aiohttp==3.14.5 sseclient==0.0.27 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: requests-sse==0.5.3 aiohttp-sse-client2==0.3.0 aiohttp==3.14.5 sseclient==0.0.27" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, datetime, http.server, threading, time

import requests_sse, sseclient
from aiohttp_sse_client2 import client

class Stream(http.server.BaseHTTPRequestHandler):
    """One event, and the end of the connection; the first connection of a client says how long to wait."""
    seen = set()

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: hello\n\n" if self.path in self.seen else b"retry: 500\ndata: hello\n\n")
        self.seen.add(self.path)

    def log_message(self, *details):
        pass

def waits(times):
    """The time between the events, each of which comes with a new connection, to half a second."""
    return ", ".join(f"{round(2 * (end - start)) / 2:g} s" for start, end in zip(times, times[1:]))

def read(events):
    return waits([time.monotonic() for _, event in zip(range(4), events)])

async def read_of_aiohttp_sse_client2(url):
    times = []
    async with client.EventSource(url, reconnection_time=second) as source:
        while len(times) < 4:
            await anext(source)
            times.append(time.monotonic())
    return waits(times)

second = datetime.timedelta(seconds=1)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
theirs = read(sseclient.SSEClient(url + "0", timeout=20))
print("sseclient:            ", theirs, flush=True)
with requests_sse.EventSource(url + "1", timeout=20, reconnection_time=second) as source:
    seen = read(source)
print("requests-sse:         ", seen, flush=True)
seen_too = asyncio.run(asyncio.wait_for(read_of_aiohttp_sse_client2(url + "2"), 30))
print("aiohttp-sse-client2:  ", seen_too)
server.shutdown()
assert theirs == "0.5 s, 0.5 s, 0.5 s", "the comparison no longer holds"
assert seen == seen_too == "1 s, 2 s, 2 s", "the behaviour has changed"
PY
