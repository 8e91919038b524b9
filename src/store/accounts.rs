//! Accounts as lines, `alice:$argon2id$…:op`. Only hashes of passwords are kept.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use log::warn;

use super::hash::{self, NOBODY};
use super::lines::Lines;
use super::save::Lock;
use super::{File, State, store};
use crate::chat::{Account, Answer, Password, Target};

pub(super) const ACCOUNTS: &str = "accounts";

/// The flag of an account that nobody has logged in to, followed by the time when it expires.
const UNUSED: &str = "unused-until=";

/// An account, as it is persisted.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) account: Account,
    /// In the PHC string format.
    pub(super) hash: String,
}

pub(super) fn parse(line: &str) -> Result<Entry, String> {
    let fields: Vec<&str> = line.splitn(3, ':').collect();
    let [name, hash, flags] = fields[..] else {
        return Err("NAME:HASH:FLAGS is wanted; the flags may be none".to_owned());
    };
    if !can_be_name(name) {
        return Err(format!("'{name}' cannot be a name"));
    }
    hash::check(hash).map_err(|why| format!("{name} {why}"))?;
    let mut account = Account { name: name.to_owned(), op: false, unused_until: None };
    for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
        let until = flag.strip_prefix(UNUSED).and_then(|until| until.parse().ok());
        match until {
            Some(until) => account.unused_until = Some(until),
            None if flag == "op" => account.op = true,
            None => return Err(format!("'{flag}' is no flag; there are op and {UNUSED}TIME")),
        }
    }
    Ok(Entry { account, hash: hash.to_owned() })
}

pub(super) fn render(entry: &Entry) -> String {
    let Account { name, op, unused_until } = &entry.account;
    let until = unused_until.map(|until| format!("{UNUSED}{until}"));
    let flags: Vec<String> = op.then(|| "op".to_owned()).into_iter().chain(until).collect();
    format!("{name}:{}:{}", entry.hash, flags.join(","))
}

pub(super) fn key(entry: &Entry) -> String {
    entry.account.name.to_ascii_lowercase()
}

fn can_be_name(text: &str) -> bool {
    matches!(text.parse::<Target>(), Ok(target) if target.is_name())
}

impl Entry {
    fn has_name(&self, name: &str) -> bool {
        self.account.name.eq_ignore_ascii_case(name)
    }
}

impl State {
    /// Adds an account; drops expired ones.
    pub(super) fn register(
        &mut self,
        account: Account,
        password: &Password,
        now: Timestamp,
    ) -> Answer {
        if self.find(&account.name).is_some_and(|old| !old.account.is_over(now)) {
            return Answer::Exists(account.name);
        }
        let mut lines = self.accounts.lines.clone();
        lines.retain(|old| !old.account.is_over(now));
        let saved = self.hasher.hash(password).and_then(|hash| {
            lines.put(Entry { account: account.clone(), hash }, |_| false);
            self.save_accounts(&self.lock()?, lines)
        });
        match saved {
            Ok(()) => Answer::Registered(account),
            Err(error) => Answer::NotSaved(error.to_string()),
        }
    }

    /// Notes a log-in. If that cannot be saved, the next log-in tries again.
    pub(super) fn mark_used(&mut self, name: &str) {
        let Some(entry) = self.find(name).filter(|entry| entry.account.unused_until.is_some())
        else {
            return;
        };
        let mut entry = entry.clone();
        entry.account.unused_until = None;
        let mut lines = self.accounts.lines.clone();
        lines.put(entry, |old| old.has_name(name));
        if let Err(error) = self.lock().and_then(|lock| self.save_accounts(&lock, lines)) {
            warn!(by = name, error:%; "not_saved");
        }
    }

    pub(super) fn change_password(&mut self, name: &str, password: &Password) -> Answer {
        if self.find(name).is_none() {
            return Answer::Wrong;
        }
        match self.protect(name, password) {
            Ok(()) => Answer::PasswordSet,
            Err(error) => Answer::NotSaved(error.to_string()),
        }
    }

    pub(super) fn unregister(&mut self, name: String, password: &Password) -> Answer {
        if !self.verify(&name, password) {
            return Answer::Wrong;
        }
        let mut lines = self.accounts.lines.clone();
        lines.retain(|entry| !entry.has_name(&name));
        match self.lock().and_then(|lock| self.save_accounts(&lock, lines)) {
            Ok(()) => Answer::Unregistered(name),
            Err(error) => Answer::NotSaved(error.to_string()),
        }
    }

