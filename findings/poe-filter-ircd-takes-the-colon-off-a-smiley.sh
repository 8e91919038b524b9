#!/usr/bin/env bash
# Software: POE::Filter::IRCD 2.44 (Debian 2.44-2, Perl), against irctokens 2.0.2 (Python)
# Guess: What the filter writes it reads back: a last parameter that begins with a colon, or is empty, or has a
#   space, is written behind a further colon.
# Behaviour: Only a space gets it: ":)" is written as it is, and everybody reads ")", since the colon now is the one
#   that begins a text. An empty text is written as nothing, so an emptied topic becomes a question for the topic. Text
#   of several words is kept, its colon too.
# Output seen:
#   ":)":        PRIVMSG #tea :), read back as [")"] and by irctokens as [")"]
#   "well :)":   PRIVMSG #tea :well :), read back as ["well :)"] and by irctokens as ["well :)"]
#   "":          PRIVMSG #tea , read back as [] and by irctokens as []

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    irctokens==2.0.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irctokens==2.0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in libpoe-filter-ircd-perl=2.44-2 "libpoe-perl=2:1.3700-1"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export PERL5LIB=$work/debian/usr/share/perl5

echo "Output now:"
cat >"$work/probe.pl" <<'PERL'
use strict;
use warnings;
use POE::Filter::IRCD;

# Each text as the filter writes it, and the parameters behind the room as it reads that.
for my $text (":)", "well :)", "") {
    my $filter = POE::Filter::IRCD->new();
    my ($line) = @{ $filter->put([{ command => "PRIVMSG", params => ["#tea", $text] }]) };
    my ($message) = @{ $filter->get([$line]) };
    my ($room, @rest) = @{ $message->{params} };
    print join("\t", $text, $line, join("", map { "\"$_\"" } @rest)), "\n";
}
PERL
cat >"$work/probe.py" <<'PROBE'
import json, sys
import irctokens

for row in sys.stdin:
    text, line, back = row.rstrip("\n").split("\t")
    other = json.dumps(irctokens.tokenise(line).params[1:])
    print(f"{json.dumps(text) + ':':<12} {line}, read back as [{back}] and by irctokens as {other}")
PROBE
seen=$(timeout 20 perl "$work/probe.pl" | timeout 20 python3 "$work/probe.py")
echo "$seen"
expected='":)":        PRIVMSG #tea :), read back as [")"] and by irctokens as [")"]
"well :)":   PRIVMSG #tea :well :), read back as ["well :)"] and by irctokens as ["well :)"]
"":          PRIVMSG #tea , read back as [] and by irctokens as []'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
