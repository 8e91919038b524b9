//! What a service may do: lines in each client's framing, timers, messages from other threads,
//! answers in pieces, and its own shutdown.

use std::fmt::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use chinwag::testing::Network;
use chinwag::{
    Config, ConnId, Framing, Handle, Limits, Mailbox, Now, Origin, Outbox, Peer, Refusal, Server,
    Service,
};

use crate::client::{Client, PATIENCE};

const SECOND: Duration = Duration::from_secs(1);

/// Does what it is told, and notes what it hears.
#[derive(Default)]
struct Obedient {
    heard: Vec<String>,
    /// Pieces that are still to be sent.
    pieces: usize,
}

impl Service for Obedient {
    fn on_start(&mut self, out: &mut Outbox) {
        out.set_timer(0, 3 * SECOND);
        self.heard.push("start".to_owned());
    }

    fn framing(&self, peer: &Peer<'_>) -> Framing {
        if peer.label == "prefixed" { Framing::LengthPrefix } else { Framing::Telnet }
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let line = str::from_utf8(line).unwrap();
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "say" => out.broadcast(rest.as_bytes()),
            "all" => {
                let all: Vec<ConnId> = out.ids().collect();
                out.send_line_all(usize::MAX, all, rest.as_bytes());
            }
            "write" => write!(out.writer(id), "one\ntwo {rest}\nend").unwrap(),
            "ids" => {
                let count = out.ids().count();
                writeln!(out.writer(id), "{count}").unwrap();
            }
            "timer" => {
                let (key, millis) = rest.split_once(' ').unwrap();
                out.set_timer(key.parse().unwrap(), Duration::from_millis(millis.parse().unwrap()));
            }
            "cancel" => out.cancel_timer(rest.parse().unwrap()),
            "dump" => {
                self.pieces = rest.parse().unwrap();
                out.notify_drained(id);
            }
            // Asks before there is anything, and more than once.
            "await" => {
                (0..3).for_each(|_| out.notify_drained(id));
                out.send_line(id, rest.as_bytes());
                out.notify_drained(id);
            }
            "shutdown" => out.shutdown(),
            _ => panic!("{line}"),
        }
    }

    fn on_timer(&mut self, key: u64, _: &mut Outbox) {
        self.heard.push(format!("timer {key}"));
    }

    fn on_drained(&mut self, id: ConnId, out: &mut Outbox) {
        assert_eq!(out.queued(id), 0);
        self.heard.push("drained".to_owned());
        if self.pieces > 0 {
            self.pieces -= 1;
            out.send(id, &[b'x'; 1000]);
            out.notify_drained(id);
        }
    }
}

fn network() -> Network<Obedient> {
    Network::new(Obedient::default(), &Limits::default().with(|it| it.rate = None))
}

#[test]
fn a_line_to_all_is_framed_as_each_reads_it_best() {
    let mut network = network();
    let prefixed = network.connect("prefixed");
    let [lf, crlf, nul, silent] = [(); 4].map(|()| network.connect(""));
    network.send(crlf, b"ids\r\n");
    network.send(nul, b"ids\0");
    network.send(lf, b"say hello\n");
    assert_eq!(network.read(lf), "hello\n");
    assert_eq!(network.read(silent), "hello\n");
    assert_eq!(network.read(crlf), "5\r\nhello\r\n");
    assert_eq!(network.read(nul), "5\0hello\0");
    assert_eq!(network.read(prefixed), "\0\0\0\x05hello");
    assert_eq!(network.say(crlf, "write x\n"), "one\r\ntwo x\r\nend");
    let messages = "\0\0\0\x03one\0\0\0\x05two x\0\0\0\x03end";
    assert_eq!(network.say(prefixed, "\0\0\0\x07write x"), messages);
    assert_eq!(network.say(lf, "all x\n"), "x\n");
    assert_eq!(network.read(prefixed), "\0\0\0\x01x");
    network.end(lf);
    assert_eq!(network.say(prefixed, "\0\0\0\x03ids"), "\0\0\0\x014");
}

#[test]
fn what_is_awaited_is_told_once_and_not_before_all_has_been_sent() {
    let mut network = network();
    let id = network.connect("");
    network.narrow(id, 5);
    network.send(id, b"await hello world\n");
    assert_eq!(network.service().heard, ["start"]);
    assert_eq!(network.read(id), "hello world\n");
    assert_eq!(network.service().heard, ["start", "drained"]);
    assert_eq!(network.say(id, "await \n"), "\n");
    assert_eq!(network.service().heard, ["start", "drained", "drained"]);
}

#[test]
fn a_timer_fires_once_at_its_time_can_be_moved_and_taken_back() {
    let mut network = network();
    let id = network.connect("");
    network.send(id, b"timer 1 500\ntimer 2 700\ntimer 3 100\ntimer 4 0\n");
    network.send(id, b"timer 1 900\ncancel 3\ncancel 99\n");
    let heard = |network: &mut Network<Obedient>, millis| {
        network.pass(Duration::from_millis(millis));
        network.service().heard.join(" ")
    };
    assert_eq!(heard(&mut network, 0), "start timer 4");
    assert_eq!(heard(&mut network, 699), "start timer 4");
    assert_eq!(heard(&mut network, 1), "start timer 4 timer 2");
    assert_eq!(heard(&mut network, 199), "start timer 4 timer 2");
    assert_eq!(heard(&mut network, 1), "start timer 4 timer 2 timer 1");
    assert_eq!(heard(&mut network, 60_000), "start timer 4 timer 2 timer 1 timer 0");
}

