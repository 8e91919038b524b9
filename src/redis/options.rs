//! What an operator says of the log in Redis, and what is wrong with it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::address::Address;

/// Which Redis, which cluster, and how patiently.
///
/// ```
/// use chinwag::redis::Options;
///
/// let options = Options::new("redis://127.0.0.1".parse()?);
/// let options = options.with(|options| options.node = "chat-1".to_owned());
/// # Ok::<(), chinwag::redis::BadAddress>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Where Redis is.
    pub address: Address,
    /// The password, if the address has none.
    pub password: Option<String>,
    /// The cluster: its nodes are those that say the same here, and all its keys begin with it.
    /// `chinwag`.
    pub cluster: String,
    /// What this node is called, for people: others see it when the node enters. Any text of one
    /// line. Empty.
    pub node: String,
    /// For how long Redis may be out of reach before users are told
    /// ([`Report::CutOff`](crate::cluster::Report::CutOff)). At most 60 % of the lease, so that
    /// nobody is taken for gone in that time. 3 s.
    pub patience: Duration,
    /// For how long a node that says nothing is taken to be there: it beats four times as often,
    /// and is told to be gone within 1.25 leases. At least 1 s; the nodes of a cluster should have
    /// the same. 5 s.
    pub lease: Duration,
    /// How many events Redis keeps, about: a node that is further behind has lost some. 100 000.
    pub log_max: usize,
    /// How many lines of rooms Redis keeps at least, and about twice as many at most, for nodes that
    /// enter later. 20 000.
    pub said_max: usize,
}

impl Options {
    /// The defaults, and this Redis.
    #[must_use]
    pub fn new(address: Address) -> Options {
        Options {
            address,
            password: None,
            cluster: "chinwag".to_owned(),
            node: String::new(),
            patience: Duration::from_secs(3),
            lease: Duration::from_secs(5),
            log_max: 100_000,
            said_max: 20_000,
        }
    }

    /// The same, with some of them changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Options)) -> Options {
        change(&mut self);
        self
    }

    /// Whether they can work together.
    ///
    /// # Errors
    ///
    /// What is wrong, naming the option, its value and what is allowed.
    pub fn check(&self) -> Result<(), LinkError> {
        let (patience, lease) = (self.patience.as_secs_f64(), self.lease.as_secs_f64());
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let cluster = &self.cluster;
        let why = if cluster.is_empty() || cluster.len() > 64 || !cluster.chars().all(is_part) {
            format!("the cluster is {cluster:?}; 1 to 64 letters, digits and -_.: are allowed")
        } else if self.node.len() > 255 || self.node.contains(char::is_control) {
            "the node's name has to be one line of at most 255 bytes".to_owned()
        } else if !(1.0..=3600.0).contains(&lease) {
            format!("the lease is {lease} s; 1 s to an hour is allowed")
        } else if !(0.1..=lease * 0.6).contains(&patience) {
            format!(
                "the patience is {patience} s, and the lease {lease} s; \
                 0.1 s to 60 % of the lease is allowed"
            )
        } else if self.log_max == 0 || self.said_max == 0 {
            "log_max and said_max have to be at least 1".to_owned()
        } else if self.password.is_some() && self.address.has_password() {
            "the password is given twice, one in the address".to_owned()
        } else {
            let has_password = self.password.is_some() || self.address.has_password();
            if self.address.user.is_none() || has_password {
                return Ok(());
            }
            // The user is not shown: it may well be the password.
            "the address has a user and no password; redis://:PASSWORD@HOST is without a user"
                .to_owned()
        };
        Err(LinkError(why))
    }
}

/// Without passwords.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { address, cluster, node, patience, lease, .. } = self;
        f.debug_struct("Options")
            .field("address", address)
            .field("cluster", cluster)
            .field("node", node)
            .field("patience", patience)
            .field("lease", lease)
            .finish_non_exhaustive()
    }
}

/// Why there is no link, in one line: what is wrong with the options, or where Redis should be and
/// what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkError(pub(super) String);

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for LinkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_work_together_are_refused() {
        let options = Options::new("redis://u:pw@h".parse().unwrap());
        options.check().unwrap();
        let why = |change: fn(&mut Options)| {
            options.clone().with(change).check().err().map(|error| error.to_string())
        };
        let seconds = Duration::from_secs;
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(why(|it| it.lease = Duration::from_mins(1)), None);
        assert_eq!(
            why(|it| it.cluster = "a b".to_owned()),
            said("the cluster is \"a b\"; 1 to 64 letters, digits and -_.: are allowed")
        );
        assert_eq!(
            why(|it| it.lease = Duration::from_millis(999)),
            said("the lease is 0.999 s; 1 s to an hour is allowed")
        );
        assert_eq!(
            why(|it| it.patience = Duration::from_millis(3001)),
            said(
                "the patience is 3.001 s, and the lease 5 s; 0.1 s to 60 % of the lease is allowed"
            )
        );
        assert!(why(|it| it.node = "a\nb".to_owned()).is_some());
        assert!(why(|it| it.log_max = 0).is_some());
        assert!(why(|it| it.password = Some("pw".to_owned())).is_some());
        assert_eq!(options.patience, seconds(3));
        let options = Options::new("redis://secret@h".parse().unwrap());
        let why = options.check().unwrap_err().to_string();
        assert!(why.starts_with("the address has a user and no password"), "{why}");
        assert!(!why.contains("secret"), "they may have forgotten the colon: {why}");
        options.with(|it| it.password = Some("pw".to_owned())).check().unwrap();
    }

    #[test]
    fn no_password_is_shown() {
        let options = Options::new("redis://:secret@h".parse().unwrap());
        let options = options.with(|it| it.password = Some("secret".to_owned()));
        assert!(!format!("{options:?}").contains("secret"));
    }
}
