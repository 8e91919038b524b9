#!/usr/bin/env bash
# Software: tornado 6.6.1 (Python), a WebSocket server with websocket_ping_interval=1 (with the client of
#   websockets 17.4)
# Guess: The keepalive finds dead peers. What a handler awaits (a query, another service) does not
#   matter to it: pongs are seen by the loop, whatever the application does meanwhile.
# Behaviour: While on_message is awaited, nothing is read, and so no pong: a handler that awaits longer
#   than interval and timeout closes its own connection, with code 1000 and the reason "ping timed out",
#   although the client has answered each ping. The answer that the handler then has cannot be sent.
#   Without pings it can.
# Output seen:
#   pings, no handler at work:      still open after 4 s
#   pings, a handler awaits 4 s:    client closed with 1000 ping timed out, handler got WebSocketClosedError
#   no pings, a handler awaits 4 s: client got 'the answer'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    tornado==6.6.1 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: tornado==6.6.1 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio

import tornado.web, tornado.websocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

async def once(ask, **settings):
    raised = asyncio.get_running_loop().create_future()

    class Handler(tornado.websocket.WebSocketHandler):
        async def on_message(self, message):
            await asyncio.sleep(4)
            try:
                await self.write_message("the answer")
            except tornado.websocket.WebSocketClosedError as error:
                raised.set_result(type(error).__name__)

    server = tornado.web.Application([("/", Handler)], **settings).listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/", ping_interval=None) as client:
        if ask:
            await client.send("a question")
        try:
            return f"client got {await asyncio.wait_for(client.recv(), 6 if ask else 4)!r}"
        except asyncio.TimeoutError:
            return "still open after 4 s"
        except ConnectionClosed as error:
            error_of_handler = await asyncio.wait_for(raised, 10)
            return f"client closed with {error.rcvd.code:d} {error.rcvd.reason}, handler got {error_of_handler}"
        finally:
            server.stop()

async def main():
    pings = {"websocket_ping_interval": 1, "websocket_ping_timeout": 1}
    idle, busy, quiet = await once(False, **pings), await once(True, **pings), await once(True)
    print("pings, no handler at work:     ", idle)
    print("pings, a handler awaits 4 s:   ", busy)
    print("no pings, a handler awaits 4 s:", quiet)
    assert idle == "still open after 4 s", "the comparison no longer holds"
    assert quiet == "client got 'the answer'", "the comparison no longer holds"
    assert busy == "client closed with 1000 ping timed out, handler got WebSocketClosedError", \
        "the behaviour has changed"

asyncio.run(main())
PY
