//! The queues by themselves, without a loop.

use std::time::{Instant, SystemTime};

use super::*;

fn outbox(limits: &Limits) -> Outbox {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut out = Outbox::new(limits, now);
    // Wherever offsets matter, they wrap in the first few bytes.
    out.logs = SharedLogs::near_the_wrap();
    out
}

/// Small limits: 10 bytes is behind, 20 is parked, 40 is the end.
fn small() -> Limits {
    Limits {
        queue_soft: 10,
        queue_park: 20,
        queue_max: 40,
        log_max: 100,
        fresh_max: 100,
        ..Limits::default()
    }
}

const RED: LogId = LogId::FIRST;

fn blue() -> LogId {
    LogId::of(1)
}

/// What the loop does with a connection whose turn it is and whose socket takes all.
fn write_all(out: &mut Outbox, id: ConnId) -> String {
    out.begin_flush(id);
    let written = String::from_utf8(out.take(id)).unwrap();
    assert_eq!(out.pending(id), b"");
    written
}

/// The same for a socket that takes nothing.
fn block_next(out: &mut Outbox, id: ConnId) {
    assert_eq!(out.next_to_flush(), Some(id));
    out.block(id, 0);
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
fn lines_of_two_logs_keep_their_order() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    for (log_id, line) in [(RED, b"a"), (blue(), b"b"), (RED, b"c"), (RED, b"d"), (blue(), b"e")] {
        out.send_all(log_id, [ann], line);
    }
    assert_eq!(write_all(&mut out, ann), "abcde");
}

#[test]
fn a_line_in_the_log_for_others_is_not_read_by_mistake() {
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
        let id = out.next_to_flush().unwrap();
        let written = write_all(&mut out, id);
        if id == bob {
            heard += &written;
        }
    }
    heard += &write_all(&mut out, bob);
    assert_eq!(heard, "0 1 2 3 4 5 6 7 8 ");
}

#[test]
fn the_logs_are_empty_once_nobody_is_in_the_flush_queue() {
    let mut out = outbox(&small());
    let (ann, bob) = (out.open(0), out.open(1));
    out.send_all(RED, [ann, bob], &[b'x'; 101]);
    assert!(out.must_flush_first());
    for id in [ann, bob] {
        assert_eq!(out.next_to_flush(), Some(id));
        assert!(out.must_flush_first());
        write_all(&mut out, id);
    }
    assert_eq!(out.next_to_flush(), None);
    assert!(!out.must_flush_first() && !out.is_behind() && out.logs.held() == 0);
}

#[test]
fn private_bytes_in_the_flush_queue_count_for_backpressure() {
    let mut out = outbox(&small());
    let ids: Vec<ConnId> = (0..4).map(|slot| out.open(slot)).collect();
    for id in &ids {
        out.send(*id, &[b'x'; 30]);
    }
    assert!(out.must_flush_first());
    block_next(&mut out, ids[0]);
    assert!(!out.must_flush_first(), "what waits for a full socket cannot be helped by writing");
    out.unblock(ids[0]);
    assert!(out.must_flush_first());
    out.kill(ids[1], CloseReason::Broken);
    assert!(!out.must_flush_first());
    while let Some(id) = out.next_to_flush() {
        write_all(&mut out, id);
    }
    assert_eq!(out.fresh, 0);
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
    assert_eq!(out.next_to_flush(), Some(ann));
    assert_eq!(out.pending(ann), b" private");
    out.consume(ann, 8);
    assert_eq!(out.dequeue(ann), 3);
    out.send_all(RED, [ann], b"after");
    assert_eq!(write_all(&mut out, ann), "after");
}

