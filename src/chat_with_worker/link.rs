//! The way of a chat's entries to the log, and of reports back.

use std::thread;
use std::time::Duration;

use crate::chat::Chat;
use crate::cluster::Carrier;
use crate::net::metrics::Exposition;
use crate::net::outbox::Outbox;
use crate::pack::Packer;

/// Reports in a turn. Further ones come in the next, and others are served in between.
const REPORTS: usize = 1000;

/// How many milliseconds a node may take to enter at the start, before anybody is accepted.
const ENTERING: u64 = 10_000;

/// How long it may take at the end to tell the others.
const LEAVING: Duration = Duration::from_secs(1);

/// The carrier and, during an upgrade, what its successor goes on from.
pub(super) struct Link<L: Carrier> {
    carrier: L,
    stopped: Option<Vec<u8>>,
}

impl<L: Carrier> Link<L> {
    pub(super) fn new(carrier: L) -> Link<L> {
        Link { carrier, stopped: None }
    }

    /// Appends what the chat has for the log.
    pub(super) fn append(&mut self, chat: &mut Chat, out: &Outbox) {
        if self.stopped.is_none() {
            while let Some(entry) = chat.next_entry(out.now()) {
                self.carrier.append(entry);
            }
        }
    }

    /// Passes on what the log reports. Returns whether there may be more.
    pub(super) fn report(&mut self, chat: &mut Chat, out: &mut Outbox) -> bool {
        for _ in 0..REPORTS {
            if self.stopped.is_some() {
                return false;
            }
            let Some(report) = self.carrier.take() else { return false };
            chat.report(report, out);
            self.append(chat, out);
        }
        true
    }

    /// Waits until the node takes part, before anybody is accepted: there are no numbers for guests
    /// before, and what is said elsewhere would not be heard here.
    pub(super) fn enter(&mut self, chat: &mut Chat, out: &mut Outbox) {
        for _ in 0..ENTERING {
            if chat.is_in_cluster() {
                return;
            }
            self.report(chat, out);
            self.append(chat, out);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Stops for an upgrade.
    pub(super) fn stop(&mut self) {
        if self.stopped.is_none() {
            self.stopped = Some(self.carrier.stop());
        }
    }

    /// There was no upgrade.
    pub(super) fn go_on(&mut self) {
        if self.stopped.take().is_some() {
            self.carrier.go_on();
        }
    }

    pub(super) fn pack(&self, to: &mut Packer) {
        to.put(&self.stopped);
    }

    pub(super) fn write_metrics(&self, metrics: &mut Exposition) {
        self.carrier.write_metrics(metrics);
    }
}

/// The others are told that this node is gone, unless another program goes on as it.
impl<L: Carrier> Drop for Link<L> {
    fn drop(&mut self) {
        if self.stopped.is_none() {
            self.carrier.leave(LEAVING);
        }
    }
}
