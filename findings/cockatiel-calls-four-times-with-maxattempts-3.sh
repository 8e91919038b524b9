#!/usr/bin/env bash
# Software: cockatiel 4.0.0 (npm), retry() with maxAttempts, against p-retry 6.2.1
# Guess: maxAttempts: 3 calls the function three times at most: an attempt is a call, the first one too.
# Behaviour: The first call is not counted: it is called four times, and maxAttempts: 1 calls twice. Who sets 1 to
#   switch retries off sends everything twice that fails once, and a budget of calls (a login that locks after three)
#   is one short. 0 is the value for no retry; the same number means the same to retries in p-retry.
# Output seen:
#   maxAttempts: 3      4 calls
#   maxAttempts: 1      2 calls
#   maxAttempts: 0      1 call
#   p-retry, retries: 3 4 calls

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    cockatiel@4.0.0 p-retry@6.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: cockatiel@4.0.0 p-retry@6.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { ConstantBackoff, handleAll, retry } = require("cockatiel");

async function calls(run) {
  let number = 0;
  await run(() => {
    number += 1;
    throw new Error("refused");
  }).catch(() => {});
  return `${number} ${number === 1 ? "call" : "calls"}`;
}

(async () => {
  for (const maxAttempts of [3, 1, 0]) {
    const policy = retry(handleAll, { maxAttempts, backoff: new ConstantBackoff(1) });
    console.log(`maxAttempts: ${maxAttempts}     `, await calls((login) => policy.execute(login)));
  }
  const { default: pRetry } = await import(require.resolve("p-retry"));
  console.log("p-retry, retries: 3", await calls((login) => pRetry(login, { retries: 3, minTimeout: 1 })));
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='maxAttempts: 3      4 calls
maxAttempts: 1      2 calls
maxAttempts: 0      1 call
p-retry, retries: 3 4 calls'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
