//! Fail the nth call: one conversation, played again and again, each time with one call
//! of one kind going wrong in one way: the first, the second, and so on, until there are
//! no more calls of that kind to fail.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use chinwag::chat::Settings;
use chinwag::testing::Stream;
use chinwag::{Chat, Hub, Limits, Now, Peer, Tls, Transport};

mod over;

use over::{Client, Over};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Read,
    Write,
    Shutdown,
}

/// What a call answers instead of doing its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error(ErrorKind),
    /// Nothing was taken.
    Zero,
}

/// Those after which a connection goes on as if nothing had been.
const HARMLESS: [Fault; 2] =
    [Fault::Error(ErrorKind::Interrupted), Fault::Error(ErrorKind::WouldBlock)];

const FAULTS: [(Call, Fault); 30] = [
    (Call::Read, Fault::Error(ErrorKind::Interrupted)),
    (Call::Read, Fault::Error(ErrorKind::WouldBlock)),
    (Call::Read, Fault::Error(ErrorKind::ConnectionReset)),
    (Call::Read, Fault::Error(ErrorKind::TimedOut)),
    (Call::Read, Fault::Error(ErrorKind::HostUnreachable)),
    (Call::Read, Fault::Error(ErrorKind::OutOfMemory)),
    (Call::Read, Fault::Error(ErrorKind::Other)),
    (Call::Read, Fault::Error(ErrorKind::BrokenPipe)),
    (Call::Read, Fault::Error(ErrorKind::NotConnected)),
    (Call::Read, Fault::Error(ErrorKind::ConnectionAborted)),
    (Call::Read, Fault::Error(ErrorKind::NetworkUnreachable)),
    (Call::Read, Fault::Error(ErrorKind::InvalidInput)),
    (Call::Write, Fault::Error(ErrorKind::Interrupted)),
    (Call::Write, Fault::Error(ErrorKind::WouldBlock)),
    (Call::Write, Fault::Error(ErrorKind::ConnectionReset)),
    (Call::Write, Fault::Error(ErrorKind::BrokenPipe)),
    (Call::Write, Fault::Error(ErrorKind::TimedOut)),
    (Call::Write, Fault::Error(ErrorKind::OutOfMemory)),
    (Call::Write, Fault::Error(ErrorKind::HostUnreachable)),
    (Call::Write, Fault::Error(ErrorKind::NetworkUnreachable)),
    (Call::Write, Fault::Error(ErrorKind::NotConnected)),
    (Call::Write, Fault::Error(ErrorKind::ConnectionAborted)),
    (Call::Write, Fault::Error(ErrorKind::InvalidInput)),
    (Call::Write, Fault::Error(ErrorKind::Other)),
    (Call::Write, Fault::Zero),
    (Call::Shutdown, Fault::Error(ErrorKind::NotConnected)),
    (Call::Shutdown, Fault::Error(ErrorKind::Interrupted)),
    (Call::Shutdown, Fault::Error(ErrorKind::BrokenPipe)),
    (Call::Shutdown, Fault::Error(ErrorKind::ConnectionReset)),
    (Call::Shutdown, Fault::Error(ErrorKind::InvalidInput)),
];

/// What is still to go wrong, once.
struct Plan {
    call: Call,
    fault: Fault,
    left: usize,
}

/// One end of a connection, and whether the server has been told to look at it again.
#[derive(Default)]
struct Wire {
    stream: Stream,
    edge: bool,
    was_hit: bool,
    closes: usize,
    /// The most that one write takes.
    piece: usize,
}

struct End {
    wire: Rc<RefCell<Wire>>,
    plan: Rc<RefCell<Option<Plan>>>,
}

