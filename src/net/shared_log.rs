//! Lines that many connections wait for, each written down once.
//!
//! A shared log is bytes under wrapping offsets. Lines for the same people in the same format
//! go into the same log, so that what waits for a connection is one contiguous span, and one
//! `write`, however many lines it is. Knows nothing of the connections that wait.

/// How many logs there are. With a few more than there are busy rooms and formats
/// collisions are rare; each costs a copy and is otherwise harmless.
const LOGS: usize = 64;

/// An emptied log keeps this much memory, in bytes, and gives back what is over.
const KEEP: usize = 4096;

/// What a buffer of so many bytes has to reserve to take so many more. An allocator keeps some
/// freed pieces of each size that it has seen, and each keeps its page from being given back.
/// So buffers have few sizes.
pub(crate) fn more_for(len: usize, added: usize) -> usize {
    (len + added).next_power_of_two().max(256) - len
}

/// Which log a line goes to. Lines for the same people in the same format get the same
/// log; a bad choice costs copies, never order or correctness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(u8);

impl LogId {
    pub(crate) const FIRST: LogId = LogId(0);
    /// How many there are.
    pub const COUNT: usize = LOGS;

    /// The log of everything that has this key; neighbouring keys get different ones.
    #[must_use]
    pub fn of(key: usize) -> LogId {
        #[expect(clippy::cast_possible_truncation)] // There are only 64.
        LogId((key % LOGS) as u8)
    }
}

/// A piece of a log: `[start, end)`, in wrapping offsets. Empty if they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) const EMPTY: Span = Span { start: 0, end: 0 };

    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn len(self) -> usize {
        self.end.wrapping_sub(self.start) as usize
    }
}

#[derive(Default)]
struct Log {
    bytes: Vec<u8>,
    /// The offset of the first byte that is kept.
    base: u32,
    /// Where the log ended when the present flush round began.
    mark: u32,
}

impl Log {
    fn end(&self) -> u32 {
        // A log is far shorter than 4 GiB (`log_max`), so wrapping offsets stay distinct.
        #[expect(clippy::cast_possible_truncation)]
        self.base.wrapping_add(self.bytes.len() as u32)
    }

    fn trim(&mut self, to: u32) {
        let gone = to.wrapping_sub(self.base) as usize;
        self.bytes.drain(..gone);
        self.base = to;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(KEEP);
        }
    }
}

/// All the logs.
pub(crate) struct SharedLogs {
    logs: [Log; LOGS],
    /// A bit for each log that holds anything, so that 64 logs cost no more than one.
    used: u64,
    held: usize,
}

impl SharedLogs {
    pub(crate) fn new() -> SharedLogs {
        SharedLogs { logs: std::array::from_fn(|_| Log::default()), used: 0, held: 0 }
    }

    /// How many bytes are kept, in all logs together.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Writes a line down, once for everybody.
    pub(crate) fn append(&mut self, log_id: LogId, line: &[u8]) -> Span {
        let log = &mut self.logs[usize::from(log_id.0)];
        let start = log.end();
        let len = log.bytes.len();
        log.bytes.reserve_exact(more_for(len, line.len()));
        log.bytes.extend_from_slice(line);
        self.used |= 1 << log_id.0;
        self.held += line.len();
        Span { start, end: log.end() }
    }

    /// The bytes of a span that has not been trimmed away.
    pub(crate) fn bytes(&self, log_id: LogId, span: Span) -> &[u8] {
        if span.is_empty() {
            return b"";
        }
        let log = &self.logs[usize::from(log_id.0)];
        let start = span.start.wrapping_sub(log.base) as usize;
        &log.bytes[start..start + span.len()]
    }

    /// A flush round is over: every connection that was in the flush queue when it began has
    /// been flushed, or has copied what it needs. So nothing from before that beginning is needed.
    pub(crate) fn end_round(&mut self) {
        self.each_used(|log| {
            let mark = log.mark;
            log.trim(mark);
            log.mark = log.end();
        });
    }

    /// The flush queue is empty: nothing is needed.
    pub(crate) fn clear(&mut self) {
        self.each_used(|log| {
            let end = log.end();
            log.trim(end);
            log.mark = end;
        });
    }

    /// Frees the capacity that emptied logs keep.
    pub(crate) fn drop_spare(&mut self) {
        for log in self.logs.iter_mut().filter(|log| log.bytes.is_empty()) {
            log.bytes = Vec::new();
        }
    }

    fn each_used(&mut self, act: impl Fn(&mut Log)) {
        let mut left = self.used;
        while left != 0 {
            let log_id = left.trailing_zeros() as usize;
            left &= left - 1;
            let log = &mut self.logs[log_id];
            let before = log.bytes.len();
            act(log);
            self.held -= before - log.bytes.len();
            if log.bytes.is_empty() {
                self.used &= !(1 << log_id);
            }
        }
    }

    /// Starts every log close to where its offsets wrap.
    #[cfg(test)]
    pub(crate) fn near_the_wrap() -> SharedLogs {
        let mut logs = SharedLogs::new();
        for log in &mut logs.logs {
            log.base = u32::MAX - 5;
            log.mark = log.base;
        }
        logs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_across_the_wrap_of_its_offsets() {
        let mut logs = SharedLogs::near_the_wrap();
        let log_id = LogId::of(7);
        let first = logs.append(log_id, b"abc");
        let second = logs.append(log_id, b"defghi");
        assert!(second.end < second.start, "the test is to cross the wrap");
        assert_eq!(logs.bytes(log_id, second), b"defghi");
        assert_eq!(logs.bytes(log_id, Span { start: first.start, end: second.end }), b"abcdefghi");
    }

    #[test]
    fn an_empty_span_is_nothing_wherever_the_log_has_got_to() {
        let mut logs = SharedLogs::near_the_wrap();
        assert_eq!(logs.bytes(LogId::FIRST, Span::EMPTY), b"");
        logs.append(LogId::FIRST, b"something");
        assert_eq!(logs.bytes(LogId::FIRST, Span::EMPTY), b"");
    }

    #[test]
    fn the_end_of_a_round_keeps_what_was_written_during_it() {
        let mut logs = SharedLogs::new();
        let log_id = LogId::of(0);
        logs.append(log_id, b"before");
        logs.end_round();
        let during = logs.append(log_id, b"during");
        logs.end_round();
        assert_eq!((logs.bytes(log_id, during), logs.held()), (&b"during"[..], 6));
        logs.end_round();
        assert_eq!(logs.held(), 0);
    }

    #[test]
    fn an_unused_log_marked_late_is_trimmed_like_the_others() {
        let mut logs = SharedLogs::new();
        logs.append(LogId::of(1), b"one");
        logs.clear();
        let span = logs.append(LogId::of(1), b"two");
        logs.end_round();
        assert_eq!(logs.bytes(LogId::of(1), span), b"two");
    }

    #[test]
    fn emptied_logs_give_their_memory_back() {
        let mut logs = SharedLogs::new();
        logs.append(LogId::of(3), &vec![b'x'; 100_000]);
        logs.clear();
        assert_eq!(logs.held(), 0);
        assert!((1..=KEEP).contains(&logs.logs[3].bytes.capacity()));
        let span = logs.append(LogId::of(4), b"stays");
        logs.drop_spare();
        assert_eq!(logs.logs[3].bytes.capacity(), 0);
        assert_eq!(logs.logs[4].bytes.capacity(), 256);
        logs.append(LogId::of(4), &[b'x'; 300]);
        assert_eq!(logs.logs[4].bytes.capacity(), 512);
        assert_eq!(logs.bytes(LogId::of(4), span), b"stays");
    }
}
