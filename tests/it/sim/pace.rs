//! The oracle of pace: how fast a client may speak, and how long it may be silent.
//!
//! Those who wait may go on at the same moments, for which none waits longer than [`GRID`] once
//! there are tokens enough. Which moments these are is the server's affair.

use std::mem;
use std::time::Duration;

use chinwag::{CloseReason, Limits};

use super::buckets::Bucket;
use super::check::Case;
use super::framing::{AT_THE_END, Item};
use super::journal::{Fact, Journal, Rest};
use super::limits::share_a_rate;

/// So much longer than it has to somebody may wait who waits.
const GRID: Duration = Duration::from_millis(50);

#[expect(clippy::struct_excessive_bools, reason = "each says something else of it")]
struct Pace<'a> {
    case: &'a Case<'a>,
    limits: &'a Limits,
    journal: &'a Journal,
    bucket: Option<Bucket>,
    /// It was told to slow down since the bucket was full.
    was_told: bool,
    /// What its bytes amount to, each with the number of bytes that it took.
    items: &'a [(usize, Item)],
    delivered: usize,
    is_paused: bool,
    /// When it last sent something; and when it may last have waited since.
    heard: Duration,
    waited: Duration,
    is_waiting: bool,
    /// What it said next was there before there were tokens enough.
    is_deferred: bool,
    /// It has too few tokens, and is perhaps not listened to for another reason.
    may_wait: bool,
    /// It is not listened to, or was not since the server last had nothing to do.
    is_unheard: bool,
    asked: Option<Duration>,
    /// Since when it cannot be written to.
    gone: Option<Duration>,
    /// It has just paid for much, unless it was not listened to by then. It has not spoken since.
    has_paid: bool,
    /// Whether that was so is not known.
    is_vague: bool,
}

/// Goes through what happened to a client while it was open.
pub(super) fn check(case: &Case<'_>, limits: &Limits, journal: &Journal) {
    let opened = case.own().find(|(_, fact)| matches!(fact, Fact::Opened(_)));
    let (opened, _) = opened.expect("it was opened");
    let at = case.entries[opened].at;
    let bucket = limits.rate.map(|rate| Bucket::full(rate, at, GRID));
    let read_before = case.own().take_while(|(index, _)| *index < opened).map(|(_, fact)| fact);
    let delivered = read_before.map(read_count).sum();
    let mut pace = Pace {
        case,
        limits,
        journal,
        bucket,
        was_told: false,
        items: case.items(),
        delivered,
        is_paused: false,
        heard: at,
        waited: at,
        is_waiting: false,
        is_deferred: false,
        may_wait: false,
        is_unheard: false,
        asked: None,
        gone: None,
        has_paid: false,
        is_vague: false,
    };
    for entry in &case.entries[opened..=case.closed] {
        if entry.at > pace.waited && (pace.may_wait || pace.is_unheard) {
            pace.waited = entry.at;
        }
        if let Fact::Sleep(rest) = &entry.fact {
            pace.check_sleep(rest, entry.at);
        } else if entry.who == case.who {
            pace.follow(&entry.fact, entry.at);
        }
        if pace.is_vague {
            return;
        }
    }
}

fn read_count(fact: &Fact) -> usize {
    if let Fact::Read(count) = fact { *count } else { 0 }
}

