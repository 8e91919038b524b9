#!/usr/bin/env bash
# Software: tmux 3.3a (Debian 3.3a-3), send-keys
# Guess: send-keys -l types its text as it stands ("literally", says the manual), and without -l the words that are no
#   names of keys.
# Behaviour: A semicolon at the end of an argument ends a command of tmux, also in quotes and with -l: it is not typed,
#   and what follows is taken for a command. With -l and nothing behind it there is no error either. A test that drives
#   a client so, line by line, sends "bye" for "bye;" and nothing at all for "bye;" and Enter. A backslash before the
#   semicolon types it.
# Output seen:
#   send-keys -l 'one; two':   exit 0, typed "one; two"
#   send-keys -l 'bye;':       exit 0, typed "bye"
#   send-keys 'bye;' Enter:    exit 1, typed nothing, unknown command: Enter
#   send-keys -l 'bye\;':      exit 0, typed "bye;"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in tmux=3.3a-3 libutempter0=1.2.1-3 "libevent-core-2.1-7=2.1.12-stable-8*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import os, pathlib, subprocess, sys, time

work, libraries = sys.argv[1:]
environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "TERM": "xterm", "LC_ALL": "C.UTF-8"}

def tmux(*arguments):
    command = [f"{work}/debian/usr/bin/tmux", "-S", f"{work}/socket", "-f", "/dev/null", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stderr.strip()

def typed(*arguments):
    """What a program in a window of its own reads when these keys are sent, and an end of the line after them."""
    ready, read = pathlib.Path(f"{work}/ready"), pathlib.Path(f"{work}/read")
    for path in (ready, read):
        path.unlink(missing_ok=True)
    assert tmux("new-session", "-d", "-s", "typing", f"touch {ready}; head -n 1 >{read}.new; mv {read}.new {read}")[0] == 0
    wait_for(ready)
    result = tmux("send-keys", "-t", "typing", *arguments)
    tmux("send-keys", "-t", "typing", "Enter")
    wait_for(read)
    return *result, read.read_text().rstrip("\n")

def wait_for(path):
    deadline = time.monotonic() + 15
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.05)

# A window that stays, so that the server does.
tmux("new-session", "-d", "-s", "stays", "sleep 60")
try:
    for step, arguments in (("-l 'one; two'", ("-l", "one; two")), ("-l 'bye;'", ("-l", "bye;")),
                            ("'bye;' Enter", ("bye;", "Enter")), (r"-l 'bye\;'", ("-l", r"bye\;"))):
        code, error, text = typed(*arguments)
        said = f'"{text}"' if text else "nothing"
        print(f"{'send-keys ' + step + ':':<26} exit {code}, typed {said}" + (f", {error}" if error else ""))
finally:
    tmux("kill-server")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work" "$libraries")
echo "$seen"
expected="send-keys -l 'one; two':   exit 0, typed \"one; two\"
send-keys -l 'bye;':       exit 0, typed \"bye\"
send-keys 'bye;' Enter:    exit 1, typed nothing, unknown command: Enter
send-keys -l 'bye\\;':      exit 0, typed \"bye;\""
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
