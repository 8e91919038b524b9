#!/usr/bin/env bash
# Software: python-ulid 4.1.0, ULID.from_timestamp()
# Guess: It takes seconds, as time.time() gives them and as datetime.fromtimestamp() does, be they whole or not.
# Behaviour: A float is seconds and an int is milliseconds: int(time.time()), or the whole seconds of a log or a
#   database, makes ids of January 1970. They are valid, sort below all others, and a page of history that starts at
#   such an id starts at the beginning. float() around the number does what was meant.
# Output seen:
#   1700000000.0  2023-11-14 22:13:20
#   1700000000    1970-01-20 16:13:20
#   sorted:       1700000000 1700000000.0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    python-ulid==4.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: python-ulid==4.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
from ulid import ULID

times = (("1700000000.0", 1700000000.0), ("1700000000", 1700000000))
made = {name: ULID.from_timestamp(time) for name, time in times}
for name, identity in made.items():
    print(f"{name:<13} {identity.datetime:%Y-%m-%d %H:%M:%S}")
print("sorted:      ", *sorted(made, key=made.get))
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='1700000000.0  2023-11-14 22:13:20
1700000000    1970-01-20 16:13:20
sorted:       1700000000 1700000000.0'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
