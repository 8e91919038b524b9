//! When a node reads the cluster's bans and accounts again: when it or another has entered, since
//! either may have missed a change; when another is gone, since it may have made one; and when one is
//! told of.

use std::mem;

use super::Refresh;
use crate::chat::ban::Ban;
use crate::chat::operation::Effect;
use crate::chat::request::Request;
use crate::chat::state::Chat;

impl Refresh {
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
    }
}

impl Chat {
    /// The persisted state has changed. Of two changes of one ban each node takes what was persisted
    /// last, whichever it is told of last.
    pub(in crate::chat) fn want_refresh(&mut self) {
        if let Some(node) = &mut self.node {
            node.refresh.want();
        }
    }

    /// Redis has lost what it had, bans and accounts among it.
    pub(super) fn note_loss(&mut self) {
        if let Some(node) = &mut self.node {
            node.refresh.is_lost = true;
        }
    }

    /// The next request to read them again. None while the log is out of reach: this node enters
    /// again after that, and reads them then.
    pub(in crate::chat) fn next_refresh(&mut self) -> Option<Request> {
        if self.is_cut_off() {
            return None;
        }
        let refresh = &mut self.node.as_mut()?.refresh;
        let is_wanted = mem::take(&mut refresh.is_wanted);
        let is_lost = refresh.is_lost;
        let bans = || self.bans.all().cloned().collect::<Vec<Ban>>();
        is_wanted.then(|| Request::Refresh { put_back: is_lost.then(bans) })
    }

    /// They were read again. What this node has put back is new to the others.
    pub(in crate::chat) fn refreshed(&mut self) {
        if self.node.as_mut().is_some_and(|node| mem::take(&mut node.refresh.is_lost)) {
            self.tell_all(None, Effect::Reload);
        }
    }
}
