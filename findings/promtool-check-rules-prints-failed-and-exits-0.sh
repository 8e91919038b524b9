#!/usr/bin/env bash
# Software: promtool 2.42.0 (Debian prometheus 2.42.0+ds-5+deb12u1)
# Guess: promtool check rules exits non-zero when it prints FAILED, so that CI stops.
# Behaviour: For duplicate rules it prints "FAILED: lint error 1 duplicate rule(s) found" and exits 0.
#   Only --lint-fatal makes it 3.
# Output seen:
#   check rules:               prints FAILED, exit 0
#   check rules --lint-fatal:  prints FAILED, exit 3

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
cat >"$work/rules.yml" <<'RULES'
groups:
- name: chat
  rules:
  - alert: ServerDown
    expr: up == 0
  - alert: ServerDown
    expr: up == 0
RULES
check() {
    code=0
    said=$(timeout 20 promtool check rules "$@" "$work/rules.yml" 2>&1) || code=$?
    case $said in *FAILED*) word="prints FAILED" ;; *) word="does not print FAILED" ;; esac
    echo "$word, exit $code"
}
plain=$(check) fatal=$(check --lint-fatal)
echo "check rules:               $plain"
echo "check rules --lint-fatal:  $fatal"
[ "$fatal" = "prints FAILED, exit 3" ] || { echo "the comparison no longer holds" >&2; exit 1; }
[ "$plain" = "prints FAILED, exit 0" ] || { echo "the behaviour has changed" >&2; exit 1; }
