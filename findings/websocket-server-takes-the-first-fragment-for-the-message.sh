#!/usr/bin/env bash
# Software: websocket-server 0.6.4 (Python), against ws4py 0.6.0, with the client of websockets 17.4
# A reader would guess: A message that a client sends in pieces (as libraries do with what is streamed or long) is put
#   together, or the server closes with 1003 or 1011 to say that it cannot.
# Behaviour: The first piece is given to the application as the message, and then the connection is dropped without
#   a close frame. So half a line is said in the room, and the client, told 1006, comes back and says it again.
# Output seen:
#   ws4py:             application read 'hello everybody', client still connected
#   websocket-server:  application read 'hello ', client told 1006

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websocket-server==0.6.4 ws4py==0.6.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websocket-server==0.6.4 ws4py==0.6.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/with_websocket_server.py" <<'PY'
from websocket_server import WebsocketServer

server = WebsocketServer("127.0.0.1", 0)
server.set_fn_message_received(lambda client, server, text: print("read", text, flush=True))
print("at", server.port, flush=True)
server.run_forever()
PY
cat >"$work/with_ws4py.py" <<'PY'
from wsgiref.simple_server import make_server
from ws4py.server.wsgirefserver import WebSocketWSGIRequestHandler, WSGIServer
from ws4py.server.wsgiutils import WebSocketWSGIApplication
from ws4py.websocket import WebSocket

class Chat(WebSocket):
    def received_message(self, message):
        print("read", message, flush=True)

server = make_server("127.0.0.1", 0, server_class=WSGIServer, handler_class=WebSocketWSGIRequestHandler,
                     app=WebSocketWSGIApplication(handler_cls=Chat))
server.initialize_websockets_manager()
print("at", server.server_port, flush=True)
server.serve_forever()
PY
timeout 60 python3 - "$work" <<'PY'
import asyncio, subprocess, sys
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

async def say(port):
    """Says one message in two pieces; the code of the close, or None if a ping is answered afterwards."""
    async with connect(f"ws://127.0.0.1:{port}/", close_timeout=5) as client:
        try:
            await client.send(iter(["hello ", "everybody"]))
            await asyncio.wait_for(await client.ping(), 10)
        except ConnectionClosed:
            await asyncio.wait_for(client.wait_closed(), 10)
            return int(client.close_code)

seen = {}
for name in ("ws4py", "websocket_server"):
    server = subprocess.Popen([sys.executable, f"{sys.argv[1]}/with_{name}.py"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        code = asyncio.run(say(int(server.stdout.readline().split()[1])))
        seen[name] = server.stdout.readline()[5:-1], code
    finally:
        server.kill()
        server.wait()
    end = f"told {code}" if code else "still connected"
    print(f"{name.replace('_', '-')}:".ljust(18), f"application read {seen[name][0]!r}, client {end}")
assert seen["ws4py"] == ("hello everybody", None), "the comparison no longer holds"
assert seen["websocket_server"] == ("hello ", 1006), "the behaviour has changed"
PY
