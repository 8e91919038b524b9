//! Accounts in Redis. A password is right if the account is still the same once it was checked.

use std::io;

use jiff::Timestamp;
use log::warn;

use super::{SharedState, lines, parsed};
use crate::chat::{Account, Answer, Password};
use crate::redis::hashes::{Failed, Session};
use crate::store::State;
use crate::store::accounts::{self, ACCOUNTS, Entry};
use crate::store::hash::NOBODY;

/// An account, and its line as it was read.
struct Found {
    entry: Entry,
    line: String,
}

impl SharedState {
    /// Sets the password of a name; its flags stay. It is saved when this returns.
    ///
    /// # Errors
    ///
    /// If the name is not valid, if Redis is out of reach or refuses it, or if the system has no
    /// random bytes for a salt.
    pub fn set_password(&mut self, name: &str, password: &Password) -> io::Result<()> {
        State::check_name(name)?;
        let saved = self.hashes.connect().and_then(|mut redis| {
            let hash = self.hash(password)?;
            let flags = Account { name: name.to_owned(), op: false, unused_until: None };
            self.replace(&mut redis, &field(name), |old| {
                let account = old.map_or_else(|| flags.clone(), |old| old.account.clone());
                Some(Entry { account, hash: hash.clone() })
            })
        });
        saved.map(|_| ()).map_err(|why| io::Error::other(why.to_string()))
    }

    /// Adds an account; drops expired ones.
    pub(super) fn register(
        &mut self,
        redis: &mut Session,
        account: Account,
        password: &Password,
        now: Timestamp,
    ) -> Result<Answer, Failed> {
        let hash = self.hash(password)?;
        let is_saved = self.replace(redis, &field(&account.name), |old| {
            let is_free = old.is_none_or(|old| old.account.is_over(now));
            is_free.then(|| Entry { account: account.clone(), hash: hash.clone() })
        })?;
        if !is_saved {
            return Ok(Answer::Exists(account.name));
        }
        if let Err(why) = self.drop_expired(redis, now) {
            warn!(reason:% = why; "redis_request_failed");
        }
        Ok(Answer::Registered(account))
    }

    /// Checks a password, and notes a log-in.
    pub(super) fn log_in(
        &mut self,
        redis: &mut Session,
        name: &str,
        password: &Password,
    ) -> Result<bool, Failed> {
        loop {
            let Some(Found { mut entry, line }) = self.verified(redis, name, password)? else {
                return Ok(false);
            };
            // If it gets another password, this one has to be known.
            self.known.entry(field(name)).or_insert_with(|| entry.clone());
            entry.account.unused_until = None;
            let used = accounts::render(&entry);
            match redis.swap(ACCOUNTS, &field(name), Some(&line), Some(&used)) {
                // If it cannot be saved, the next log-in tries again.
                Err(why) if why.is_refused() => {
                    warn!(by = name, error:% = why; "not_saved");
                    return Ok(true);
                }
                // It may have got another password in between.
                Ok(false) => {}
                swapped => return swapped,
            }
        }
    }

    /// Refused if it was changed at another node and has not been read here since: then the password
    /// that the user logged in with is no longer right.
    pub(super) fn change_password(
        &mut self,
        redis: &mut Session,
        name: &str,
        password: &Password,
    ) -> Result<Answer, Failed> {
        let hash = self.hash(password)?;
        let known = self.known.get(&field(name)).map(|own| own.hash.clone());
        let is_saved = self.replace(redis, &field(name), |old| {
            let old = old.filter(|old| known.as_ref().is_none_or(|known| *known == old.hash))?;
            Some(Entry { account: old.account.clone(), hash: hash.clone() })
        })?;
        Ok(if is_saved { Answer::PasswordSet } else { Answer::Wrong })
    }

    pub(super) fn unregister(
        &mut self,
        redis: &mut Session,
        name: String,
        password: &Password,
    ) -> Result<Answer, Failed> {
        let field = field(&name);
        while let Some(Found { line, .. }) = self.verified(redis, &name, password)? {
            if redis.swap(ACCOUNTS, &field, Some(&line), None)? {
                self.known.remove(&field);
                return Ok(Answer::Unregistered(name));
            }
        }
        Ok(Answer::Wrong)
    }

    /// All accounts, and the names of those with another password than was known.
    pub(super) fn read_accounts(
        &mut self,
        redis: &mut Session,
    ) -> Result<(Vec<Account>, Vec<String>), Failed> {
        let read = lines(redis, ACCOUNTS, accounts::parse, accounts::key)?;
        let is_new = |(field, entry): &(&String, &Entry)| {
            self.known.get(*field).is_some_and(|known| known.hash != entry.hash)
        };
        let new = read.iter().filter(is_new).map(|(_, entry)| entry.account.name.clone()).collect();
        self.known = read;
        Ok((self.known.values().map(|entry| entry.account.clone()).collect(), new))
    }

    pub(super) fn put_accounts_back(&self, redis: &mut Session) -> Result<(), Failed> {
        let known = self.known.iter();
        let known: Vec<_> =
            known.map(|(field, entry)| (field.clone(), accounts::render(entry))).collect();
        redis.fill(ACCOUNTS, &known)
    }

    /// Replaces an account by what a function makes of it; with `None` it stays. Returns whether it
    /// was replaced.
    fn replace(
        &mut self,
        redis: &mut Session,
        field: &str,
        change: impl Fn(Option<&Entry>) -> Option<Entry>,
    ) -> Result<bool, Failed> {
        loop {
            let old = find(redis, field)?;
            let Some(new) = change(old.as_ref().map(|old| &old.entry)) else { return Ok(false) };
            let line = old.as_ref().map(|old| old.line.as_str());
            if redis.swap(ACCOUNTS, field, line, Some(&accounts::render(&new)))? {
                self.known.insert(field.to_owned(), new);
                return Ok(true);
            }
        }
    }

    /// An account, if this is its password. It takes as long if there is no such name.
    fn verified(
        &mut self,
        redis: &mut Session,
        name: &str,
        password: &Password,
    ) -> Result<Option<Found>, Failed> {
        let found = find(redis, &field(name))?;
        let hash = found.as_ref().map_or(NOBODY, |found| &found.entry.hash);
        let is_right = self.hasher.is_of(hash, password);
        Ok(found.filter(|_| is_right))
    }

    fn drop_expired(&mut self, redis: &mut Session, now: Timestamp) -> Result<(), Failed> {
        let is_over = |(_, entry): &(&String, &Entry)| entry.account.is_over(now);
        let expired = self.known.iter().filter(is_over);
        let expired: Vec<_> =
            expired.map(|(field, entry)| (field.clone(), accounts::render(entry))).collect();
        for (field, line) in expired {
            // One that was changed in between stays.
            redis.swap(ACCOUNTS, &field, Some(&line), None)?;
            self.known.remove(&field);
        }
        Ok(())
    }

    fn hash(&mut self, password: &Password) -> Result<String, Failed> {
        self.hasher.hash(password).map_err(|error| Failed::new(error.to_string()))
    }
}

fn find(redis: &mut Session, field: &str) -> Result<Option<Found>, Failed> {
    let Some(line) = redis.get(ACCOUNTS, field)? else { return Ok(None) };
    let entry = parsed(redis, ACCOUNTS, field, &line, accounts::parse)?;
    Ok(Some(Found { entry, line }))
}

fn field(name: &str) -> String {
    name.to_ascii_lowercase()
}
