#!/usr/bin/env bash
# Software: launchdarkly-eventsource 1.7.4 (Python), its SSEClient with ErrorStrategy.always_continue(), against
#   sseclient 0.0.27
# Guess: The line "retry: 3000" of a stream sets how long the client waits before it comes back, as the standard says
#   and its documentation does: initial_retry_delay can be overridden by the server.
# Behaviour: The line is read and has no effect: the client comes back after initial_retry_delay, one second, and
#   next_retry_delay says so. A server that is about to restart cannot ask its clients to stay away for longer, nor to
#   come sooner.
# Output seen:
#   retry: 3000                     comes back after
#   sseclient:                      3 s
#   launchdarkly-eventsource:       1 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    launchdarkly-eventsource==1.7.4 urllib3==2.8.0 sseclient==0.0.27 requests==2.34.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: launchdarkly-eventsource==1.7.4 urllib3==2.8.0 sseclient==0.0.27 requests==2.34.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import http.server, threading, time

import ld_eventsource, sseclient
from ld_eventsource.config import ErrorStrategy

class Stream(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"retry: 3000\ndata: hello\n\n")

    def log_message(self, *details):
        pass

def seconds(events):
    """The time between the first event and the second, which comes with a new connection."""
    events = iter(events)
    next(events)
    started = time.monotonic()
    next(events)
    return round(time.monotonic() - started)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/"
theirs = seconds(sseclient.SSEClient(url, timeout=10))
client = ld_eventsource.SSEClient(url, error_strategy=ErrorStrategy.always_continue())
seen = seconds(client.events)
client.close()
server.shutdown()
print("retry: 3000                     comes back after")
print("sseclient:                     ", theirs, "s")
print("launchdarkly-eventsource:      ", seen, "s")
assert theirs == 3, "the comparison no longer holds"
assert seen == 1, "the behaviour has changed"
PY