#[test]
fn waiting_for_a_flush_sheds_nothing() {
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
    assert_eq!(out.next_to_flush(), Some(ann));
    out.consume(ann, 1);
    out.block(ann, 0);
    assert_eq!(out.take_resumed(), [ann]);
    assert!(out.listens(ann) && !out.is_stuck(ann));
    out.send(ann, &[b'x'; 20]);
    assert_eq!((out.state(ann), out.queued(ann)), (State::Open, 40));
    out.send(ann, b"x");
    assert_eq!(out.state(ann), State::Dead);
    assert_eq!(out.next_closing(), Some((ann, CloseReason::TooSlow)));
    assert_eq!((out.next_closing(), out.take_dead()), (None, vec![ann]));
}

#[test]
fn a_client_not_yet_written_to_is_not_cut_off() {
    let mut out = outbox(&small());
    let ann = out.open(0);
    for _ in 0..10 {
        out.send(ann, b"0123456789");
    }
    assert!(out.is_open(ann) && out.queued(ann) == 100);
    block_next(&mut out, ann);
    assert!(out.is_open(ann));
    out.send(ann, b"one too many");
    assert_eq!(out.next_closing(), Some((ann, CloseReason::TooSlow)));
}

#[test]
fn the_room_of_what_has_grown_large_or_many_is_not_kept() {
    let mut out = outbox(&Limits::default());
    let crowd: Vec<ConnId> = (0..200).map(|slot| out.open(slot)).collect();
    for id in &crowd {
        out.send(*id, b"x");
    }
    for id in crowd {
        write_all(&mut out, id);
        out.kill(id, CloseReason::Asked);
        out.free_slot(id);
    }
    assert_eq!(mem::take(&mut out.spare).len(), 64);
    for (len, kept) in [(100, 1), (5000, 0)] {
        let ann = out.open(0);
        out.send(ann, &vec![b'x'; len]);
        assert_eq!(write_all(&mut out, ann).len(), len);
        assert_eq!(out.spare.len(), kept, "after {len} bytes");
        assert!(out.spare.iter().all(|own| own.bytes.capacity() == 256));
        out.kill(ann, CloseReason::Asked);
        out.free_slot(ann);
        out.spare.clear();
    }
}

#[test]
fn a_pause_lasts_until_reading_is_resumed() {
    let mut out = outbox(&Limits::default());
    let ann = out.open(0);
    out.resume_reading(ann);
    assert_eq!(out.take_resumed(), []);
    out.pause_reading(ann);
    assert!(!out.listens(ann));
    out.resume_reading(ann);
    assert!(out.listens(ann));
    assert_eq!(out.take_resumed(), [ann]);
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
    assert_eq!(out.next_to_flush(), Some(ann));
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
    assert_eq!(out.next_to_flush(), Some(ann));
}

#[test]
fn an_old_id_names_nobody() {
    let mut out = outbox(&Limits::default());
    let old = out.open(0);
    out.send_all(RED, [old], b"for the old one");
    out.kill(old, CloseReason::Broken);
    out.free_slot(old);
    let new = out.open(0);
    out.send(old, b"never");
    out.send_all(RED, [old], b"never");
    out.close(old);
    out.kill(old, CloseReason::Broken);
    out.pause_reading(old);
    assert_eq!((out.state(old), out.queued(old)), (State::Vacant, 0));
    assert!(out.listens(new));
    assert_eq!(out.next_to_flush(), None);
    out.send(new, b"hello");
    assert_eq!(out.next_to_flush(), Some(new));
    assert_eq!(write_all(&mut out, new), "hello");
}

#[test]
fn a_connection_ends_once_and_for_its_first_reason() {
    let mut out = outbox(&small());
    let ann = out.open(0);
    out.send(ann, b"never sent");
    out.kill(ann, CloseReason::Broken);
    out.kill(ann, CloseReason::TooSlow);
    out.drain(ann, CloseReason::Asked);
    assert_eq!(out.next_closing(), Some((ann, CloseReason::Broken)));
    assert_eq!((out.next_closing(), out.take_dead()), (None, vec![ann]));
    // One that is closing can still break, and is not told of twice.
    let bob = out.open(1);
    out.drain(bob, CloseReason::Asked);
    assert_eq!(out.next_closing(), Some((bob, CloseReason::Asked)));
    out.kill(bob, CloseReason::Broken);
    out.kill(bob, CloseReason::TooSlow);
    assert_eq!(out.state(bob), State::Dead);
    assert_eq!((out.next_closing(), out.take_dead()), (None, vec![bob]));
}

