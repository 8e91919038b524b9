//! A user's id, which is no connection's.

use crate::pack::impl_pack;

/// The id of a user, for as long as the server runs: it outlives their connection. The number is
/// used only once (not again within four billion users), so a stale id names nobody and is safe
/// to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UserId {
    /// Where the table of users has them. Used again.
    pub(super) index: u32,
    pub(super) number: u32,
}

impl UserId {
    /// Nobody has this id.
    pub(super) const NOBODY: UserId = UserId { index: u32::MAX, number: 0 };
}

impl_pack! {
    struct UserId { index, number }
}
