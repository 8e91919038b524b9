//! Fail the nth call: one conversation, played again and again, each time with one call
//! of one kind going wrong in one way: the first, the second, and so on, until there are
//! no more calls of that kind to fail.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant, UNIX_EPOCH};

use chinwag::chat::Settings;
use chinwag::testing::{Call, Stream};
use chinwag::{Chat, Hub, Limits, Now, Peer, Tls};

mod over;

use over::{Client, Over};

/// What a call answers instead of doing its work; `None`: that nothing was taken.
type Fault = Option<ErrorKind>;

/// Those after which a connection goes on as if nothing had been.
const HARMLESS: [Fault; 2] = [Some(ErrorKind::Interrupted), Some(ErrorKind::WouldBlock)];

const FAULTS: [(Call, Fault); 30] = [
    (Call::Read, Some(ErrorKind::Interrupted)),
    (Call::Read, Some(ErrorKind::WouldBlock)),
    (Call::Read, Some(ErrorKind::ConnectionReset)),
    (Call::Read, Some(ErrorKind::TimedOut)),
    (Call::Read, Some(ErrorKind::HostUnreachable)),
    (Call::Read, Some(ErrorKind::OutOfMemory)),
    (Call::Read, Some(ErrorKind::Other)),
    (Call::Read, Some(ErrorKind::BrokenPipe)),
    (Call::Read, Some(ErrorKind::NotConnected)),
    (Call::Read, Some(ErrorKind::ConnectionAborted)),
    (Call::Read, Some(ErrorKind::NetworkUnreachable)),
    (Call::Read, Some(ErrorKind::InvalidInput)),
    (Call::Write, Some(ErrorKind::Interrupted)),
    (Call::Write, Some(ErrorKind::WouldBlock)),
    (Call::Write, Some(ErrorKind::ConnectionReset)),
    (Call::Write, Some(ErrorKind::BrokenPipe)),
    (Call::Write, Some(ErrorKind::TimedOut)),
    (Call::Write, Some(ErrorKind::OutOfMemory)),
    (Call::Write, Some(ErrorKind::HostUnreachable)),
    (Call::Write, Some(ErrorKind::NetworkUnreachable)),
    (Call::Write, Some(ErrorKind::NotConnected)),
    (Call::Write, Some(ErrorKind::ConnectionAborted)),
    (Call::Write, Some(ErrorKind::InvalidInput)),
    (Call::Write, Some(ErrorKind::Other)),
    (Call::Write, None),
    (Call::Shutdown, Some(ErrorKind::NotConnected)),
    (Call::Shutdown, Some(ErrorKind::Interrupted)),
    (Call::Shutdown, Some(ErrorKind::BrokenPipe)),
    (Call::Shutdown, Some(ErrorKind::ConnectionReset)),
    (Call::Shutdown, Some(ErrorKind::InvalidInput)),
];

/// A server with three clients.
struct World {
    hub: Hub<Tls<Stream>, Chat>,
    streams: Vec<Stream>,
    slots: Vec<usize>,
    clients: Vec<Client>,
    /// What each has read.
    heard: Vec<Vec<u8>>,
    now: Now,
}

impl World {
    /// `fail` decides what goes wrong at each client's stream.
    fn new(over: &Over, fail: impl Fn(usize, &Stream)) -> World {
        let now = Now { monotonic: Instant::now(), wall: UNIX_EPOCH };
        let limits = Limits::default().with(|it| it.rate = None);
        let mut world = World {
            hub: Hub::new(Chat::new(Settings::default()), &limits, now),
            streams: Vec::new(),
            slots: Vec::new(),
            clients: (0..3).map(|_| over.client()).collect(),
            heard: vec![Vec::new(); 3],
            now,
        };
        for client in 0..3 {
            let end = Stream::default();
            // Short, so that there are more calls to fail.
            end.limit(if over.certificate().is_some() { 400 } else { 40 });
            fail(client, &end);
            let stream = match over.certificate() {
                Some(certificate) => Tls::encrypted(end.clone(), certificate),
                None => Tls::plain(end.clone()),
            };
            world.slots.push(world.hub.next_slot());
            let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
            let peer = Peer::new(addr.into(), "native");
            if over.is_web() {
                world.hub.open_web(stream, &peer, false);
            } else {
                world.hub.open(stream, &peer);
            }
            world.streams.push(end);
            world.run_until_idle();
        }
        world
    }

    /// A client sends something, and the server works until there is nothing to do.
    fn send(&mut self, client: usize, text: &str) {
        self.clients[client].say(text);
        self.run_until_idle();
    }

    /// What is on the way reaches the other end.
    fn carry(&mut self) {
        for (who, stream) in self.streams.iter().enumerate() {
            self.heard[who].extend(self.clients[who].receive(&stream.receive()));
            stream.send(&self.clients[who].take_to_send());
        }
    }

