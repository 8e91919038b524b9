//! Requests from the chat for work that may block, and their answers. The chat knows no thread
//! and no file: its owner takes the requests, has them done where they block nobody, and brings
//! back the answers.

use jiff::Timestamp;

use super::ban::{Ban, Target};
use super::ban_list::Bans;
use super::password::Password;
use crate::pack::impl_pack;

/// Work for the worker. The lines of the user who asked wait until it is answered.
#[derive(Debug)]
pub enum Request {
    /// Persist this ban, and drop expired ones. Answer: [`Answer::Banned`].
    Ban {
        /// The ban.
        ban: Ban,
        /// When it was asked for.
        now: Timestamp,
    },
    /// Remove the bans that match. Answer: [`Answer::Unbanned`].
    Unban(Target),
    /// Protect a name that is not protected yet, and drop expired accounts. Answer:
    /// [`Answer::Registered`].
    Register {
        /// The account to persist.
        account: Account,
        /// Its password.
        password: Password,
        /// When it was asked for.
        now: Timestamp,
    },
    /// Check the password of a name. The name need not be protected, and checking then takes as
    /// long. Answer: [`Answer::LoggedIn`] or [`Answer::Wrong`].
    LogIn {
        /// The name, as it was typed.
        name: String,
        /// The password to be checked.
        password: Password,
        /// The command that was used; the answer returns it.
        by: Naming,
    },
    /// Protect a name with another password. Answer: [`Answer::PasswordSet`].
    Passwd {
        /// The name.
        name: String,
        /// The new one.
        password: Password,
    },
    /// Remove a name's protection, if the password is right. Answer: [`Answer::Unregistered`] or
    /// [`Answer::Wrong`].
    Unregister {
        /// The name.
        name: String,
        /// The password to be checked.
        password: Password,
    },
    /// Read the persisted state again, because somebody asked for it. Answer:
    /// [`Answer::Reloaded`].
    Reload,
    /// Read the persisted state again, because other servers of the cluster may have changed it.
    /// Answer: [`Answer::Refreshed`].
    Refresh {
        /// If what the servers share has been lost: the bans that this one knows of. Those that are
        /// missing there are to be persisted again, and accounts as far as the worker knows them.
        put_back: Option<Vec<Ban>>,
    },
}

/// The answer to a request.
#[derive(Debug)]
pub enum Answer {
    /// This ban was persisted.
    Banned(Ban),
    /// These bans were removed.
    Unbanned(Target),
    /// This name is protected.
    Registered(Account),
    /// This name was protected already.
    Exists(String),
    /// The password is right.
    LoggedIn(String, Naming),
    /// The name is not protected, or the password is wrong.
    Wrong,
    /// The password was changed.
    PasswordSet,
    /// This name is no longer protected.
    Unregistered(String),
    /// The persisted state; `None` where nothing is persisted.
    Reloaded(Option<Persisted>),
    /// The same, for [`Request::Refresh`].
    Refreshed(Option<Persisted>),
    /// Saving failed for this reason; nothing has changed, unless the reason says otherwise.
    NotSaved(String),
    /// The password could not be checked, for this reason.
    NotChecked(String),
    /// Reading failed for this reason.
    NotReloaded(String),
    /// The same, for [`Request::Refresh`].
    NotRefreshed(String),
}

/// The command that a user takes a name with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `/nick NAME PASSWORD`
    Nick,
    /// `REGISTER NAME PASSWORD`
    Register,
}

/// A protected name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As its owner spells it.
    pub name: String,
    /// Whether users who are logged in to it are operators.
    pub op: bool,
    /// When it expires if nobody logs in to it; `None` is never.
    pub unused_until: Option<Timestamp>,
}

impl Account {
    /// Whether it has expired because nobody used it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.unused_until.is_some_and(|until| until <= now)
    }
}

impl_pack! {
    struct Account { name, op, unused_until }
}

/// The state that outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Persisted {
    /// The bans.
    pub bans: Bans,
    /// Names with passwords.
    pub accounts: Vec<Account>,
    /// Names whose password has changed since the last reload.
    pub new_passwords: Vec<String>,
}