impl End {
    /// Fails if it is this call's turn.
    fn call(&self, call: Call) -> Option<io::Result<usize>> {
        let mut plan = self.plan.borrow_mut();
        let due = plan.as_mut().filter(|plan| plan.call == call)?;
        if due.left > 0 {
            due.left -= 1;
            return None;
        }
        let fault = plan.take()?.fault;
        let mut wire = self.wire.borrow_mut();
        wire.was_hit = true;
        // After WouldBlock, and only then, there is a new edge.
        wire.edge |= fault == Fault::Error(ErrorKind::WouldBlock);
        Some(match fault {
            Fault::Error(kind) => Err(kind.into()),
            Fault::Zero => Ok(0),
        })
    }
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(outcome) = self.call(Call::Read) {
            return outcome;
        }
        self.wire.borrow_mut().stream.read(buffer)
    }
}

impl Write for End {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(outcome) = self.call(Call::Write) {
            return outcome;
        }
        // Short, so that there are more calls to fail.
        let mut wire = self.wire.borrow_mut();
        let count = bytes.len().min(wire.piece);
        wire.stream.write(&bytes[..count])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for End {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.call(Call::Shutdown).map_or(Ok(()), |outcome| outcome.map(drop))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.wire.borrow_mut().closes += 1;
    }
}

/// A server with three clients, and the fault that is to come.
struct World {
    hub: Hub<Tls<End>, Chat>,
    wires: Vec<Rc<RefCell<Wire>>>,
    slots: Vec<usize>,
    clients: Vec<Client>,
    /// What each has read.
    heard: Vec<Vec<u8>>,
    plan: Rc<RefCell<Option<Plan>>>,
    now: Now,
}

impl World {
    fn new(over: &Over, plan: Option<Plan>) -> World {
        let now = Now { monotonic: Instant::now(), wall: UNIX_EPOCH };
        let limits = Limits::default().with(|it| it.rate = None);
        let mut world = World {
            hub: Hub::new(Chat::new(Settings::default()), &limits, now),
            wires: Vec::new(),
            slots: Vec::new(),
            clients: (0..3).map(|_| over.client()).collect(),
            heard: vec![Vec::new(); 3],
            plan: Rc::new(RefCell::new(plan)),
            now,
        };
        for _ in 0..3 {
            let piece = if over.certificate().is_some() { 400 } else { 40 };
            let wire = Rc::new(RefCell::new(Wire { piece, ..Wire::default() }));
            let end = End { wire: Rc::clone(&wire), plan: Rc::clone(&world.plan) };
            let stream = match over.certificate() {
                Some(certificate) => Tls::encrypted(end, certificate),
                None => Tls::plain(end),
            };
            world.slots.push(world.hub.next_slot());
            let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
            let peer = Peer::new(addr.into(), "native");
            if over.is_web() {
                world.hub.open_web(stream, &peer, false);
            } else {
                world.hub.open(stream, &peer);
            }
            world.wires.push(wire);
            world.run_until_idle();
        }
        world
    }

    /// A client sends something, and the server works until there is nothing to do.
    fn send(&mut self, client: usize, text: &str) {
        self.clients[client].say(text);
        self.wires[client].borrow_mut().edge = true;
        self.run_until_idle();
    }

    /// What is on the way reaches the other end.
    fn carry(&mut self) {
        for (who, wire) in self.wires.iter().enumerate() {
            let mut wire = wire.borrow_mut();
            self.heard[who].extend(self.clients[who].receive(&wire.stream.receive()));
            let to_send = self.clients[who].take_to_send();
            wire.edge |= !to_send.is_empty();
            wire.stream.send(&to_send);
        }
    }

    fn run_until_idle(&mut self) {
        for _ in 0..1000 {
            self.carry();
            for (slot, wire) in self.slots.iter().copied().zip(&self.wires) {
                if std::mem::take(&mut wire.borrow_mut().edge) {
                    self.hub.mark_readable(slot);
                    self.hub.mark_writable(slot);
                }
            }
            self.hub.turn(self.now);
            self.hub.take_closed().for_each(drop);
            self.carry();
            let is_quiet = self.hub.timeout(self.now) != Some(Duration::ZERO);
            if is_quiet && !self.wires.iter().any(|wire| wire.borrow().edge) {
                return;
            }
        }
        panic!("the server does not come to rest");
    }

