#!/usr/bin/env bash
# Software: pyrate-limiter 4.5.1 (Python)
# A reader would guess: try_acquire("ann") and try_acquire("joe") of one Limiter are counted apart: the name says
#   whose request it is.
# Behaviour: All names share one bucket; the name is a mark on what is counted. One person who talks too much has
#   everybody refused. A limit for each name takes a BucketFactory, written by the caller.
# Output seen:
#   ann: granted, granted, granted, refused
#   joe: refused

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    pyrate-limiter==4.5.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: pyrate-limiter==4.5.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
from pyrate_limiter import Duration, Limiter, Rate

limiter = Limiter(Rate(3, Duration.HOUR))
ann = [limiter.try_acquire("ann", blocking=False) for _ in range(4)]
joe = [limiter.try_acquire("joe", blocking=False)]
for name, seen in (("ann:", ann), ("joe:", joe)):
    print(name, ", ".join("granted" if granted else "refused" for granted in seen))
assert ann == [True, True, True, False], "the comparison no longer holds"
assert joe == [False], "the behaviour has changed"
PY
