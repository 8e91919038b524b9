#!/usr/bin/env bash
# Software: irc3 1.1.12 (Python), a bot with its command plugin
# Guess: A command that takes words is called with the words, split at spaces: people write to it as they
#   write to each other.
# Behaviour: The line is read as a shell would: an apostrophe opens a quotation that has to be closed, so "don't" makes
#   the whole command invalid, and two of them glue what is between together and vanish. (use_shlex = false in the
#   plugin's settings splits at spaces.)
# Output seen:
#   !say do go:              say(['do', 'go'])
#   !say don't go:           not called, the bot answers "Invalid arguments: No closing quotation."
#   !say don't go, I won't:  say(['dont go, I wont'])

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    irc3==1.1.12 docopt==0.6.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc3==1.1.12" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/py/talker.py" <<'PY'
import irc3
from irc3.plugins.command import command

called = []

@irc3.plugin
class Talker:
    def __init__(self, bot):
        self.bot = bot

    @command(permission=None)
    def say(self, mask, target, args):
        """Say words

            %%say <words>...
        """
        called.append(args["<words>"])
        return "said"
PY
cat >"$work/probe.py" <<'PROBE'
import asyncio, logging, socket

import irc3
import talker

logging.disable(logging.CRITICAL)

async def until(reader, word):
    while line := await asyncio.wait_for(reader.readline(), 20):
        if word in line:
            return line.decode().strip()
    raise EOFError

async def main():
    ready = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: ready.set_result(streams), "127.0.0.1", 0)
    bot = irc3.IrcBot(nick="bot", host="127.0.0.1", port=server.sockets[0].getsockname()[1], ssl=False,
                      includes=["irc3.plugins.core", "irc3.plugins.command", "talker"], flood_burst=0)
    bot.create_connection()
    reader, writer = await asyncio.wait_for(ready, 20)
    await until(reader, b"USER")
    writer.write(b":irc.test.example 001 bot :hello\r\n:irc.test.example 376 bot :end\r\n")
    for words in ["do go", "don't go", "don't go, I won't"]:
        talker.called.clear()
        writer.write(f":ann!a@test.example PRIVMSG #tea :!say {words}\r\n".encode())
        answer = (await until(reader, b"PRIVMSG")).split(" :", 1)[1]
        what = f"say({talker.called[0]!r})" if talker.called else f'not called, the bot answers "{answer}"'
        print(f"{f'!say {words}:':<24} {what}")

# irc3 takes the loop that is set, before it runs.
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
PROBE
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected="!say do go:              say(['do', 'go'])
!say don't go:           not called, the bot answers \"Invalid arguments: No closing quotation.\"
!say don't go, I won't:  say(['dont go, I wont'])"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
