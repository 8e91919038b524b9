//! Presence: join, leave and rename notices, and who gets them; greetings and goodbyes.

use super::{Network, check, check_in};
use chinwag::chat::{Dialect, Settings};
use chinwag::{Limit, Service};

#[test]
fn four_ways_to_leave() {
    for (line, word) in
        [("quit", "Goodbye!"), ("EXIT", "Goodbye!"), ("/exit", "Bye."), ("/Quit", "Bye.")]
    {
        check(&format!("ann> {line}\nann< {word}\nann."));
    }
    check("ann> quit it\nann< [ann] quit it\nbob< [ann] quit it");
}

#[test]
fn limits_are_told_in_words() {
    let mut network = Network::new();
    let ann = network.connect("ann", "native");
    for limit in [Limit::LineTooLong { max: 4096 }, Limit::Shed(1), Limit::Shed(42)] {
        network.chat.on_limit(ann, limit, &mut network.out);
    }
    assert_eq!(
        network.read("ann"),
        "Line too long (limit 4096 bytes); dropped.\n\
         -- 1 line skipped: your connection is slow --\n\
         -- 42 lines skipped: your connection is slow --\n"
    );
    network.chat.on_shutdown(&mut network.out);
    assert_eq!(network.read("ann"), "Server is shutting down.\n");
}

#[test]
fn silent_clients_are_greeted_and_take_notices() {
    let mut network = Network::new();
    network.arrive("g1", "native");
    check_in(
        &mut network,
        "+1999
         +1
         g1< Welcome.
         g1< 1 in lobby: guest
         g1< You are guest. Type to talk; /nick NAME to be named; /help for more.",
    );
    network.arrive("g2", "native");
    check_in(
        &mut network,
        "g2> /nick ann
         g1< ann joined the chat.
         g2< You are now ann
         +1000
         g2> /exit
         g1< ann left the chat.
         g2< Bye.
         g2.",
    );
}

#[test]
fn a_greeting_shows_what_was_said_before() {
    let mut network = Network::new();
    network.settings_motd(b"Hello!\r\n\r\n  Be kind.\x07\n");
    network.connect("ann", "native");
    network.line("ann", b"one");
    network.read_all();
    network.arrive("g1", "native");
    check_in(
        &mut network,
        "+2000
         g1< Hello!
         g1< 
         g1<   Be kind.␇
         g1< 2 in lobby: ann, guest
         g1< 15:17 [ann] one
         g1< -- kept in memory only --
         g1< You are guest. Type to talk; /nick NAME to be named; /help for more.",
    );
}

#[test]
fn clients_that_speak_first_are_not_greeted() {
    let mut network = Network::new();
    network.arrive("g1", "native");
    check_in(&mut network, "+1999\ng1> \t\ng1> hello\ng1< [guest] hello\n+10000");
    check_in(
        &mut network,
        "ann> /nick anna
         ann< You are now anna
         g1> /notices on
         g1< Notices on.
         ann> /nick ann
         ann< You are now ann
         g1< anna is now ann
         ann> /exit
         ann< Bye.
         ann.
         +999
         +1
         g1< ann left the chat.
         g1> /notices off
         g1< Notices off.
         bob> hi
         bob< [bob] hi
         g1< [bob] hi",
    );
}

#[test]
fn nobody_is_greeted_where_that_is_off() {
    let mut network = Network::with(Settings { greet_after: None, ..Settings::default() });
    network.connect("ann", "native");
    network.line("ann", b"/notices on");
    network.read_all();
    network.arrive("g1", "native");
    check_in(&mut network, "+1999\n+1\n+5000");
    network.arrive("g2", "native");
    check_in(&mut network, "g2> /nick bob\nann< bob joined the chat.\ng2< You are now bob\n+1000");
}

/// A room with ann in it, who wants to know.
pub(super) fn watched() -> Network {
    let mut network = Network::new();
    network.connect("ann", "native");
    network.line("ann", b"/notices on");
    network.read("ann");
    network
}

#[test]
fn an_arrival_is_told_before_what_is_said() {
    for (typed, line) in [
        ("hi", "[guest] hi"),
        ("/me waves", "* guest waves"),
        ("/topic tea", "guest set the topic: tea"),
    ] {
        let mut network = watched();
        network.arrive("g1", "native");
        let script = format!("g1> {typed}\nann< guest joined the chat.\nann< {line}\ng1< {line}");
        check_in(&mut network, &script);
    }
    let mut network = watched();
    network.arrive("g1", "native");
    check_in(
        &mut network,
        "g1> SEND @ann psst\nann< guest joined the chat.\nann< [guest → ann] psst",
    );
}

