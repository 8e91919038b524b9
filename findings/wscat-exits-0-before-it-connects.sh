#!/usr/bin/env bash
# Software: wscat 6.1.0 (npm)
# Guess: printf "one\ntwo\n" | wscat -c URL sends two messages, and wscat -c URL -x one sends one,
#   also from cron or a script whose standard input is /dev/null; a failure would be an exit code.
# Behaviour: At the end of standard input wscat exits at once with code 0, also before the connection
#   is made: the server sees no message, or no connection at all. Even -x is dropped so. While
#   standard input stays open, -x works.
# Output seen:
#   two lines piped in:       server got 0 messages, exit 0
#   -x one, input /dev/null:  server got 0 messages, exit 0
#   -x one, input held open:  server got 1 messages, exit 0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    wscat@6.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: wscat@6.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules
timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import subprocess, sys, threading
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

got = []

def handler(connection):
    try:
        for message in connection:
            got.append(message)
            connection.send("thanks")
            connection.close()
    except ConnectionClosed:
        pass

with serve(handler, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wscat = [f"{sys.argv[1]}/js/node_modules/.bin/wscat", "-c", f"ws://127.0.0.1:{server.socket.getsockname()[1]}"]

    def once(command, **options):
        got.clear()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, **options)
        if options["stdin"] == subprocess.PIPE and "-x" not in command:
            process.stdin.write("one\ntwo\n")
            process.stdin.close()
        code = process.wait(20)
        return len(got), code

    seen = [once(wscat, stdin=subprocess.PIPE),
            once([*wscat, "-x", "one"], stdin=subprocess.DEVNULL),
            once([*wscat, "-x", "one"], stdin=subprocess.PIPE)]
    server.shutdown()
for name, (count, code) in zip(("two lines piped in:", "-x one, input /dev/null:", "-x one, input held open:"), seen):
    print(f"{name:<24}  server got {count} messages, exit {code}")
assert seen[2][0] == 1, "the comparison no longer holds"
assert seen[:2] == [(0, 0), (0, 0)], "the behaviour has changed"
PY
