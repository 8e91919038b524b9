//! What a hub still knows that has taken over from another, where the simulation does not look:
//! what its service has asked for, and since when it is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use chinwag::testing::Stream;
use chinwag::{ConnId, Hub, Limits, Now, Origin, Outbox, Packer, Peer, Service, Unpacker};

/// Notes which connections have been sent all.
#[derive(Default)]
struct Noter(Vec<ConnId>);

impl Service for Noter {
    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

    fn on_drained(&mut self, id: ConnId, _: &mut Outbox) {
        self.0.push(id);
    }
}

fn open(hub: &mut Hub<Stream, Noter>) -> (ConnId, Stream) {
    let stream = Stream::default();
    (hub.open(stream.clone(), &Peer::new(Origin::Unix, "")), stream)
}

fn hand_over(mut hub: Hub<Stream, Noter>, now: Now) -> Hub<Stream, Noter> {
    hub.pass(now);
    hub.settle();
    let mut packer = Packer::new(now);
    hub.pack(&mut packer);
    let bytes = packer.finish();
    let (service, streams) = hub.into_parts();
    let mut streams: BTreeMap<_, _> = streams.collect();
    let mut from = Unpacker::new(&bytes, now).expect("it is packed here");
    let limits = Limits::default();
    Hub::thaw(service, &limits, now, &mut from, |slot| streams.remove(&slot)).expect("a hub")
}

#[test]
fn what_a_service_has_asked_for_is_still_asked_for_after_an_upgrade() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut hub = Hub::new(Noter::default(), &Limits::default(), now);
    let (idle, _) = open(&mut hub);
    let (slow, stream) = open(&mut hub);
    stream.narrow(1);
    hub.between_turns(|_, out| out.send(slow, b"more"));
    hub.turn(now);
    hub.between_turns(|_, out| {
        out.notify_drained(idle);
        out.notify_drained(slow);
        out.shutdown();
    });
    let mut hub = hand_over(hub, now);
    assert!(hub.take_shutdown());
    hub.turn(now);
    assert_eq!(hub.service().0, [idle]);
    stream.narrow(4);
    hub.mark_writable(slow.slot());
    hub.turn(now);
    hub.turn(now);
    assert_eq!((&*stream.receive(), &*hub.service().0), (&b"more"[..], &[idle, slow][..]));
}

#[test]
fn the_uptime_goes_on_after_an_upgrade() {
    let hour = Duration::from_hours(1);
    let start = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let later = Now { monotonic: start.monotonic + hour, wall: start.wall + hour };
    let hub = hand_over(Hub::new(Noter::default(), &Limits::default(), start), later);
    assert_eq!(hub.outbox().traffic().uptime, hour);
}
