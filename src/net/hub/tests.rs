//! What can only be seen from inside: how often the loop looks at what it is sent, and when
//! it wants to be called again.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use super::Hub;
use crate::net::conn::ConnId;
use crate::net::limits::Limits;
use crate::net::outbox::Outbox;
use crate::net::service::{Peer, Service};
use crate::net::timeouts::Now;
use crate::net::transport::Origin;
use crate::testing::{Call, Stream, run_until_idle};
use crate::work::work_done;

pub(super) const PEER: Peer<'_> =
    Peer::new(Origin::Addr(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4000)), "");

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// One who has sent this.
pub(super) fn sent(bytes: &[u8]) -> Stream {
    let stream = Stream::default();
    stream.send(bytes);
    stream
}

/// One who has sent this, and is gone when that has been read.
pub(super) fn sent_and_gone(bytes: &[u8]) -> Stream {
    let stream = sent(bytes);
    stream.break_off();
    stream
}

/// Makes a connection wait for each answer until the next turn.
#[derive(Default)]
pub(super) struct Ponderer {
    held: Vec<ConnId>,
    lines: usize,
}

impl Service for Ponderer {
    fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
        self.lines += 1;
        out.pause_reading(id);
        self.held.push(id);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        self.held.drain(..).for_each(|id| out.resume_reading(id));
    }
}

#[test]
fn whoever_has_just_been_resumed_is_read_before_it_is_found_idle() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let idle_time = Duration::from_secs(1);
    let limits = Limits { idle_time: Some(idle_time), ..Limits::default() };
    let mut hub = Hub::new(Ponderer::default(), &limits, now);
    hub.open(sent(&b"hi\n".repeat(4)), &PEER);
    hub.mark_readable(0);
    for passed in 0..3 {
        let now = Now { monotonic: now.monotonic + idle_time * passed, ..now };
        hub.wake();
        hub.turn(now);
        hub.turn(now);
    }
    assert_eq!((hub.service().lines, hub.open_count()), (4, 1));
}

/// One edge tells of both.
#[test]
fn the_end_of_one_that_has_to_wait_for_what_came_with_it_is_noticed() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    for (stream, open) in [(sent(b"ponder\n"), 1), (sent_and_gone(b"ponder\n"), 0)] {
        let mut hub = Hub::new(Ponderer::default(), &Limits::default(), now);
        hub.open(stream, &PEER);
        hub.mark_readable(0);
        hub.turn(now);
        assert_eq!((hub.service().lines, hub.counts.unreachable), (1, 1 - open));
        // Once it has its answer, it has had its say.
        hub.wake();
        hub.turn(now);
        hub.turn(now);
        assert_eq!(hub.open_count(), open);
    }
}

/// Has the loop read all of this, line by line. Returns how many lines there
/// were, and how many bytes were looked at.
fn receive(stream: Stream, limits: &Limits) -> (usize, u64) {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut hub = Hub::new(Ponderer::default(), limits, now);
    let (before, _) = work_done();
    hub.open(stream, &PEER);
    hub.mark_readable(0);
    // Nothing is left to do once there is no reason to be called again.
    while hub.timeout(now).is_some() || !hub.service().held.is_empty() {
        now.monotonic += Duration::from_secs(1);
        hub.wake();
        hub.turn(now);
    }
    (hub.service().lines, work_done().0 - before)
}

#[test]
fn no_byte_is_looked_at_more_than_twice_however_often_its_line_has_to_wait() {
    arbtest::arbtest(|u| {
        let line_max = u.int_in_range(1..=40)?;
        let rate = *u.choose(&[None, Some(1), Some(100)])?;
        let chunk = u.int_in_range(1..=600)?;
        let limits = Limits { line_max, chunk, rate, ..Limits::default() };
        let bytes =
            b"aaaaaaaaaaaaaaaaaaa\n\n\n\r\0\x08\x7f\t\x15\x17\x1b[O\xff\xff\xfa\xf0\xfd\x06";
        let len: u64 = u.int_in_range(1..=1600)?;
        let sent: Result<Vec<u8>, _> = (0..len).map(|_| u.choose(bytes).copied()).collect();
        let stream = self::sent(&sent?);
        stream.limit(u.int_in_range(1..=400)?);
        let (_, looked_at) = receive(stream, &limits);
        assert!(looked_at <= 2 * len, "{looked_at} of {len}");
        Ok(())
    });
}