#[test]
fn a_first_line_that_names_its_author_announces_that_name() {
    let mut network = watched();
    network.arrive("g1", "native");
    check_in(&mut network, "g1> REGISTER bob\ng1< Registered as bob\nann< bob joined the chat.");
    network.wait(1000);
    network.arrive("g2", "native");
    check_in(
        &mut network,
        "g2> /nick ann
         g2< Name ann is taken.
         g2> /nick dan
         g2< You are now dan
         ann< dan joined the chat.",
    );
}

#[test]
fn a_first_line_that_leaves_announces_nobody() {
    for line in ["quit", "/exit"] {
        let mut network = watched();
        network.arrive("g1", "native");
        network.line("g1", line.as_bytes());
        network.read("g1");
        assert_eq!(network.read("ann"), "", "{line}");
    }
    let mut network = watched();
    network.arrive("g1", "native");
    network.cut_off("g1");
    network.wait(5000);
    assert_eq!(network.read("ann"), "");
}

#[test]
fn a_first_line_that_joins_a_room_announces_there() {
    let mut network = watched();
    network.connect("bob", "native");
    network.line("bob", b"/join games");
    network.line("bob", b"/notices on");
    network.wait(5000);
    for client in ["ann", "bob"] {
        network.read(client);
    }
    network.arrive("g1", "native");
    check_in(
        &mut network,
        "g1> /join games\nbob< guest joined the chat.\ng1< 2 in games: bob, guest",
    );
}

#[test]
fn the_first_is_told_at_once_and_the_rest_of_the_second_together() {
    let mut network = watched();
    for client in ["g1", "g2", "g3", "g4", "g5"] {
        network.arrive(client, "native");
    }
    check_in(
        &mut network,
        "g1> /nick bob
         ann< bob joined the chat.
         g1< You are now bob
         +300
         g2> /nick cat
         g2< You are now cat
         g3> /nick dan
         g3< You are now dan
         g2> /nick kate
         g2< You are now kate
         g3> /exit
         g3< Bye.
         g3.
         g4> /nick eve
         g4< You are now eve
         +699
         +1
         ann< cat, dan and eve joined the chat.
         ann< cat is now kate
         ann< dan left the chat.
         g5> /nick fay
         ann< fay joined the chat.
         g5< You are now fay",
    );
}

#[test]
fn many_who_come_are_counted() {
    let mut network = watched();
    for number in 0..10 {
        network.arrive(&format!("g{number}"), "native");
    }
    for number in 0..10 {
        network.line(&format!("g{number}"), format!("/nick user-{number}").as_bytes());
    }
    assert_eq!(network.read("ann"), "user-0 joined the chat.\n");
    network.wait(1000);
    assert_eq!(network.read("ann"), "user-1, user-2 and 7 others joined the chat.\n");
}

#[test]
fn a_name_that_another_takes_is_told_of_in_order() {
    let mut network = watched();
    for client in ["bob", "cat", "dan"] {
        network.connect(client, "native");
    }
    network.wait(5000);
    network.read_all();
    network.arrive("g1", "native");
    network.arrive("g2", "native");
    check_in(
        &mut network,
        "dan> /nick dave
         ann< dan is now dave
         dan< You are now dave
         g1> /nick eve
         g1< You are now eve
         bob> /exit
         bob< Bye.
         bob.
         g2> /nick BOB
         g2< You are now BOB
         cat> /exit
         cat< Bye.
         cat.
         dan> /nick cat
         dan< You are now cat
         +1000
         ann< eve joined the chat.
         ann< bob and cat left the chat.
         ann< BOB joined the chat.
         ann< dave is now cat",
    );
}

#[test]
fn the_notices_of_one_user_are_bounded_within_a_second() {
    let mut network = watched();
    network.connect("bob", "native");
    network.wait(5000);
    network.read_all();
    for _ in 0..8 {
        network.line("bob", b"/join games");
        network.line("bob", b"/leave");
    }
    let both = ["bob left the chat.\n", "bob joined the chat.\n"].concat();
    assert_eq!(network.read("ann"), "bob left the chat.\n");
    network.line("bob", b"/join games");
    let told = both.repeat(8).replacen("bob left the chat.\n", "", 1) + "bob left the chat.\n";
    assert_eq!(network.read("ann"), told);
}

#[test]
fn batched_notices_are_told_before_the_next_line() {
    let mut network = watched();
    network.arrive("g1", "native");
    network.arrive("g2", "native");
    check_in(
        &mut network,
        "g1> /nick bob
         ann< bob joined the chat.
         g1< You are now bob
         g2> /nick cat
         g2< You are now cat
         g1> hello
         ann< cat joined the chat.
         ann< [bob] hello
         g1< [bob] hello
         g2< [bob] hello
         g1> /nick bert
         g1< You are now bert
         g2> /me waves
         ann< bob is now bert
         ann< * cat waves
         g1< * cat waves
         g2< * cat waves",
    );
}

