#!/usr/bin/env bash
# Software: Erlang/OTP 25.2.3 (Debian erlang-base 1:25.2.3+dfsg-1), gen_tcp with {packet, line}
# Guess: Each receive gives a whole line, however long, or an error if it is beyond some limit.
# Behaviour: It gives at most 1460 bytes (the buffer, unless set) and the rest as further "lines": only that they
#   do not end with LF tells, which who strips the end does not see. So the second half of a long line is
#   taken for a line of its own: in a chat, for a command.
# Output seen:
#   sent:                lines of 1000, 1460 and 3000 bytes, the LF among them
#   read:                1000, 1460, 1460 without LF, 1460 without LF, 80
#   read, buffer 65536:  1000, 1460, 3000

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in "erlang-base=1:25.2.3+dfsg-1*"; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done

echo "Output now:"
timeout 60 python3 - "$work/debian" <<'PY'
import glob, os, socket, subprocess, sys

root = f"{sys.argv[1]}/usr/lib/erlang"
programs = glob.glob(f"{root}/erts-*/bin")[0]
environment = {**os.environ, "ROOTDIR": root, "BINDIR": programs, "EMU": "beam", "PROGNAME": "erl",
               "HOME": sys.argv[1], "LD_LIBRARY_PATH": f"{sys.argv[1]}/usr/lib/x86_64-linux-gnu"}
READER = """
{ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, %d, [binary, {packet, line}, {active, false} | %s]),
Read = fun(Again) ->
    case gen_tcp:recv(Socket, 0, 15000) of
        {ok, Line} -> io:format("~p ~s~n", [byte_size(Line), [binary:last(Line)]]), Again(Again);
        {error, closed} -> halt()
    end
end,
Read(Read).
"""

def read(options):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        command = [f"{programs}/erlexec", "-noinput", "-boot", f"{root}/bin/start_clean",
                   "-eval", READER % (server.getsockname()[1], options)]
        reader = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            with server.accept()[0] as connection:
                for length in (1000, 1460, 3000):
                    connection.sendall(b"x" * (length - 1) + b"\n")
            printed = reader.communicate(timeout=20)[0]
        finally:
            reader.kill()
            reader.wait()
    return printed.replace(" x\n", " without LF, ").replace(" \n\n", ", ").rstrip(", ")

print("sent:                lines of 1000, 1460 and 3000 bytes, the LF among them")
default, larger = read("[]"), read("[{buffer, 65536}]")
print("read:               ", default)
print("read, buffer 65536: ", larger)
assert larger == "1000, 1460, 3000", "the comparison no longer holds"
assert default == "1000, 1460, 1460 without LF, 1460 without LF, 80", "the behaviour has changed"
PY