#[test]
fn a_packet_full_of_lines_is_looked_at_once_though_each_has_to_wait() {
    let limits = Limits { rate: None, ..Limits::default() };
    let (lines, looked_at) = receive(sent(&b"hi\n".repeat(5000)), &limits);
    assert_eq!((lines, looked_at), (5000, 15_000));
}

#[test]
fn what_has_to_wait_stays_where_it_is_however_many_lines_it_is() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { rate: None, ..Limits::default() };
    let mut hub = Hub::new(Ponderer::default(), &limits, now);
    hub.open(sent(&b"hi\n".repeat(5000)), &PEER);
    hub.mark_readable(0);
    hub.turn(now);
    let end = |hub: &Hub<Stream, Ponderer>| {
        let input = hub.inputs.values().next()?;
        Some(input.rest().as_ptr_range().end).filter(|_| !input.rest().is_empty())
    };
    let (first, mut turns) = (end(&hub), 0);
    while let Some(end) = end(&hub) {
        assert_eq!(Some(end), first, "after {turns} turns");
        turns += 1;
        hub.wake();
        hub.turn(now);
    }
    assert!(turns > 1000, "after {turns} turns nothing is left");
}

#[test]
fn what_becomes_no_content_waits_for_its_rate_as_well() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { rate: Some(10), ..Limits::default() };
    let mut hub = Hub::new(Recorder::default(), &limits, now);
    let stream = sent(b"hi\n");
    stream.waste_reads(100);
    hub.open(stream.clone(), &PEER);
    hub.mark_readable(0);
    // What has not been paid for has been read: one more than a full bucket.
    for (left, lines) in [(79, 0), (69, 0), (59, 0)] {
        run_until_idle(&mut hub, now);
        assert_eq!((stream.reads_to_waste(), hub.service().0.len()), (left, lines));
        now.monotonic += Duration::from_secs(1);
    }
    while hub.timeout(now).is_some() {
        now.monotonic += Duration::from_secs(1);
        hub.turn(now);
    }
    assert_eq!((stream.reads_to_waste(), hub.service().0.len()), (0, 1));
}

/// Asks to be told again whenever it is told, a while.
#[derive(Default)]
struct Impatient(usize);

impl Service for Impatient {
    fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
        out.notify_drained(id);
    }

    fn on_drained(&mut self, id: ConnId, out: &mut Outbox) {
        self.0 += 1;
        if self.0 < 1000 {
            out.notify_drained(id);
        }
    }
}

#[test]
fn a_service_that_awaits_what_is_there_is_told_once_a_turn() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Impatient::default(), &Limits::default(), now);
    hub.open(sent(b"hi\n"), &PEER);
    hub.mark_readable(0);
    for _ in 0..10 {
        hub.turn(now);
    }
    assert!((5..=10).contains(&hub.service().0), "told {} times", hub.service().0);
    assert_eq!(hub.timeout(now), Some(Duration::ZERO));
}

/// Writes down which connections send lines.
#[derive(Default)]
struct Recorder(Vec<usize>);

impl Service for Recorder {
    fn on_line(&mut self, id: ConnId, _: &[u8], _: &mut Outbox) {
        self.0.push(id.slot());
    }
}

