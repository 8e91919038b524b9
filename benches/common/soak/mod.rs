//! The town of the soak: who lives there, what they do, and what must hold.

pub(crate) mod chance;
pub(crate) mod client;
pub(crate) mod deeds;
pub(crate) mod form;
pub(crate) mod health;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod said;
pub(crate) mod tally;
pub(crate) mod town;
