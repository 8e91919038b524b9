//! Which faults, actions and outcomes a run has seen: a simulation that has become tame
//! finds nothing, and would look like success.

use std::collections::BTreeMap;

/// Everything that is to happen somewhere among the seeds of a plain test run.
const KINDS: [&str; 65] = [
    // What goes wrong with streams and events.
    "short read",
    "short write",
    "read interrupted",
    "write interrupted",
    "write took nothing",
    "socket full",
    "read reset",
    "read reset after the last data",
    "write reset",
    "reset inside a turn",
    "spurious readable",
    "spurious writable",
    "stale readable",
    "stale writable",
    "slot used again",
    "edge comes late",
    "turn for nothing",
    "clock jumps",
    "wall clock goes back",
    // What clients do.
    "connect",
    "send a line",
    "send in pieces",
    "pipeline many lines",
    "all talk at once",
    "half-close",
    "half-close inside a line",
    "reset",
    "reset of many",
    "last words before a reset",
    "never leaves",
    "comes as another goes",
    "stop reading",
    "read again",
    "sip",
    // What is asked of the hub.
    "refused",
    "refused at once",
    "shutdown",
    "wake",
    "alarm",
    "hold",
    "release",
    "service uses an old id",
    // What comes of it.
    "ends lines with LF",
    "ends lines with CR LF",
    "ends lines with NUL",
    "line too long",
    "skipped",
    "closed before it was told of what was skipped",
    "not reading",
    "private line",
    "line to nobody",
    "taken name",
    "telnet answer",
    "no echo",
    "last line without ending",
    "web browser",
    "TLS",
    "closed: asked",
    "closed: end of input",
    "closed: endless",
    "closed: too slow",
    "closed: broken",
    "closed: shutdown",
    "cut off while closing",
    "cut off before a line of the room",
];

/// How often each kind has happened.
#[derive(Clone)]
pub(super) struct Coverage(BTreeMap<&'static str, u64>);

impl Default for Coverage {
    fn default() -> Coverage {
        Coverage(KINDS.into_iter().map(|kind| (kind, 0)).collect())
    }
}

impl Coverage {
    pub(super) fn hit(&mut self, kind: &'static str) {
        *self.0.get_mut(kind).unwrap_or_else(|| panic!("'{kind}' is not listed")) += 1;
    }

    pub(super) fn add(&mut self, other: &Coverage) {
        for (kind, count) in &other.0 {
            *self.0.get_mut(kind).expect("all list the same kinds") += count;
        }
    }

    /// What has never happened.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        self.0.iter().filter(|(_, count)| **count == 0).map(|(kind, _)| *kind).collect()
    }
}