#[test]
fn an_answer_in_pieces_waits_for_its_reader_and_no_more_than_one_is_in_memory() {
    let mut network = network();
    let id = network.connect("");
    network.narrow(id, 100);
    network.send(id, b"dump 20\n");
    assert!(network.outbox().queued(id) <= 1000, "one piece at a time");
    assert_eq!(network.service().heard.iter().filter(|heard| *heard == "drained").count(), 1);
    assert_eq!(network.receive(id).len(), 20_000);
    assert_eq!(network.service().heard.iter().filter(|heard| *heard == "drained").count(), 21);
}

#[test]
fn a_closed_connection_is_not_told_that_it_has_drained() {
    let mut network = network();
    let id = network.connect("");
    network.narrow(id, 100);
    network.send(id, b"dump 20\n");
    network.reset(id);
    network.pass(PATIENCE);
    assert_eq!(network.service().heard.iter().filter(|heard| *heard == "drained").count(), 1);
}

/// Says what has come in its mailbox.
struct Herald(Mailbox<u32>);

impl Service for Herald {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        match line {
            b"end" => out.shutdown(),
            _ => out.send_line(id, line),
        }
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        while let Some(number) = self.0.take() {
            out.broadcast(number.to_string().as_bytes());
        }
    }
}

#[test]
fn what_other_threads_post_arrives_in_order_and_a_service_ends_its_own_server() {
    let config = Config::at(([127, 0, 0, 1], 0).into());
    let server = Server::bind(config).expect("a port is free");
    let addr = server.local_addrs()[0];
    let (post, mailbox) = Mailbox::new(server.handle(), 1000);
    let running = thread::spawn(move || server.run(Herald(mailbox)).map(drop));
    let mut client = Client::connect(addr);
    // Whoever is not known yet would miss them.
    assert_eq!(client.ask("here"), "here");
    let threads: Vec<_> = (0..4u32)
        .map(|thread| {
            let post = post.clone();
            thread::spawn(move || {
                for n in 0..100 {
                    post.post(thread * 100 + n).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut next = [0, 100, 200, 300];
    for _ in 0..400 {
        let number: usize = client.line().trim().parse().unwrap();
        assert_eq!(number, next[number / 100], "each thread's are in order");
        next[number / 100] += 1;
    }
    client.say("end");
    client.expect_end();
    running.join().expect("no panic").expect("no error");
}

/// Shuts its server down for each byte of a line.
struct Hasty;

impl Service for Hasty {
    fn on_line(&mut self, _: ConnId, line: &[u8], out: &mut Outbox) {
        for _ in line {
            out.shutdown();
        }
    }
}

#[test]
fn a_service_that_asks_for_a_shutdown_twice_at_once_waits_for_nobody() {
    let hour = Duration::from_hours(1);
    let mut config = Config::at(([127, 0, 0, 1], 0).into());
    (config.limits.drain_time, config.limits.linger_time) = (hour, hour);
    let server = Server::bind(config).expect("a port is free");
    let addr = server.local_addrs()[0];
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(server.run(Hasty).map(drop)));
    // They stay connected, and so a polite shutdown would wait for them.
    let mut client = Client::connect(addr);
    client.say("12");
    ended.recv_timeout(PATIENCE).expect("it has ended").expect("no error");
}

/// Bans one address, and knows all others.
#[derive(Default)]
struct Doorman(Vec<Origin>);

impl Service for Doorman {
    fn is_banned(&self, peer: &Peer<'_>, _: Now) -> bool {
        peer.origin.to_string().starts_with("192.0.2.66:")
    }

    fn on_open(&mut self, _: ConnId, peer: &Peer<'_>, _: &mut Outbox) {
        self.0.push(peer.origin);
    }

    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}
}

#[test]
fn who_is_let_in_can_be_tested_without_sockets() {
    let limits = Limits::default().with(|limits| limits.per_ip_max = 2);
    let mut network = Network::new(Doorman::default(), &limits);
    let from = |host| Origin::Addr(([192, 0, 2, host], 4000).into());
    let mut connect = |host| network.connect_as(&Peer::new(from(host), ""));
    assert!(connect(1).is_ok() && connect(1).is_ok());
    assert_eq!(connect(1), Err(Refusal::Address));
    assert_eq!(connect(66), Err(Refusal::Banned(from(66))));
    assert!(connect(2).is_ok());
    assert_eq!(network.service().0, [from(1), from(1), from(2)]);
}

#[test]
fn a_full_mailbox_gives_the_message_back() {
    let (post, mut mailbox) = Mailbox::new(Handle::detached(), 2);
    assert_eq!((post.post(1), post.post(2), post.post(3)), (Ok(()), Ok(()), Err(3)));
    assert_eq!((mailbox.take(), mailbox.take(), mailbox.take()), (Some(1), Some(2), None));
    drop(mailbox);
    assert_eq!(post.post(4), Err(4));
}
