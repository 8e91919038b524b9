//! What a batch says to each of its readers.

use super::*;
use crate::work::work_done;

fn id(slot: u32) -> ConnId {
    ConnId { slot, serial: slot + 1 }
}

fn joined(name: &str) -> Notice {
    Notice::Joined(Name::own(name))
}

#[test]
fn of_many_names_most_are_counted_in_a_notice() {
    let all = ["ann", "bob", "cat"].map(joined);
    let all: Vec<&Notice> = all.iter().collect();
    assert_eq!(together(&all[..1], 1), "ann joined the chat.");
    assert_eq!(together(&all, 4), "ann, bob and 2 others joined the chat.");
    assert_eq!(together(&[&Notice::Left(Name::own("ann"))], 1), "ann left the chat.");
    let renamed = Notice::Renamed(Box::new([Name::own("ann"), Name::own("bob")]));
    let three = "ann is now bob, ann is now bob and ann is now bob";
    assert_eq!(together(&[&renamed; 3], 3), three);
    let four = "ann is now bob, ann is now bob and 2 others have new names";
    assert_eq!(together(&[&renamed; 3], 4), four);
}

#[test]
fn rooms_batch_side_by_side_and_each_reader_gets_their_own_lines() {
    let mut batches = NoticeBatches::default();
    let (one, other) = (batches.begin(), batches.begin());
    for (slot, name) in [(0, "ann"), (1, "bob"), (2, "cat")] {
        batches.push(one, joined(name), [id(slot + 10)]);
        batches.push(other, Notice::Left(Name::own(name)), [id(slot)]);
        batches.begin_for(one, id(slot + 10));
    }
    let all = "ann, bob and cat joined the chat.";
    assert_eq!(batches.lines_for(one, None), [all]);
    assert_eq!(batches.lines_for(one, Some(id(11))), ["cat joined the chat."]);
    assert_eq!(batches.lines_for(one, Some(id(12))), <[&str; 0]>::default());
    assert_eq!(batches.lines_for(other, Some(id(1))), ["ann and cat left the chat."]);
    assert!(batches.is_special(id(2)) && !batches.is_special(id(7)));
    batches.forget(one);
    assert_eq!(batches.lines_for(other, None), ["ann, bob and cat left the chat."]);
    batches.forget(other);
    for slot in [0, 1, 2, 10, 11, 12] {
        batches.forget_reader(id(slot));
    }
    let capacity = batches.notes.capacity() + batches.lines.capacity();
    let capacity = capacity + batches.last_lines.capacity() + batches.readers.capacity();
    assert_eq!(capacity, 0, "an empty table keeps no memory");
}

#[test]
fn notices_about_one_user_or_one_name_stay_in_order() {
    let check = |events: &[(&str, &str)], lines: &[&str]| {
        let mut batches = NoticeBatches::default();
        let batch = batches.begin();
        for (name, what) in events {
            let name = Name::own(name);
            let notice = match *what {
                "joined" => Notice::Joined(name),
                "left" => Notice::Left(name),
                new => Notice::Renamed(Box::new([name, Name::own(new)])),
            };
            batches.push(batch, notice, []);
        }
        assert_eq!(batches.lines_for(batch, None), lines);
    };
    let carol = ("carol", "left");
    let (joined, left) = ("bob joined the chat.", "bob left the chat.");
    check(&[carol, ("bob", "joined")], &["carol left the chat.", joined]);
    check(&[carol, ("bob", "joined"), ("bob", "left")], &["carol left the chat.", joined, left]);
    check(
        &[("bob", "joined"), ("bob", "left"), carol, ("dan", "joined")],
        &["bob and dan joined the chat.", "bob and carol left the chat."],
    );
    check(
        &[("eve", "eva"), ("zed", "joined"), ("zed", "zoe"), ("eva", "eve")],
        &["eve is now eva", "zed joined the chat.", "zed is now zoe and eva is now eve"],
    );
    // Another user takes a name that is free again.
    check(
        &[("dan", "joined"), ("bob", "left"), ("Bob", "joined")],
        &["dan joined the chat.", left, "Bob joined the chat."],
    );
    check(
        &[("eve", "eva"), ("bob", "left"), ("cat", "bob")],
        &["eve is now eva", left, "cat is now bob"],
    );
}

#[test]
fn a_notice_costs_the_same_however_many_are_pending() {
    let walked_with = |moves: u32| {
        let mut batches = NoticeBatches::default();
        let batch = batches.begin();
        for slot in 0..moves {
            let name = format!("user-{slot}");
            batches.push(batch, joined(&name), [id(slot % 100)]);
            batches.push(batch, Notice::Left(Name::own(&name)), []);
        }
        batches.begin_for(batch, id(200));
        let (_, before) = work_done();
        batches.lines_for(batch, None);
        batches.lines_for(batch, Some(id(200)));
        work_done().1 - before
    };
    assert_eq!(walked_with(10_000), walked_with(10));
}
