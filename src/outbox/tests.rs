//! The queues by themselves, without a loop.

use std::time::{Instant, SystemTime};

use super::*;

fn outbox(limits: &Limits) -> Outbox {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut out = Outbox::new(limits, now);
    // Wherever offsets matter, they wrap in the first few bytes.
    out.lanes = Lanes::near_the_wrap();
    out
}

/// Small limits: 10 bytes is behind, 20 is parked, 40 is the end.
fn small() -> Limits {
    Limits { queue_soft: 10, queue_park: 20, queue_max: 40, log_max: 100, ..Limits::default() }
}

const RED: Lane = Lane::FIRST;

fn blue() -> Lane {
    Lane::of(1)
}

/// What the loop does with a connection whose turn it is and whose socket takes all.
fn write_all(out: &mut Outbox, id: ConnId) -> String {
    out.gather(id);
    let written = String::from_utf8(out.take(id)).unwrap();
    assert_eq!(out.pending(id), b"");
    written
}

/// The same for a socket that takes nothing.
fn block_next(out: &mut Outbox, id: ConnId) {
    assert_eq!(out.next_in_line(), Some(id));
    out.block(id);
}

#[test]
fn a_private_line_stays_between_two_of_the_room() {
    let mut out = outbox(&Limits::default());
    let (ann, bob) = (out.open(0), out.open(1));
    out.send_all(RED, [ann, bob], b"one ");
    out.send(ann, b"private ");
    out.send_all(RED, [ann, bob], b"two ");
    out.send_all(RED, [ann, bob], b"three ");
    assert_eq!(write_all(&mut out, ann), "one private two three ");
    assert_eq!(write_all(&mut out, bob), "one two three ");
}

#[test]
fn lines_of_two_lanes_keep_their_order() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    for (lane, line) in [(RED, b"a"), (blue(), b"b"), (RED, b"c"), (RED, b"d"), (blue(), b"e")] {
        out.send_all(lane, [ann], line);
    }
    assert_eq!(write_all(&mut out, ann), "abcde");
}

#[test]
fn a_line_of_the_lane_for_others_is_not_read_by_mistake() {
    let mut out = outbox(&Limits::default());
    let (ann, bob) = (out.open(0), out.open(1));
    out.send_all(RED, [ann, bob], b"both ");
    out.send_all(RED, [bob], b"bob ");
    out.send_all(RED, [ann, bob], b"again ");
    assert_eq!(write_all(&mut out, ann), "both again ");
    assert_eq!(write_all(&mut out, bob), "both bob again ");
}

#[test]
fn what_waits_outlives_the_rounds_of_others() {
    let mut out = outbox(&Limits::default());
    let (ann, bob) = (out.open(0), out.open(1));
    let mut heard = String::new();
    for round in 0..9 {
        out.send_all(RED, [ann, bob], format!("{round} ").as_bytes());
        // Only one is written to each time, while more is said.
        let id = out.next_in_line().unwrap();
        let written = write_all(&mut out, id);
        if id == bob {
            heard += &written;
        }
    }
    heard += &write_all(&mut out, bob);
    assert_eq!(heard, "0 1 2 3 4 5 6 7 8 ");
}

#[test]
fn the_lanes_are_empty_once_nobody_stands_in_line() {
    let mut out = outbox(&small());
    let (ann, bob) = (out.open(0), out.open(1));
    out.send_all(RED, [ann, bob], &[b'x'; 101]);
    assert!(out.brake());
    for id in [ann, bob] {
        assert_eq!(out.next_in_line(), Some(id));
        assert!(out.brake());
        write_all(&mut out, id);
    }
    assert_eq!(out.next_in_line(), None);
    assert!(!out.brake() && !out.is_behind() && out.lanes.held() == 0);
}

#[test]
fn private_bytes_of_those_in_line_put_the_brake_on_too() {
    let mut out = outbox(&small());
    let ids: Vec<ConnId> = (0..4).map(|slot| out.open(slot)).collect();
    for id in &ids {
        out.send(*id, &[b'x'; 30]);
    }
    assert!(out.brake());
    for id in &ids {
        block_next(&mut out, *id);
    }
    assert_eq!(out.next_in_line(), None);
    assert!(!out.brake(), "what waits for a full socket cannot be helped by writing");
    for id in &ids {
        out.unblock(*id);
    }
    assert!(out.brake());
    out.kill(ids[1], CloseReason::Broken);
    while let Some(id) = out.next_in_line() {
        write_all(&mut out, id);
    }
    assert_eq!((out.brake(), out.fresh), (false, 0));
}

