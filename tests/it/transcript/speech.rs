//! What is said, to whom, and what the server answers.

use std::time::{Duration, SystemTime};

use super::{Network, check, check_in};
use chinwag::chat::{OPERATORS, Settings};

#[test]
fn speech_goes_to_all_the_speaker_included() {
    check(
        "ann> hello
         ann< [ann] hello
         bob< [ann] hello
         g1< [ann] hello
         g1> two  spaces\tand a tab
         ann< [guest] two  spaces and a tab
         bob< [guest] two  spaces and a tab
         g1< [guest] two  spaces and a tab",
    );
}

#[test]
fn blank_lines_are_ignored() {
    check("ann> \nann>  \t \nann> \x04\nann> \x04x\nann< [ann] ␄x");
    check(
        "ann> \u{3164}
         ann> \u{200b}\u{2800} \u{e0041}
         ann> /say \u{3164}
         ann< Usage: /say TEXT
         ann> /msg bob \u{2800}
         ann< Usage: /msg NAME TEXT
         ann> /topic \u{200b}
         ann< No topic is set.
         bob> hello
         ann< [bob] hello
         bob< [bob] hello",
    );
}

#[test]
fn a_double_slash_and_say_say_anything() {
    check(
        "ann> //nick bob
         ann< [ann] /nick bob
         ann> /say /nick bob
         ann< [ann] /nick bob
         ann> /say SEND @bob hi
         ann< [ann] SEND @bob hi
         ann> /say
         ann< Usage: /say TEXT",
    );
}

#[test]
fn what_could_do_something_to_a_terminal_is_shown_instead() {
    check("ann> \x1b[2J\u{202e}x\nann< [ann] ␛[2J\u{fffd}x");
    let mut network = Network::new();
    network.connect("ann", "native");
    network.line("ann", b"caf\xe9 \x80");
    assert_eq!(network.read("ann"), "[ann] caf\u{fffd} \u{fffd}\n");
}

#[test]
fn private_lines_reach_one() {
    check(
        "ann> SEND @BOB hey  there
         bob< [ann → bob] hey  there
         bob> /msg ann  hi
         ann< [bob → ann]  hi
         bob< [bob → ann]  hi
         ann> /msg ann note
         ann< [ann → ann] note
         ann> SEND @ann note
         ann< [ann → ann] note
         ann> SEND @carl hi
         ann< No one is called carl.
         ann> /msg carl hi
         ann< No one is called carl.
         ann> /msg bob
         ann< Usage: /msg NAME TEXT
         ann> /msg @bob hi
         ann< [ann → bob] hi
         bob< [ann → bob] hi
         ann> SEND bob secret
         bob< [ann → bob] secret
         ann> send BOB: secret
         bob< [ann → bob] secret
         ann> send bob
         ann< Usage: SEND @NAME TEXT
         ann> \u{200b}SEND\u{a0}bob secret
         bob< [ann → bob] secret
         ann> \u{2060}/msg\u{3000}bob secret
         ann< [ann → bob] secret
         bob< [ann → bob] secret
         ann> send\t@bob
         ann< Usage: SEND @NAME TEXT
         cat> SEND @
         cat< Usage: SEND @NAME TEXT",
    );
}

#[test]
fn a_line_that_only_looks_like_a_private_one_is_speech() {
    check(
        "ann> Send help please
         ann< [ann] Send help please
         ann> sender @bob
         ann< [ann] sender @bob",
    );
}

#[test]
fn a_reply_goes_to_whoever_wrote_last_and_not_to_a_name() {
    check(
        "ann> /reply hi
         ann< No one has written to you.
         bob> SEND @ann one
         ann< [bob → ann] one
         ann> /r two
         ann< [ann → bob] two
         bob< [ann → bob] two
         bob> /nick bert
         bob< You are now bert
         ann> /reply three
         ann< [ann → bert] three
         bob< [ann → bert] three
         cat> /msg ann four
         ann< [cat → ann] four
         cat< [cat → ann] four
         ann> /reply five
         ann< [ann → cat] five
         cat< [ann → cat] five
         cat> exit
         cat< Goodbye!
         cat.
         bob> /nick cat
         bob< You are now cat
         ann> /reply six
         ann< No one has written to you.
         ann> /reply
         ann< Usage: /reply TEXT",
    );
}

#[test]
fn actions_echo_and_who() {
    check(
        "ann> /me waves
         ann< * ann waves
         bob< * ann waves
         ann> /echo off
         ann< Echo off.
         ann> quietly
         bob< [ann] quietly
         ann> /me nods
         bob< * ann nods
         ann> /echo ON
         ann< Echo on.
         ann> again
         ann< [ann] again
         bob< [ann] again
         ann> /echo
         ann< Usage: /echo on|off
         ann> /who
         ann< 2 in lobby: ann, bob
         ann> /who Lobby
         ann< 2 in lobby: ann, bob
         ann> /who games
         ann< No room is called games.
         ann> /me
         ann< Usage: /me TEXT",
    );
}

