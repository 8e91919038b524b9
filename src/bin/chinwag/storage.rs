//! Where bans and accounts are kept: in the files of a directory, in Redis for a whole cluster, or
//! nowhere.

use std::io;
use std::path::Path;

use chinwag::State;
use chinwag::chat::{Answer, Persisted, Request};

use crate::cli::RedisOptions;

#[cfg(feature = "redis")]
use chinwag::SharedState;
#[cfg(not(feature = "redis"))]
type SharedState = std::convert::Infallible;

pub(crate) enum Storage {
    /// Nowhere: bans last until the server ends.
    None,
    Files(State),
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no Redis then"))]
    Redis(Box<SharedState>),
}

impl Storage {
    /// Reads the files. Redis is asked for nothing yet.
    pub(crate) fn open(dir: Option<&Path>, redis: Option<&RedisOptions>) -> io::Result<Storage> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("--state {error}"));
        match (dir, redis) {
            #[cfg(feature = "redis")]
            (_, Some(options)) => SharedState::new(options)
                .map(|state| Storage::Redis(state.into()))
                .map_err(of_redis),
            #[cfg(not(feature = "redis"))]
            (_, Some(never)) => match *never {},
            (Some(dir), None) => State::open(dir).map(Storage::Files).map_err(named),
            (None, None) => Ok(Storage::None),
        }
    }

    /// What a chat has to know at the start; `None` if it knows. A chat that was handed over knows
    /// what was in Redis, which may be out of reach now, and asks again by itself.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unnecessary_wraps, reason = "what is in files was read before")
    )]
    pub(crate) fn read(&mut self, is_handed_over: bool) -> io::Result<Option<Persisted>> {
        Ok(match self {
            Storage::None => None,
            Storage::Files(state) => Some(state.persisted()),
            Storage::Redis(_) if is_handed_over => None,
            #[cfg(feature = "redis")]
            Storage::Redis(state) => Some(state.read().map_err(of_redis)?),
            #[cfg(not(feature = "redis"))]
            Storage::Redis(never) => match **never {},
        })
    }

    pub(crate) fn perform(&mut self, request: Request) -> Answer {
        match (self, request) {
            (Storage::Files(state), request) => state.perform(request),
            #[cfg(feature = "redis")]
            (Storage::Redis(state), request) => state.perform(request),
            #[cfg(not(feature = "redis"))]
            (Storage::Redis(never), _) => match **never {},
            (Storage::None, Request::Ban { ban, .. }) => Answer::Banned(ban),
            (Storage::None, Request::Unban(target)) => Answer::Unbanned(target),
            (Storage::None, Request::Reload) => Answer::Reloaded(None),
            // There are no accounts then, nor other servers, so nobody asks.
            (Storage::None, _) => Answer::NotSaved("there is no place for it".to_owned()),
        }
    }
}

#[cfg(feature = "redis")]
#[expect(clippy::needless_pass_by_value, reason = "that is how errors are mapped")]
fn of_redis(error: io::Error) -> io::Error {
    io::Error::other(format!("--redis {error}"))
}
