#!/usr/bin/env bash
# Software: sd-notify 0.5.0 (crate), against sdnotify 0.3.2 (Python)
# Guess: NOTIFY_SOCKET=@name is an abstract socket, as sd_notify(3) has it, and READY=1 is sent to it like to one
#   that is a file.
# Behaviour: The name is taken for a file called "@name": notify() is an error, "No such file or directory", and the
#   manager waits for a service that is ready, and ends it when its time is over. A program that looks over the
#   error, since it may have been started without a manager, does not say so either: without the variable it is Ok.
# Output seen:
#   a socket that is a file:  sdnotify sent READY=1, sd-notify sent READY=1
#   an abstract socket:       sdnotify sent READY=1, sd-notify Err(No such file or directory (os error 2))
#   no NOTIFY_SOCKET:         sdnotify sent nothing, sd-notify sent nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    sdnotify==0.3.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sdnotify==0.3.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
sd-notify = "=0.5.0"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
fn main() {
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        println!("Err({error})");
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sd-notify =0.5.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
cat >"$work/probe.py" <<'PROBE'
import os, socket, subprocess, sys

work = sys.argv[1]
programs = {
    "sdnotify": [sys.executable, "-c", "import sdnotify; sdnotify.SystemdNotifier().notify('READY=1')"],
    "sd-notify": [f"{work}/target/debug/probe"],
}

def tell(what, address):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    environment = dict(os.environ)
    environment.pop("NOTIFY_SOCKET", None)
    if address:
        manager.bind(address.replace("@", "\0"))
        environment["NOTIFY_SOCKET"] = address
    manager.setblocking(False)
    seen = []
    for name, command in programs.items():
        printed = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20).stdout.strip()
        try:
            result = f"sent {manager.recv(100).decode().strip()}"
        except BlockingIOError:
            result = printed or "sent nothing"
        seen.append(f"{name} {result}")
    print(f"{what:<25} {', '.join(seen)}")

tell("a socket that is a file:", f"{work}/notify")
tell("an abstract socket:", f"@probe-{os.getpid()}")
tell("no NOTIFY_SOCKET:", None)
PROBE
seen=$(timeout 60 python3 "$work/probe.py" "$work")
echo "$seen"
expected='a socket that is a file:  sdnotify sent READY=1, sd-notify sent READY=1
an abstract socket:       sdnotify sent READY=1, sd-notify Err(No such file or directory (os error 2))
no NOTIFY_SOCKET:         sdnotify sent nothing, sd-notify sent nothing'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
