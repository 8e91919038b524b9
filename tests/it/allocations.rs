//! A room in conversation takes no memory: once it has got going, not one allocation a
//! line, from the bytes that are read to the bytes that are written.
//!
//! The allocator that counts does so for each thread by itself, so the other tests may
//! run meanwhile.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::Settings;
use chinwag::testing::{Stream, run_until_idle};
use chinwag::{Chat, Decoder, Hub, Item, Limits, Now, Peer};

const MEMBERS: usize = 100;

struct Room {
    hub: Hub<Stream, Chat>,
    /// The members' ends, by slot. What is sent to them they take, and count.
    members: Vec<Stream>,
    now: Now,
}

impl Room {
    /// So many members, `member-0` and so on.
    fn of(members: usize) -> Room {
        Room::with(members, &Limits::default())
    }

    fn with(members: usize, limits: &Limits) -> Room {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let hub = Hub::new(Chat::new(Settings::default()), limits, now);
        let mut room = Room { hub, members: Vec::new(), now };
        for id in 0..members {
            room.visit(&format!("REGISTER member-{id}\n"));
            room.now.monotonic += Duration::from_secs(1);
        }
        room
    }

    /// Somebody comes and types something. Returns who it is.
    fn visit(&mut self, text: &str) -> usize {
        let (slot, member) = (self.hub.next_slot(), Stream::default());
        let addr = SocketAddr::from(([192, 0, 2, 1], 4000));
        member.count_lines();
        member.send(text.as_bytes());
        if self.members.len() <= slot {
            self.members.resize_with(slot + 1, Stream::default);
        }
        self.members[slot] = member.clone();
        self.hub.open(member, &Peer::new(addr.into(), "native"));
        self.hub.mark_readable(slot);
        self.run_until_idle();
        slot
    }

    /// A member types a line, and everybody takes what comes of it. Then so much time
    /// passes that nobody ever speaks too fast.
    fn types(&mut self, id: usize, line: &str) {
        self.members[id].send(line.as_bytes());
        self.sends(id, "\n");
    }

    /// The same for what need not be a line.
    fn sends(&mut self, id: usize, text: &str) {
        self.members[id].send(text.as_bytes());
        self.hub.mark_readable(id);
        self.run_until_idle();
        self.now.monotonic += Duration::from_secs(1);
    }

    /// The server works until there is nothing to do.
    fn run_until_idle(&mut self) {
        run_until_idle(&mut self.hub, self.now);
    }

    fn lines(&self) -> usize {
        self.members.iter().map(Stream::lines).sum()
    }
}

/// Has four members type a line in turn, until all that grows with what is said (the
/// history above all) has grown. Then it must bring `lines` each time, and no allocation.
fn check(line: &str, lines: usize) {
    let mut room = Room::of(MEMBERS);
    for turn in 0..400 {
        room.types(turn % 4, line);
    }
    let (before, mut taken) = (room.lines(), 0);
    let allocated = allocation_counter::measure(|| {
        for turn in 0..100 {
            room.types(turn % 4, line);
        }
        taken = room.lines() - before;
    });
    assert_eq!(taken, 100 * lines, "{line:?} reaches so many, a hundred times");
    assert_eq!(allocated.count_total, 0, "allocations in a hundred times {line:?}");
}

#[test]
fn speech_takes_no_memory() {
    check("Hello, everybody!", MEMBERS);
    check("Grüße, 你好, 👩‍👩‍👧", MEMBERS);
    check("/me waves", MEMBERS);
    check("/say /me waves", MEMBERS);
}

#[test]
fn a_private_line_takes_no_memory() {
    check("/msg member-50 psst", 2);
    check("SEND @member-50 psst", 1);
    check("/msg nobody psst", 1);
}

#[test]
fn an_answer_takes_no_memory() {
    check("/echo on", 1);
    check("/topic", 1);
    check("/nick", 1);
    check("/help", 10);
}

#[test]
fn what_a_line_took_before_it_was_whole_is_given_back() {
    let mut room = Room::of(MEMBERS);
    let half = "x".repeat(2000);
    // As much as is ever under way, so that it takes no memory for the test itself.
    for id in 0..MEMBERS {
        room.sends(id, &format!("/up {half}\n"));
    }
    let mut all_of = |members: Range<usize>| {
        for id in members.clone() {
            room.sends(id, &format!("/up {half}"));
        }
        for id in members {
            room.sends(id, &format!("{half}\n"));
        }
    };
    // The first take what all have in common; the others are to leave nothing behind.
    all_of(0..MEMBERS / 2);
    let kept = allocation_counter::measure(|| all_of(MEMBERS / 2..MEMBERS)).bytes_current;
    assert!(kept <= 4096, "{kept} bytes");
}

