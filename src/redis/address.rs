//! Where Redis is, as a URL says it. Nothing in a URL is ignored: what is not understood is
//! refused.

use std::error::Error;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a Redis is, and as whom to speak to it:
///
/// - `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` likewise, over TLS;
/// - `redis+unix://[[USER]:PASSWORD@]/PATH`, or `unix://`.
///
/// The port is 6379 if there is none, and the database 0. In the user, the password and the path
/// `%40` is `@`, and so on. It is shown without the password.
///
/// ```
/// use chinwag::redis::Address;
///
/// let address: Address = "redis://:secret@redis.example/4".parse()?;
/// assert_eq!(address.to_string(), "redis://redis.example:6379/4");
/// assert!("redis://redis.example?db=4".parse::<Address>().is_err());
/// # Ok::<(), chinwag::redis::BadAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { host: String, port: u16, is_encrypted: bool },
    Unix(PathBuf),
}

impl Address {
    /// Whether the URL has a password in it, which other users of the machine may see.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(url: &str) -> Result<Address, BadAddress> {
        let (scheme, rest) = url.split_once("://").ok_or(BadAddress(WANTED))?;
        // A password may contain no such character either: it is to be written %3F.
        if rest.contains(['?', '#']) {
            return Err(BadAddress(
                "what follows ? or # would be ignored; a database is /N, at a Unix socket always 0",
            ));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, password, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => {
                let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                (decoded(user)?, decoded(password)?, host)
            }
            None => (None, None, authority),
        };
        let (place, database) = match scheme {
            "redis" | "rediss" => {
                let (host, port) = host_and_port(host)?;
                (Place::Tcp { host, port, is_encrypted: scheme == "rediss" }, database(path)?)
            }
            "redis+unix" | "unix" if !cfg!(unix) => {
                return Err(BadAddress("there are no Unix sockets here"));
            }
            "redis+unix" | "unix" => {
                if !host.is_empty() || path.len() < 2 {
                    return Err(BadAddress("redis+unix:///PATH is wanted, from the root"));
                }
                (Place::Unix(decoded(path)?.unwrap_or_default().into()), 0)
            }
            _ => return Err(BadAddress(WANTED)),
        };
        Ok(Address { place, user, password, database })
    }
}

const WANTED: &str = "redis://HOST[:PORT][/DATABASE], rediss://… or redis+unix:///PATH is wanted";

fn host_and_port(text: &str) -> Result<(String, u16), BadAddress> {
    let bad = BadAddress("HOST or HOST:PORT is wanted, an IPv6 address in []");
    let is_bracketed = text.starts_with('[');
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(bad)?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(bad)?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_host = if is_bracketed {
        host.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        !host.is_empty() && host.chars().all(is_part)
    };
    let port = port.map_or(Ok(6379), |port| port.parse().map_err(|_| bad))?;
    if is_host && port != 0 { Ok((host.to_owned(), port)) } else { Err(bad) }
}

fn database(path: &str) -> Result<u32, BadAddress> {
    match path.strip_prefix('/') {
        None | Some("") => Ok(0),
        Some(number) => number.parse().map_err(|_| BadAddress("a database is a number, as in /4")),
    }
}

/// The text with each `%40` and the like replaced; `None` if there is none.
fn decoded(text: &str) -> Result<Option<String>, BadAddress> {
    let bad = BadAddress("after % two hexadecimal digits are wanted; % itself is %25");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(bad)?;
        let digits = str::from_utf8(digits).map_err(|_| bad)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad)?);
        rest = after;
    }
    let text = String::from_utf8(bytes).map_err(|_| bad)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Tcp { host, port, is_encrypted } => {
                f.write_str(if *is_encrypted { "rediss://" } else { "redis://" })?;
                if host.contains(':') {
                    write!(f, "[{host}]")?;
                } else {
                    f.write_str(host)?;
                }
                write!(f, ":{port}")?;
            }
            Place::Unix(path) => {
                f.write_str("redis+unix://")?;
                path.display().to_string().escape_debug().try_for_each(|c| f.write_char(c))?;
            }
        }
        if self.database == 0 { Ok(()) } else { write!(f, "/{}", self.database) }
    }
}

/// As it is displayed.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Why a URL is no [`Address`], and what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadAddress(&'static str);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for BadAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, Option<String>, Option<String>) {
        let address: Address = url.parse().unwrap();
        (address.to_string(), address.user, address.password)
    }

    #[test]
    fn a_url_says_where_and_as_whom() {
        let plain = |url: &str| (url.to_owned(), None, None);
        let as_whom = |url: &str, user: Option<&str>, password: &str| {
            (url.to_owned(), user.map(str::to_owned), Some(password.to_owned()))
        };
        assert_eq!(read("redis://h"), plain("redis://h:6379"));
        assert_eq!(read("redis://h/"), plain("redis://h:6379"));
        assert_eq!(read("redis://10.0.0.1:7/0"), plain("redis://10.0.0.1:7"));
        assert_eq!(read("rediss://[::1]:7/4"), plain("rediss://[::1]:7/4"));
        assert_eq!(read("redis+unix:///run/redis"), plain("redis+unix:///run/redis"));
        assert_eq!(read("redis://:a%40b:c@h"), as_whom("redis://h:6379", None, "a@b:c"));
        assert_eq!(read("redis://u:p@h"), as_whom("redis://h:6379", Some("u"), "p"));
        assert_eq!(read("unix://u:p@/run/r"), as_whom("redis+unix:///run/r", Some("u"), "p"));
        let user: Address = "redis://u@h".parse().unwrap();
        assert_eq!((user.user.as_deref(), user.password), (Some("u"), None));
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let wrong = [
            "h",
            "http://h",
            "redis:h",
            "redis://",
            "redis://:pw@",
            "redis://h?db=4",
            "redis://h/4?timeout=1",
            "redis://h#x",
            "redis://h/four",
            "redis://h/4/",
            "redis://h:0",
            "redis://h:x",
            "redis://h:1:2",
            "redis://::1",
            "redis://[::1",
            "redis://[::1]7",
            "redis://h%2",
            "redis://a,b",
            "redis://u:%zz@h",
            "redis+unix://run/redis",
            "redis+unix:///",
            "redis+unix:///run/redis?db=4",
        ];
        for url in wrong {
            assert!(url.parse::<Address>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let address: Address = "redis://u:secret@h".parse().unwrap();
        assert!(address.has_password());
        assert!(!format!("{address} {address:?}").contains("secret"));
    }
}
