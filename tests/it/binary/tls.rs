//! The program with a certificate: clients that encrypt, and some that do not.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::{Folder, Program, run};
use crate::client::{Client, PATIENCE, eventually};
use crate::secure::{config, file, session};

/// A client that encrypts, and trusts what tests show.
pub(super) struct Secure(pub(super) StreamOwned<ClientConnection, TcpStream>);

impl Secure {
    pub(super) fn connect(addr: SocketAddr) -> Secure {
        Secure::connect_as(config(), addr)
    }

    pub(super) fn connect_as(config: Arc<ClientConfig>, addr: SocketAddr) -> Secure {
        Secure::over_as(config, TcpStream::connect_timeout(&addr, PATIENCE).unwrap())
    }

    pub(super) fn over(stream: TcpStream) -> Secure {
        Secure::over_as(config(), stream)
    }

    fn over_as(config: Arc<ClientConfig>, stream: TcpStream) -> Secure {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Secure(StreamOwned::new(session(config), stream))
    }

    pub(super) fn named(addr: SocketAddr, name: &str) -> Secure {
        Secure::connect(addr).register(name)
    }

    pub(super) fn register(mut self, name: &str) -> Secure {
        assert_eq!(self.ask(&format!("REGISTER {name}")), format!("Registered as {name}"));
        self
    }

    pub(super) fn say(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).expect("to write in time");
    }

    pub(super) fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while byte != *b"\n" {
            self.0.read_exact(&mut byte).expect("to read in time");
            line.push(byte[0]);
        }
        line.pop();
        String::from_utf8(line).unwrap()
    }

    /// The text of a short WebSocket frame.
    #[cfg(feature = "web")]
    pub(super) fn text_frame(&mut self) -> String {
        let mut header = [0; 2];
        self.0.read_exact(&mut header).expect("to read in time");
        assert!(header[0] == 0x81 && header[1] < 126, "{header:?}");
        let mut text = vec![0; header[1].into()];
        self.0.read_exact(&mut text).expect("to read in time");
        String::from_utf8(text).unwrap()
    }

    pub(super) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.line()
    }

    /// Says that nothing more comes.
    fn finish_writing(&mut self) {
        self.0.conn.send_close_notify();
        self.0.flush().unwrap();
    }

    /// All that comes before an end that the server vouches for.
    pub(super) fn rest(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).expect("close_notify, and in time");
        text
    }

    /// Which of the certificates it is shown.
    fn certificate(&mut self) -> &'static str {
        self.0.flush().expect("to shake hands in time");
        let shown = self.0.conn.peer_certificates().unwrap()[0].clone();
        let is = |name: &&str| CertificateDer::from_pem_file(file(name)).unwrap() == shown;
        ["chat.crt", "other.crt"].into_iter().find(is).unwrap()
    }
}

fn start(options: &[&str]) -> Program {
    let (cert, key) = (file("chat.crt"), file("chat.key"));
    let files = ["--tls-cert", &cert, "--tls-key", &key];
    Program::start(&[&["-l", "tls=127.0.0.1:0"], &files[..], options].concat())
}