#[test]
fn notices_are_for_who_took_them_then() {
    let mut network = watched();
    network.connect("bob", "native");
    network.connect("cat", "native");
    network.wait(5000);
    network.read_all();
    check_in(
        &mut network,
        "bob> /nick bert
         ann< bob is now bert
         bob< You are now bert
         bob> /nick robert
         bob< You are now robert
         cat> /notices on
         cat< Notices on.
         bob> /nick bob
         bob< You are now bob
         ann> /notices off
         ann< bert is now robert and robert is now bob
         ann< Notices off.
         +1000
         cat< robert is now bob",
    );
}

#[test]
fn what_is_pending_is_told_before_the_dialect_is_another() {
    check_in(
        &mut Network::with_all_dialects(),
        "ann> /notices on
         ann< Notices on.
         bob> /nick bert
         bob< You are now bert
         ann< bob is now bert
         bob> /nick bob
         bob< You are now bob
         ann> /dialect recipe
         ann< bert is now bob
         ann< Dialect: recipe
         +1000",
    );
}

#[test]
fn one_is_not_told_of_oneself() {
    let mut network = watched();
    network.connect("bob", "native");
    network.line("bob", b"/notices on");
    network.wait(5000);
    network.read_all();
    check_in(
        &mut network,
        "ann> /nick anna
         ann< You are now anna
         bob< ann is now anna
         bob> /nick bert
         bob< You are now bert
         ann> /nick ann
         ann< You are now ann
         +1000
         ann< bob is now bert
         bob< anna is now ann",
    );
}

#[test]
fn a_notice_that_nobody_gets_starts_no_second() {
    let mut network = Network::new();
    network.connect("ann", "native");
    check_in(
        &mut network,
        "ann> /nick anna
         ann< You are now anna
         ann> /notices on
         ann< Notices on.",
    );
    network.arrive("g1", "native");
    check_in(&mut network, "g1> hi\nann< guest joined the chat.\nann< [guest] hi\ng1< [guest] hi");
}

#[test]
fn a_crowd_comes_and_goes_unannounced() {
    let mut network = Network::with_all_dialects();
    network.connect("ann", "native");
    network.line("ann", b"/notices on");
    network.connect("tom", "tutorial");
    for number in 2..=198 {
        network.connect(&format!("user-{number}"), "recipe");
    }
    network.wait(5000);
    network.read_all();
    // The two hundredth is told of, the next one is not.
    network.arrive("g1", "native");
    network.line("g1", b"/nick last");
    assert_eq!(network.read("ann"), "last joined the chat.\n");
    let named = "127.0.0.1:4200 is now last\n";
    assert_eq!(network.read("tom"), format!("127.0.0.1:4200 joined the chat.\n{named}"));
    // What is pending then is told before the next one comes.
    network.line("g1", b"/nick final");
    assert_eq!(network.read("tom"), "last is now final\n");
    assert_eq!(network.read("ann"), "");
    network.arrive("g2", "native");
    assert_eq!(network.read("ann"), "last is now final\n");
    network.wait(5000);
    network.line("g2", b"/nick late");
    network.line("tom", b"/nick thomas");
    assert_eq!(network.read("tom"), "You are now thomas\n");
    network.line("user-7", b"/exit");
    network.wait(5000);
    assert_eq!((network.read("ann").as_str(), network.read("tom").as_str()), ("", ""));
    network.line("user-8", b"/exit");
    assert_eq!(network.read("ann"), "user-8 left the chat.\n");
    assert_eq!(network.read("tom"), "user-8 left the chat.\n");
}

#[test]
fn a_shutdown_is_no_departure() {
    let mut network = watched();
    network.connect("bob", "native");
    network.wait(2000);
    network.read_all();
    network.chat.on_shutdown(&mut network.out);
    network.cut_off("bob");
    assert_eq!(network.read("ann"), "Server is shutting down.\n");
    assert_eq!(Dialect::default(), Dialect::Native);
}

#[test]
fn the_second_of_a_room_that_is_gone_ends_no_other() {
    let mut network = Network::new();
    for name in ["ann", "bob", "cat", "dan"] {
        network.connect(name, "native");
    }
    check_in(
        &mut network,
        "ann> /notices on
         ann< Notices on.
         ann> /join one
         ann< 1 in one: ann
         bob> /join one
         ann< bob joined the chat.
         bob< 2 in one: ann, bob
         bob> /leave
         bob< 3 in lobby: bob, cat, dan
         ann> /leave
         ann< bob left the chat.
         ann< 4 in lobby: ann, bob, cat, dan
         +500
         ann> /join two
         ann< 1 in two: ann
         bob> /join two
         ann< bob joined the chat.
         bob< 2 in two: ann, bob
         cat> /join two
         cat< 3 in two: ann, bob, cat
         +600
         +500
         ann< cat joined the chat.",
    );
}