#[test]
fn nobody_waits_for_all_that_another_has_pipelined() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { rate: None, ..Limits::default() };
    let mut hub = Hub::new(Recorder::default(), &limits, now);
    for (slot, lines) in [5000, 1, 5000].into_iter().enumerate() {
        hub.open(sent(&b"hi\n".repeat(lines)), &PEER);
        hub.mark_readable(slot);
    }
    hub.turn(now);
    let share = limits.line_budget;
    assert_eq!(hub.service().0, [vec![0; share], vec![1], vec![2; share]].concat());
    run_until_idle(&mut hub, now);
    assert_eq!(hub.service().0.len(), 10_001);
}

/// Sends much to each newcomer, and counts how often memory is trimmed.
struct Talker(usize);

impl Service for Talker {
    fn on_open(&mut self, id: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        out.send(id, &vec![b'x'; 1 << 20]);
    }

    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

    fn on_trim_memory(&mut self) {
        self.0 += 1;
    }
}

#[test]
fn whoever_is_not_listened_to_as_it_leaves_much_unread_is_not_idle_once_it_reads_on() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let idle_time = Duration::from_secs(1);
    let limits = Limits { idle_time: Some(idle_time), ..Limits::default() };
    let mut hub = Hub::new(Talker(0), &limits, now);
    hub.open(Stream::default(), &PEER);
    for passed in 0..3 {
        hub.conns[0].stream.fail(Call::Write, 0, Some(ErrorKind::WouldBlock));
        hub.mark_writable(0);
        hub.turn(Now { monotonic: now.monotonic + idle_time * passed, ..now });
    }
    assert_eq!(hub.open_count(), 1);
}

#[test]
fn nobody_is_cut_off_for_what_it_was_never_written() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { queue_total: 2 << 20, ..Limits::default() };
    let mut hub = Hub::new(Talker(0), &limits, now);
    let ids: Vec<_> = (0..100).map(|_| hub.open(Stream::default(), &PEER)).collect();
    hub.conns[7].stream.fail(Call::Write, 0, Some(ErrorKind::WouldBlock));
    hub.turn(now);
    assert_eq!((hub.open_count(), hub.outbox.queued(ids[7])), (100, 1 << 20));
    assert_eq!(hub.outbox.owned(), 1 << 20);
}

/// Has as many to greet as it is told, with a megabyte each.
struct Host(usize, Instant);

impl Service for Host {
    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

    fn on_tick(&mut self, out: &mut Outbox) {
        self.0 -= 1;
        if let Some(id) = out.id(self.0) {
            out.send(id, &vec![b'x'; 1 << 20]);
        }
    }

    fn next_tick(&self) -> Option<Instant> {
        (self.0 > 0).then_some(self.1)
    }
}

#[test]
fn what_is_due_all_at_once_is_said_at_the_pace_at_which_it_is_written() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Host(100, now.monotonic), &Limits::default(), now);
    for _ in 0..100 {
        hub.open(Stream::default(), &PEER);
    }
    let mut turns = 0;
    while hub.service().0 > 0 {
        assert_eq!(hub.timeout(now), Some(Duration::ZERO));
        hub.turn(now);
        turns += 1;
    }
    assert_eq!((turns, hub.open_count()), (100, 100));
}

#[test]
fn what_waits_for_its_rate_waits_in_the_kernel_once_there_is_much_of_it() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { input_total: 40 << 10, ..Limits::default() };
    let mut hub = Hub::new(Recorder::default(), &limits, now);
    for slot in 0..100 {
        hub.open(sent(&b"hi\n".repeat(1000)), &PEER);
        hub.mark_readable(slot);
    }
    let mut most = 0;
    while hub.timeout(now).is_some_and(|time| time < Duration::from_secs(1)) {
        now.monotonic += hub.timeout(now).unwrap_or_default();
        hub.turn(now);
        let held = hub.inputs.values().map(|input| input.held());
        assert_eq!(hub.input_held, held.sum::<usize>());
        most = most.max(hub.input_held);
    }
    // Nothing is lost for it.
    assert_eq!((hub.service().0.len(), hub.input_held), (100_000, 0));
    assert!(most <= (40 << 10) + limits.chunk + 100 * 300, "{most} bytes");
}