#[test]
fn when_all_together_have_too_much_those_with_the_most_go() {
    let mut out = outbox(&Limits { queue_total: 30, ..Limits::default() });
    let ids = [12, 15, 3, 14].map(|length| {
        let id = out.open(length);
        out.send(id, &vec![b'x'; length]);
        id
    });
    assert!(out.is_over_total(), "44 is more than 30");
    out.disconnect_largest();
    assert_eq!(out.take_dead(), [ids[1]]);
    out.send(ids[2], b"x");
    assert!(!out.is_over_total(), "30 is as much as may be");
}

/// What is counted as it changes, counted anew.
fn check_counts(out: &Outbox) {
    let owned = out.queues.iter().map(Queue::own_len).sum::<usize>();
    let queued = out.queues.iter().filter(|queue| queue.place == Place::Queued);
    assert_eq!(out.owned, owned);
    assert_eq!(out.fresh, queued.map(Queue::own_len).sum::<usize>());
    let is_spanless = |queue: &Queue| queue.place == Place::Queued || queue.span.is_empty();
    assert!(out.queues.iter().all(is_spanless), "only those in the flush queue may have a span");
}

#[test]
fn what_is_counted_is_what_waits_whatever_happens() {
    arbtest::arbtest(|u| {
        let mut out = outbox(&Limits { queue_total: 90, ..small() });
        let mut ids: Vec<ConnId> = (0..4).map(|slot| out.open(slot)).collect();
        for _ in 0..u.int_in_range(1..=60)? {
            let which = u.int_in_range(0..=3)?;
            let (id, line) = (ids[which], vec![b'x'; u.int_in_range(1..=15)?]);
            match u.int_in_range(0..=9)? {
                0 | 1 => out.send(id, &line),
                2..=4 => out.send_all(LogId::of(u.int_in_range(0..=2)?), ids.clone(), &line),
                5 => out.drain(id, CloseReason::Asked),
                6 => out.kill(id, CloseReason::Broken),
                7 => out.unblock(id),
                _ => {
                    if let Some(next) = out.next_to_flush() {
                        out.begin_flush(next);
                        let count = out.pending(next).len();
                        out.consume(next, u.int_in_range(0..=count)?);
                        if out.pending(next).is_empty() {
                            out.dequeue(next);
                        } else {
                            out.block(next, 0);
                        }
                    }
                }
            }
            while out.is_over_total() {
                out.disconnect_largest();
            }
            check_counts(&out);
            assert!(out.owned <= 90, "{} bytes wait", out.owned);
            while out.next_closing().is_some() {}
            for dead in out.take_dead() {
                out.free_slot(dead);
                ids[dead.slot()] = out.open(dead.slot());
            }
        }
        while let Some(id) = out.next_to_flush() {
            out.take(id);
        }
        check_counts(&out);
        assert_eq!(out.logs.held(), 0, "nothing is kept for nobody");
        Ok(())
    });
}

#[test]
fn what_waits_stays_where_it_is_while_the_socket_takes_a_byte_at_a_time() {
    let mut out = outbox(&Limits::default());
    let (ann, bob) = (out.open(0), out.open(1));
    out.send(ann, &vec![b'x'; 100_000]);
    out.send_all(RED, [bob], &vec![b'y'; 100_000]);
    for id in [ann, bob] {
        let end = out.pending(id).as_ptr_range().end;
        for left in (1..=100_000).rev() {
            assert_eq!((out.pending(id).len(), out.pending(id).as_ptr_range().end), (left, end));
            out.consume(id, 1);
        }
    }
}
