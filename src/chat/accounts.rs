//! Accounts: names with passwords. The chat knows only which names are protected. It requests a
//! check of the password, and acts upon the answer.

mod budget;
mod passwords;
mod protected;

pub(super) use budget::Budget;
pub(super) use protected::{Accounts, Attempt, network};
