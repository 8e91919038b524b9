//! The oracle of work: whatever is looked at or walked over is paid for by what came in, went out,
//! or happened to somebody.

use std::time::{Instant, SystemTime};

use chinwag::chat::Settings;
use chinwag::{Chat, ConnId, Limits, Now, Origin, Outbox, Peer, Service, testing};

use super::world::World;

/// Every command that starts with a slash.
const COMMANDS: [&str; 25] = [
    "nick", "msg", "reply", "me", "say", "join", "leave", "who", "rooms", "topic", "history",
    "away", "ignore", "unignore", "notices", "echo", "dialect", "resume", "time", "up", "down",
    "stats", "help", "exit", "quit",
];

/// What may be walked over for each thing that happens in a turn and for each line that is sent: a
/// notice goes over the lists of its room several times. (One is nearly always enough.)
const STEPS: u64 = 4;

/// And besides: queues of deadlines are looked through each time that they have become twice as
/// long, from 64 on; and of many sessions that end together everybody is told one by one. (In 256
/// seeds 150 were enough, in 300 000 it took 300.)
const STEPS_BESIDES: u64 = 1024;

impl World {
    pub(super) fn lines_out(&self) -> u64 {
        let traffic = self.hub.outbox().traffic();
        traffic.lines_sent + traffic.lines_shed
    }

    /// A turn is over, before which so much had been `done` and `noted`.
    pub(super) fn check_work(&mut self, done: (u64, u64), noted: usize, lines_out: u64) {
        let (looked_at, walked) = testing::work_done();
        self.read += self.journal.read_since(noted) as u64;
        self.looked_at += looked_at - done.0;
        // Once as it comes, and once more if it had to be put aside.
        let (read, looked_at) = (self.read, self.looked_at);
        assert!(looked_at <= 2 * read, "{looked_at} bytes were looked at, of {read}");
        let (walked, happened) = (walked - done.1, (self.journal.len() - noted) as u64);
        let most = STEPS * (happened + lines_out) + STEPS_BESIDES;
        assert!(walked <= most, "{walked} steps for {happened} facts and {lines_out} lines out");
    }
}

/// How many steps a line takes from somebody in the room `den` with one other, while so many more
/// are in this room.
fn steps(line: &str, others: usize, of_others: &str) -> u64 {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut out = Outbox::new(&Limits::default(), now);
    let mut chat = Chat::new(Settings::default());
    let say = |chat: &mut Chat, out: &mut Outbox, id: ConnId, line: &str| {
        chat.on_line(id, line.as_bytes(), out);
        testing::take(out, id);
    };
    let mut first = None;
    for slot in 0..others + 2 {
        let id = testing::open(&mut out, slot);
        let _ = first.get_or_insert(id);
        chat.on_open(id, &Peer::new(Origin::Unix, "native"), &mut out);
        say(&mut chat, &mut out, id, &format!("REGISTER user-{slot}"));
        let room = if slot < 2 { "den" } else { of_others };
        say(&mut chat, &mut out, id, &format!("/join {room}"));
        say(&mut chat, &mut out, id, "hello");
    }
    let id = first.expect("there is one");
    let (_, before) = testing::work_done();
    say(&mut chat, &mut out, id, line);
    testing::work_done().1 - before
}

#[test]
fn a_line_costs_the_same_however_many_are_elsewhere() {
    let words = ["", " user-1", " user-5", " user-1 hello", " 3"];
    let lines = COMMANDS.iter().flat_map(|command| words.map(|word| format!("/{command}{word}")));
    for line in lines.chain(["hello".to_owned(), "SEND @user-1 hello".to_owned()]) {
        assert_eq!(steps(&line, 400, "elsewhere"), steps(&line, 40, "elsewhere"), "{line}");
    }
}

#[test]
fn presence_in_a_crowd_costs_the_same_however_large_it_is() {
    for line in ["/nick other", "REGISTER other", "/join other", "/leave", "/away", "/exit"] {
        assert_eq!(steps(line, 800, "den"), steps(line, 400, "den"), "{line}");
    }
}
