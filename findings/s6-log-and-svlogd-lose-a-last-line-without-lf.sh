#!/usr/bin/env bash
# Software: s6-log and svlogd (Debian: s6 2.11.3.2-1, runit 2.1.2-54), against multilog (daemontools 1:0.76-8.1)
# Guess: At the end of its input a logger writes what has come of the last line, with the LF that was missing, as
#   multilog does.
# Behaviour: It is thrown away, and the logger exits with 0. What a program says last, as it dies in the middle of a line
#   or by a message that it does not end, is just what is not in its log; a client's last line that is logged
#   as it comes goes the same way.
# Output seen:
#   multilog:  "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\ntwo\n"
#   s6-log:    "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\n"
#   svlogd:    "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\n"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in s6=2.11.3.2-1 libs6-2.11=2.11.3.2-1 libskarnet2.13=2.13.1.1-1 runit=2.1.2-54 daemontools=1:0.76-8.1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
cat >"$work/probe.py" <<'PROBE'
import json, os, subprocess, sys

work, libraries = sys.argv[1:]
for name in ("multilog", "s6-log", "svlogd"):
    seen = []
    for at, text in enumerate(("one\ntwo\n", "one\ntwo")):
        folder = f"{work}/{name}-{at}"
        os.mkdir(folder, 0o755)
        directives = ["n3"] if name == "s6-log" else []
        subprocess.run([f"{work}/debian/usr/bin/{name}", *directives, folder], input=text.encode(), timeout=20,
                       check=True, env={**os.environ, "LD_LIBRARY_PATH": libraries})
        with open(f"{folder}/current") as log:
            seen.append((json.dumps(text), json.dumps(log.read())))
    (first, kept), (second, cut) = seen
    print(f"{name + ':':<10} {first} is logged as {kept}, {second} as {cut}")
PROBE
seen=$(timeout 60 python3 "$work/probe.py" "$work" "$libraries")
echo "$seen"
expected='multilog:  "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\ntwo\n"
s6-log:    "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\n"
svlogd:    "one\ntwo\n" is logged as "one\ntwo\n", "one\ntwo" as "one\n"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
