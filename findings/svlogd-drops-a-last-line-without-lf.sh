#!/usr/bin/env bash
# Software: svlogd of runit 2.1.2 (Debian runit 2.1.2-54), against multilog of daemontools 0.76 (Debian 1:0.76-8.1)
# Guess: When a program dies, what it wrote last is in its log, with or without an LF at its end: a logger that is at
#   the end of its input ends the line itself.
# Behaviour: What follows the last LF is dropped at the end of input, however long it is: the first half of the message
#   that a program was writing when it died, or a prompt or an error that was printed without an end of line.
# Output seen:
#   multilog:   'ready' 'fatal: no space left on dev'
#   svlogd:     'ready'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in runit=2.1.2-54 daemontools=1:0.76-8.1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import pathlib, subprocess, sys

work = pathlib.Path(sys.argv[1])

def logged(name):
    folder = work / name
    folder.mkdir()
    subprocess.run([work / "debian/usr/bin" / name, folder], input=b"ready\nfatal: no space left on dev", timeout=20,
                   check=True)
    return (folder / "current").read_text().splitlines()

theirs, seen = logged("multilog"), logged("svlogd")
print("multilog:  ", *map(repr, theirs))
print("svlogd:    ", *map(repr, seen))
assert theirs == ["ready", "fatal: no space left on dev"], "the comparison no longer holds"
assert seen == ["ready"], "the behaviour has changed"
PY