/// What the log says of a client that was refused.
fn why(program: &Program) -> String {
    let line = program.logged("event=refused");
    line.split("why=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn tls_and_plain_clients_talk() {
    let program = start(&["-l", "127.0.0.1:0", "-l", "json+tls=127.0.0.1:0", "-v"]);
    // In the order of what is spoken there.
    let [plain, native, json] = program.addrs[..] else { panic!("{:?}", program.addrs) };
    let mut ann = Client::named(plain, "ann");
    assert!(program.logged("event=accepted").ends_with(" listener=native"));
    let mut bob = Secure::named(native, "bob");
    assert!(program.logged("event=accepted").ends_with(" listener=native tls=1.3"));
    let mut bot = Secure::connect(json);
    assert!(bot.line().contains(r#""type":"hello""#));
    assert_eq!(ann.ask("hello"), "[ann] hello");
    assert_eq!(bob.line(), "[ann] hello");
    assert!(bot.line().contains("hello"));
    let long = "x".repeat(4000);
    assert_eq!(bob.ask(&long), format!("[bob] {long}"));
    ann.expect(&format!("[bob] {long}"));
    assert_eq!(bob.ask("/exit"), "Bye.");
    assert_eq!(bob.rest(), "");
    assert_eq!(bot.certificate(), "chat.crt");
}

#[test]
fn half_closed_tls_clients_get_their_answers() {
    let program = start(&[]);
    let mut script = Secure::connect(program.addr());
    script.0.write_all(b"REGISTER script\nhello\n/up unended").unwrap();
    script.finish_writing();
    assert_eq!(script.rest(), "Registered as script\n[script] hello\nUNENDED\n");
    // Nobody vouches for a bare end of the connection: what follows may have been cut off.
    let mut script = Secure::connect(program.addr());
    script.0.write_all(b"REGISTER script\nhello\n/up unended").unwrap();
    script.0.sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(script.rest(), "Registered as script\n[script] hello\n");
}

#[test]
fn what_comes_to_the_wrong_port_is_told_so_in_its_own_words() {
    let program = start(&["-l", "127.0.0.1:0", "-l", "web=127.0.0.1:0"]);
    let [plain, web, tls] = program.addrs[..] else { panic!("{:?}", program.addrs) };
    let mut browser = Client::connect(tls);
    browser.write("GET / HTTP/1.1\r\nHost: chat\r\n\r\n");
    let answer = browser.rest();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nThis port speaks TLS.\n"), "{answer}");
    assert_eq!(why(&program), "no_handshake");
    let mut client = Client::connect(tls);
    client.say("REGISTER ann");
    assert_eq!(client.rest(), "This port speaks TLS.\n");
    assert_eq!(why(&program), "no_handshake");
    for without_tls in [plain, web] {
        let mut client = Secure::connect(without_tls);
        let error = client.0.flush().unwrap_err();
        assert!(error.to_string().contains("UnexpectedMessage"), "{error}");
        assert_eq!(why(&program), "tls");
    }
    let mut client = Secure::connect(tls);
    client.0.conn.send_close_notify();
    client.0.conn.write_tls(&mut client.0.sock).unwrap();
    drop(client);
    Secure::named(tls, "bob");
}

#[test]
fn refused_tls_clients_get_an_alert() {
    let program = start(&["--max-clients", "1"]);
    let mut first = Secure::named(program.addr(), "first");
    let mut second = Secure::connect(program.addr());
    let error = second.0.flush().unwrap_err();
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert_eq!(why(&program), "full");
    assert_eq!(first.ask("/up here"), "HERE");
}

#[cfg(target_os = "linux")]
#[test]
fn as_many_as_one_address_may_have_can_shake_hands_at_once() {
    let program = start(&["--limit-loopback", "--connect-rate", "off"]);
    let connect = |_| TcpStream::connect_timeout(&program.addr(), PATIENCE).unwrap();
    let begun: Vec<TcpStream> = (0..32).map(connect).collect();
    let mut clients: Vec<Secure> = begun.into_iter().map(Secure::over).collect();
    for client in &mut clients {
        assert_eq!(client.ask("/echo off"), "Echo off.");
    }
}

#[test]
fn with_no_descriptor_left_the_refusal_is_an_alert_too() {
    let program = start(&[]);
    let mut first = Secure::named(program.addr(), "first");
    program.limit_descriptors(program.next_descriptor());
    let mut late = Secure::connect(program.addr());
    let error = late.0.flush().unwrap_err();
    assert!(error.to_string().contains("AccessDenied"), "{error}");
    assert_eq!(first.ask("/up here"), "HERE");
}

#[test]
fn behind_a_proxy_header_comes_the_handshake() {
    let folder = Folder::new("tls-proxy");
    let options = ["--proxy-protocol", "127.0.0.1", "-v", "--state", folder.path()];
    let program = start(&options);
    let header = b"PROXY TCP4 192.0.2.7 192.0.2.1 4001 6697\r\n";
    let mut stream = TcpStream::connect(program.addr()).unwrap();
    stream.write_all(header).unwrap();
    let mut client = Secure::over(stream);
    assert_eq!(client.ask("REGISTER ann"), "Registered as ann");
    let accepted = program.logged("event=accepted");
    assert!(accepted.contains(" addr=192.0.2.7 ") && accepted.ends_with(" tls=1.3"), "{accepted}");
    // Nobody on the way can have read the password.
    let answer = client.ask("/protect correct horse");
    assert_eq!(answer, "Name ann is protected from now on: /nick ann PASSWORD");
    assert_eq!(client.ask("/up that was all"), "THAT WAS ALL");
    // Header and hello in one piece.
    let stream = TcpStream::connect(program.addr()).unwrap();
    let mut client = Secure::over(stream);
    let mut first = header.to_vec();
    client.0.conn.write_tls(&mut first).unwrap();
    client.0.sock.write_all(&first).unwrap();
    assert_eq!(client.ask("REGISTER bob"), "Registered as bob");
}

#[test]
fn files_are_read_again_when_they_have_changed_or_by_a_signal_and_bad_ones_are_not_used() {
    let folder = Folder::new("tls-files");
    fs::create_dir_all(folder.path()).unwrap();
    let (cert, key) = (format!("{}/cert", folder.path()), format!("{}/key", folder.path()));
    let put = |name: &str, key_name: &str| {
        fs::copy(file(&format!("{name}.crt")), &cert).unwrap();
        fs::copy(file(&format!("{key_name}.key")), &key).unwrap();
    };
    put("chat", "chat");
    let options = ["-v", "--tls-cert", &cert, "--tls-key", &key];
    let program = Program::start(&[&["-l", "tls=127.0.0.1:0"], &options[..]].concat());
    let mut old = Secure::named(program.addr(), "old");
    assert_eq!(old.certificate(), "chat.crt");
    fs::write(&key, "no key").unwrap();
    program.signal("HUP");
    // It may be told again, as the files are looked at besides.
    program.logged(&format!("--tls-key {key}: there is no PEM block of a key"));
    assert_eq!(Secure::connect(program.addr()).certificate(), "chat.crt");
    put("other", "chat");
    program.signal("HUP");
    program.logged("it does not belong to the first certificate");
    // Nobody asks, and it is read all the same.
    put("other", "other");
    program.logged("event=certificate_reloaded");
    eventually("the new one is shown", || {
        Secure::connect(program.addr()).certificate() == "other.crt"
    });
    assert_eq!(old.ask("/up still here"), "STILL HERE");
    put("chat", "chat");
    program.signal("HUP");
    program.logged("event=certificate_reloaded");
    assert_eq!(Secure::connect(program.addr()).certificate(), "chat.crt");
    // Shown all the same, and told.
    put("expired", "chat");
    program.signal("HUP");
    let told = format!("event=certificate_not_valid error=\"--tls-cert {cert}: the first");
    program.logged(&told);
}

#[test]
fn what_is_wrong_with_files_is_said_in_a_line_that_names_the_file() {
    let (cert, key, other) = (file("chat.crt"), file("chat.key"), file("other.key"));
    let said = |cert: &str, key: &str| {
        let outcome = run(&["-l", "tls=127.0.0.1:0", "--tls-cert", cert, "--tls-key", key]);
        assert_eq!((outcome.code, outcome.stderr.len()), (Some(1), 1), "{outcome:?}");
        outcome.stderr[0].clone()
    };
    assert_eq!(
        said(&key, &key),
        format!("chinwag: --tls-cert {key}: there is no PEM block CERTIFICATE in it")
    );
    let error = said(&cert, &other);
    assert_eq!(
        error,
        format!("chinwag: --tls-key {other}: it does not belong to the first certificate")
    );
    let none = file("none");
    assert!(said(&none, &key).starts_with(&format!("chinwag: --tls-cert {none}: No such file")));
    assert!(said(&cert, &file("")).ends_with(": it is not a regular file"));
    assert!(Path::new(&cert).exists());
}

#[test]
fn a_stalled_tls_client_is_cut_off_and_what_tls_holds_back_counts() {
    let program = start(&["--stall", "500ms", "--rate", "off", "-v"]);
    let stream = Client::connect_narrow(program.addr());
    let mut stalled = Secure::over(stream.stream().try_clone().unwrap());
    assert_eq!(stalled.ask("REGISTER stalled"), "Registered as stalled");
    let mut ann = Secure::named(program.addr(), "ann");
    let text = "x".repeat(4000);
    eventually("the stalled one is gone", || {
        ann.ask(&text);
        ann.ask("/who") == "1 in lobby: ann"
    });
    assert!(program.logged("event=ended").contains(" why=stalled "));
}

#[cfg(feature = "web")]
#[test]
fn browsers_get_the_page_encrypted() {
    let (cert, key) = (file("chat.crt"), file("chat.key"));
    let files = ["--tls-cert", &cert, "--tls-key", &key];
    let program = Program::start(&[&["-l", "web+tls=127.0.0.1:0"], &files[..]].concat());
    let addr = program.addr();
    let mut browser = Secure::connect(addr);
    browser.0.write_all(format!("GET / HTTP/1.1\r\nHost: {addr}\r\n\r\n").as_bytes()).unwrap();
    let page = browser.rest();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.trim_end().ends_with("</html>"));
    let mut browser = Secure::connect(addr);
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Origin: https://{addr}\r\n\r\n"
    );
    browser.0.write_all(request.as_bytes()).unwrap();
    assert_eq!(browser.line(), "HTTP/1.1 101 Switching Protocols\r");
}

/// What `std::io` says where the other side has closed or reset.
#[test]
fn a_broken_record_is_the_end_of_the_connection() {
    let program = start(&["-v"]);
    let mut client = Secure::named(program.addr(), "ann");
    client.0.sock.write_all(&[23, 3, 3, 0, 20]).unwrap();
    client.0.sock.write_all(&[0; 20]).unwrap();
    let error = client.0.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
    assert!(program.logged("event=ended").contains(" why=broken "));
}
