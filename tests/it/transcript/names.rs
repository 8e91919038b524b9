//! Names: taken, kept, freed, and held for who was cut off.

use std::net::SocketAddr;

use super::{Network, check, check_in};
use chinwag::chat::Settings;

#[test]
fn names_are_taken_kept_and_freed() {
    let rule = "Username must only contain letters, digits, '-', '_' and '.', start with a \
                letter or digit, and its length must be between 3 and 32 characters.";
    check(&format!(
        "g1> REGISTER alice
         g1< Registered as alice
         g2> register ALICE
         g2< Name alice is taken.
         g1> /nick Alice
         g1< You are now Alice
         g2> /nick alice
         g2< Name Alice is taken.
         g1> /nick bob
         g1< You are now bob
         g2> /nick alice
         g2< You are now alice
         g1> REGISTER al
         g1< {rule}
         g1> REGISTER 127.0.0.1
         g1< Username must not look like an address.
         g1> /nick älice
         g1< Username must only contain letters a to z, digits, '-', '_' and '.'; 'ä' is none of them.
         g1> /nick alice.
         g1< Username must end with a letter or digit.
         g1> /nick Ser.ver
         g1< Name Ser.ver is reserved.
         g1> /nick admin
         g1< Name admin is reserved.
         g1> REGISTER Guest-7
         g1< Name Guest-7 is reserved.
         g1> REGISTER
         g1< Usage: REGISTER NAME
         g1> REGISTER a b
         g1< Usage: REGISTER NAME
         g1> /nick a b
         g1< Usage: /nick NAME
         g1> /nick
         g1< Usage: /nick NAME
         g1> still me
         g1< [bob] still me
         g2< [bob] still me"
    ));
}

#[test]
fn a_departure_frees_the_name_at_once() {
    check("ann> /exit\nann< Bye.\nann.\ng1> /nick ann\ng1< You are now ann");
}

#[test]
fn guests_have_the_lowest_free_number_and_can_be_written_to() {
    check(
        "g1> /echo on
         g1< Echo on.
         g2> /echo on
         g2< Echo on.
         g1> SEND @guest-3 hi
         g3< [guest → guest-3] hi
         g2> /who
         g2< 2 in lobby: guest, guest-2 (and 1 silent)
         g2> /nick bob
         g2< You are now bob
         g1> SEND @Guest-2 hi
         g1< No one is called Guest-2.
         g1> SEND @guest-1 hi
         g1< No one is called guest-1.",
    );
    let mut network = Network::new();
    check_in(&mut network, "g1> x\ng1< [guest] x\ng2< [guest] x\ng3< [guest] x");
    check_in(&mut network, "g2> /exit\ng2< Bye.\ng2.");
    check_in(&mut network, "g4> x\ng1< [guest-2] x\ng3< [guest-2] x\ng4< [guest-2] x");
}

#[test]
fn only_the_named_speak_where_that_is_wanted() {
    let mut network = Network::with(Settings { require_name: true, ..Settings::default() });
    check_in(
        &mut network,
        "g1> hello
         g1< REGISTER first.
         g1> /me waves
         g1< REGISTER first.
         g1> /topic mine
         g1< REGISTER first.
         g1> /topic
         g1< No topic is set.
         g1> SEND @ann hi
         ann< [guest → ann] hi
         g1> REGISTER bob
         g1< Registered as bob
         g1> hello
         ann< [bob] hello
         g1< [bob] hello",
    );
}

/// Tokens that anybody could guess.
fn counted(token: &mut [u8; 24]) {
    use std::cell::Cell;
    thread_local!(static LAST: Cell<u8> = const { Cell::new(0) });
    token.fill(LAST.replace(LAST.get() + 1) + 1);
}

pub(super) fn with_sessions(settings: Settings) -> Network {
    let mut network = Network::with(Settings { random: Some(counted), ..settings });
    network.connect("ann", "native");
    network.connect("bob", "native");
    network
}

pub(super) fn token(number: u8) -> String {
    format!("{number:02x}").repeat(24)
}

#[test]
fn a_token_resumes_after_a_broken_connection() {
    let mut network = with_sessions(Settings::default());
    check_in(
        &mut network,
        &format!(
            "bob> /notices on
             bob< Notices on.
             ann> /join games
             ann< 1 in games: ann
             bob< ann left the chat.
             ann> /echo off
             ann< Echo off.
             ann> /away eating
             ann< You are away.
             ann> /resume
             ann< To come back within 2 m: /resume {}",
            token(1)
        ),
    );
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "+1000
             g1> /nick ann
             g1< Name ann is taken.
             g1> SEND @ann hi
             g1< No one is called ann.
             bob> /join games
             bob< 1 in games: bob
             bob> one
             bob< [bob] one
             bob> two
             bob< [bob] two
             g1> /resume {0}
             g1< You are now ann
             g1< 15:17 [bob] one
             g1< 15:17 [bob] two
             bob> /msg ann there?
             g1< [bob → ann] there?
             bob< [bob → ann] there?
             bob< ann is away: eating
             g1> hello
             bob< [ann] hello
             g2> /resume {0}
             g2< That token is not known, or no longer.",
            token(1)
        ),
    );
}

