#!/usr/bin/env bash
# Software: nchan 1.3.6 for nginx 1.22.1 (Debian libnginx-mod-nchan 1:1.3.6+dfsg-2, nginx 1.22.1-9+deb12u11), with the
#   client of websockets 17.4
# Guess: Who publishes over a WebSocket is sent nothing for it, over a location with nchan_publisher as over one with
#   nchan_pubsub: a WebSocket has no replies, and there is no request to answer.
# Behaviour: A publisher gets a message for each of its own: how many are queued and who listens, which is the body that
#   a POST is answered with. It looks like what somebody has said: nothing but the text tells one from the other. Over
#   nchan_pubsub it gets what it published, and no such message.
# Output seen:
#   nchan_pubsub:      'hello'
#   nchan_publisher:   'queued messages: 1' 'last requested: ' 'active subscribers: 0' 'last message id: '

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in nginx=1.22.1-9+deb12u11 libnginx-mod-nchan=1:1.3.6+dfsg-2; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import os, pathlib, re, socket, subprocess, sys, time
from websockets.sync.client import connect

work = sys.argv[1]
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
folders = "\n".join(f"{kind}_temp_path {work}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
pathlib.Path(work, "nginx.conf").write_text(f"""
load_module {work}/debian/usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; master_process off; pid {work}/pid; error_log {work}/errors;
events {{ }}
http {{
  access_log off; {folders}
  server {{
    listen 127.0.0.1:{port};
    location = /nchan_publisher {{ nchan_publisher; nchan_channel_id a; }}
    location = /nchan_pubsub {{ nchan_pubsub; nchan_channel_id b; }}
  }}
}}
""")

def open_client(path):
    deadline = time.monotonic() + 15
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}{path}")
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.05)

seen = {}
nginx = subprocess.Popen([f"{work}/debian/usr/sbin/nginx", "-p", work, "-c", f"{work}/nginx.conf",
                          "-e", f"{work}/errors"])
try:
    for name in ("nchan_pubsub", "nchan_publisher"):
        with open_client(f"/{name}") as client:
            client.send("hello")
            lines = client.recv(timeout=10).splitlines()
            seen[name] = [re.sub("(last .*: ).*", r"\1", line) for line in lines]
        print(f"{name + ':':<18}", *map(repr, seen[name]))
finally:
    nginx.kill()
    nginx.wait()
assert seen["nchan_pubsub"] == ["hello"], "the comparison no longer holds"
assert seen["nchan_publisher"][::2] == ["queued messages: 1", "active subscribers: 0"], "the behaviour has changed"
PY
