#!/usr/bin/env bash
# Software: python-socketio 5.18.1, AsyncServer (with uvicorn 0.54.0 and, for the client, aiohttp 3.14.5)
# A reader would guess: What one client sends is handled in that order: the handler of a line has ended before that of the next
#   line of this client begins, as where a handler reads from its connection itself.
# Behaviour: Each event gets a task of its own: while a handler awaits (a query, a word filter), the next lines of
#   the client pass it, and what is stored or sent on at the end of the handler stands in another order than
#   it was said, now and then. async_handlers=False does what was meant.
# Output seen:
#   sent one, two, three; handled two, three, one
#   async_handlers=False: handled one, two, three

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    python-socketio==5.18.1 uvicorn==0.54.0 aiohttp==3.14.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: python-socketio==5.18.1 uvicorn==0.54.0 aiohttp==3.14.5" >&2
      tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio

import socketio
import uvicorn

async def handled(**options):
    server = socketio.AsyncServer(async_mode="asgi", **options)
    order, passed, complete = [], asyncio.Event(), asyncio.Event()

    @server.event
    async def say(_, text):
        if text == "one":               # what it awaits is ready once the others are done, or after 2 s
            try:
                await asyncio.wait_for(passed.wait(), 2)
            except asyncio.TimeoutError:
                pass
        order.append(text)
        if order == ["two", "three"]:
            passed.set()
        if len(order) == 3:
            complete.set()

    config = uvicorn.Config(socketio.ASGIApp(server), host="127.0.0.1", port=0, log_level="critical")
    web = uvicorn.Server(config)
    serving = asyncio.create_task(web.serve())
    while not web.started:
        await asyncio.sleep(0.05)
    client = socketio.AsyncClient()
    await client.connect(f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}", transports=["websocket"])
    for text in ("one", "two", "three"):
        await client.emit("say", text)
    await asyncio.wait_for(complete.wait(), 10)
    await client.disconnect()
    web.should_exit = True
    await serving
    return ", ".join(order)

async def main():
    default, in_order = await handled(), await handled(async_handlers=False)
    print("sent one, two, three; handled", default)
    print("async_handlers=False: handled", in_order)
    assert in_order == "one, two, three", "the comparison no longer holds"
    assert default == "two, three, one", "the behaviour has changed"

asyncio.run(main())
PY
