//! The state that the nodes of a cluster share, in Redis: the lines of a state directory's files,
//! in two hashes. What two nodes change at the same time is decided there.

mod accounts;

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use log::warn;

use super::accounts::Entry;
use super::bans;
use super::hash::Hasher;
use crate::chat::{Answer, Ban, Persisted, Request};
use crate::redis::Options;
use crate::redis::hashes::{Failed, Hashes, Session};

const BANS: &str = "bans";

/// The bans and accounts of a cluster, in Redis. It blocks, on Redis for at most
/// [`Options::patience`] a request, and on password hashes: once the server runs, only a worker such
/// as [`ChatWithWorker`](crate::ChatWithWorker)'s should call it.
///
/// `{CLUSTER}:bans` and `{CLUSTER}:accounts` are hashes whose values are the lines of a state
/// directory's `bans` and `accounts`. The fields are the target of a ban, and the name of an account,
/// in small letters. A change is made only to what has been read, and again if it has been changed in
/// between; so of two nodes that protect a name at the same time one is told that it is taken.
pub struct SharedState {
    hashes: Hashes,
    hasher: Hasher,
    /// The accounts as they were read last, or changed by this node since, by their fields.
    known: BTreeMap<String, Entry>,
}

impl SharedState {
    /// Asks nothing of Redis yet.
    ///
    /// # Errors
    ///
    /// What is wrong with the options.
    pub fn new(options: &Options) -> io::Result<SharedState> {
        let hashes = Hashes::new(options).map_err(io::Error::other)?;
        Ok(SharedState { hashes, hasher: Hasher::default(), known: BTreeMap::new() })
    }

    /// Reads all, for [`Chat::restore`](crate::Chat::restore). Nodes of a cluster read it again when
    /// they enter, and when another has changed it.
    ///
    /// # Errors
    ///
    /// Where Redis should be and what it said, or which field of which hash is wrong, and why.
    pub fn read(&mut self) -> io::Result<Persisted> {
        self.try_to_read().map_err(|why| io::Error::other(why.to_string()))
    }

    fn try_to_read(&mut self) -> Result<Persisted, Failed> {
        let mut redis = self.hashes.connect()?;
        self.read_again(&mut redis)
    }

    /// Carries out a request of a chat; made for
    /// [`ChatWithWorker::start`](crate::ChatWithWorker::start). What the answer says was persisted is
    /// in Redis.
    pub fn perform(&mut self, request: Request) -> Answer {
        let failed = match request {
            Request::LogIn { .. } => Answer::NotChecked,
            Request::Reload => Answer::NotReloaded,
            Request::Refresh { .. } => Answer::NotRefreshed,
            _ => Answer::NotSaved,
        };
        self.try_to_perform(request).unwrap_or_else(|why| {
            warn!(reason:% = why; "redis_request_failed");
            failed(why.told())
        })
    }

    fn try_to_perform(&mut self, request: Request) -> Result<Answer, Failed> {
        let mut redis = self.hashes.connect()?;
        let redis = &mut redis;
        Ok(match request {
            Request::Ban { ban, now } => {
                save_ban(redis, &ban, now)?;
                Answer::Banned(ban)
            }
            Request::Unban(target) => {
                drop_bans(redis, |ban| ban.target.is_meant_by(&target))?;
                Answer::Unbanned(target)
            }
            Request::Reload => Answer::Reloaded(Some(self.read_again(redis)?)),
            Request::Refresh { put_back } => {
                if let Some(bans) = put_back {
                    self.put_back(redis, &bans)?;
                }
                Answer::Refreshed(Some(self.read_again(redis)?))
            }
            Request::Register { account, password, now } => {
                self.register(redis, account, &password, now)?
            }
            Request::LogIn { name, password, by } => {
                let is_right = self.log_in(redis, &name, &password)?;
                if is_right { Answer::LoggedIn(name, by) } else { Answer::Wrong }
            }
            Request::Passwd { name, password } => self.change_password(redis, &name, &password)?,
            Request::Unregister { name, password } => self.unregister(redis, name, &password)?,
        })
    }

    fn read_again(&mut self, redis: &mut Session) -> Result<Persisted, Failed> {
        let bans = lines(redis, BANS, bans::parse, bans::key)?.into_values().collect();
        let (accounts, new_passwords) = self.read_accounts(redis)?;
        Ok(Persisted { bans, accounts, new_passwords })
    }

    /// Redis has lost what it had. Other nodes may have put some back already.
    fn put_back(&mut self, redis: &mut Session, bans: &[Ban]) -> Result<(), Failed> {
        let bans: Vec<_> = bans.iter().map(|ban| (bans::key(ban), bans::render(ban))).collect();
        redis.fill(BANS, &bans)?;
        self.put_accounts_back(redis)
    }
}

/// Adds a ban, or replaces the one of the same target; drops expired ones.
fn save_ban(redis: &mut Session, ban: &Ban, now: Timestamp) -> Result<(), Failed> {
    drop_bans(redis, |old| old.is_over(now))?;
    let (field, line) = (bans::key(ban), bans::render(ban));
    loop {
        let old = redis.get(BANS, &field)?;
        if redis.swap(BANS, &field, old.as_deref(), Some(&line))? {
            return Ok(());
        }
    }
}

fn drop_bans(redis: &mut Session, is_dropped: impl Fn(&Ban) -> bool) -> Result<(), Failed> {
    for (field, line) in redis.all(BANS)? {
        if bans::parse(&line).is_ok_and(|ban| is_dropped(&ban)) {
            // One that was changed in between stays.
            redis.swap(BANS, &field, Some(&line), None)?;
        }
    }
    Ok(())
}

/// All lines of a hash, by their fields.
fn lines<T>(
    redis: &mut Session,
    hash: &str,
    parse: fn(&str) -> Result<T, String>,
    key: fn(&T) -> String,
) -> Result<BTreeMap<String, T>, Failed> {
    let all = redis.all(hash)?.into_iter().map(|(field, line)| {
        let entry = parsed(redis, hash, &field, &line, parse)?;
        match key(&entry) {
            key if key == field => Ok((field, entry)),
            key => Err(wrong(redis, hash, &field, &format!("its field is to be {key}"))),
        }
    });
    all.collect()
}

fn parsed<T>(
    redis: &Session,
    hash: &str,
    field: &str,
    line: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<T, Failed> {
    let text = if line.chars().any(char::is_control) {
        Err("there is a control character in it".to_owned())
    } else {
        parse(line)
    };
    text.map_err(|why| wrong(redis, hash, field, &why))
}

fn wrong(redis: &Session, hash: &str, field: &str, why: &str) -> Failed {
    Failed::new(format!("{} {field}: {why}", redis.key(hash)))
}
