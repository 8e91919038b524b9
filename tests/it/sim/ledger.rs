//! The arithmetic of queues: how much waits for a client at every moment, from what the
//! model says it is sent and what its socket took. So the limits on queues can be checked
//! where they act: who is skipped, who does not read, who is cut off, and nobody else.

use chinwag::{CloseReason, Limits};

use super::check::Case;
use super::first::Stranger;
use super::framing::Item;
use super::journal::{Entry, Fact};
use super::model::{Sent, Sort};

struct Ledger<'a> {
    case: &'a Case<'a>,
    sent: &'a [Sent],
    limits: &'a Limits,
    /// Sent so far, less what the socket took: telnet's answers are among the latter only.
    balance: isize,
    /// The first thing sent that is not booked yet.
    next: usize,
    /// How many lines the service has heard from it.
    heard: usize,
    /// Its socket is full, and the hub has not heard that it takes more.
    is_blocked: bool,
    is_skipping: bool,
    /// Reads in a row while more than the limits allow waited for it and could be written.
    reads_over: u8,
    /// It has had more waiting than is allowed, or may have had.
    was_over: bool,
}

/// Goes through the journal as long as the client was open. What was sent up to `whole`
/// it is known to have received or missed; behind that, the ledger says what it missed.
pub(super) fn check(case: &Case<'_>, sent: &[Sent], whole: usize, limits: &Limits) {
    let mut ledger = Ledger {
        case,
        sent,
        limits,
        balance: 0,
        next: 0,
        heard: 0,
        is_blocked: false,
        is_skipping: false,
        reads_over: 0,
        was_over: false,
    };
    let is_opening = |entry: &Entry| entry.who == case.who && matches!(entry.fact, Fact::Opened(_));
    let opened = case.entries.iter().position(is_opening).expect("it was opened");
    // What its layer has said by itself is in the account, too.
    ledger.balance = isize::try_from(case.greeting).expect("it is short");
    for (_, fact) in case.own().take_while(|(index, _)| *index < opened) {
        ledger.follow(fact);
    }
    for index in opened..=case.silent_from {
        let entry = &case.entries[index];
        if index < case.silent_from {
            ledger.look_around(entry);
        }
        if entry.who == case.who {
            ledger.follow(&entry.fact);
        }
        match ledger.book(index, whole) {
            Verdict::GoOn => {}
            Verdict::Unknown => return,
            Verdict::TooMuch => {
                // One that has stalled is dead before its close is told.
                let is_slow = matches!(case.why, CloseReason::TooSlow | CloseReason::Stalled);
                return assert!(is_slow, "#{} had too much waiting", case.who);
            }
        }
    }
    let is_slow = case.why == CloseReason::TooSlow;
    // What a stranger is told may have been too much.
    let is_told = |item: &Item| *item == Item::Foreign(Stranger::Http);
    let was_over = ledger.was_over || case.items().iter().any(|(_, item)| is_told(item));
    assert!(!is_slow || was_over, "#{} was cut off, and was not slow", case.who);
}

enum Verdict {
    GoOn,
    /// From here on more than one thing is possible.
    Unknown,
    /// More waits than may, so that the client is cut off.
    TooMuch,
}