#[test]
fn what_was_missed_is_shown_and_what_is_gone_is_counted() {
    let mut network = with_sessions(Settings { history_lines: 2, ..Settings::default() });
    check_in(
        &mut network,
        &format!(
            "ann> one
             ann< [ann] one
             bob< [ann] one
             ann> /resume
             ann< To come back within 2 m: /resume {}",
            token(1)
        ),
    );
    network.cut_off("ann");
    check_in(
        &mut network,
        "bob> two\nbob< [bob] two\nbob> three\nbob< [bob] three\nbob> four\nbob< [bob] four",
    );
    check_in(
        &mut network,
        &format!(
            "g1> /resume {0} 1
             g1< You are now ann
             g1< -- 1 line is no longer kept --
             g1< 15:17 [bob] three
             g1< 15:17 [bob] four
             g1> /resume
             g1< To come back within 2 m: /resume {1}
             g2> /resume {1} 0
             g1< You have been replaced by another connection.
             g1.
             g2< You are now ann
             g2< -- 2 lines are no longer kept --
             g2< 15:17 [bob] three
             g2< 15:17 [bob] four
             g2> /who
             g2< 2 in lobby: ann, bob",
            token(1),
            token(2)
        ),
    );
}

#[test]
fn a_resume_tells_that_the_former_user_left() {
    let mut network = with_sessions(Settings::default());
    network.line("bob", b"/notices on");
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "g1> hello
             bob< guest joined the chat.
             bob< [guest] hello
             g1< [guest] hello
             +1000
             g1> /resume {}
             bob< guest left the chat.
             g1< You are now ann
             g1< 15:17 [guest] hello
             g1> /exit
             g1< Bye.
             g1.
             +1000
             bob< ann left the chat.",
            token(1)
        ),
    );
}

#[test]
fn a_name_is_held_no_longer_than_is_said() {
    let mut network = with_sessions(Settings::default());
    network.line("bob", b"/notices on");
    network.line("ann", b"/resume");
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    let first = format!("g1> /resume {}\ng1< That token is not known, or no longer.", token(1));
    check_in(&mut network, &first);
    check_in(&mut network, "+119000\ng1> /nick ann\ng1< Name ann is taken.");
    check_in(
        &mut network,
        "+1000\nbob< ann left the chat.\ng1> /nick ann\ng1< You are now ann\n+1000\nbob< ann joined the chat.",
    );
    let late = format!("g2> /resume {}\ng2< That token is not known, or no longer.", token(2));
    check_in(&mut network, &late);
}

#[test]
fn exit_leaves_nothing_to_resume() {
    let mut network = with_sessions(Settings::default());
    network.line("ann", b"/resume");
    network.line("ann", b"/exit");
    network.read_all();
    check_in(
        &mut network,
        &format!("g1> /resume {}\ng1< That token is not known, or no longer.", token(1)),
    );
    check_in(&mut network, "g1> /nick ann\ng1< You are now ann");
    network.cut_off("bob");
    check_in(&mut network, "g1> /nick bob\ng1< You are now bob");
}

#[test]
fn a_server_that_holds_no_names_says_so() {
    check(
        "ann> /resume\nann< This server holds no names.\nann> /resume x\nann< That token is not known, or no longer.",
    );
    let settings = Settings { resume_for: std::time::Duration::ZERO, ..Settings::default() };
    check_in(&mut with_sessions(settings), "ann> /resume\nann< This server holds no names.");
}

#[test]
fn a_guest_is_held_under_its_number_and_comes_back_with_it() {
    let mut network = with_sessions(Settings::default());
    network.connect("g1", "native");
    network.connect("g2", "native");
    for (who, line) in [("bob", "/notices on"), ("g1", "hi"), ("g2", "hi"), ("g2", "/resume")] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    network.cut_off("g2");
    check_in(
        &mut network,
        &format!(
            "ann> SEND @guest-2 hi
             ann< No one is called guest-2.
             ann> SEND guest-2 hi
             ann< No one is called guest-2.
             g4> /resume {0}
             g4< You are now guest-2
             g4< 15:17 [guest] hi
             g4< 15:17 [guest-2] hi
             g4> /resume
             g4< To come back within 2 m: /resume {1}",
            token(1),
            token(2)
        ),
    );
    network.cut_off("g4");
    check_in(&mut network, "+120000\nbob< guest-2 left the chat.");
    network.connect("g5", "native");
    check_in(&mut network, "g5> /msg guest-2 me\ng5< [guest-2 → guest-2] me");
}