#[test]
fn what_a_crowd_took_is_given_back() {
    const CROWD: usize = 5000;
    let mut room = Room::with(CROWD, &Limits::default().with(|it| it.rate = None));
    let kept = allocation_counter::measure(|| {
        // All at once, so that all stand in every list. (It is shorter than the line with
        // which each has registered, so that it takes no memory for the test itself.)
        for id in 0..CROWD {
            room.members[id].send(b"/up x\n");
            room.hub.mark_readable(id);
        }
        room.run_until_idle();
    });
    // Some emptied queues' bytes are kept for whoever is next, until memory is given back.
    assert!(kept.bytes_current <= 32 << 10, "{kept:?}");
    let freed = allocation_counter::measure(|| {
        room.now.monotonic += Duration::from_secs(1);
        room.run_until_idle();
    });
    assert!(kept.bytes_current + freed.bytes_current <= 10 << 10, "{kept:?}, then {freed:?}");
}

#[test]
fn a_line_that_is_too_long_takes_no_memory() {
    let mut decoder = Decoder::new(4096, 65536);
    let mut is_too_long = false;
    let kept = allocation_counter::measure(|| {
        let mut bytes = &[b'x'; 4200][..];
        while let Some(item) = decoder.next(&mut bytes) {
            is_too_long |= item == Item::TooLong;
        }
    });
    assert!(is_too_long);
    assert!(kept.bytes_max >= 4000 && kept.bytes_current == 0, "{kept:?}");
}

/// However long after it has gone its silence would have been looked at.
#[test]
fn closed_connections_leave_nothing_behind() {
    for idle_time in [Duration::from_secs(1), Duration::from_hours(24)] {
        leaves_nothing_behind(idle_time, |room| {
            room.visit("/up x\n/exit\n");
        });
    }
}

/// Notices that were batched for somebody who has gone before being told.
#[test]
fn what_nobody_is_left_to_be_told_is_forgotten() {
    leaves_nothing_behind(Duration::from_hours(24), |room| {
        let slot = room.visit("/notices on\n/join den\n");
        for _ in 0..3 {
            room.visit("/join den\n/exit\n");
        }
        room.sends(slot, "/exit\n");
    });
}

#[test]
fn rooms_that_are_gone_take_nothing() {
    const ROOMS: usize = 1000;
    let mut crowd = Room::with(0, &Limits::default());
    let mut come_and_go = |rooms: bool| {
        for number in 0..ROOMS {
            crowd.visit(&if rooms {
                format!("/join room-{number}\n")
            } else {
                "/up x\n".to_owned()
            });
        }
        for slot in 0..ROOMS {
            crowd.sends(slot, "/exit\n");
        }
        crowd.now.monotonic += Duration::from_secs(10);
        crowd.run_until_idle();
        crowd.members.clear();
        assert_eq!(crowd.hub.take_closed().count(), ROOMS);
    };
    come_and_go(false);
    let kept = allocation_counter::measure(|| come_and_go(true)).bytes_current;
    assert!(kept <= 20 << 10, "{kept} bytes");
}

#[test]
fn a_room_of_ten_has_no_memory_of_its_own() {
    let mut crowd = Room::with(1000, &Limits::default().with(|it| it.rate = None));
    let mut fill = |rooms: Range<usize>| {
        for id in 10 * rooms.start..10 * rooms.end {
            // Shorter than the line with which each has registered: see above.
            crowd.types(id, &format!("/join {}", id / 10));
        }
    };
    fill(0..50);
    let kept = allocation_counter::measure(|| fill(50..100)).count_current;
    assert!(kept <= 10, "{kept} pieces of memory");
}

/// People come, do something, and are gone in the end.
fn leaves_nothing_behind(idle_time: Duration, come_and_go: impl Fn(&mut Room)) {
    let limits = Limits::default().with(|it| {
        it.idle_time = Some(idle_time);
        it.rate = None;
    });
    let mut room = Room::with(0, &limits);
    let mut repeat = |times| {
        for _ in 0..times {
            come_and_go(&mut room);
            // So much time passes that it need not close, and everything is past.
            room.now.monotonic += Duration::from_secs(10);
            room.run_until_idle();
            room.members.clear();
            assert!(room.hub.take_closed().count() > 0 && room.hub.is_empty());
        }
    };
    repeat(10);
    let kept = allocation_counter::measure(|| repeat(1000)).bytes_current;
    assert!(kept <= 4096, "{kept} bytes");
}
