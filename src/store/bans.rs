//! Bans as lines: `alice@192.0.2.7 2026-12-24T18:00:00Z op too loud`. `never` stands for no end,
//! and the reason may be missing.

use jiff::Timestamp;

use crate::chat::Ban;

pub(super) fn parse(line: &str) -> Result<Ban, String> {
    let mut words = line.splitn(4, ' ');
    let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing"));
    let target = word("who is banned")?;
    let target = target.parse().map_err(|why| format!("'{target}': {why}"))?;
    let until = match word("the time until when, or never,")? {
        "never" => None,
        text => Some(text.parse::<Timestamp>().map_err(|_| {
            format!("'{text}': a time like 2026-12-24T18:00:00Z, or never, is wanted")
        })?),
    };
    let by = word("who said so")?.to_owned();
    let why = words.next().unwrap_or("").to_owned();
    Ok(Ban { target, until, by, why })
}

pub(super) fn render(ban: &Ban) -> String {
    let Ban { target, until, by, why } = ban;
    let until = until.map_or("never".to_owned(), |until| until.to_string());
    format!("{target} {until} {by} {why}").trim_end().to_owned()
}

/// A key that is equal for bans of the same target.
pub(super) fn key(ban: &Ban) -> String {
    ban.target.to_string().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_formatting_and_parsing() {
        for line in [
            "alice never op",
            "alice@192.0.2.7 2026-12-24T18:00:00Z op too  loud",
            "10.0.0.0/8 never ann many",
            "2001:db8::/64 2026-12-24T18:00:00.5Z op",
        ] {
            assert_eq!(render(&parse(line).unwrap()), line);
        }
    }

    #[test]
    fn an_invalid_line_is_reported_with_its_fault() {
        for (line, why) in [
            ("alice", "the time until when, or never, is missing"),
            ("alice never", "who said so is missing"),
            ("al never op", "'al': NAME, ADDR, ADDR/BITS or NAME@ADDR is wanted"),
            (
                "alice tomorrow op",
                "'tomorrow': a time like 2026-12-24T18:00:00Z, or never, is wanted",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), why);
        }
    }
}
