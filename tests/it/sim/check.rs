//! What must hold at the end of a run, for every client: what it sent became the right
//! lines, it got what it was to get, and it was closed as promised.

use std::collections::BTreeSet;

use chinwag::{CloseReason, Protocol, Refusal};

use super::accept::{preface_length, refusal};
use super::admission::Welcome;
use super::first::Stranger;
use super::framing::{Framing, Item, frame};
use super::journal::{EVERYBODY, Entry, Fact};
use super::model::{Given, Life, replay};
use super::stream::Wire;
use super::text::is_forbidden;
use super::world::World;
use super::{admission, endings, ledger, outcome, pace, received, shares};

/// One client's case.
pub(super) struct Case<'a> {
    pub(super) who: usize,
    pub(super) entries: &'a [Entry],
    /// Where among the entries are this client's own.
    own: &'a [usize],
    /// Everybody who was let in.
    pub(super) opened: &'a BTreeSet<usize>,
    /// The entry after which it was sent nothing more.
    pub(super) silent_from: usize,
    /// The entry with which its close was told.
    pub(super) closed: usize,
    pub(super) why: CloseReason,
    /// Its connection broke, or was cut off: what it received may end anywhere.
    pub(super) is_cut: bool,
    /// How much its layer has said to it.
    pub(super) greeting: usize,
    pub(super) answers: Vec<Answer>,
    framing: Framing,
    /// What it was last turned away for, if it was.
    stranger: Option<Stranger>,
}

/// An answer to telnet, and how many lines the service heard from the client before it.
pub(super) struct Answer {
    pub(super) after: usize,
    pub(super) bytes: Vec<u8>,
}

/// Checks a run that is over. Returns what the model has seen in it.
pub(super) fn check(world: &World, given: &Given) -> BTreeSet<&'static str> {
    let entries = world.journal.entries();
    let (mut lives, seen) = replay(&entries, given);
    let opened =
        entries.iter().filter(|it| matches!(it.fact, Fact::Opened(_))).map(|it| it.who).collect();
    let mut own = vec![Vec::new(); world.clients.len()];
    for (index, entry) in entries.iter().enumerate().filter(|(_, it)| it.who != EVERYBODY) {
        own[entry.who].push(index);
    }
    let welcomes = admission::check(world, &entries);
    let cut = endings::check(world, &entries);
    shares::check(world, &entries);
    for (who, client) in world.clients.iter().enumerate() {
        let wire = client.wire.borrow();
        assert!(wire.is_closed, "#{who}: its stream was never given back");
        let facts = own[who].iter().map(|index| &entries[*index].fact);
        match welcomes[&who] {
            Welcome::LetIn => {}
            Welcome::Refused(why, is_hurried) => {
                check_refused((who, why, is_hurried), facts, &wire);
                continue;
            }
            Welcome::Unknown | Welcome::Dropped => {
                assert!(wire.accepted().is_empty(), "#{who} was told something, whoever it is");
                continue;
            }
        }
        let journal = (&entries[..], &own[who][..]);
        let mut case = Case::new((who, &lives[who], &wire), journal, &opened, world);
        case.is_cut = cut[&who] || wire.was_reset();
        case.check_lines();
        check_text(who, wire.accepted());
        let sent = &mut lives[who].sent;
        let whole = received::compare(&case, sent, wire.accepted());
        case.check_close(&wire);
        ledger::check(&case, sent, whole, &world.limits);
        pace::check(&case, &world.limits, &world.journal);
        outcome::cover(&case, sent, whole, &world.journal);
    }
    seen
}

/// Whoever is turned away is told so, and nothing else.
fn check_refused<'a>(
    (who, why, is_hurried): (usize, Refusal, bool),
    own: impl Iterator<Item = &'a Fact>,
    wire: &Wire,
) {
    let full = refusal(why);
    assert!(full.starts_with(wire.accepted()), "#{who} was told more than why");
    // Whoever takes it gets all of it, unless there were too many to wait for.
    let own: Vec<&Fact> = own.collect();
    let was_taken = !own.contains(&&Fact::Full) && own.contains(&&Fact::EndRead);
    if was_taken && !wire.was_reset() && !is_hurried {
        assert_eq!(wire.accepted(), full, "#{who} waited for its refusal");
        assert!(!wire.is_destroyed, "#{who} could not read its refusal");
    }
}

/// Valid UTF-8 without anything that could do more than be read. Telnet's answers stand
/// at the start of a line, so they are found without knowing any text.
fn check_text(who: usize, accepted: &[u8]) {
    let mut text = Vec::new();
    let mut bytes = accepted.iter();
    while let Some(byte) = bytes.next() {
        if *byte == 255 {
            let is_between = matches!(text.last(), None | Some(b'\n' | 0));
            assert!(is_between, "#{who} got a telnet answer inside a line");
            bytes.nth(1);
        } else {
            text.push(*byte);
        }
    }
    let text = match std::str::from_utf8(&text) {
        Ok(text) => text,
        // The connection may have ended inside a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&text[..error.valid_up_to()]).expect("it is valid up to there")
        }
        Err(error) => panic!("#{who} got what is no text: {error}"),
    };
    let is_ending = |c: char| matches!(c, '\n' | '\r' | '\0');
    let bad = text.chars().find(|c| is_forbidden(*c) && !is_ending(*c));
    assert_eq!(bad, None, "#{who} got a control character");
}

