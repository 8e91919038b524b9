//! Listeners for TLS of a server in a thread: how long a handshake may take, and how many.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chinwag::{Certificate, Config, Limits, Listen, Server};

use super::{Running, bind, chat, fast, limited};
use crate::client::{Client, eventually};

/// How every handshake begins.
const RECORD: &[u8] = b"\x16\x03\x01\x02\0\x01\0";

fn certificate() -> Certificate {
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
        fs::read(folder.join(name)).unwrap()
    };
    Certificate::from_pem(&file("chat.crt"), &file("chat.key")).unwrap()
}

fn config(limits: Limits) -> Config {
    let config = limited(limits);
    let (listen_tls, certificate) = (config.listen.clone(), Some(certificate()));
    config.with(|it| {
        it.listen = Vec::new();
        it.listen_tls = listen_tls;
        it.certificate = certificate;
    })
}

fn start(limits: Limits) -> Running {
    Running::run(bind(config(limits)), chat())
}

#[test]
fn a_silent_client_is_told_what_this_port_speaks() {
    let server = bind(config(fast().with(|it| it.handshake_time = Duration::from_secs(1))));
    let [mut silent, mut slow] = [(); 2].map(|()| Client::connect(server.local_addrs()[0]));
    // One who has begun knows it.
    slow.write(RECORD);
    let _server = Running::run(server, chat());
    assert_eq!(silent.rest(), "This port speaks TLS.\n");
    // An alert: an internal error.
    assert_eq!(slow.rest(), "\x15\x03\x03\0\x02\x02\x50");
}

#[test]
fn one_address_has_only_so_many_handshakes_under_way() {
    let limits = fast().with(|it| {
        it.per_ip_max = 2;
        it.limit_loopback = true;
    });
    let server = start(limits);
    let mut clients: Vec<Client> = (0..2).map(|_| Client::connect(server.addr)).collect();
    let denied = "\x15\x03\x03\0\x02\x021";
    assert_eq!(Client::connect(server.addr).rest(), denied);
    clients.pop();
    eventually("one more may", || {
        let mut client = Client::connect(server.addr);
        client.finish_writing();
        client.rest().is_empty()
    });
}

#[test]
fn listeners_for_tls_need_a_certificate() {
    let config = config(fast()).with(|it| it.certificate = None);
    let error = Server::bind(config).err().expect("nothing to show");
    assert_eq!(error.to_string(), "listeners for TLS need a certificate");
    let listen_tls = vec![Listen { addr: ([127, 0, 0, 1], 0).into(), label: String::new() }];
    let config = Config::default().with(|it| {
        it.listen = Vec::new();
        it.listen_tls = listen_tls;
        it.certificate = Some(certificate());
    });
    assert_eq!(Server::bind(config).unwrap().local_addrs().len(), 1);
}