    fn run_until_idle(&mut self) {
        for _ in 0..1000 {
            self.carry();
            let mut is_quiet = true;
            for (slot, stream) in self.slots.iter().copied().zip(&self.streams) {
                let (is_readable, is_writable) = stream.take_edges();
                is_quiet &= !is_readable && !is_writable;
                if is_readable {
                    self.hub.mark_readable(slot);
                }
                if is_writable {
                    self.hub.mark_writable(slot);
                }
            }
            if is_quiet && self.hub.timeout(self.now) != Some(Duration::ZERO) {
                return;
            }
            self.hub.turn(self.now);
            self.hub.take_closed().for_each(drop);
        }
        panic!("the server does not come to rest");
    }

    fn output(&self, client: usize) -> String {
        String::from_utf8(self.heard[client].clone()).expect("UTF-8")
    }
}

/// Names, speech, private lines, help (which is long), and goodbyes of all kinds.
fn play(world: &mut World) {
    world.send(0, "REGISTER ann\nhel");
    world.send(1, "/nick bob\r\n/msg ann psst\r\n");
    world.send(2, "/help\n/echo off\nhello, all of you, whoever you may be\n");
    world.send(0, "lo\n/me waves\n/who\n");
    world.send(1, "SEND @ann the last of it\r\n/exit\r\nnever\r\n");
    world.send(0, "is anybody here?\n");
    world.send(2, "unfinished");
    world.streams[2].end();
    world.send(2, "");
    world.send(0, "the end\n");
}

/// Everybody closes, whoever is left after the time that a close may take is cut off,
/// and each stream has been given back.
fn end(mut world: World) {
    world.hub.shutdown();
    world.run_until_idle();
    world.now.monotonic += Duration::from_secs(6);
    world.run_until_idle();
    assert!(world.hub.is_empty(), "connections are left");
    drop(world.hub);
    assert!(world.streams.iter().all(Stream::is_closed));
}

/// Plays with the nth call of a kind failing at the stream of `victim`. False if there was none.
fn play_with(
    over: &Over,
    victim: usize,
    (call, fault): (Call, Fault),
    nth: usize,
    expected: &[String],
) -> bool {
    let mut world = World::new(over, |client, stream| {
        if client == victim {
            stream.fail(call, nth, fault);
        }
    });
    play(&mut world);
    let is_hit = !world.streams[victim].is_to_fail();
    let is_harmless = !is_hit || HARMLESS.contains(&fault) || call == Call::Shutdown;
    for (client, expected) in expected.iter().enumerate() {
        let output = world.output(client);
        let context = format!("{call:?} number {nth} of {victim} with {fault:?}, client {client}");
        if is_harmless {
            assert_eq!(output, *expected, "{context}");
        } else if client == victim {
            // It has read the beginning of something sensible, and is gone.
            let lines = output.lines().count();
            assert!(lines <= expected.lines().count() + 3, "{context}");
            assert!(world.streams[victim].is_closed(), "{context}");
        } else if client == 0 {
            // It was another's call: ann stays to the end, and hears herself.
            assert!(
                output.ends_with("[ann] is anybody here?\n[ann] the end\n")
                    || output.ends_with("[ann] the end\n"),
                "{context}: {output}"
            );
        }
    }
    end(world);
    is_hit
}

/// Plays with each call failing in each of these ways.
fn sweep(over: &Over, faults: &[(Call, Fault)]) {
    let mut world = World::new(over, |_, _| {});
    play(&mut world);
    let expected: Vec<String> = (0..3).map(|client| world.output(client)).collect();
    assert!(expected[0].ends_with("[ann] the end\n"), "{}", expected[0]);
    assert!(expected[1].trim_end().ends_with("Bye.") && expected[2].contains("anybody here"));
    end(world);
    for fault in faults.iter().copied() {
        let calls = (0..3).map(|victim| {
            let play = |nth: &usize| play_with(over, victim, fault, *nth, &expected);
            (0..10_000).take_while(play).count()
        });
        let (count, call) = (calls.sum::<usize>(), fault.0);
        let least = if call == Call::Shutdown { 2 } else { 10 };
        assert!(count >= least, "only {count} calls of {call:?} were there to fail");
    }
}

#[test]
fn whichever_call_fails_and_however_nobody_else_is_hurt() {
    sweep(&Over::Plain, &FAULTS);
}

#[cfg(feature = "web")]
#[test]
fn over_websocket_neither() {
    sweep(&Over::WebSocket, &FAULTS);
}

/// Fewer, for each conversation has three handshakes.
#[cfg(feature = "tls")]
#[test]
fn over_tls_neither() {
    let [blocked, reset] = [ErrorKind::WouldBlock, ErrorKind::ConnectionReset].map(Some);
    let faults = [
        (Call::Read, blocked),
        (Call::Read, reset),
        (Call::Write, blocked),
        (Call::Write, reset),
        (Call::Write, None),
        (Call::Shutdown, reset),
    ];
    sweep(&Over::tls(), &faults);
}

/// What has come by the time at which a close is given up is read, as always: unread, it
/// would turn the end into a reset.
#[test]
fn a_close_at_the_deadline_is_in_time() {
    let mut world = World::new(&Over::Plain, |_, _| {});
    world.send(0, "/exit\n");
    world.now.monotonic += Limits::default().drain_time;
    world.streams[0].end();
    world.send(0, "as I was saying\n");
    let left = world.streams[0].read(&mut [0; 100]).expect("it has ended");
    assert_eq!((world.streams[0].is_closed(), left), (true, 0));
}