impl Pace<'_> {
    fn pass(&mut self, at: Duration) {
        if let Some(bucket) = &mut self.bucket {
            bucket.pass(at);
            self.was_told &= !bucket.is_full();
        }
        self.pay_for_bulk();
    }

    fn follow(&mut self, fact: &Fact, at: Duration) {
        self.pass(at);
        match fact {
            Fact::Read(count) => {
                self.delivered += count;
                self.heard = at;
                self.asked = None;
            }
            Fact::EndRead => self.delivered = AT_THE_END,
            Fact::Line(_) | Fact::TooLong | Fact::Asked => self.speak(),
            Fact::Acted(acted) => {
                self.is_unheard |= acted.queued > self.limits.queue_park;
            }
            // As much may have waited for it that it was not read from.
            Fact::Took(count) => self.is_unheard |= *count > self.limits.queue_park,
            Fact::Full => self.is_unheard = true,
            Fact::Paused => (self.is_paused, self.is_unheard) = (true, true),
            Fact::Resumed => self.is_paused = false,
            Fact::Throttled => self.wait(),
            Fact::Idle => self.be_asked(at),
            Fact::Failed => drop(self.gone.get_or_insert(at)),
            Fact::Closed(CloseReason::Idle) => {
                let (asked, time) = (self.asked, self.limits.idle_time);
                let due = asked.zip(time).map(|(asked, time)| asked + time);
                let is_due = due.is_some_and(|due| due <= at);
                assert!(is_due, "#{} was given no time to answer", self.case.who);
                assert!(!self.is_owed(), "#{} is closed, and has said something", self.case.who);
            }
            _ => {}
        }
        self.pay_for_bulk();
    }

    /// The next thing that it said, apart from what costs nothing and is nothing.
    fn next(&mut self) -> Option<(usize, usize)> {
        while let Some(((_, Item::Ending(_) | Item::Answer(_)), rest)) = self.items.split_first() {
            self.items = rest;
        }
        let (end, item) = self.items.first()?;
        let price = match item {
            Item::Line(_) | Item::TooLong | Item::Asked | Item::Bulk => 1,
            Item::End => 0,
            _ => return None,
        };
        (*end <= self.delivered).then_some((*end, price))
    }

    /// What is much is paid for as soon as it is there, and there are tokens. If it has to wait for
    /// them it is not known when it is.
    fn pay_for_bulk(&mut self) {
        while self.next().is_some()
            && let Some(((_, Item::Bulk), rest)) = self.items.split_first()
        {
            if let Some(bucket) = &mut self.bucket {
                if self.is_deferred || !bucket.has(1) {
                    self.is_vague = true;
                    return;
                }
                self.journal.hit("rate: paid for much at once");
                bucket.take(1);
            }
            (self.is_waiting, self.may_wait, self.has_paid) = (false, false, true);
            self.items = rest;
        }
        let next = self.next();
        let lacks = |(_, price)| self.bucket.as_ref().is_some_and(|it| !it.has(price));
        self.is_deferred |= next.is_some_and(lacks);
    }

    /// Whether something that it has said is still to be heard.
    fn is_owed(&mut self) -> bool {
        !share_a_rate(self.limits) && self.next().is_some()
    }

    fn speak(&mut self) {
        let who = self.case.who;
        let next = self.next();
        let (end, price) = next.unwrap_or_else(|| panic!("#{who} has not said that yet"));
        self.items = &self.items[1..];
        (self.is_waiting, self.may_wait, self.has_paid) = (false, false, false);
        self.is_deferred = false;
        // The last words of one who says no more are not delayed.
        let Some(bucket) = self.bucket.as_mut().filter(|_| end < AT_THE_END) else { return };
        assert!(bucket.has(price), "#{who} is faster than it may");
        if self.was_told {
            self.journal.hit("rate: a delayed line passes");
        }
        if self.was_told && self.gone.is_some() {
            self.journal.hit("rate: a delayed line of one who has gone");
        }
        bucket.take(price);
    }

    fn wait(&mut self) {
        let who = self.case.who;
        if share_a_rate(self.limits) {
            // It may be for what others have said, and for bytes that are no line.
            (self.is_waiting, self.may_wait) = (true, true);
            return;
        }
        let next = self.next();
        let (Some(bucket), Some((_, price))) = (&self.bucket, next) else {
            panic!("#{who} is told to slow down, and says nothing");
        };
        assert!(!bucket.has(price), "#{who} is told to slow down, and may speak");
        assert!(!self.was_told, "#{who} is told to slow down once more");
        self.was_told = true;
        (self.is_waiting, self.may_wait) = (true, true);
        self.journal.hit("rate: told to slow down");
        match self.items[0].1 {
            Item::TooLong => self.journal.hit("rate: too long, and too fast"),
            Item::Line(ref line) if line.is_empty() => self.journal.hit("rate: a blank line"),
            _ => {}
        }
    }

    fn be_asked(&mut self, at: Duration) {
        let who = self.case.who;
        let time = self.limits.idle_time.expect("somebody may be silent for good");
        assert!(at >= self.heard + time, "#{who} is asked whether it is there too early");
        let is_again = self.asked.is_some_and(|asked| self.waited < asked);
        assert!(!is_again, "#{who} is asked once more");
        let may_wait = self.is_waiting && !share_a_rate(self.limits);
        assert!(!may_wait, "#{who} is asked, and had something to say");
        assert!(!self.is_owed(), "#{who} is asked, and has said something");
        self.asked = Some(at);
        self.journal.hit("idle: asked");
    }

    /// The server has nothing to do: whoever has something to say has to wait with it, and
    /// knows that, and whose time is up has been asked or closed.
    fn check_sleep(&mut self, rest: &Rest, at: Duration) {
        let who = self.case.who;
        let is_stuck = rest.stuck.contains(&who);
        let is_let = !self.is_paused && !is_stuck;
        self.pass(at);
        self.is_vague |= mem::take(&mut self.has_paid) && !is_let;
        if self.is_vague {
            return;
        }
        let next = self.next();
        let has_to_wait = match (next, &self.bucket) {
            // `shares.rs` knows what others have said.
            (_, Some(_)) if share_a_rate(self.limits) => true,
            (Some((_, price)), Some(bucket)) => {
                !bucket.has(price) || (self.is_deferred && !bucket.has_had(price))
            }
            _ => false,
        };
        if let Some(gone) = self.gone {
            let may_have_more = next.is_some() || self.is_paused || share_a_rate(self.limits);
            assert!(may_have_more, "#{who} is gone and has said all");
            let is_late = at >= gone + self.limits.last_words_time;
            assert!(!is_late, "#{who} is gone, and still has its say");
        }
        self.may_wait |= has_to_wait;
        self.is_unheard = !is_let;
        if is_let && has_to_wait {
            let may_know = self.was_told || share_a_rate(self.limits);
            assert!(may_know, "#{who} has to wait, and was not told why");
            self.is_waiting = true;
        } else if is_let {
            assert_eq!(next, None, "#{who} may speak, and is not listened to");
            assert!(!rest.unread.contains(&who), "#{who} is forgotten");
        }
        if let Some(time) = self.limits.idle_time.filter(|_| !self.may_wait && is_let) {
            // While it waits the server may look at any time, and goes by that.
            let since = self.asked.unwrap_or_default().max(self.heard).max(self.waited);
            assert!(at < since + time, "#{who} has been silent for too long");
        }
    }
}
