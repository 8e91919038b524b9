#!/usr/bin/env bash
# Software: promtool 2.42.0 (Debian prometheus 2.42.0+ds-5+deb12u1)
# Guess: promtool check metrics, which one puts into CI so that a hand-written exporter stays valid,
#   refuses the same series twice with two values: the text format allows each only once.
# Behaviour: It prints nothing and exits 0, though it complains of style (a counter without _total:
#   exit 3). So a broken exporter passes the check that was to find it.
# Output seen:
#   repeated series:         exit 0, no output
#   counter without _total:  exit 3, requests counter metrics should have "_total" suffix

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "prometheus=2.42.0+ds-5*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
repeated=$'# HELP lines_total Lines.\n# TYPE lines_total counter\nlines_total{room="a"} 1\nlines_total{room="a"} 2\n'
unnamed=$'# HELP requests Requests.\n# TYPE requests counter\nrequests 1\n'
first=0 second=0
one=$(timeout 20 promtool check metrics <<<"${repeated%$'\n'}" 2>&1) || first=$?
two=$(timeout 20 promtool check metrics <<<"${unnamed%$'\n'}" 2>&1) || second=$?
echo "repeated series:         exit $first, ${one:-no output}"
echo "counter without _total:  exit $second, ${two:-no output}"
[ "$second" = 3 ] || { echo "the comparison no longer holds" >&2; exit 1; }
[ "$first" = 0 ] && [ -z "$one" ] || { echo "the behaviour has changed" >&2; exit 1; }