impl Ledger<'_> {
    /// What surely waits, and what may wait: when exactly telnet was answered is not
    /// known between two lines.
    fn bounds(&self) -> (usize, usize) {
        let answers = |most: usize| -> usize {
            let before = self.case.answers.iter().filter(|answer| answer.after <= most);
            before.map(|answer| answer.bytes.len()).sum()
        };
        let most = self.balance + isize::try_from(answers(self.heard)).expect("it is small");
        let most = usize::try_from(most).expect("a socket takes only what was sent");
        let least = match self.heard.checked_sub(1) {
            Some(before) => self.balance + isize::try_from(answers(before)).expect("it is small"),
            None => self.balance,
        };
        (usize::try_from(least).unwrap_or(0), most)
    }

    /// How much may wait for one that takes it, while others are read from.
    fn at_once(&self) -> usize {
        self.limits.log_max + self.limits.fresh_max
    }

    /// What the whole server's doings say about this client.
    fn look_around(&mut self, entry: &Entry) {
        let (least, most) = self.bounds();
        let (who, park) = (self.case.who, self.limits.queue_park);
        if self.is_blocked || least <= self.at_once() {
            self.reads_over = 0;
        }
        match &entry.fact {
            Fact::Line(line) if line.stuck.contains(&who) => {
                assert!(self.is_blocked && most > park, "#{who} is called stuck with {most}");
            }
            // Who had too much waiting may be cut off already, and has only not been told.
            Fact::Line(_) if !self.was_over => {
                assert!(!self.is_blocked || least <= park, "#{who} has {least}, and is not stuck");
            }
            // Writing goes first. But who had to wait may go on with what was read from it
            // before, and is read from once more, before that is looked at.
            Fact::Read(_)
                if most <= self.limits.queue_max && self.case.opened.contains(&entry.who) =>
            {
                let is_over = !self.is_blocked && least > self.at_once();
                self.reads_over += u8::from(is_over);
                assert!(self.reads_over <= 2, "#{who} has {least} waiting, and others are read");
            }
            Fact::Sleep(_) if !self.is_blocked => {
                assert_eq!(least, 0, "#{who} could take what waits, and the server sleeps");
            }
            _ => {}
        }
    }

    /// What happened to this client itself.
    fn follow(&mut self, fact: &Fact) {
        match fact {
            Fact::Line(line) => {
                let (_, exactly) = self.bounds();
                assert_eq!(line.queued, exactly, "#{} has this much waiting", self.case.who);
                self.heard += 1;
            }
            Fact::TooLong | Fact::Asked => self.heard += 1,
            Fact::Took(count) => {
                self.balance -= isize::try_from(*count).expect("it is small");
                // It may have been asked without an edge.
                self.is_blocked = false;
            }
            Fact::Full => self.is_blocked = true,
            Fact::MarkedWritable => self.is_blocked = false,
            _ => {}
        }
        self.was_over |= self.bounds().1 > self.limits.queue_max;
    }

    /// Books what was sent because of an entry.
    fn book(&mut self, index: usize, whole: usize) -> Verdict {
        while let Some(sent) = self.sent.get(self.next).filter(|sent| sent.entry == index) {
            let is_known = self.next < whole;
            let is_unknown = !is_known && self.case.why == CloseReason::Endless;
            if is_unknown || sent.sort == Sort::Line {
                return Verdict::Unknown;
            }
            self.next += 1;
            if sent.sort == Sort::Room {
                match self.is_missed(sent, is_known) {
                    None => return Verdict::Unknown,
                    Some(true) => {
                        self.is_skipping = true;
                        continue;
                    }
                    Some(false) => {}
                }
            }
            // The notice is the first thing that is sent after a gap.
            self.is_skipping &= !matches!(self.case.entries[index].fact, Fact::Skipped(_));
            self.balance += isize::try_from(sent.bytes.len()).expect("it is small");
            let (least, most) = self.bounds();
            if sent.sort != Sort::Room {
                self.was_over |= most > self.limits.queue_max;
                if least > self.limits.queue_max && self.is_blocked {
                    return Verdict::TooMuch;
                }
            }
        }
        Verdict::GoOn
    }

    /// Whether a line to the room is left out for this client. Once one is, all are until
    /// the client has been told.
    fn is_missed(&self, sent: &Sent, is_known: bool) -> Option<bool> {
        let (who, soft) = (self.case.who, self.limits.queue_soft);
        let (least, most) = self.bounds();
        let must = self.is_skipping || (self.is_blocked && least > soft);
        let may = self.is_skipping || (self.is_blocked && most > soft);
        if is_known {
            assert!(sent.skipped || !must, "#{who} was sent a line with {least} waiting");
            assert!(!sent.skipped || may, "#{who} was not sent a line, and {most} waits");
            return Some(sent.skipped);
        }
        Some(must).filter(|_| must == may)
    }
}
