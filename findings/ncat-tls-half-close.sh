#!/usr/bin/env bash
# Software: ncat 7.93 (Debian 7.93+dfsg1-1) as a TLS client with its standard input at its end
# Guess: As over plain TCP, ncat says that it has no more to send and goes on reading: over TLS it
#   sends close_notify, and then prints what the server still has to say.
# Behaviour: ncat --ssl shuts the TCP socket down for writing without a close_notify. Over plain TCP
#   the reply is printed. A TLS server that tells truncation from an end (the default of OpenSSL 3)
#   gets an error instead of an end of file, and answers nothing; ncat exits 0 all the same.
# Output seen:
#   plain: server read b'last line\n' then end of file, client printed 'reply\n', exit 0
#   tls:   server read b'last line\n' then UNEXPECTED_EOF_WHILE_READING, client printed '', exit 0

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    trustme==1.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: trustme==1.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
for package in ncat=7.93+dfsg1-1 liblua5.3-0=5.3.6-2 libpcap0.8=1.10.3-1; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
libraries=$(find "$work/debian" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
export PATH=$work/debian/bin:$work/debian/usr/bin:$work/debian/usr/sbin:$PATH
export LD_LIBRARY_PATH=$libraries

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, sys, threading, time

def listen():
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(20)
    return server, server.getsockname()[1]

import ssl
import trustme

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
trustme.CA().issue_cert("localhost").configure_cert(context)
context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF

def serve(server, tls, log):
    connection, _ = server.accept()
    connection.settimeout(10)
    try:
        if tls:
            connection = context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False)
        log.append(repr(connection.recv(100)))
        assert connection.recv(100) == b""
        log.append("end of file")
        connection.sendall(b"reply\n")
    except ssl.SSLError as error:
        log.append(error.reason)
    connection.close()

def once(tls):
    server, port = listen()
    log = []
    thread = threading.Thread(target=serve, args=(server, tls, log), daemon=True)
    thread.start()
    command = ["ncat", *(["--ssl"] if tls else []), "127.0.0.1", str(port)]
    client = subprocess.run(command, input=b"last line\n", capture_output=True, timeout=20)
    thread.join(15)
    return log, client.stdout.decode(), client.returncode

plain, tls = once(False), once(True)
for name, (log, printed, code) in (("plain:", plain), ("tls:  ", tls)):
    print(f"{name} server read {' then '.join(log)}, client printed {printed!r}, exit {code}")
assert plain == ([r"b'last line\n'", "end of file"], "reply\n", 0), "plain TCP is no longer the comparison"
assert tls == ([r"b'last line\n'", "UNEXPECTED_EOF_WHILE_READING"], "", 0), "the behaviour has changed"
PY