#[test]
fn private_bytes_go_with_the_round_after_theirs_and_copies_of_a_span_do_not_count() {
    let mut out = outbox(&small());
    let ids: Vec<ConnId> = (0..4).map(|slot| out.open(slot)).collect();
    out.send_all(RED, ids.iter().copied(), &[b'x'; 30]);
    for id in &ids {
        out.send(*id, b"!");
    }
    assert_eq!((out.owned, out.lanes.held(), out.fresh), (4 * 31, 30, 4));
    assert!(!out.brake(), "four copies are no more than the one span");
    // All are served; what is said meanwhile is for the round that follows.
    for id in &ids {
        assert_eq!(out.next_in_line(), Some(*id));
        write_all(&mut out, *id);
        out.send(*id, b"?");
    }
    assert_eq!(out.next_in_line(), Some(ids[0]));
    assert_eq!((out.brake(), out.fresh), (false, 4));
}

#[test]
fn the_blocked_miss_whole_lines_until_they_have_caught_up() {
    let mut out = outbox(&small());
    let ann = out.open(0);
    out.send_all(RED, [ann], b"12345678");
    block_next(&mut out, ann);
    out.send_all(RED, [ann], b"90ab");
    out.send_all(RED, [ann], b"missed");
    out.send(ann, b" private");
    out.consume(ann, 12);
    out.send_all(RED, [ann], b"missed too");
    out.unblock(ann);
    // Its turn has come and not its end: the gap is still the same.
    out.send_all(RED, [ann], b"missed as well");
    assert_eq!(out.next_in_line(), Some(ann));
    assert_eq!(out.pending(ann), b" private");
    out.consume(ann, 8);
    assert_eq!(out.leave_line(ann), 3);
    out.send_all(RED, [ann], b"after");
    assert_eq!(write_all(&mut out, ann), "after");
}

#[test]
fn who_is_only_waiting_for_its_turn_misses_nothing() {
    let mut out = outbox(&small());
    let ann = out.open(0);
    for _ in 0..9 {
        out.send_all(RED, [ann], b"12345678");
    }
    assert_eq!(write_all(&mut out, ann), "12345678".repeat(9));
}

#[test]
fn too_much_of_its_own_makes_a_connection_wait_and_then_ends_it() {
    let mut out = outbox(&small());
    let ann = out.open(0);
    out.send(ann, &[b'x'; 20]);
    assert!(out.listens(ann));
    out.send(ann, b"x");
    assert!(!out.listens(ann) && !out.is_stuck(ann));
    block_next(&mut out, ann);
    assert!(out.is_stuck(ann));
    out.unblock(ann);
    assert_eq!(out.next_in_line(), Some(ann));
    out.consume(ann, 1);
    out.block(ann);
    assert_eq!(out.take_released(), [ann]);
    assert!(out.listens(ann) && !out.is_stuck(ann));
    out.send(ann, &[b'x'; 20]);
    assert_eq!((out.state(ann), out.queued(ann)), (State::Open, 40));
    out.send(ann, b"x");
    assert_eq!(out.state(ann), State::Dead(CloseReason::TooSlow));
    assert_eq!(out.next_closing(), Some((ann, CloseReason::TooSlow)));
    assert_eq!((out.next_closing(), out.take_dead()), (None, vec![ann]));
}

#[test]
fn a_hold_lasts_until_its_release() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    out.release(ann);
    assert_eq!(out.take_released(), []);
    out.hold(ann);
    assert!(!out.listens(ann));
    out.release(ann);
    assert!(out.listens(ann));
    assert_eq!(out.take_released(), [ann]);
}

#[test]
fn a_close_lets_what_was_queued_go_out_and_nothing_after() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    out.send(ann, b"Bye.");
    out.close(ann);
    out.send(ann, b"never");
    out.send_all(RED, [ann], b"never");
    assert!(!out.listens(ann) && !out.is_open(ann));
    assert_eq!(out.next_in_line(), Some(ann));
    assert_eq!(write_all(&mut out, ann), "Bye.");
    out.close(ann);
    assert_eq!(out.next_closing(), Some((ann, CloseReason::Asked)));
    assert_eq!(out.next_closing(), None);
}

#[test]
fn a_close_with_nothing_queued_comes_by_the_line_too() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    out.close(ann);
    assert_eq!(out.next_in_line(), Some(ann));
}

#[test]
fn an_old_id_names_nobody() {
    let mut out = outbox(&Limits::default());
    let old = out.open(0);
    out.send_all(RED, [old], b"for the old one");
    out.kill(old, CloseReason::Broken);
    out.vacate(old);
    let new = out.open(0);
    out.send(old, b"never");
    out.send_all(RED, [old], b"never");
    out.close(old);
    out.kill(old, CloseReason::Broken);
    out.hold(old);
    assert_eq!((out.state(old), out.queued(old)), (State::Vacant, 0));
    assert!(out.listens(new));
    assert_eq!(out.next_in_line(), None);
    out.send(new, b"hello");
    assert_eq!(out.next_in_line(), Some(new));
    assert_eq!(write_all(&mut out, new), "hello");
}
