#!/usr/bin/env bash
# Software: hey 0.1.4 (Debian 0.1.4-2+b4), an HTTP load generator
# Guess: hey -n 100 -c 30 sends 100 requests, thirty at a time.
# Behaviour: Each of the workers does n/c requests, rounded down, so that 90 are sent. The report counts what was
#   sent and does not say that it is less, and the exit code is 0. A test that compares the server's counters
#   with -n finds requests "lost".
# Output seen:
#   -n 100 -c 10:  the server got 100, hey reports 100 responses, exit 0
#   -n 100 -c 30:  the server got 90, hey reports 90 responses, exit 0
#   -n 100 -c 60:  the server got 60, hey reports 60 responses, exit 0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "hey=0.1.4-2*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work/debian/usr/bin/hey" <<'PY'
import http.server, itertools, re, subprocess, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        next(counter)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
seen = []
for workers in (10, 30, 60):
    counter = itertools.count()
    done = subprocess.run([sys.argv[1], "-n", "100", "-c", str(workers), f"http://127.0.0.1:{server.server_port}/"],
                          capture_output=True, text=True, timeout=30)
    responses = sum(map(int, re.findall(r"(\d+) responses", done.stdout)))
    seen.append((next(counter), responses, done.returncode))
    print("-n 100 -c {}:  the server got {}, hey reports {} responses, exit {}".format(workers, *seen[-1]))
server.shutdown()
assert seen[0] == (100, 100, 0), "the comparison no longer holds"
assert seen[1:] == [(90, 90, 0), (60, 60, 0)], "the behaviour has changed"
PY
