//! The thread that reads: what was said before the node entered, then one event after the other.
//! Ids are dense, so what has been trimmed away unread is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;

use super::connection::Failure;
use super::dialer::Dialer;
use super::options::Options;
use super::script::{Answer, Caller, Found, Log, Page, Place};
use super::shared::{Message, Shared, Side};
use super::writer::failed;
use crate::cluster::{NodeId, Outcome, Report};
use crate::net::mailbox::Post;

/// How long a read waits for events. Then the log is compared with what is known of it: if Redis
/// was emptied, a read that waits behind an old id would never hear of it.
const BLOCK: Duration = Duration::from_secs(1);

pub(super) struct Reader {
    pub(super) shared: Arc<Shared>,
    pub(super) post: Post<Vec<Message>>,
    pub(super) dialer: Dialer,
    pub(super) options: Options,
    pub(super) node: NodeId,
    pub(super) log: Option<Log>,
    /// Lines of rooms after the first place, up to the second, come before anything else.
    pub(super) past: Option<(Place, Place)>,
    pub(super) place: Place,
    /// The key of the last entry that was read. It is above the place if a stranger has written it.
    pub(super) last: Place,
    /// Whether the log has been compared with what is known of it, since the connection began and
    /// since a read last found nothing new.
    pub(super) is_checked: bool,
    /// The newest id in it, as far as is known.
    pub(super) newest: u64,
}

impl Reader {
    pub(super) fn run(mut self) {
        while !self.shared.is_stopping() {
            // A read that waits for events is given that much longer.
            let waits = if self.log.is_some() && self.is_checked { BLOCK } else { Duration::ZERO };
            let started = Instant::now();
            match self.step(self.shared.deadline(Side::Reader) + waits) {
                Ok(messages) => {
                    self.shared.succeeded(Side::Reader);
                    if !messages.is_empty() && !self.post.deliver(messages) {
                        return;
                    }
                }
                Err(failure) => {
                    if !failure.is_passing() {
                        self.log = None;
                    }
                    let since = (started + waits).min(Instant::now());
                    let goes_on = failed(&self.shared, &self.post, Side::Reader, &failure, since);
                    if !goes_on || !self.shared.pause() {
                        return;
                    }
                }
            }
        }
    }

    fn step(&mut self, by: Instant) -> Result<Vec<Message>, Failure> {
        if self.log.is_none() {
            let watch = |breaker| self.shared.connected(Side::Reader, breaker);
            let log = Log::open(&mut self.dialer, &self.options.cluster, by, watch)?;
            (self.log, self.is_checked) = (Some(log), false);
        }
        let log = self.log.as_mut().expect("it is connected");
        if let Some((after, until)) = &self.past {
            let page = log.past(after, until, by)?;
            return Ok(self.take_past(page));
        }
        if !self.is_checked {
            return self.check(by);
        }
        let page = log.read(&self.last, BLOCK, by)?;
        let mut messages = Vec::with_capacity(page.found.len());
        if page.last.is_none() {
            self.is_checked = false;
            // The log had these, and a read does not find them.
            self.lose(self.newest.saturating_sub(self.place.id), &mut messages);
        }
        for found in page.found {
            self.take(found, &mut messages);
        }
        if let Some(last) = page.last {
            self.last = last;
        }
        if step_over(&page.foreign) {
            // Perhaps nothing can be appended behind it.
            self.is_checked = false;
        }
        self.note(&messages);
        Ok(messages)
    }

    fn take_past(&mut self, page: Page) -> Vec<Message> {
        let Some((after, _)) = &mut self.past else { return Vec::new() };
        let before = after.clone();
        step_over(&page.foreign);
        match page.last {
            Some(last) => *after = last,
            None => self.past = None,
        }
        let new = page.found.into_iter().filter(|it| it.place.is_behind(&before));
        let known = new.filter_map(|Found { place, event, .. }| {
            Some(Message { report: Report::Past(event?), place, epoch: 0 })
        });
        known.collect()
    }

    /// Whether the log is still what it was.
    fn check(&mut self, by: Instant) -> Result<Vec<Message>, Failure> {
        let (place, lease) = (&self.place, self.options.lease);
        let caller = Caller { node: self.node, epoch: 0, lease, place, newest: place.id };
        let log = self.log.as_mut().expect("it is connected");
        let mut messages = Vec::new();
        match log.check(&caller, by)? {
            Answer::Done(newest) => {
                let id = newest.first().copied().unwrap_or(0);
                let newest = Place { id, ..self.place.clone() };
                if self.last.is_behind(&newest) {
                    // The stranger's entry has been deleted.
                    self.last.clone_from(&self.place);
                }
                self.newest = id;
            }
            // The new era follows what is left of the old one, once a node has entered.
            Answer::Era { era, is_intact: true } => self.shared.enter_in(era),
            Answer::Era { era, .. } => self.begin(era, &mut messages),
            Answer::Fenced => return Err(Failure::Refused("a check was fenced".to_owned())),
        }
        self.is_checked = true;
        self.note(&messages);
        Ok(messages)
    }

    fn take(&mut self, found: Found, messages: &mut Vec<Message>) {
        let Found { place, event, epoch } = found;
        if !place.is_behind(&self.place) {
            return;
        }
        if place.era != self.place.era {
            self.begin(place.era, messages);
        }
        self.lose((place.id - 1).saturating_sub(self.place.id), messages);
        self.place = place;
        let Some(event) = event else {
            warn!(id = self.place.id, header = self.place.header; "event_not_understood");
            self.place.id -= 1;
            return self.lose(1, messages);
        };
        let is_own = event.node == self.node && event.outcome == Outcome::Entered;
        let epoch = if is_own { epoch } else { 0 };
        let place = self.place.clone();
        messages.push(Message { report: Report::Event(event), place, epoch });
    }

    /// The log has lost what it knew: what comes is the new era, from its beginning.
    fn begin(&mut self, era: u64, messages: &mut Vec<Message>) {
        warn!(era; "new_era");
        self.place = Place { era, ..Place::default() };
        self.last = self.place.clone();
        self.newest = 0;
        messages.push(Message { report: Report::NewEra, place: self.place.clone(), epoch: 0 });
    }

    /// Counts events that are not in the log any more.
    fn lose(&mut self, count: u64, messages: &mut Vec<Message>) {
        if count > 0 {
            warn!(count; "events_lost");
            let id = self.place.id + count;
            self.place = Place { id, era: self.place.era, header: String::new() };
            let place = self.place.clone();
            messages.push(Message { report: Report::Lost(count), place, epoch: 0 });
        }
    }

    /// Tells the writer: it has to enter again once something is lost, and in a new era.
    fn note(&self, messages: &[Message]) {
        let mut state = self.shared.lock();
        state.place.clone_from(&self.place);
        for message in messages {
            match &message.report {
                Report::Lost(count) => {
                    state.counts.lost += count;
                    state.must_enter = true;
                }
                Report::Event(_) => {
                    state.counts.events += 1;
                    // An earlier entering does not end it.
                    if message.epoch >= state.epoch && message.epoch > 0 {
                        state.is_cut_off = false;
                    }
                }
                _ => {}
            }
        }
        let must_enter = state.must_enter || state.place.era > state.era;
        drop(state);
        if must_enter {
            self.shared.notify();
        }
    }
}

/// Logs entries that a stranger has written. True if there are some.
fn step_over(foreign: &[Place]) -> bool {
    if let Some(first) = foreign.first() {
        warn!(key:% = first.key(), count = foreign.len(); "foreign_entry");
    }
    !foreign.is_empty()
}