#[test]
fn what_a_closed_web_socket_leaves_half_said_counts_no_more() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Recorder::default(), &Limits::default(), now);
    let half_a_message = b"\x81\x85\0\0\0\0hel";
    hub.open_web(sent(&[UPGRADE.as_bytes(), half_a_message].concat()), &PEER, false);
    hub.mark_readable(0);
    hub.turn(now);
    assert_eq!((hub.open_count(), hub.input_held), (1, 3));
    hub.shutdown();
    hub.turn(now);
    now.monotonic += Limits::default().drain_time;
    hub.turn(now);
    assert!(hub.is_empty());
    assert_eq!(hub.input_held, 0);
}

#[test]
fn a_quiet_server_wakes_to_give_memory_back() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Talker(0), &Limits::default(), now);
    let stream = Stream::default();
    stream.fail(Call::Write, 0, Some(ErrorKind::WouldBlock));
    hub.open(stream, &PEER);
    hub.turn(now);
    hub.mark_writable(0);
    hub.turn(now);
    let patience = Duration::from_secs(1);
    assert_eq!(hub.timeout(now), Some(patience));
    now.monotonic += patience;
    hub.turn(now);
    assert_eq!(hub.service().0, 1);
}

#[test]
fn after_a_thousand_connections_and_reads_memory_is_given_back() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Ponderer::default(), &Limits::default(), now);
    for slot in 0..500 {
        assert_eq!(hub.timeout(now), None);
        // It is read from once, and then there is nothing.
        hub.open(sent(b"h"), &PEER);
        hub.mark_readable(slot);
        hub.turn(now);
    }
    assert_eq!(hub.timeout(now), Some(Duration::from_secs(1)));
}

/// There is one for each newcomer, and it would stay for seconds, and its memory for good.
#[test]
fn deadlines_that_were_met_are_given_back_with_the_rest() {
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Recorder::default(), &Limits::default(), now);
    for slot in 0..501 {
        let request = if slot == 0 { "" } else { UPGRADE };
        hub.open_web(sent(request.as_bytes()), &PEER, false);
        hub.mark_readable(slot);
        hub.turn(now);
    }
    assert_eq!((hub.open_count(), hub.timers.len()), (501, 501));
    now.monotonic += Duration::from_secs(1);
    hub.turn(now);
    assert_eq!(hub.timers.len(), 1, "one still has to ask for something");
    now.monotonic += Limits::default().drain_time;
    hub.turn(now);
    assert_eq!(hub.open_count(), 500);
}

#[test]
fn a_client_that_falls_behind_again_and_again_has_one_timer() {
    let limits = Limits::default();
    let mut now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut hub = Hub::new(Ponderer::default(), &limits, now);
    let stream = Stream::default();
    let id = hub.open(stream.clone(), &PEER);
    for _ in 0..100 {
        hub.outbox.send(id, b"something");
        stream.fail(Call::Write, 0, Some(ErrorKind::WouldBlock));
        hub.turn(now);
        assert_eq!(stream.user_timeouts(), [true], "the system is not to give it up");
        now.monotonic += Duration::from_millis(1);
        hub.mark_writable(id.slot());
        hub.turn(now);
    }
    let mut timers = 0;
    while let Some(time) = hub.timeout(now) {
        timers += 1;
        assert!(timers <= 2, "it is looked after for good");
        // That it is spoken to, and takes it, makes no difference.
        hub.outbox.send(id, b"something");
        hub.turn(now);
        now.monotonic += time;
        hub.turn(now);
    }
    // When it was first behind, and when it has not been for as long.
    assert_eq!((timers, hub.open_count()), (2, 1));
    assert_eq!(stream.user_timeouts(), [true, false]);
}
