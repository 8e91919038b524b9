#!/usr/bin/env bash
# Software: irc3 1.1.12 (Python), a bot's privmsg, and ngIRCd 26.1 (Debian 26.1-1+deb12u1), an IRC server
# Guess: A text that is too long for a line is split so that each line is of at most 512 bytes, CR and LF among
#   them, as max_length=512 says.
# Behaviour: The 512 bytes are counted without CR and LF, so a line has up to 514. ngIRCd takes that for "Request too
#   long" and disconnects: the bot that splits its texts is thrown out by the first that has to be split where no
#   space falls right. (Nor is there room for the name that the server puts in front: max_length=460 keeps all.)
# Output seen:
#   max_length of 512:  lines of 514 and 220 bytes; the room read: Request too long
#   max_length of 460:  lines of 462 and 272 bytes; the room read: 702 of 702 letters

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    irc3==1.1.12 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc3==1.1.12" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in "ngircd=26.1-1*" libident=0.32-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import asyncio, logging, os, socket, subprocess, sys

import irc3

logging.disable(logging.CRITICAL)
work, libraries = sys.argv[1:]
TEXT = "x" * 702

async def until(reader, *words):
    while line := await asyncio.wait_for(reader.readline(), 15):
        if any(word in line for word in words):
            return line
    raise EOFError

async def split(limit):
    """The lengths of the lines that irc3 sends to a server of ours."""
    ready = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: ready.set_result(streams), "127.0.0.1", 0)
    bot = await come(server.sockets[0].getsockname()[1], limit)
    reader, writer = await asyncio.wait_for(ready, 15)
    await until(reader, b"USER")
    bot.privmsg("#tea", TEXT)
    lines = [await until(reader, b"PRIVMSG") for _ in range(2)]
    writer.close()
    server.close()
    return " and ".join(str(len(line)) for line in lines)

async def come(port, limit):
    bot = irc3.IrcBot(nick="bot", host="127.0.0.1", port=port, ssl=False, max_length=limit,
                      includes=["irc3.plugins.core"], autojoins=["#tea"], flood_burst=0)
    bot.create_connection()
    return bot

async def reads(port, limit):
    """What somebody else reads of the text in a room of ngIRCd."""
    for attempt in range(200):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
    writer.write(b"NICK ann\r\nUSER ann 0 * :ann\r\n")
    await until(reader, b" 001 ")
    writer.write(b"JOIN #tea\r\n")
    await until(reader, b" 366 ")
    bot = await come(port, limit)
    await until(reader, b" JOIN ")
    bot.privmsg("#tea", TEXT)
    seen = []
    while len(seen) < 2:
        line = await until(reader, b" PRIVMSG ", b" QUIT ")
        if b" QUIT " in line:
            return line.decode().strip().rsplit(" :", 1)[1]
        seen.append(line.count(b"x"))
    return f"{sum(seen)} of {len(TEXT)} letters"

async def main():
    for limit in (512, 460):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with open(f"{work}/ngircd.conf", "w") as file:
            file.write(f"[Global]\nName = irc.test.org\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n"
                       "[Options]\nDNS = no\nIdent = no\nPAM = no\n")
        server = subprocess.Popen([f"{work}/debian/usr/sbin/ngircd", "-n", "-f", f"{work}/ngircd.conf"],
                                  env={**os.environ, "LD_LIBRARY_PATH": libraries}, stdout=subprocess.DEVNULL)
        try:
            lengths = await split(limit)
            print(f"max_length of {limit}:  lines of {lengths} bytes; the room read: {await reads(port, limit)}")
        finally:
            server.terminate()
            server.wait()

# irc3 takes the loop that is set, before it runs.
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(asyncio.wait_for(main(), 55))
PROBE
seen=$(timeout 60 python3 "$work/probe.py" "$work" "$libraries")
echo "$seen"
expected='max_length of 512:  lines of 514 and 220 bytes; the room read: Request too long
max_length of 460:  lines of 462 and 272 bytes; the room read: 702 of 702 letters'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
