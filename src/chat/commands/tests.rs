//! Every command is parsed as the protocol says.

use std::time::Duration;

use super::AccountCommand::*;
use super::Command::*;
use super::OperatorCommand::*;
use super::table::TABLE;
use super::*;
use crate::chat::password::Secret;
use crate::chat::request::Naming;

const GUEST: Commands = Commands { accounts: false, operators: false };
const ALL: Commands = Commands { accounts: true, operators: true };

/// Parses a line in a chat whose only user is bob.
fn parse_as(commands: Commands, line: &str) -> Result<Command<'_>, Mistake<'_>> {
    commands.parse(line, |name| name.eq_ignore_ascii_case("bob"))
}

fn parse(line: &str) -> Result<Command<'_>, Mistake<'_>> {
    parse_as(GUEST, line)
}

#[test]
fn lines_are_parsed_as_the_protocol_says() {
    let cases = [
        ("hello", Say("hello")),
        ("//shrug", Say("/shrug")),
        ("//", Say("/")),
        ("//msg nobody hi", Say("/msg nobody hi")),
        ("/say /nick ann", Say("/nick ann")),
        ("/SAY  two spaces", Say(" two spaces")),
        ("register ann", Name(Naming::Register, "ann", None)),
        ("REGISTER   ann", Name(Naming::Register, "ann", None)),
        ("Register ann smith", Name(Naming::Register, "ann", Some(Secret("smith")))),
        ("registered users only", Say("registered users only")),
        ("Send help please", Say("Send help please")),
        ("SEND bob hi", Send("bob", "hi")),
        ("send  Bob  hi", Send("Bob", " hi")),
        ("SEND bob: hi", Send("bob", "hi")),
        ("SEND bobby hi", Say("SEND bobby hi")),
        ("msg somebody about it", Say("msg somebody about it")),
        ("SEND", Say("SEND")),
        ("SEND\u{a0}@bob hi", Send("bob", "hi")),
        ("SEND\u{a0}bob\u{a0}hi", Send("bob", "hi")),
        ("/join\u{3000}games", Join("games")),
        ("/nick\u{a0}ann\u{a0}hunter22", Name(Naming::Nick, "ann", Some(Secret("hunter22")))),
        ("/msg @bob hi", Msg("bob", "hi")),
        ("/msg bob: hi", Msg("bob", "hi")),
        ("/topic -", ClearTopic),
        ("/topic - - -", Topic(Some("- - -"))),
        ("send   @bob hi there", Send("bob", "hi there")),
        ("SEND @bob  hi", Send("bob", " hi")),
        ("Quit", Goodbye),
        ("EXIT", Goodbye),
        ("quit it", Say("quit it")),
        ("nick ann", Say("nick ann")),
        ("NICK of time", Say("NICK of time")),
        ("/quit", Exit),
        ("/nick ann", Name(Naming::Nick, "ann", None)),
        ("/nick  ann a  b ", Name(Naming::Nick, "ann", Some(Secret("a  b")))),
        ("/msg bob hi", Msg("bob", "hi")),
        ("/msg  bob  hi", Msg("bob", " hi")),
        ("/r hi", Reply("hi")),
        ("/me waves", Me("waves")),
        ("/who", Who(None)),
        ("/who lobby", Who(Some("lobby"))),
        ("/down ÄÖ", Down("ÄÖ")),
        ("/echo OFF", Echo(false)),
        ("/help", Help(None)),
        ("/help /me", Help(Some("/me"))),
        ("/help me too", Help(None)),
        ("/join games", Join("games")),
        ("/topic", Topic(None)),
        ("/topic  two words", Topic(Some(" two words"))),
        ("/history", History(20)),
        ("/history 5", History(5)),
        ("/away", Away(None)),
        ("/resume", ResumeToken),
        ("/resume abc", Resume("abc", None, None)),
        ("/resume abc 7", Resume("abc", Some(7), None)),
        ("/resume abc 7 1795", Resume("abc", Some(7), Some(1795))),
    ];
    for (line, command) in cases {
        assert_eq!(parse(line), Ok(command), "{line}");
    }
}

