#!/usr/bin/env bash
# Software: httpx-ws 0.9.0 (Python), with httpx 0.28.1, wsproto 1.3.2 and a server of websockets 17.4
# Guess: To send after the server has closed raises WebSocketDisconnect with the server's code, as to receive does; at
#   least it raises an exception of the library (HTTPXWSException).
# Behaviour: It raises LocalProtocolError, which is wsproto's, with no code. Code that handles what httpx-ws documents
#   does not handle it: who only sends never learns why, and a bot that is told to go (4001, say) fails instead.
# Output seen:
#   to receive:   WebSocketDisconnect of httpx_ws, code 4001
#   to send:      LocalProtocolError of wsproto, no code

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    httpx-ws==0.9.0 httpx==0.28.1 wsproto==1.3.2 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: httpx-ws==0.9.0 httpx==0.28.1 wsproto==1.3.2 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio
from httpx_ws import HTTPXWSException, aconnect_ws
from websockets.asyncio.server import serve

async def once(port, act):
    async with aconnect_ws(f"http://127.0.0.1:{port}/") as client:
        deadline = asyncio.get_running_loop().time() + 10
        while asyncio.get_running_loop().time() < deadline:
            try:
                await act(client)
            except Exception as error:
                return error
            await asyncio.sleep(0.05)       # until the close has come

async def main():
    async def closes(connection):
        await connection.close(4001, "go away")

    async with serve(closes, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        received = await once(port, lambda client: client.receive_text(timeout=10))
        sent = await once(port, lambda client: client.send_text("hello"))
    for name, error in (("to receive:", received), ("to send:", sent)):
        code = f"code {int(error.code)}" if hasattr(error, "code") else "no code"
        print(f"{name:<13} {type(error).__name__} of {type(error).__module__.split('.')[0]}, {code}")
    assert type(received).__name__ == "WebSocketDisconnect" and received.code == 4001, "the comparison no longer holds"
    named = type(sent).__name__ == "LocalProtocolError"
    assert named and not isinstance(sent, HTTPXWSException) and not hasattr(sent, "code"), "the behaviour has changed"

asyncio.run(main())
PY