impl<'a> Case<'a> {
    fn new(
        (who, life, wire): (usize, &Life, &Wire),
        (entries, indices): (&'a [Entry], &'a [usize]),
        opened: &'a BTreeSet<usize>,
        world: &World,
    ) -> Self {
        let own = || indices.iter().map(|index| &entries[*index]);
        let is_close = |entry: &&Entry| matches!(entry.fact, Fact::Closed(_));
        let is_closing = |index: &&usize| is_close(&&entries[**index]);
        let end = *indices.iter().find(is_closing).expect("everybody has left");
        let closed = &entries[end];
        let Fact::Closed(why) = closed.fact else { unreachable!("it was looked for") };
        let has_ended =
            own().take_while(|entry| !is_close(entry)).any(|it| it.fact == Fact::EndRead);
        let is_layered = world.clients[who].hello.is_some();
        let at_end = has_ended && !(is_layered && wire.is_cut);
        let preface = preface_length(&world.clients[who]);
        let framing = frame(&wire.delivered, preface, at_end, world.limits.line_max);
        let stranger = entries[..end].iter().rev().find_map(|entry| match entry.fact {
            Fact::Refusing(Refusal::Foreign(Protocol::Http)) => Some(Stranger::Http),
            Fact::Refusing(Refusal::Foreign(_)) => Some(Stranger::Other),
            _ => None,
        });
        let silent_from = life.silent_from.expect("it was closed");
        let answers = answers(&framing);
        Case {
            who,
            entries,
            own: indices,
            opened,
            silent_from,
            closed: end,
            why,
            is_cut: false,
            greeting: wire.greeting,
            answers,
            framing,
            stranger,
        }
    }

    /// The journal's entries of this client, numbered.
    pub(super) fn own(&self) -> impl Iterator<Item = (usize, &Fact)> {
        self.own.iter().map(|index| (*index, &self.entries[*index].fact))
    }

    /// What its bytes amount to.
    pub(super) fn items(&self) -> &[(usize, Item)] {
        &self.framing.items
    }

    /// The entries with which the service heard something from this client.
    pub(super) fn heard(&self) -> Vec<usize> {
        let is_heard = |fact: &Fact| matches!(fact, Fact::Line(_) | Fact::TooLong | Fact::Asked);
        self.own().filter(|(_, fact)| is_heard(fact)).map(|(index, _)| index).collect()
    }

    /// What the service heard is what the client's bytes amount to, as far as they were
    /// listened to; all of it, where the client has said everything it had to say.
    fn check_lines(&self) {
        let as_item = |fact: &Fact| match fact {
            Fact::Ending(ending) => Some(Item::Ending(*ending)),
            Fact::Line(line) => Some(Item::Line(line.bytes.clone())),
            Fact::TooLong => Some(Item::TooLong),
            Fact::Asked => Some(Item::Asked),
            _ => None,
        };
        let told: Vec<Item> = self.own().filter_map(|(_, fact)| as_item(fact)).collect();
        let is_told = |item: &&Item| {
            matches!(item, Item::Ending(_) | Item::Line(_) | Item::TooLong | Item::Asked)
        };
        let items = self.items().iter().map(|(_, item)| item);
        let meant: Vec<Item> = items.clone().filter(is_told).cloned().collect();
        let who = self.who;
        assert!(meant.len() >= told.len(), "#{who} was heard to say more than it did");
        assert_eq!(told, meant[..told.len()], "#{who} was heard to say something else");
        let was_heard = told.len() == meant.len();
        let is_endless = items.clone().any(|item| *item == Item::Endless);
        match self.why {
            CloseReason::EndOfInput => {
                let is_foreign = items.clone().any(|item| matches!(item, Item::Foreign(_)));
                assert!(was_heard && !is_endless, "#{who} was not heard to the end");
                assert!(!is_foreign, "#{who} speaks another protocol, and nobody noticed");
                let said_so = self.items().last().is_some_and(|(_, item)| *item == Item::End);
                let has_ended = self.own().any(|(_, fact)| *fact == Fact::EndRead);
                assert!(has_ended || said_so, "#{who} has more to say");
            }
            CloseReason::Endless => assert!(was_heard && is_endless, "#{who} ended its lines"),
            CloseReason::Refused => {
                let stranger = items.clone().find_map(|item| match item {
                    Item::Foreign(stranger) => Some(*stranger),
                    _ => None,
                });
                assert_eq!(stranger, self.stranger, "#{who} is turned away for what it says");
            }
            _ => {}
        }
    }

    /// A polite close lets the client read everything, and the end behind it.
    fn check_close(&self, wire: &Wire) {
        if !self.is_cut {
            let is_told = wire.is_shut || wire.could_not_be_shut;
            assert!(is_told, "#{} was not told that nothing more comes", self.who);
            assert!(!wire.is_destroyed, "#{} could not read what it was sent", self.who);
        }
    }
}

fn answers(framing: &Framing) -> Vec<Answer> {
    let mut after = 0;
    let mut answers = Vec::new();
    for (_, item) in &framing.items {
        match item {
            Item::Line(_) | Item::TooLong | Item::Asked => after += 1,
            Item::Answer(bytes) => answers.push(Answer { after, bytes: bytes.clone() }),
            _ => {}
        }
    }
    answers
}
