#!/usr/bin/env bash
# Software: aiosseclient 0.1.8 (Python), with aiohttp 3.14.5, against httpx-sse 0.4.3
# Guess: A line of an event stream ends with LF, CR or both, as the standard of EventSource says: any other character
#   is part of the text, U+2028 too, which word processors and JSON do have.
# Behaviour: An event is cut with str.splitlines(), so the text ends there. What follows it is taken for a field of a
#   name that nobody knows, and dropped with a warning. Of {"text": "one(U+2028)two"} half is left, which is no JSON. A
#   server can write such characters as \u2028 in JSON (ensure_ascii does).
# Output seen:
#   httpx-sse:      one\u2028two
#   aiosseclient:   one

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiosseclient==0.1.8 aiohttp==3.14.5 httpx-sse==0.4.3 httpx==0.28.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiosseclient==0.1.8 aiohttp==3.14.5 httpx-sse==0.4.3 httpx==0.28.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import asyncio, http.server, threading

import httpx
from aiosseclient import aiosseclient
from httpx_sse import connect_sse

class Stream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        self.wfile.write("data: one\u2028two\n\n".encode())

    def log_message(self, *details):
        pass

def shown(text):
    return text.encode("unicode_escape").decode()

async def first(url):
    async for event in aiosseclient(url):
        return event.data

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
with httpx.Client(trust_env=False) as client, connect_sse(client, "GET", url) as source:
    print("httpx-sse:     ", shown(next(source.iter_sse()).data))
print("aiosseclient:  ", shown(asyncio.run(asyncio.wait_for(first(url), 20))))
server.shutdown()
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='httpx-sse:      one\u2028two
aiosseclient:   one'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
