//! The pages of the repository's `docs/`, to be read beside the documentation of the types. They
//! are here for rustdoc alone: no build has them.
//!
//! | page | for |
//! | --- | --- |
//! | [`using`] | users: commands, names, rooms, accounts, dialects |
//! | [`protocol`] | authors of clients and bots: what goes over the wire |
//! | [`operating`] | operators: options, operators, state, limits, TLS, logs |
//! | [`cluster`] | operators of several servers that are one chat, over Redis |
//! | [`embedding`] | programs with the loop or the chat inside |
//! | [`architecture`] | how it works, and why it is made so |
//! | [`figures`] | what was measured |

// The first definition of a link holds: in these pages `using.md` is a page of this module.

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/using.md")]
pub mod using {}

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/protocol.md")]
pub mod protocol {}

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/operating.md")]
pub mod operating {}

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/cluster.md")]
pub mod cluster {}

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/embedding.md")]
pub mod embedding {}

#[doc = include_str!("../docs/rustdoc-links.md")]
#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

#[doc = include_str!("../docs/figures.md")]
pub mod figures {}