#[test]
fn time_is_told_in_words() {
    let mut network = Network::new();
    check_in(
        &mut network,
        "ann> /time
         ann< Friday 20th of November 2026 03:17:28 PM
         +31352000
         ann> /TIME
         ann< Saturday 21st of November 2026 12:00:00 AM
         +43200000
         ann> /time
         ann< Saturday 21st of November 2026 12:00:00 PM",
    );
    let days = ["Sunday 22nd", "Monday 23rd", "Tuesday 24th", "Wednesday 25th"];
    for day in days {
        let said = format!("+86400000\nann> /time\nann< {day} of November 2026 12:00:00 PM");
        check_in(&mut network, &said);
    }
}

/// The calendar ends with the year 9999, and clocks go on.
#[test]
fn no_clock_is_too_far_off_for_anything_that_tells_a_time() {
    for seconds in [253_402_300_800, 1 << 60] {
        let mut network = Network::with(Settings { operators: true, ..Settings::default() });
        network.now.wall = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        chinwag::testing::pass(&mut network.out, network.now);
        network.arrive("op", OPERATORS);
        let end = "ann> /time\nann< Thursday 30th of December 9999 10:00:00 PM";
        check_in(&mut network, end);
        network.line("op", b"/ban joe 10m");
        network.line("op", b"/bans");
        network.line("ann", b"hello");
        network.line("ann", b"/history");
    }
}

#[test]
fn up_and_down_know_more_than_ascii() {
    check(
        "ann> /up grüße ǆ
         ann< GRÜSSE Ǆ
         ann> /down GRÜẞE
         ann< grüße
         ann> /up
         ann< Usage: /up TEXT
         bob> /down
         bob< Usage: /down TEXT",
    );
}

#[test]
fn there_is_help_in_a_screenful() {
    let mut network = Network::new();
    network.connect("ann", "native");
    network.line("ann", b"/help");
    let lines = network.read("ann").lines().count();
    assert!((2..=12).contains(&lines), "{lines} lines");
    check_in(
        &mut network,
        "ann> /help msg
         ann< /msg NAME TEXT: say something to NAME alone, and see it yourself
         ann> /help /ECHO
         ann< /echo on|off: whether what you say comes back to you
         ann> /help register
         ann< REGISTER NAME: take a name; where there are accounts, /protect PASSWORD has it protected
         ann> /help dance
         ann< Unknown command: dance",
    );
}

#[test]
fn an_unknown_command_is_named_and_not_said() {
    check(
        "ann> /Foo bar
         ann< Unknown command: foo
         bob> /
         bob< Unknown command: 
         bob> / nick ann
         bob< Unknown command: ",
    );
}

#[test]
fn a_slip_is_pointed_out() {
    check(
        "ann> /nikc bob
         ann< Unknown command: nikc (did you mean /nick?)
         ann> /Hlep
         ann< Unknown command: hlep (did you mean /help?)
         ann> /he
         ann< Unknown command: he (did you mean /help?)",
    );
}

#[test]
fn a_private_line_to_an_away_user_is_answered_with_the_away_text() {
    check(
        "bob> /away having tea
         bob< You are away.
         ann> SEND @bob hi
         ann< bob is away: having tea
         bob< [ann → bob] hi
         ann> /msg bob hi
         ann< [ann → bob] hi
         ann< bob is away: having tea
         bob< [ann → bob] hi
         bob> /away
         bob< You are back.
         ann> SEND @bob hi
         bob< [ann → bob] hi",
    );
}

#[test]
fn ignored_users_are_not_seen_and_not_told() {
    check(
        "ann> /ignore BOB
         ann< Ignoring bob.
         bob> hello
         bob< [bob] hello
         cat< [bob] hello
         bob> /me waves
         bob< * bob waves
         cat< * bob waves
         bob> /msg ann hi
         bob< [bob → ann] hi
         bob> SEND @ann hi
         bob> /nick bert
         bob< You are now bert
         bob> still there?
         bob< [bert] still there?
         cat< [bert] still there?
         ann> /reply hi
         ann< No one has written to you.
         ann> /history
         ann> /msg bert I do not see you
         ann< [ann → bert] I do not see you
         bob< [ann → bert] I do not see you
         ann> /unignore bert
         ann< No longer ignoring bert.
         bob> now?
         ann< [bert] now?
         bob< [bert] now?
         cat< [bert] now?
         ann> /ignore ann
         ann< You cannot ignore yourself.
         ann> /ignore dan
         ann< No one is called dan.
         ann> /unignore dan
         ann< No one is called dan.
         ann> /ignore
         ann< Usage: /ignore NAME",
    );
}

#[test]
fn one_can_ignore_only_so_many() {
    let mut network = Network::with(Settings { ignored_max: 1, ..Settings::default() });
    network.connect("cat", "native");
    check_in(
        &mut network,
        "ann> /ignore bob
         ann< Ignoring bob.
         ann> /ignore bob
         ann< Ignoring bob.
         ann> /ignore cat
         ann< You ignore 1 already, as many as you may.
         bob> /exit
         bob< Bye.
         bob.
         ann> /ignore cat
         ann< Ignoring cat.",
    );
}
