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
    is_shutting_down: bool,
    /// The others were told that this node is gone.
    has_left: bool,
}

impl<L: Carrier> Link<L> {
    pub(super) fn new(carrier: L) -> Link<L> {
        Link { carrier, stopped: None, is_shutting_down: false, has_left: false }
    }

    /// Appends what the chat has for the log.
    pub(super) fn append(&mut self, chat: &mut Chat, out: &Outbox) {
        if self.stopped.is_none() && !self.has_left {
            while let Some(entry) = chat.next_entry(out.now()) {
                self.carrier.append(entry);
            }
        }
    }

    /// Passes on what the log reports. Returns whether there may be more.
    pub(super) fn report(&mut self, chat: &mut Chat, out: &mut Outbox) -> bool {
        for _ in 0..REPORTS {
            if self.stopped.is_some() || self.has_left {
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

    /// The shutdown has begun.
    pub(super) fn shut_down(&mut self) {
        self.is_shutting_down = true;
    }

    /// Leaves once the shutdown has begun, without waiting for the slowest client to close: the
    /// others connect to another node at once, and want their names there. A node that is cut off
    /// waits, as nobody could be told.
    pub(super) fn leave_at_shutdown(&mut self, chat: &Chat) {
        if self.is_shutting_down && chat.is_in_cluster() {
            self.leave();
        }
    }

    fn leave(&mut self) {
        if self.stopped.is_none() && !self.has_left {
            self.has_left = true;
            self.carrier.leave(LEAVING);
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
        self.leave();
    }
}
