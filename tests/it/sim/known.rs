//! Faults of the chat that are known and not mended yet. Until then the simulation keeps
//! out of their way, or expects them.

/// What is wrong with coming back:
///
/// - Who has replaced a connection still seems to have the seat that it used up: when it
///   is cut off nobody is told, and it is not held either.
/// - Whom a newcomer ignores, and who ignores it, is mixed up with what its old connection
///   ignored; of two who are held and ignore each other both forget it; and what an
///   ignored user has said before it came back is shown in the history.
pub(super) const COMING_BACK_IS_MENDED: bool = false;
