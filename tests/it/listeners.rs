//! Listeners with limits of their own, and what holds for all others.

use std::time::Duration;

use chinwag::testing::Network;
use chinwag::{Config, ConnId, Limit, Limits, Outbox, Server, Service};

/// Says how many lines it has heard, and notes the limits that its clients ran into.
#[derive(Default)]
struct Counter {
    lines: usize,
    limits: Vec<Limit>,
}

impl Service for Counter {
    fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
        self.lines += 1;
        out.send_line(id, self.lines.to_string().as_bytes());
    }

    fn on_limit(&mut self, _: ConnId, limit: Limit, _: &mut Outbox) {
        self.limits.push(limit);
    }
}

fn limits() -> Limits {
    Limits::default().with(|limits| {
        (limits.line_max, limits.rate) = (10, Some(1));
        limits.listener("peers").line_max = 100;
        limits.listener("peers").rate = None;
        limits.listener("peers").idle_time = Some(Duration::from_secs(5));
        limits.listener("fast").rate = Some(10);
    })
}

#[test]
fn a_listener_may_have_limits_of_its_own() {
    let mut network = Network::new(Counter::default(), &limits());
    let [peer, fast, other] = ["peers", "fast", ""].map(|label| network.connect(label));
    // In turn, since input states are used again.
    for (id, max) in [(other, Some(10)), (peer, None), (fast, Some(10)), (peer, None)] {
        let before = network.service().limits.len();
        network.send(id, &[b'x'; 20]);
        network.send(id, b"\n");
        let told = network.service().limits[before..].to_vec();
        assert_eq!(told, max.map(|max| Limit::LineTooLong { max }).as_slice());
    }
    network.send(peer, &[&[b'x'; 101][..], b"\n"].concat());
    assert_eq!(network.service().limits.last(), Some(&Limit::LineTooLong { max: 100 }));
    network.pass(Duration::from_secs(4));
    let mut heard = |id| {
        let before = network.service().lines;
        network.send(id, &b"hi\n".repeat(50));
        network.service().lines - before
    };
    assert_eq!((heard(peer), heard(fast), heard(other)), (50, 20, 2));
    network.pass(Duration::from_secs(6));
    assert_eq!(network.service().limits.last(), Some(&Limit::Idle));
    network.pass(Duration::from_mins(1));
    assert!(network.is_closed(peer) && !network.is_closed(other) && !network.is_closed(fast));
}

#[test]
fn what_a_listener_cannot_work_with_is_named() {
    let refused = |change: fn(&mut Limits)| {
        let config = Config::default().with(|config| change(&mut config.limits));
        Server::bind(config).err().expect("it cannot work").to_string()
    };
    let why = refused(|limits| limits.listener("peers").rate = Some(0));
    assert_eq!(why, "listener 'peers': rate is 0; at least 1 is needed");
    let why = refused(|limits| limits.listener("peers").line_max = 1 << 30);
    assert_eq!(why, "listener 'peers': line_max is 1073741824; at most 268435455 is allowed");
    let why = refused(|limits| limits.line_max = 0);
    assert_eq!(why, "line_max is 0; at least 1 is needed");
    let why = refused(|limits| (0..256).for_each(|n| _ = limits.listener(&n.to_string())));
    assert_eq!(why, "limits of 256 listeners; at most 255 are allowed");
}
