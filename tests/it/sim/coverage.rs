//! Which faults, actions and outcomes a run has seen: a simulation that has become tame
//! finds nothing, and would look like success.

use std::collections::BTreeMap;

use chinwag::testing::Call;

use super::errors::{CALLS, ERRORS};

/// Everything that is to happen somewhere among the seeds of a plain test run.
const KINDS: [&str; 5] = [
    // What goes wrong with streams and events.
    "short read; short write; broken while it waits; write took nothing; socket full; \
    read reset; read reset after the last data; write reset; reset inside a turn; \
    spurious readable; spurious writable; stale readable; stale writable; slot used again; \
    edge comes late; turn for nothing; clock jumps; wall clock goes back",
    // What clients do.
    "connect; send a line; send in pieces; pipeline many lines; all talk at once; half-close; \
    half-close inside a line; reset; reset of many; last words before a reset; never leaves; \
    comes as another goes; handed over; stop reading; read again; sip",
    // What is asked of the hub.
    "made room; too many are closing; refused: full; refused: address; \
    refused: address behind a proxy; refused: comes too often; refused politely; \
    refused at once; refused: dropped; loopback is exempt; proxy: for another; \
    proxy: for itself; proxy: header in pieces; proxy: nonsense; proxy: gone without a header; \
    proxy: no header in time; handshake: done; handshake: in pieces; \
    handshake: behind a header; handshake: nonsense; handshake: gone before its end; \
    handshake: not in time; end that nobody vouches for; rate: told to slow down; \
    rate: a delayed line passes; rate: a delayed line of one who has gone; \
    rate: paid for much at once; rate: too long, and too fast; rate: a blank line; \
    takes a little now and then; takes something when asked at last; idle: asked; shutdown; \
    wake; timer of the service; pause reading; resume reading; service uses an old id",
    // What comes of it.
    "ends lines with Lf; ends lines with CrLf; ends lines with Nul; line too long; \
    asks whether anybody is there; says that it has said all; skipped; \
    closed before it was told of what was skipped; not reading; private line; line to nobody; \
    taken name; telnet answer; last line without ending; web browser; closed: Refused; \
    closed: Asked; closed: EndOfInput; closed: Endless; closed: TooSlow; closed: Stalled; \
    closed: Broken; closed: Idle; closed: Shutdown; cut off while closing; \
    cut off before a line of the room",
    // What the model sees.
    "said outside of the lobby; an ignored line; an ignored private line; \
    an ignored line of the history; history; no such room; ignores no longer; greeted; \
    greeted with what was said; goes elsewhere; goes back to the lobby; \
    left before it said anything; the silent are counted; notices are batched; \
    notices told together; a kind of notices in two lines; \
    an ignored one comes, goes or is renamed; a notice by itself; names are not kept; \
    a name is kept for who was cut off; a detached session ends; detached; token unknown; \
    back after being detached; replaced; back, and no longer who it was; back with a number; \
    lines are gone",
];

/// How often each kind has happened.
#[derive(Clone)]
pub(super) struct Coverage {
    kinds: BTreeMap<&'static str, u64>,
    /// By the call and the error.
    errors: [[u64; ERRORS.len()]; CALLS.len()],
}

impl Default for Coverage {
    fn default() -> Coverage {
        let kinds =
            KINDS.iter().flat_map(|group| group.split("; ")).map(|kind| (kind, 0)).collect();
        Coverage { kinds, errors: [[0; ERRORS.len()]; CALLS.len()] }
    }
}

impl Coverage {
    pub(super) fn hit(&mut self, kind: &str) {
        *self.kinds.get_mut(kind).unwrap_or_else(|| panic!("'{kind}' is not listed")) += 1;
    }

    pub(super) fn failed(&mut self, call: Call, error: usize) {
        self.errors[call as usize][error] += 1;
    }

    pub(super) fn add(&mut self, other: &Coverage) {
        for (kind, count) in &other.kinds {
            *self.kinds.get_mut(kind).expect("all list the same kinds") += count;
        }
        for (sum, count) in self.errors.iter_mut().flatten().zip(other.errors.iter().flatten()) {
            *sum += count;
        }
    }

    /// What is rarest, and how often that was.
    pub(super) fn rarest(&self) -> Vec<(u64, &'static str)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| (*count, *kind)).collect();
        kinds.sort_unstable();
        kinds.truncate(8);
        kinds
    }

    /// What has never happened.
    pub(super) fn missing(&self) -> Vec<String> {
        let never = self.kinds.iter().filter(|(_, count)| **count == 0);
        let mut missing: Vec<String> = never.map(|(kind, _)| (*kind).to_owned()).collect();
        for (call, errors) in CALLS.iter().zip(&self.errors) {
            let never = errors.iter().zip(ERRORS).filter(|(count, _)| **count == 0);
            missing.extend(never.map(|(_, error)| format!("{call:?}: error {error}")));
        }
        missing
    }
}
