//! Operators' commands. For other users they are unknown commands.

use std::time::Duration;

use crate::chat::command::{Entry, Mistake, entry, find, help_on, one_word, split_word};

/// A command that only operators have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum OperatorCommand<'a> {
    Kick(&'a str, &'a str),
    Ban(&'a str, Option<Duration>, &'a str),
    Unban(&'a str),
    Bans,
    Mute(&'a str, Option<Duration>),
    Unmute(&'a str),
    Announce(&'a str),
    Reload,
    Shutdown(&'a str),
    Whois(&'a str),
    HelpOn(&'static Entry),
}

/// Ten years. For longer an operator can leave the time out.
const TIME_MAX: Duration = Duration::from_hours(10 * 366 * 24);

pub(in crate::chat) static TABLE: [Entry; 10] = [
    entry("kick", "/kick NAME [WHY]", "have NAME leave"),
    entry(
        "ban",
        "/ban NAME|ADDR|CIDR [FOR] [WHY]",
        "keep somebody out, for 10m, 2h, 7d, at most 3660d, or for good",
    ),
    entry("unban", "/unban NAME|ADDR|CIDR", "let somebody in again"),
    entry("bans", "/bans", "who is banned, until when, by whom and why"),
    entry("mute", "/mute NAME [FOR]", "what NAME says reaches nobody"),
    entry("unmute", "/unmute NAME", "it reaches others again"),
    entry("announce", "/announce TEXT", "tell every room"),
    entry("reload", "/reload", "read the state and the message of the day again"),
    entry("shutdown", "/shutdown [WHY]", "end the server, politely"),
    entry("whois", "/whois NAME", "where NAME is from, and how it is doing"),
];

/// The lines of `/help` that only operators see.
pub(in crate::chat) const HELP: &str = "Operators: /kick, /ban, /unban, /bans, /mute, /unmute, /whois, \
    /announce, /reload, /shutdown";

impl<'a> OperatorCommand<'a> {
    /// Parses a sanitised line that is none of the common commands. `None`: it is no operators'
    /// command either.
    pub(super) fn parse(line: &'a str) -> Option<Result<OperatorCommand<'a>, Mistake<'a>>> {
        let (name, rest) = split_word(line.strip_prefix('/')?);
        if let Some(entry) = help_on(&TABLE, name, rest) {
            return Some(Ok(OperatorCommand::HelpOn(entry)));
        }
        let entry = find(&TABLE, name)?;
        Some(read(entry, rest.trim()))
    }
}

/// Parses a command's arguments, without the spaces around them.
fn read<'a>(entry: &'static Entry, rest: &'a str) -> Result<OperatorCommand<'a>, Mistake<'a>> {
    let (first, text) = split_word(rest);
    let text = text.trim_start();
    let target = Some(first).filter(|first| !first.is_empty());
    let operation = match entry.name {
        "kick" => target.map(|name| OperatorCommand::Kick(name, text)),
        "ban" => {
            let (time, why) = time_and_text(text)?;
            target.map(|target| OperatorCommand::Ban(target, time, why))
        }
        "unban" => one_word(rest).map(OperatorCommand::Unban),
        "bans" => Some(OperatorCommand::Bans),
        "mute" => {
            let (time, more) = time_and_text(text)?;
            target.filter(|_| more.is_empty()).map(|name| OperatorCommand::Mute(name, time))
        }
        "unmute" => one_word(rest).map(OperatorCommand::Unmute),
        "announce" => Some(OperatorCommand::Announce(rest)).filter(|_| !rest.is_empty()),
        "reload" => Some(OperatorCommand::Reload),
        "shutdown" => Some(OperatorCommand::Shutdown(rest)),
        "whois" => one_word(rest).map(OperatorCommand::Whois),
        _ => None,
    };
    operation.ok_or(Mistake::Usage(entry.usage))
}

/// An optional time, and the text after it. A word that begins with a digit must be a time: a
/// mistyped one must not become a reason, and the ban be for good.
fn time_and_text(text: &str) -> Result<(Option<Duration>, &str), Mistake<'_>> {
    let (first, rest) = split_word(text);
    if !first.trim_start_matches(['+', '-', '.']).starts_with(char::is_numeric) {
        return Ok((None, text));
    }
    let time = time(first).filter(|time| !time.is_zero() && *time <= TIME_MAX);
    let time = time.ok_or(Mistake::NoTime(first))?;
    Ok((Some(time), rest.trim_start()))
}

/// `10m`, `2h`, `7d`: a number and its unit.
fn time(word: &str) -> Option<Duration> {
    let (at, unit) = word.char_indices().last()?;
    let worth = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let digits = Some(&word[..at]).filter(|digits| !digits.starts_with('+'))?;
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(worth)?))
}

#[cfg(test)]
mod tests {
    use super::OperatorCommand::*;
    use super::*;

    #[test]
    fn operators_commands_are_parsed() {
        let hours = |hours| Some(Duration::from_hours(hours));
        let cases = [
            ("/kick bob", Kick("bob", "")),
            ("/KICK  bob  too loud ", Kick("bob", "too loud")),
            ("/ban bob", Ban("bob", None, "")),
            ("/ban bob 2h", Ban("bob", hours(2), "")),
            ("/ban 10.0.0.0/8 7d too many", Ban("10.0.0.0/8", hours(168), "too many")),
            ("/ban bob three strikes", Ban("bob", None, "three strikes")),
            ("/ban bob 1w 3 strikes", Ban("bob", hours(168), "3 strikes")),
            ("/ban bob 3660d", Ban("bob", hours(3660 * 24), "")),
            ("/ban bob s", Ban("bob", None, "s")),
            ("/kick bob 99999w", Kick("bob", "99999w")),
            ("/ban bob für immer", Ban("bob", None, "für immer")),
            ("/unban bob", Unban("bob")),
            ("/bans", Bans),
            ("/mute bob 60M", Mute("bob", hours(1))),
            ("/unmute bob", Unmute("bob")),
            ("/announce tea at four", Announce("tea at four")),
            ("/shutdown", Shutdown("")),
            ("/shutdown new version", Shutdown("new version")),
            ("/whois bob", Whois("bob")),
            ("/reload", Reload),
        ];
        for (line, operation) in cases {
            assert_eq!(OperatorCommand::parse(line), Some(Ok(operation)), "{line}");
        }
        for (line, usage) in [
            ("/kick", "/kick NAME [WHY]"),
            ("/mute bob 10m too loud", "/mute NAME [FOR]"),
            ("/mute bob forever", "/mute NAME [FOR]"),
            ("/announce ", "/announce TEXT"),
            ("/unban a b", "/unban NAME|ADDR|CIDR"),
        ] {
            assert_eq!(OperatorCommand::parse(line), Some(Err(Mistake::Usage(usage))), "{line}");
        }
        for word in [
            "10min",
            "10x",
            "10",
            "1h30m",
            "1.5h",
            "-5m",
            "+5m",
            "0m",
            "３h",
            "10m,",
            "99999w",
            "3661d",
            "99999999999999999999s",
            "18446744073709551615w",
        ] {
            for line in [format!("/ban bob {word} too loud"), format!("/mute bob {word}")] {
                assert_eq!(
                    OperatorCommand::parse(&line),
                    Some(Err(Mistake::NoTime(word))),
                    "{line}"
                );
            }
        }
        for line in ["/help", "/kic bob", "/", "kick bob", "/help foo"] {
            assert_eq!(OperatorCommand::parse(line), None, "{line}");
        }
    }

    #[test]
    fn every_command_of_the_table_is_understood() {
        for entry in &TABLE {
            let line = format!("/{} bob", entry.name);
            assert!(matches!(OperatorCommand::parse(&line), Some(Ok(_))), "{line}");
            let help = format!("/help /{}", entry.name);
            assert_eq!(OperatorCommand::parse(&help), Some(Ok(HelpOn(entry))));
            assert!(HELP.contains(&format!("/{}", entry.name)), "{line}");
        }
    }
}
