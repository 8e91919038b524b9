//! Hashes that a cluster keeps beside its log: texts by fields. For a thread that may block.
//!
//! Each request has a connection of its own: they are rare, and one that is kept could be dead
//! without a word. What two nodes may change at the same time is swapped: it is changed only if it
//! is still what was read.

use std::fmt;
use std::time::Instant;

use super::connection::{Connection, Failure, Frame};
use super::dialer::Dialer;
use super::keys::{is_wrong_type, not_a};
use super::options::{LinkError, Options};

/// Takes a field, its old text and its new one; an empty text stands for no field. Answers 1 if the
/// field has the new text, by this call or already, else 0.
const SWAP: &str = "\
local field, old, new = ARGV[1], ARGV[2], ARGV[3]
local present = redis.call('HGET', KEYS[1], field) or ''
if present == new then return 1 end
if present ~= old then return 0 end
if new == '' then
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], field, new)
end
return 1";

/// Takes fields and their texts, and adds those that are missing.
const FILL: &str = "\
for i = 1, #ARGV, 2 do
  if not redis.call('HGET', KEYS[1], ARGV[i]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
return 1";

/// Fields that one call adds.
const FILLED: usize = 500;

/// The way to the hashes of a cluster.
pub(crate) struct Hashes {
    options: Options,
    dialer: Dialer,
}

/// Why a request came to nothing, as far as is known.
pub(crate) struct Failed {
    /// What is said to users: no addresses.
    told: String,
    /// What is said to operators.
    why: String,
    /// Whether Redis has answered, and refused.
    is_refused: bool,
}

impl Failed {
    pub(crate) fn new(why: String) -> Failed {
        Failed { told: why.clone(), why, is_refused: true }
    }

    fn out_of_reach(at: &str, why: impl fmt::Display) -> Failed {
        let told = "Redis is out of reach".to_owned();
        Failed { told, why: format!("{at}: {why}"), is_refused: false }
    }

    /// Whether Redis has answered, and nothing was changed.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// What users are told.
    pub(crate) fn told(self) -> String {
        self.told
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Hashes {
    /// # Errors
    ///
    /// What is wrong with the options.
    pub(crate) fn new(options: &Options) -> Result<Hashes, LinkError> {
        options.check()?;
        let at = |why: String| LinkError(format!("{}: {why}", options.address));
        Ok(Hashes { options: options.clone(), dialer: Dialer::new(options).map_err(at)? })
    }

    /// Begins a request: from now on it may take as long as the options' patience.
    pub(crate) fn connect(&mut self) -> Result<Session, Failed> {
        let by = Instant::now() + self.options.patience;
        let (at, cluster) = (self.options.address.to_string(), self.options.cluster.clone());
        match self.dialer.dial(by, |_| {}) {
            Ok(connection) => Ok(Session { connection, at, cluster, by }),
            Err(failure) => Err(Failed::out_of_reach(&at, failure)),
        }
    }
}

/// A connection, for one request.
pub(crate) struct Session {
    connection: Connection,
    at: String,
    cluster: String,
    by: Instant,
}

impl Session {
    /// The key of a hash.
    pub(crate) fn key(&self, hash: &str) -> String {
        format!("{{{}}}:{hash}", self.cluster)
    }

    /// All fields and their texts.
    pub(crate) fn all(&mut self, hash: &str) -> Result<Vec<(String, String)>, Failed> {
        let Frame::Array(parts) = self.call(&["HGETALL", &self.key(hash)])? else {
            return Err(self.strange());
        };
        let texts: Option<Vec<String>> = parts.into_iter().map(text).collect();
        let texts = texts.ok_or_else(|| Failed::new(format!("{hash}: it is not UTF-8")))?;
        let (pairs, _) = texts.as_chunks();
        Ok(pairs.iter().map(|[field, text]| (field.clone(), text.clone())).collect())
    }

    /// The text of a field.
    pub(crate) fn get(&mut self, hash: &str, field: &str) -> Result<Option<String>, Failed> {
        match self.call(&["HGET", &self.key(hash), field])? {
            Frame::Null => Ok(None),
            answer => text(answer).map(Some).ok_or_else(|| self.strange()),
        }
    }

    /// Changes a field if it still has the old text; `None` is no field. True if it has the new
    /// text then.
    pub(crate) fn swap(
        &mut self,
        hash: &str,
        field: &str,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Result<bool, Failed> {
        let words = [field, old.unwrap_or_default(), new.unwrap_or_default()];
        match self.run(SWAP, hash, &words)? {
            Frame::Integer(is_done) => Ok(is_done == 1),
            _ => Err(self.strange()),
        }
    }

    /// Adds those fields that are missing.
    pub(crate) fn fill(&mut self, hash: &str, fields: &[(String, String)]) -> Result<(), Failed> {
        for fields in fields.chunks(FILLED) {
            let words = fields.iter().flat_map(|(field, text)| [field.as_str(), text]);
            self.run(FILL, hash, &words.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn run(&mut self, script: &str, hash: &str, words: &[&str]) -> Result<Frame, Failed> {
        let sha = text(self.call(&["SCRIPT", "LOAD", script])?).ok_or_else(|| self.strange())?;
        let key = self.key(hash);
        self.call(&[&["EVALSHA", &sha, "1", &key], words].concat())
    }

    fn call(&mut self, command: &[&str]) -> Result<Frame, Failed> {
        let answer = self.connection.call_text(command, self.by);
        answer.map_err(|failure| match failure {
            failure if is_wrong_type(&failure) => {
                let key = command.iter().find(|word| word.starts_with('{'));
                Failed::new(not_a("hash", key.unwrap_or(&"a key")))
            }
            Failure::Refused(why) => Failed::new(format!("Redis refuses: {why}")),
            Failure::Broken(_) => {
                let told = "Redis has not answered, and may have done it".to_owned();
                Failed { told, ..Failed::out_of_reach(&self.at, failure) }
            }
        })
    }

    fn strange(&self) -> Failed {
        Failed::out_of_reach(&self.at, "it answers otherwise than Redis does")
    }
}

fn text(frame: Frame) -> Option<String> {
    match frame {
        Frame::BulkString(bytes) | Frame::SimpleString(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}
