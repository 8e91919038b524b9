#!/usr/bin/env bash
# Software: fail2ban 1.0.2 (Debian 1.0.2-2), the default date detection
# Guess: A time in RFC 3339 is understood with any number of digits after the point: nanoseconds are
#   what many loggers write by default.
# Behaviour: Up to six digits the zone is read. From the seventh on the time still matches, but the Z
#   or the offset behind it is dropped and the time is taken as local: on a machine at UTC+9 each line
#   is nine hours old, beyond any usual findtime, and west of UTC it lies in the future. The line
#   still counts as matched.
# Output seen:
#   2026-11-29T08:00:00.123456Z         read at UTC+9 as 2026-11-29 08:00:00 UTC
#   2026-11-29T08:00:00.123456789Z      read at UTC+9 as 2026-11-28 23:00:00 UTC
#   2026-11-29T13:00:00.123456789+05:00 read at UTC+9 as 2026-11-29 04:00:00 UTC

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in fail2ban=1.0.2-2; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
export PYTHONPATH=$work/debian/usr/lib/python3/dist-packages
at() {
    TZ=Asia/Tokyo timeout 30 python3 "$work/debian/usr/bin/fail2ban-regex" -c "$work/debian/etc/fail2ban" -o row \
        "$1 refused from 192.0.2.7" 'refused from <HOST>$' 2>/dev/null | grep -oE '[0-9]{10}' | head -1
}
show() { printf '%-35s read at UTC+9 as %s\n' "$1" "$(date -u -d "@$2" '+%F %T UTC')"; }
six=$(at 2026-11-29T08:00:00.123456Z)
nine=$(at 2026-11-29T08:00:00.123456789Z)
offset=$(at 2026-11-29T13:00:00.123456789+05:00)
show 2026-11-29T08:00:00.123456Z "$six"
show 2026-11-29T08:00:00.123456789Z "$nine"
show 2026-11-29T13:00:00.123456789+05:00 "$offset"
true_time=$(date -u -d '2026-11-29 08:00:00' +%s)
[ "$six" = "$true_time" ] || { echo "the comparison no longer holds" >&2; exit 1; }
[ "$nine" = $((true_time - 9 * 3600)) ] && [ "$offset" = $((true_time - 4 * 3600)) ] ||
    { echo "the behaviour has changed" >&2; exit 1; }
