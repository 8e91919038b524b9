//! The time of the turn, as the chat needs it.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// The time of the turn, in milliseconds since the epoch.
pub(super) fn millis(out: &Outbox) -> i64 {
    let since = out.now().wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time of the turn, by the calendar.
pub(super) fn timestamp(now: Now) -> Timestamp {
    // The calendar ends with the year 9999.
    Timestamp::try_from(now.wall).unwrap_or(Timestamp::MAX)
}

/// The end of a period that begins now. Part of a second counts as a whole one.
pub(super) fn end(now: Timestamp, time: Duration) -> Option<Timestamp> {
    let begun = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
    Timestamp::from_second(begun.checked_add(i64::try_from(time.as_secs()).ok()?)?).ok()
}

/// On the wall clock, unlike other times.
impl Pack for Timestamp {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.as_second()).put(&self.subsec_nanosecond());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Timestamp, Damaged> {
        Timestamp::new(from.get()?, from.get()?).map_err(|_| from.wrong("time of the calendar"))
    }
}
