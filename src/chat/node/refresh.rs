//! When a node reads the cluster's bans and accounts again: when it or another has entered, since
//! either may have missed a change, and when another tells of one.

use super::Refresh;
use crate::chat::ban::Ban;
use crate::chat::request::Request;
use crate::chat::state::Chat;

impl Refresh {
    pub(super) fn want(&mut self) {
        self.is_wanted = true;
    }
}

impl Chat {
    /// Another node has changed the persisted state.
    pub(in crate::chat) fn want_refresh(&mut self) {
        if let Some(node) = &mut self.node {
            node.refresh.want();
        }
    }

    /// Another node has made a change that is in force here, too.
    pub(in crate::chat) fn note_change(&mut self) {
        if let Some(node) = &mut self.node {
            node.refresh.is_wanted |= node.refresh.is_reading;
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
        let is_wanted = std::mem::take(&mut refresh.is_wanted);
        let is_lost = refresh.is_lost;
        let bans = || self.bans.all().cloned().collect::<Vec<Ban>>();
        is_wanted.then(|| Request::Refresh { put_back: is_lost.then(bans) })
    }

    /// Notes what the worker does from now on.
    pub(in crate::chat) fn note_request(&mut self, request: Option<&Request>) {
        if let Some(node) = &mut self.node {
            let is_reading = matches!(request, Some(Request::Reload | Request::Refresh { .. }));
            node.refresh.is_reading = is_reading;
        }
    }

    pub(in crate::chat) fn refreshed(&mut self) {
        if let Some(node) = &mut self.node {
            node.refresh.is_lost = false;
        }
    }
}
