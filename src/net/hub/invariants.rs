//! What holds at the end of every turn, as assertions of debug builds.

use super::Hub;
use crate::net::conn::State;

impl<T, S> Hub<T, S> {
    /// Panics where something does not hold. Release builds do not look.
    pub(super) fn assert_sound(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        self.outbox.assert_sound();
        // Everybody is one of these.
        let counts = &self.counts;
        let answered = counts.probes - counts.probes_asking;
        let closing = counts.draining + counts.refused;
        let counted = counts.open + self.prefaces.len() + closing + answered;
        assert_eq!(self.conns.len(), counted, "connections, and those that are counted");
        assert!(counts.unreachable <= counts.open, "more connections are unreachable than open");
        let held = self.inputs.values().map(|input| input.held());
        assert_eq!(self.input_held, held.sum::<usize>(), "bytes that were read and wait");
        let listed = self.conns.iter().filter(|(_, conn)| conn.listed).count();
        let is_here = |state| !matches!(state, State::Vacant | State::Dead);
        let ready = self.ready.iter().filter(|id| is_here(self.outbox.state(**id))).count();
        assert_eq!(listed, ready, "those that are marked as listed, and the list");
    }
}