    fn output(&self, client: usize) -> String {
        String::from_utf8(self.heard[client].clone()).expect("UTF-8")
    }

    fn was_hit(&self, client: usize) -> bool {
        self.wires[client].borrow().was_hit
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
    world.wires[2].borrow().stream.end();
    world.send(2, "");
    world.send(0, "the end\n");
}

/// Everybody closes, whoever is left after the time that a close may take is cut off,
/// and each stream has been given back once.
fn end(mut world: World) {
    world.hub.shutdown();
    world.run_until_idle();
    world.now.monotonic += Duration::from_secs(6);
    world.run_until_idle();
    assert!(world.hub.is_empty(), "connections are left");
    drop(world.hub);
    let closes: Vec<usize> = world.wires.iter().map(|wire| wire.borrow().closes).collect();
    assert_eq!(closes, [1, 1, 1]);
}

/// Plays with the nth call of a kind failing. False if there was none.
fn play_with(over: &Over, call: Call, fault: Fault, nth: usize, expected: &[String]) -> bool {
    let mut world = World::new(over, Some(Plan { call, fault, left: nth }));
    play(&mut world);
    let is_hit = world.plan.borrow().is_none();
    for (client, expected) in expected.iter().enumerate() {
        let output = world.output(client);
        let context = format!("{call:?} number {nth} with {fault:?}, client {client}");
        if !is_hit || HARMLESS.contains(&fault) || call == Call::Shutdown {
            assert_eq!(output, *expected, "{context}");
        } else if world.was_hit(client) {
            // It has read the beginning of something sensible, and is gone.
            let lines = output.lines().count();
            assert!(lines <= expected.lines().count() + 3, "{context}");
        } else if client == 0 {
            // It was another's call: ann stays to the end, and hears herself.
            assert!(
                output.ends_with("[ann] is anybody here?\n[ann] the end\n")
                    || output.ends_with("[ann] the end\n"),
                "{context}: {output}"
            );
        }
    }
    if is_hit && !HARMLESS.contains(&fault) && call != Call::Shutdown {
        let victim = (0..3).find(|client| world.was_hit(*client)).expect("somebody was hit");
        assert!(world.wires[victim].borrow().closes == 1, "{call:?} {nth} {fault:?}");
    }
    end(world);
    is_hit
}

/// Plays with each call failing in each of these ways.
fn sweep(over: &Over, faults: &[(Call, Fault)]) {
    let mut world = World::new(over, None);
    play(&mut world);
    let expected: Vec<String> = (0..3).map(|client| world.output(client)).collect();
    assert!(expected[0].ends_with("[ann] the end\n"), "{}", expected[0]);
    assert!(expected[1].trim_end().ends_with("Bye.") && expected[2].contains("anybody here"));
    end(world);
    for (call, fault) in faults.iter().copied() {
        let play = |nth: &usize| play_with(over, call, fault, *nth, &expected);
        let count = (0..10_000).take_while(play).count();
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
    let [blocked, reset] = [ErrorKind::WouldBlock, ErrorKind::ConnectionReset].map(Fault::Error);
    let faults = [
        (Call::Read, blocked),
        (Call::Read, reset),
        (Call::Write, blocked),
        (Call::Write, reset),
        (Call::Write, Fault::Zero),
        (Call::Shutdown, reset),
    ];
    sweep(&Over::tls(), &faults);
}

/// What has come by the time at which a close is given up is read, as always: unread, it
/// would turn the end into a reset.
#[test]
fn a_close_at_the_deadline_is_in_time() {
    let mut world = World::new(&Over::Plain, None);
    world.send(0, "/exit\n");
    world.now.monotonic += Limits::default().drain_time;
    world.wires[0].borrow().stream.end();
    world.send(0, "as I was saying\n");
    let mut wire = world.wires[0].borrow_mut();
    let left = wire.stream.read(&mut [0; 100]).expect("it has ended");
    assert_eq!((wire.closes, left), (1, 0));
}
