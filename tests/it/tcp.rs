//! The library's server on real sockets, in a thread: what a client sees.

mod closing;
mod crowd;
mod limits;
mod shutdown;
mod slow;
mod time;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use chinwag::chat::Settings;
use chinwag::{Chat, Config, Handle, Limits, Listen, Server, Service};
use socket2::SockRef;

use crate::client::{Client, PATIENCE};

/// Longer than any test takes.
const HOUR: Duration = Duration::from_hours(1);

/// A server that runs until this is dropped.
pub(crate) struct Running<S = Chat> {
    addr: SocketAddr,
    handle: Handle,
    done: Receiver<io::Result<S>>,
}

impl<S: Service + Send + 'static> Running<S> {
    /// Runs a server that has been bound; whoever connected until now waits in its
    /// backlog.
    pub(crate) fn run(server: Server, service: S) -> Running<S> {
        let (addr, handle) = (server.local_addrs()[0], server.handle());
        let (send, done) = mpsc::channel();
        thread::spawn(move || send.send(server.run(service)));
        Running { addr, handle, done }
    }

    /// Waits until `Server::run` has returned the service.
    fn returned(&self) -> S {
        let result = self.done.recv_timeout(PATIENCE).expect("run to return in time");
        result.expect("run to end without an error")
    }
}

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.handle.shutdown();
    }
}

/// It greets nobody: on a busy machine somebody who speaks at once may seem to wait.
fn chat() -> Chat {
    Chat::new(Settings { greet_after: Some(HOUR), ..Settings::default() })
}

/// On a free port, with the default limits.
fn config() -> Config {
    limited(fast())
}

/// The default limits, but that clients may speak as fast as they like.
fn fast() -> Limits {
    Limits::default().with(|it| it.rate = None)
}

fn limited(limits: Limits) -> Config {
    listening("127.0.0.1:0").with(|it| it.limits = limits)
}

fn listening(addr: &str) -> Config {
    let listen = Listen { addr: addr.parse().unwrap(), label: "native".to_owned() };
    Config::default().with(|it| it.listen = vec![listen])
}

fn bind(config: Config) -> Server {
    Server::bind(config).expect("a port is free")
}

fn start(config: Config) -> Running {
    Running::run(bind(config), chat())
}

#[test]
fn two_clients_talk_and_the_speaker_hears_itself() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut bob = Client::named(server.addr, "bob");
    bob.say("hello room");
    bob.expect("[bob] hello room");
    alice.expect("[bob] hello room");
    alice.say("SEND @bob psst");
    bob.expect("[alice → bob] psst");
    // What bob was told is not what alice hears next.
    assert_eq!(alice.ask("/me waves"), "* alice waves");
    bob.expect("* alice waves");
}

#[test]
fn whatever_is_taken_out_of_lines_is_charged_like_text() {
    let server = start(limited(Limits::default().with(|it| it.rate = Some(1))));
    let floods = [&b"x"[..], b"x\x08", b"\x15", b"\xff\xf1", b"\xff\xfd\x01", b"\x1b[A"];
    for flood in floods {
        let mut client = Client::connect(server.addr);
        client.write(flood.repeat(4096 / flood.len()));
        if flood.contains(&0xfd) {
            assert_eq!(client.read(3), b"\xff\xfc\x01");
        }
        let line = client.line();
        assert_eq!(line.trim_end(), "Slow down: your lines are being delayed.");
    }
}

#[test]
fn whatever_bytes_somebody_sends_others_read_text_that_can_do_nothing() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut noisy = Client::named(server.addr, "noisy");
    noisy.write(b"\x1bc \xc3( \xe2\x80\xae\n");
    alice.expect("[noisy] \u{241b}c \u{fffd}( \u{fffd}");
    // Every byte before and after every other, but the ends of lines, telnet's own, and
    // what erases.
    let is_plain =
        |byte: &u8| !matches!(byte, 0 | b'\n' | b'\r' | 3 | 8 | 0x15 | 0x17 | 0x7f | 0xff);
    for first in (0..=255).filter(is_plain) {
        let pairs = (0..=255).filter(is_plain).flat_map(|second| [first, second]);
        noisy.write([&b"/say "[..], &pairs.collect::<Vec<u8>>(), b"\n"].concat());
        // That it is UTF-8 is looked at for every line.
        let line = alice.line();
        assert!(!line.chars().any(char::is_control), "{first}: {line:?}");
    }
}

#[test]
fn urgent_data_swallows_nothing_and_stalls_nothing() {
    let server = start(config());
    let mut telnet = Client::named(server.addr, "telnet");
    for _ in 0..3 {
        telnet.write(b"\xff\xf4\xff");
        let urgent = SockRef::from(telnet.stream()).send_out_of_band(b"\xf2");
        assert_eq!(urgent.unwrap(), 1);
        assert_eq!(telnet.ask("hello"), "[telnet] hello");
    }
    // Urgent data in the middle of a line, and as the last byte before a pause.
    telnet.write("he");
    SockRef::from(telnet.stream()).send_out_of_band(b"l").unwrap();
    assert_eq!(telnet.ask("lo"), "[telnet] hello");
    telnet.write("/up end");
    SockRef::from(telnet.stream()).send_out_of_band(b"\n").unwrap();
    telnet.expect("END");
}

#[test]
fn a_listener_on_all_of_ipv6_takes_ipv4_clients_too() {
    let Ok(server) = Server::bind(listening("[::]:0")) else {
        assert!(std::net::TcpListener::bind("[::1]:0").is_err(), "[::] cannot be listened on");
        return;
    };
    let server = Running::run(server, chat());
    let port = server.addr.port();
    let mut four = Client::named(SocketAddr::from(([127, 0, 0, 1], port)), "four");
    let mut six = Client::named(format!("[::1]:{port}").parse().unwrap(), "six");
    assert_eq!(four.ask("hello"), "[four] hello");
    six.expect("[four] hello");
}

#[test]
fn a_port_in_use_is_an_error_that_names_the_address() {
    let first = bind(config());
    let addr = first.local_addrs()[0];
    let error = Server::bind(listening(&addr.to_string())).err().expect("the port is in use");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("{addr}: ")), "{error}");
}
