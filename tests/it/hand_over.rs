//! What a hub still knows that has taken over from another, where the simulation does not look:
//! what its service has asked for, since when it is there, and what it is to do with connections
//! that it cannot go on with.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use chinwag::testing::Stream;
use chinwag::{
    CloseReason, Codec, ConnId, Framing, HandOver, Hub, Item, Limits, Now, Origin, Outbox, Packer,
    Peer, Service, Unpacker,
};

/// Notes which connections have been sent all, and which are closed.
#[derive(Default)]
struct Noter {
    drained: Vec<ConnId>,
    closed: Vec<(ConnId, CloseReason)>,
}

impl Service for Noter {
    fn framing(&self, peer: &Peer<'_>) -> Framing {
        if peer.label == "own" { Framing::Own(Box::new(Deaf)) } else { Framing::Telnet }
    }

    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

    fn on_drained(&mut self, id: ConnId, _: &mut Outbox) {
        self.drained.push(id);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, _: &mut Outbox) {
        self.closed.push((id, why));
    }
}

impl HandOver for Noter {
    fn pack(&self, _: &mut Packer) {}

    fn on_left_behind(&mut self, id: ConnId, out: &mut Outbox) {
        out.send(id, b" and goodbye");
    }
}

/// A framing of a service's own, which no other process has.
struct Deaf;

impl Codec for Deaf {
    fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        *bytes = &[];
        None
    }

    fn held(&self) -> usize {
        0
    }
}

fn open(hub: &mut Hub<Stream, Noter>, label: &str) -> (ConnId, Stream) {
    let stream = Stream::default();
    (hub.open(stream.clone(), &Peer::new(Origin::Unix, label)), stream)
}

/// Opens a connection that leaves these bytes unread, but for the first.
fn open_slow(hub: &mut Hub<Stream, Noter>, label: &str, bytes: &[u8]) -> (ConnId, Stream) {
    let (id, stream) = open(hub, label);
    stream.narrow(1);
    hub.between_turns(|_, out| out.send(id, bytes));
    hub.turn(hub.outbox().now());
    (id, stream)
}

/// Has a connection read on, as much as it can.
fn read(hub: &mut Hub<Stream, Noter>, id: ConnId, stream: &Stream) -> Vec<u8> {
    stream.narrow(usize::MAX);
    hub.mark_writable(id.slot());
    hub.turn(hub.outbox().now());
    hub.turn(hub.outbox().now());
    stream.receive()
}

/// One connection may be closing at a time.
fn limits() -> Limits {
    Limits::default().with(|it| it.draining_max = 1)
}

fn hand_over(mut hub: Hub<Stream, Noter>, now: Now) -> Hub<Stream, Noter> {
    hub.pass(now);
    hub.flush_all();
    let mut packer = Packer::new(now);
    hub.pack(&mut packer);
    let bytes = packer.finish();
    let (service, streams) = hub.into_parts();
    let mut streams: BTreeMap<_, _> = streams.collect();
    let mut from = Unpacker::new(&bytes, now).expect("it is packed here");
    Hub::thaw(service, &limits(), now, &mut from, |slot| streams.remove(&slot)).expect("a hub")
}

#[test]
fn what_a_service_has_asked_for_is_still_asked_for_after_an_upgrade() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut hub = Hub::new(Noter::default(), &Limits::default(), now);
    let (idle, _) = open(&mut hub, "");
    let (slow, stream) = open_slow(&mut hub, "", b"more");
    hub.between_turns(|_, out| {
        out.notify_drained(idle);
        out.notify_drained(slow);
        out.shutdown();
    });
    let mut hub = hand_over(hub, now);
    assert!(hub.take_shutdown());
    hub.turn(now);
    assert_eq!(hub.service().drained, [idle]);
    assert_eq!(read(&mut hub, slow, &stream), b"more");
    assert_eq!(hub.service().drained, [idle, slow]);
}

#[test]
fn connections_that_cannot_be_handed_over_read_all_and_the_goodbye_once_another_takes_over() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut hub = Hub::new(Noter::default(), &Limits::default(), now);
    let (plain, _) = open(&mut hub, "");
    let (own, stream) = open_slow(&mut hub, "own", b"more");
    // Nobody does, and so nothing has been said.
    let goodbyes = hub.say_goodbye();
    assert_eq!(hub.seal(goodbyes), [(own.slot(), b"ore and goodbye".to_vec())]);
    assert_eq!(read(&mut hub, own, &stream), b"more");
    let goodbyes = hub.say_goodbye();
    let sealed = hub.seal(goodbyes);
    let mut hub = hand_over(hub, now);
    assert_eq!(hub.leave_behind(sealed), 1);
    assert_eq!(hub.service().closed, [(own, CloseReason::Upgrade)]);
    assert_eq!(read(&mut hub, own, &stream), b" and goodbye");
    assert!(hub.outbox().is_open(plain) && !hub.outbox().is_open(own));
    assert_eq!(hub.open_count(), 1);
}

#[test]
fn however_many_are_left_behind_all_are_told_so() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut hub = Hub::new(Noter::default(), &limits(), now);
    let streams: Vec<Stream> = (0..20).map(|_| open(&mut hub, "own").1).collect();
    let goodbyes = hub.say_goodbye();
    let sealed = hub.seal(goodbyes);
    let mut hub = hand_over(hub, now);
    assert_eq!(hub.leave_behind(sealed), 20);
    hub.turn(now);
    for stream in streams {
        assert_eq!(stream.receive(), b" and goodbye");
    }
    assert_eq!(hub.take_closed().count(), 0);
    // They may stay for as long as others, through one more upgrade as well.
    let mut hub = hand_over(hub, now);
    hub.turn(now);
    assert_eq!(hub.take_closed().count(), 0);
    now.monotonic += limits().drain_time;
    hub.turn(now);
    assert_eq!(hub.take_closed().count(), 20);
}

#[test]
fn the_uptime_goes_on_after_an_upgrade() {
    let hour = Duration::from_hours(1);
    let start = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let later = Now { monotonic: start.monotonic + hour, wall: start.wall + hour };
    let hub = hand_over(Hub::new(Noter::default(), &Limits::default(), start), later);
    assert_eq!(hub.outbox().traffic().uptime, hour);
}
