#!/usr/bin/env bash
# Software: miniboa 1.0.9 (Python), a telnet server for games and chats, against telnetlib3 5.0.1
# Guess: Enter is CR LF or CR NUL, as RFC 854 and RFC 1123 (3.3.1) have it: a server takes both for the end of a line.
# Behaviour: CR NUL ends nothing. Telnet clients that send it for Enter, as they do once they are in character mode, are
#   never answered: each line is added to the one before, until a CR LF or an LF comes.
# Output seen:
#   CR LF:    telnetlib3 'hello' 'bye'   miniboa 'hello' 'bye'
#   CR NUL:   telnetlib3 'hello' 'bye'   miniboa nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    miniboa==1.0.9 telnetlib3==5.0.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: miniboa==1.0.9 telnetlib3==5.0.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, logging, socket, time
import telnetlib3
from miniboa import TelnetServer

logging.disable()
SENT = {"CR LF:": b"hello\r\nbye\r\n", "CR NUL:": b"hello\r\0bye\r\0"}

def with_miniboa(sent):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    clients, lines = [], []
    server = TelnetServer(port=port, address="127.0.0.1", timeout=0.05, on_connect=clients.append)
    with socket.create_connection(("127.0.0.1", port)) as speaker:
        speaker.sendall(sent)
        deadline = time.monotonic() + 2
        while len(lines) < 2 and time.monotonic() < deadline:
            server.poll()
            for client in clients:
                while client.cmd_ready:
                    lines.append(client.get_command())
    server.server_socket.close()
    return lines

async def with_telnetlib3(sent):
    lines, done = [], asyncio.Event()

    async def shell(reader, writer):
        while len(lines) < 2:
            lines.append((await reader.readline()).rstrip("\r\n\0"))
        done.set()

    server = await telnetlib3.create_server("127.0.0.1", 0, shell=shell, connect_maxwait=0.1)
    speaker = (await asyncio.open_connection(*server.sockets[0].getsockname()))[1]
    speaker.write(sent)
    await asyncio.wait_for(done.wait(), 20)
    speaker.close()
    server.close()
    return lines

def show(lines):
    return " ".join(map(repr, lines)) or "nothing"

seen = {name: (asyncio.run(with_telnetlib3(sent)), with_miniboa(sent)) for name, sent in SENT.items()}
for name, (theirs, miniboa) in seen.items():
    print(f"{name:<9} telnetlib3 {show(theirs)}   miniboa {show(miniboa)}")
both = ["hello", "bye"]
assert seen["CR LF:"] == (both, both) and seen["CR NUL:"][0] == both, "the comparison no longer holds"
assert seen["CR NUL:"][1] == [], "the behaviour has changed"
PY