#[test]
fn a_mistake_is_never_said_to_anybody() {
    let cases = [
        ("REGISTER", Mistake::Usage("REGISTER NAME")),
        ("SEND @bob", Mistake::Usage("SEND @NAME TEXT")),
        ("SEND @", Mistake::Usage("SEND @NAME TEXT")),
        ("send BOB", Mistake::Usage("SEND @NAME TEXT")),
        ("send @ hi", Mistake::Usage("SEND @NAME TEXT")),
        ("/nick", Mistake::Usage("/nick NAME")),
        ("NICK ann", Mistake::Usage("/nick NAME")),
        ("/msg bob", Mistake::Usage("/msg NAME TEXT")),
        ("msg bob hi", Mistake::Usage("/msg NAME TEXT")),
        ("Msg @anybody hi", Mistake::Usage("/msg NAME TEXT")),
        ("\\msg Bob: hi", Mistake::Usage("/msg NAME TEXT")),
        ("\u{241a}/msg bob hi", Mistake::Usage("/msg NAME TEXT")),
        ("\u{241a}SEND @bob hi", Mistake::Usage("SEND @NAME TEXT")),
        ("／msg bob hi", Mistake::Usage("/msg NAME TEXT")),
        ("//msg bob hi", Mistake::Usage("/msg NAME TEXT")),
        ("SEND: bob hi", Mistake::Usage("SEND @NAME TEXT")),
        ("/say", Mistake::Usage("/say TEXT")),
        ("/r", Mistake::Usage("/reply TEXT")),
        ("/echo maybe", Mistake::Usage("/echo on|off")),
        ("/history x", Mistake::Usage("/history [N]")),
        ("/history 0", Mistake::Usage("/history [N]")),
        ("/join", Mistake::Usage("/join ROOM")),
        ("/join a b", Mistake::Usage("/join ROOM")),
        ("/who a b", Mistake::Usage("/who [ROOM]")),
        ("/resume a 1 2 3", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
        ("/resume a 1 c", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
        ("/resume a b", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
        ("/", Mistake::Unknown("")),
        ("/ nick", Mistake::Unknown("")),
        ("/Foo bar", Mistake::Unknown("Foo")),
        ("/send @bob hi", Mistake::Unknown("send")),
        ("/kick bob", Mistake::Unknown("kick")),
        ("/protect hunter22", Mistake::NoAccounts),
        ("/protect", Mistake::NoAccounts),
    ];
    for (line, mistake) in cases {
        assert_eq!(parse(line), Err(mistake), "{line}");
    }
}

#[test]
fn a_typing_error_finds_the_command_that_was_meant() {
    let cases = [
        ("nikc", Some("nick")),
        ("mgs", Some("msg")),
        ("HELO", Some("help")),
        ("he", Some("help")),
        ("Hist", Some("history")),
        ("em", Some("me")),
        ("passw", None),
    ];
    let long = "me".repeat(500);
    let no =
        [("", None), ("xyzzy", None), ("register", None), ("q", None), ("h", None), (&*long, None)];
    for (typed, meant) in cases.into_iter().chain(no) {
        assert_eq!(GUEST.near(typed), meant, "{typed}");
    }
    assert_eq!((ALL.near("kik"), ALL.near("passw")), (Some("kick"), Some("passwd")));
}

#[test]
fn a_password_is_all_that_follows() {
    let cases = [
        ("/protect hunter22", Ok(Protect(Secret("hunter22")))),
        ("/PASSWD two  words ", Ok(Passwd(Secret("two  words ")))),
        ("/unprotect x", Ok(Unprotect(Secret("x")))),
        ("/protect", Err(Mistake::Usage("/protect PASSWORD"))),
        ("/passwd", Err(Mistake::Usage("/passwd NEW"))),
        ("/register", Ok(Unclear)),
        ("/Register hunter22", Ok(Unclear)),
        ("/unregister hunter22", Ok(Unclear)),
    ];
    for (line, command) in cases {
        assert_eq!(parse_as(ALL, line), command.map(Account), "{line}");
    }
}

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
        ("/ban bob for 2h", Ban("bob", hours(2), "")),
        ("/ban bob For  2h being loud", Ban("bob", hours(2), "being loud")),
        ("/ban bob for being loud", Ban("bob", None, "for being loud")),
        ("/mute bob for 2h", Mute("bob", hours(2))),
        ("/kick bob 99999w", Kick("bob", "99999w")),
        ("/ban bob für immer", Ban("bob", None, "für immer")),
        ("/unban bob", Unban("bob")),
        ("/bans", Bans),
        ("/mute bob 60M", Mute("bob", hours(1))),
        ("/unmute bob", Unmute("bob")),
        ("/announce tea at four", Announce("tea at four")),
        ("/upgrade", Upgrade),
        ("/shutdown", Shutdown("")),
        ("/shutdown new version", Shutdown("new version")),
        ("/shutdownall new version", ShutdownAll("new version")),
        ("/whois bob", Whois("bob")),
        ("/reload", Reload),
    ];
    for (line, operation) in cases {
        assert_eq!(parse_as(ALL, line), Ok(Operator(operation)), "{line}");
    }
    for (line, usage) in [
        ("/kick", "/kick NAME [WHY]"),
        ("/mute bob 10m too loud", "/mute NAME [FOR]"),
        ("/mute bob forever", "/mute NAME [FOR]"),
        ("/announce ", "/announce TEXT"),
        ("/unban a b", "/unban NAME|ADDR|CIDR"),
    ] {
        assert_eq!(parse_as(ALL, line), Err(Mistake::Usage(usage)), "{line}");
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
        "(10m)",
        "~10m",
        "\"10m\"",
    ] {
        for line in [
            format!("/ban bob {word} too loud"),
            format!("/ban bob for {word}"),
            format!("/mute bob {word}"),
        ] {
            assert_eq!(parse_as(ALL, &line), Ok(Operator(NoTime(word))), "{line}");
        }
    }
}

#[test]
fn every_row_is_understood_by_those_who_have_it_and_by_no_others() {
    for row in TABLE.iter().filter(|row| row.has_slash()) {
        let line = format!("/{} nick", row.name);
        let parsed = parse_as(ALL, &line);
        assert!(!matches!(parsed, Err(Mistake::Unknown(_) | Mistake::NoAccounts)), "{line}");
        let is_common = row.audience == Audience::Everybody;
        let by_guest = parse(&line);
        let is_refused = matches!(by_guest, Err(Mistake::Unknown(_) | Mistake::NoAccounts));
        assert_eq!(is_refused, !is_common, "{line}");
        assert!(ALL.find(row.name).is_ok_and(|found| found.usage == row.usage), "{line}");
        let is_helped = |line: &str| line.contains(&format!("/{}", row.name));
        assert!(is_common || ALL.help().any(is_helped), "{line}");
        assert!(is_common || !GUEST.help().any(is_helped), "{line}");
    }
}
