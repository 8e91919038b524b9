#!/usr/bin/env bash
# Software: telnetlib3 5.0.1 (Python), the reader's readline()
# A reader would guess: CR LF is one end of line, wherever the network cuts the stream; a CR alone, if it is an end, is one
#   once the byte after it is known.
# Behaviour: If a piece ends between CR and LF, the line comes at the CR, and the LF is the next line, by itself:
#   a client that answers line by line, or counts lines, is off by one from there, now and then.
# Output seen:
#   in one piece:            'one\r\n', 'two\r\n'
#   cut within a word:       'one\r\n', 'two\r\n'
#   cut between CR and LF:   'one\r', '\n', 'two\r\n'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    telnetlib3==5.0.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: telnetlib3==5.0.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio

import telnetlib3

async def read(*pieces):
    async def serve(_, writer):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.5)        # so that it is a piece of its own
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await telnetlib3.open_connection("127.0.0.1", port, encoding="ascii", connect_minwait=0.1)
    lines = []
    while line := await asyncio.wait_for(reader.readline(), 10):
        lines.append(line)
    writer.close()
    server.close()
    return lines

async def main():
    seen = []
    for name, pieces in (("in one piece:", [b"one\r\ntwo\r\n"]), ("cut within a word:", [b"on", b"e\r\ntwo\r\n"]),
                         ("cut between CR and LF:", [b"one\r", b"\ntwo\r\n"])):
        seen.append(await read(*pieces))
        print(f"{name:<24}", ", ".join(map(repr, seen[-1])))
    assert seen[0] == seen[1] == ["one\r\n", "two\r\n"], "the comparison no longer holds"
    assert seen[2] == ["one\r", "\n", "two\r\n"], "the behaviour has changed"

asyncio.run(main())
PY
