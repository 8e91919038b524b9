#!/usr/bin/env bash
# Software: tornado 6.6.1 (Python), IOStream.read_until() with max_bytes
# Guess: A line longer than max_bytes raises an error, and the connection stays open: the server says "line too long",
#   and closes or goes on.
# Behaviour: The stream has closed itself before the error is raised, which is the one of a client that has left
#   (StreamClosedError; the reason is in its real_error). Nothing can be said any more: the client is cut off without a
#   word, and the log has one more client who left. A server that wants to answer reads with read_bytes(partial=True)
#   and looks for the LF itself.
# Output seen:
#   a line of 3 letters:   read, answered
#   a line of 40 letters:  StreamClosedError, because of UnsatisfiableReadError, closed: True
#   answering that:        StreamClosedError
#   the client read:       "ok" and the end

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    tornado==6.6.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: tornado==6.6.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import asyncio

from tornado.iostream import StreamClosedError
from tornado.tcpserver import TCPServer

ended = asyncio.Event()

class Lines(TCPServer):
    async def handle_stream(self, stream, address):
        for length in (3, 40):
            what = f"a line of {length} letters: "
            try:
                await stream.read_until(b"\n", max_bytes=16)
                await stream.write(b"ok\n")
                print(f"{what:<22} read, answered")
            except StreamClosedError as error:
                reason = type(error.real_error).__name__
                print(f"{what:<22} StreamClosedError, because of {reason}, closed: {stream.closed()}")
                try:
                    await stream.write(b"line too long\n")
                    print("answering that:        written")
                except StreamClosedError:
                    print("answering that:        StreamClosedError")
        ended.set()

async def main():
    server = Lines()
    server.listen(0, "127.0.0.1")
    (port,) = {listening.getsockname()[1] for listening in server._sockets.values()}
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"one\n")
    read = await reader.readline()
    writer.write(b"x" * 40 + b"\n")
    try:
        read += await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:        # what was not read resets the connection
        pass
    await asyncio.wait_for(ended.wait(), 10)
    print("the client read:      ", *(f'"{line}"' for line in read.decode().split()), "and the end")
    writer.close()
    server.stop()

asyncio.run(main())
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='a line of 3 letters:   read, answered
a line of 40 letters:  StreamClosedError, because of UnsatisfiableReadError, closed: True
answering that:        StreamClosedError
the client read:       "ok" and the end'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
