//! The thread that reads: what was said before the node entered, then one event after the other.
//! Ids are dense, so what has been trimmed away unread is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use log::warn;

use super::connection::{Dialer, Failure};
use super::options::Options;
use super::script::{Answer, Caller, Found, Log, Place};
use super::shared::{Message, Shared, Side};
use super::writer::failed;
use crate::cluster::{NodeId, Outcome, Report};
use crate::net::mailbox::Post;

/// How long a read waits for events. Then the log is compared with what is known of it: Redis says
/// nothing to whoever waits for an id that was there before it was emptied.
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
    /// Whether the log has been compared with what is known of it, since it was connected to and
    /// last had nothing new.
    pub(super) is_checked: bool,
    /// The newest id in it, as far as is known.
    pub(super) newest: u64,
}

impl Reader {
    pub(super) fn run(mut self) {
        while !self.shared.is_stopping() {
            // What waits for events is given the time for it.
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
            let log = Log::open(&self.dialer, &self.options.cluster, by)?;
            self.shared.connected(Side::Reader, log.breaker()?);
            (self.log, self.is_checked) = (Some(log), false);
        }
        let log = self.log.as_mut().expect("it is connected");
        if let Some((after, until)) = &self.past {
            let found = log.past(after, until, by)?;
            return Ok(self.take_past(found));
        }
        if !self.is_checked {
            return self.check(by);
        }
        let found = log.read(&self.place, BLOCK, by)?;
        let mut messages = Vec::with_capacity(found.len());
        if found.is_empty() {
            self.is_checked = false;
            // They were there, and there is nothing to read.
            self.lose(self.newest.saturating_sub(self.place.id), &mut messages);
        }
        for found in found {
            self.take(found, &mut messages);
        }
        self.note(&messages);
        Ok(messages)
    }

    fn take_past(&mut self, found: Vec<Found>) -> Vec<Message> {
        let Some((after, _)) = &mut self.past else { return Vec::new() };
        match found.last() {
            Some(last) => after.clone_from(&last.place),
            None => self.past = None,
        }
        let known = found.into_iter().filter_map(|Found { place, event, .. }| {
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
            Answer::Done(newest) => self.newest = newest.first().copied().unwrap_or(0),
            Answer::Era(era) => self.begin(era, &mut messages),
            Answer::Fenced => return Err(Failure::Refused("a check was fenced".to_owned())),
        }
        self.is_checked = true;
        self.note(&messages);
        Ok(messages)
    }

    fn take(&mut self, found: Found, messages: &mut Vec<Message>) {
        let Found { place, event, epoch } = found;
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
        self.newest = 0;
        messages.push(Message { report: Report::NewEra, place: self.place.clone(), epoch: 0 });
    }

    /// So many events are not in the log any more.
    fn lose(&mut self, count: u64, messages: &mut Vec<Message>) {
        if count > 0 {
            warn!(count; "events_lost");
            let id = self.place.id + count;
            self.place = Place { id, era: self.place.era, header: String::new() };
            let place = self.place.clone();
            messages.push(Message { report: Report::Lost(count), place, epoch: 0 });
        }
    }

    /// What follows for the writer: it has to enter once something is lost, and in a new era.
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
                    // An earlier entering is not what ends it.
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
