//! Whether a Redis can keep the log, by what it says of itself.

use log::warn;

/// The oldest that has all that is used: exclusive ranges of streams.
const OLDEST: (u32, u32) = (6, 2);

/// Logs a warning for what may lose something, one each.
///
/// # Errors
///
/// Why it cannot keep the log, if it cannot.
pub(super) fn check(info: &str) -> Result<(), String> {
    let value = |key: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(its_key, _)| *its_key == key).map(|(_, value)| value.trim())
    };
    let version = value("redis_version").unwrap_or_default();
    let mut numbers = version.split('.').map(str::parse);
    if let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next())
        && (major, minor) < OLDEST
    {
        let (major, minor) = OLDEST;
        return Err(format!("it is version {version}; at least {major}.{minor} is needed"));
    }
    if value("role") == Some("slave") {
        return Err("it is a replica, which can only be read".to_owned());
    }
    let policy = value("maxmemory_policy").unwrap_or("noeviction");
    if policy != "noeviction" {
        warn!(maxmemory_policy = policy, wanted = "noeviction"; "redis_may_evict");
    }
    if value("aof_enabled") == Some("0") {
        warn!(appendonly = "no", wanted = "yes"; "redis_may_forget");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_redis_or_a_replica_cannot_keep_a_log() {
        let check = |version: &str, role: &str| {
            check(&format!("# Server\r\nredis_version:{version}\r\n\r\nrole:{role}\r\n"))
        };
        assert_eq!(check("6.2.0", "master"), Ok(()));
        assert_eq!(check("10.0.1", "master"), Ok(()));
        let old = "it is version 6.0.16; at least 6.2 is needed".to_owned();
        assert_eq!(check("6.0.16", "master"), Err(old));
        assert!(check("7.0.15", "slave").is_err());
        assert_eq!(super::check("what is not known does no harm"), Ok(()));
    }
}