#[test]
fn a_reply_reaches_its_author_after_a_resume() {
    let mut network = with_sessions(Settings::default());
    network.line("ann", b"SEND @bob psst");
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "bob> /reply hi
             bob< No one has written to you.
             g1> /resume {}
             g1< You are now ann
             bob> /reply hi
             g1< [bob → ann] hi
             bob< [bob → ann] hi",
            token(1)
        ),
    );
}

#[test]
fn a_return_does_not_shake_off_who_ignores_it() {
    let mut network = with_sessions(Settings::default());
    network.line("bob", b"/ignore ann");
    network.line("ann", b"/ignore bob");
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    network.connect("g1", "native");
    network.line("g1", format!("/resume {}", token(1)).as_bytes());
    network.read_all();
    check_in(
        &mut network,
        "g1> still me
         g1< [ann] still me
         bob> me too
         bob< [bob] me too
         bob> /unignore ann
         bob< No longer ignoring ann.
         g1> now
         g1< [ann] now
         bob< [ann] now",
    );
}

#[test]
fn only_so_many_are_held() {
    let mut network = with_sessions(Settings { detached_max: 1, ..Settings::default() });
    network.line("ann", b"/resume");
    network.line("bob", b"/resume");
    network.read_all();
    network.cut_off("ann");
    network.cut_off("bob");
    check_in(
        &mut network,
        "g1> /nick bob
         g1< Name bob is taken.
         g1> /nick ann
         g1< You are now ann",
    );
}

#[test]
fn one_may_come_back_into_the_room_that_one_is_alone_in() {
    for (number, is_cut_off_first) in [(1, true), (2, false)] {
        let mut network = with_sessions(Settings::default());
        network.line("ann", b"/join games");
        network.line("ann", b"/resume");
        network.read_all();
        if is_cut_off_first {
            network.cut_off("ann");
        }
        network.connect("g1", "native");
        network.line("g1", b"/join games");
        network.line("g1", format!("/resume {}", token(number)).as_bytes());
        network.line("g1", b"/who");
        let read = network.read("g1");
        assert!(read.ends_with("You are now ann\n1 in games: ann\n"), "{read}");
    }
}

#[test]
fn one_address_has_so_many_held_and_takes_the_place_of_none_but_its_own() {
    let mut network =
        with_sessions(Settings { detached_per_addr: 2, detached_max: 4, ..Settings::default() });
    let detach = |network: &mut Network, client: &str, host| {
        network.arrive_from(client, "native", SocketAddr::from(([192, 0, 2, host], 1)).into());
        network.line(client, format!("/nick {client}").as_bytes());
        network.line(client, b"/resume");
        network.read(client);
        network.cut_off(client);
    };
    for (client, host) in [("cat", 8), ("eve", 7), ("eve-2", 7), ("eve-3", 7), ("eve-4", 7)] {
        detach(&mut network, client, host);
    }
    check_in(
        &mut network,
        "g1> /nick cat
         g1< Name cat is taken.
         g1> /nick eve-2
         g1< You are now eve-2
         g1> /nick eve-3
         g1< Name eve-3 is taken.",
    );
    // Where all are detached that may be, too.
    for (client, host) in [("dan", 9), ("dan-2", 9)] {
        detach(&mut network, client, host);
    }
    check_in(
        &mut network,
        "g1> /nick dan
         g1< You are now dan
         g1> /nick cat
         g1< Name cat is taken.
         g1> /nick eve-3
         g1< Name eve-3 is taken.",
    );
}

#[test]
fn what_the_ignored_said_stays_hidden_when_they_come_back() {
    let mut network = with_sessions(Settings::default());
    check_in(
        &mut network,
        &format!(
            "bob> /ignore ann
             bob< Ignoring ann.
             ann> one
             ann< [ann] one
             ann> /resume
             ann< To come back within 2 m: /resume {}",
            token(1)
        ),
    );
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!("g1> /resume {0}\ng1< You are now ann\ng1< 15:17 [ann] one", token(1)),
    );
    check_in(&mut network, "bob> /history\nbob> /say two\ng1< [bob] two\nbob< [bob] two");
}

#[test]
fn a_private_line_to_oneself_leaves_nobody_to_reply_to_after_a_resume() {
    let mut network = with_sessions(Settings::default());
    check_in(
        &mut network,
        &format!(
            "ann> SEND @ann hi
             ann< [ann → ann] hi
             ann> /resume
             ann< To come back within 2 m: /resume {0}
             g1> /resume {0}
             g1< You are now ann
             ann< You have been replaced by another connection.
             ann.
             g1> /reply hi
             g1< No one has written to you.",
            token(1)
        ),
    );
}