    /// Checks a password. It takes as long if there is no such name.
    pub(super) fn verify(&mut self, name: &str, password: &Password) -> bool {
        let hash = self.find(name).map(|entry| entry.hash.clone());
        let is_right = self.hasher.is_of(hash.as_deref().unwrap_or(NOBODY), password);
        is_right && hash.is_some()
    }

    /// Checks that a name can have a password.
    ///
    /// # Errors
    ///
    /// If it is not a valid name.
    pub fn check_name(name: &str) -> io::Result<()> {
        if can_be_name(name) {
            return Ok(());
        }
        let why = format!(
            "'{name}' cannot be a name: 3 to 32 letters, digits, '-', '_' and '.' are allowed, and \
             none that is reserved"
        );
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }

    /// Sets the password of a name in an existing directory; its flags stay. It is saved when
    /// this returns. Processes that do so at the same time wait for each other.
    ///
    /// # Errors
    ///
    /// If the name is not valid, if the directory cannot be read ([`State::read`]) or written to,
    /// or if the system has no random bytes for a salt.
    pub fn set_password(dir: &Path, name: &str, password: &Password) -> io::Result<()> {
        State::check_name(name)?;
        let mut state = State::read(dir)?;
        let hash = state.hasher.hash(password)?;
        // Read again under the lock: the first read may be out of date.
        let lock = state.lock()?;
        State::read(dir)?.put_hash(&lock, name, hash)
    }

    /// The same, if the file has not changed since it was read.
    pub(super) fn protect(&mut self, name: &str, password: &Password) -> io::Result<()> {
        let hash = self.hasher.hash(password)?;
        self.put_hash(&self.lock()?, name, hash)
    }

    fn lock(&self) -> io::Result<Lock> {
        Lock::take(&self.dir, self.may)
    }

    fn put_hash(&mut self, lock: &Lock, name: &str, hash: String) -> io::Result<()> {
        let old = self.find(name).map(|entry| entry.account.clone());
        let account =
            old.unwrap_or_else(|| Account { name: name.to_owned(), op: false, unused_until: None });
        let mut lines = self.accounts.lines.clone();
        let entry = Entry { account, hash };
        lines.put(entry, |old| old.has_name(name));
        self.save_accounts(lock, lines)
    }

    /// The names that have another password than they had in `old`.
    pub(super) fn new_passwords(&self, old: &State) -> Vec<String> {
        let old: HashMap<String, &str> =
            old.accounts.lines.entries().map(|entry| (key(entry), &*entry.hash)).collect();
        let is_other =
            |entry: &&Entry| old.get(&key(entry)).is_some_and(|hash| *hash != entry.hash);
        let others = self.accounts.lines.entries().filter(is_other);
        others.map(|entry| entry.account.name.clone()).collect()
    }

    /// Looks at all accounts, so that the time does not show where one stands.
    fn find(&self, name: &str) -> Option<&Entry> {
        self.accounts.lines.entries().filter(|entry| entry.has_name(name)).last()
    }

    fn save_accounts(&mut self, lock: &Lock, lines: Lines<Entry>) -> io::Result<()> {
        let File { stamp, .. } = self.accounts;
        self.accounts = store(lock, ACCOUNTS, lines, render, stamp, self.may)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_formatting_and_parsing_and_faults_are_reported() {
        for flags in ["", "op", "unused-until=2026-12-20T15:17:28Z"] {
            let line = format!("alice:{NOBODY}:{flags}");
            assert_eq!(render(&parse(&line).unwrap()), line);
        }
        for (line, why) in [
            ("alice".to_owned(), "NAME:HASH:FLAGS is wanted; the flags may be none"),
            (format!("al:{NOBODY}:"), "'al' cannot be a name"),
            (format!("192.0.2.7:{NOBODY}:"), "'192.0.2.7' cannot be a name"),
            (
                format!("alice:{NOBODY}:admin"),
                "'admin' is no flag; there are op and unused-until=TIME",
            ),
            ("alice:secret:".to_owned(), "alice has no argon2id hash in the PHC format"),
            (
                format!("alice:{}:", NOBODY.replace("t=2", "t=99")),
                "alice has a hash with t=99; at most 16 is allowed",
            ),
        ] {
            assert_eq!(parse(&line).unwrap_err(), why);
        }
    }
}
