#!/usr/bin/env bash
# Software: chuk-protocol-server 0.2 (Python), TelnetServer with a TelnetHandler
# Guess: A client may speak as soon as it is connected, and on_command_submitted is called with each line. Whether
#   it speaks telnet is found out by a look at what it says first, which then is handled like the rest.
# Behaviour: The server waits up to a second for up to ten bytes to look at, and nothing reads them again (they are left
#   in the handler's initial_data): a script that connects and speaks loses the first ten bytes, and with the end of
#   a short line the line. People who need more than a second for the first key lose nothing; a telnet that
#   negotiates first loses its offers.
# Output seen:
#   "hello", "one", "two", in pieces, at once:  "one" "two"
#   "a longer line", "one", at once:            "ine" "one"
#   the same after 1.5 seconds:                 "a longer line" "one"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    chuk-protocol-server==0.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: chuk-protocol-server==0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import asyncio, json, logging, socket

from chuk_protocol_server.handlers.telnet_handler import TelnetHandler
from chuk_protocol_server.servers.telnet_server import TelnetServer

logging.disable(logging.CRITICAL)
heard = []

class Handler(TelnetHandler):
    async def on_command_submitted(self, line):
        heard.append(line)

async def tell(port, what, wait, *pieces):
    heard.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(wait)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.3)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 10)       # the server has seen the end, and closed
    writer.close()
    print(f"{what:<43}", *map(json.dumps, heard))

async def main():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = TelnetServer(host="127.0.0.1", port=port, handler_class=Handler)
    task = asyncio.create_task(server.start_server())
    deadline = asyncio.get_running_loop().time() + 10
    while server.server is None:
        assert asyncio.get_running_loop().time() < deadline, "the server does not listen"
        await asyncio.sleep(0.05)
    await tell(port, '"hello", "one", "two", in pieces, at once:', 0, b"hello\r\n", b"one\r\n", b"two\r\n")
    await tell(port, '"a longer line", "one", at once:', 0, b"a longer line\r\none\r\n")
    await tell(port, "the same after 1.5 seconds:", 1.5, b"a longer line\r\none\r\n")
    task.cancel()

asyncio.run(asyncio.wait_for(main(), 50))
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='"hello", "one", "two", in pieces, at once:  "one" "two"
"a longer line", "one", at once:            "ine" "one"
the same after 1.5 seconds:                 "a longer line" "one"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
