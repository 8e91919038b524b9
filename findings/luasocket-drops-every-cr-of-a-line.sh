#!/usr/bin/env bash
# Software: LuaSocket 3.1.0 (Debian lua-socket 3.1.0-1+b1, with lua5.3 5.3.6-2)
# Guess: receive("*l") gives the line without its end, LF or CR LF. A CR elsewhere stays in the text, as with
#   the reading of lines in other languages.
# Behaviour: Every CR is dropped, wherever it stands: what is before and after it is glued together, with
#   nothing to tell. The manual says so in half a sentence. A server on it and its peers so disagree on what
#   was said, and a sum over the line does not match.
# Output seen:
#   sent:  b'one\rtwo\r\nthree\r\r\n\rfour\n'
#   read:  onetwo, three, four

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in lua-socket=3.1.0-1+b1 "lua5.3=5.3.6-2*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work/debian" <<'PY'
import os, socket, subprocess, sys

root = sys.argv[1]
libraries = f"{root}/usr/lib/x86_64-linux-gnu"
environment = {**os.environ, "LUA_PATH": f"{root}/usr/share/lua/5.3/?.lua", "LUA_CPATH": f"{libraries}/lua/5.3/?.so",
               "LD_LIBRARY_PATH": libraries}
READER = """
local connection = require("socket").connect("127.0.0.1", tonumber(arg[1]))
for line in function() return connection:receive("*l") end do print((line:gsub("\\r", "<CR>"))) end
"""
SENT = b"one\rtwo\r\nthree\r\r\n\rfour\n"
with socket.create_server(("127.0.0.1", 0)) as server:
    server.settimeout(15)
    with open(f"{root}/reader.lua", "w") as file:
        file.write(READER)
    reader = subprocess.Popen([f"{root}/usr/bin/lua5.3", file.name, str(server.getsockname()[1])],
                              env=environment, stdout=subprocess.PIPE, text=True)
    try:
        with server.accept()[0] as connection:
            connection.sendall(SENT)
        read = reader.communicate(timeout=15)[0].split("\n")[:-1]
    finally:
        reader.kill()
        reader.wait()
print("sent: ", SENT)
print("read: ", ", ".join(read))
assert read == ["onetwo", "three", "four"], "the behaviour has changed"
PY
