//! The start of a chat, which may be one of several servers.

use std::io;

use chinwag::chat::Settings;
use chinwag::{Chat, Damaged, Handle, Unpacker};

use crate::cli::RedisOptions;

#[cfg(feature = "redis")]
use chinwag::redis::Link;
#[cfg(not(feature = "redis"))]
type Link = std::convert::Infallible;

/// The chat, as it begins or as another program hands it over, and its way to the log.
#[cfg(feature = "redis")]
pub(crate) fn start(
    options: Option<RedisOptions>,
    mut settings: Settings,
    from: Option<&mut Unpacker<'_>>,
    server: &Handle,
) -> io::Result<(Chat, Option<Link>)> {
    use chinwag::chat::Bus;
    use sha2::{Digest, Sha256};

    let failed = |error| io::Error::other(format!("--redis {error}"));
    settings.digest = Some(|token| Sha256::digest(token).into());
    match (options, from) {
        (None, None) => Ok((Chat::new(settings), None)),
        (None, Some(from)) => Ok((Chat::unpack(settings, from)?, None)),
        (Some(options), None) => {
            let link = Link::start(&options, server.clone()).map_err(failed)?;
            settings.bus = Bus::Log(link.node());
            Ok((Chat::new(settings), Some(link)))
        }
        (Some(options), Some(from)) => {
            let chat = Chat::unpack(settings, from)?;
            let stopped: Option<Vec<u8>> = from.get()?;
            let stopped = stopped.ok_or_else(|| io::Error::other(NOT_STOPPED))?;
            let link = Link::resume(&stopped, &options, server.clone()).map_err(failed)?;
            Ok((chat, Some(link)))
        }
    }
}

#[cfg(feature = "redis")]
const NOT_STOPPED: &str = "the program before has not stopped its link to Redis";

#[cfg(not(feature = "redis"))]
pub(crate) fn start(
    _: Option<RedisOptions>,
    settings: Settings,
    from: Option<&mut Unpacker<'_>>,
    _: &Handle,
) -> io::Result<(Chat, Option<Link>)> {
    let chat = match from {
        None => Chat::new(settings),
        Some(from) => Chat::unpack(settings, from)?,
    };
    Ok((chat, None))
}

/// Whether this program understands what is packed behind the chat: the state of the link.
#[cfg(feature = "redis")]
pub(crate) fn check(
    options: Option<&RedisOptions>,
    from: &mut Unpacker<'_>,
) -> Result<(), Damaged> {
    options.map_or(Ok(()), |_| from.get::<Option<Vec<u8>>>().map(|_| ()))
}

#[cfg(not(feature = "redis"))]
#[expect(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
pub(crate) fn check(_: Option<&RedisOptions>, _: &mut Unpacker<'_>) -> Result<(), Damaged> {
    Ok(())
}
