//! Ignored users: nothing that they say or do is shown to the user that ignores them.

use super::presence::watched;
use super::{Network, check, check_in};
use chinwag::chat::Settings;

#[test]
fn what_the_ignored_do_is_not_shown() {
    let mut network = watched();
    for (client, listener) in [("bob", "native"), ("eve", "native"), ("bot", "json")] {
        network.connect(client, listener);
    }
    for line in ["/notices on", "/ignore bob"] {
        network.line("ann", line.as_bytes());
        network.line("bot", line.as_bytes());
    }
    network.line("eve", b"/notices on");
    network.wait(5000);
    network.read_all();
    check_in(
        &mut network,
        "bob> /nick bert
         bob< You are now bert
         eve< bob is now bert
         +1000
         bob> /join games
         bob< 1 in games: bert
         eve< bert left the chat.
         +1000
         bob> /leave
         bob< 4 in lobby: ann, bert, bot, eve
         eve< bert joined the chat.
         +1000
         bob> /exit
         bob< Bye.
         bob.
         eve< bert left the chat.
         +5000",
    );
}

#[test]
fn what_the_ignored_do_is_left_out_of_what_is_told_together() {
    let mut network = watched();
    for client in ["bob", "cat", "eve"] {
        network.connect(client, "native");
    }
    network.line("eve", b"/notices on");
    network.line("ann", b"/ignore bob");
    network.wait(5000);
    network.read_all();
    check_in(
        &mut network,
        "cat> /nick kate
         ann< cat is now kate
         cat< You are now kate
         eve< cat is now kate
         bob> /nick bert
         bob< You are now bert
         cat> /nick cat
         cat< You are now cat
         bob> /exit
         bob< Bye.
         bob.
         +1000
         ann< kate is now cat
         eve< bob is now bert and kate is now cat
         eve< bert left the chat.",
    );
}

#[test]
fn a_held_one_who_is_ignored_leaves_unseen() {
    let random: fn(&mut [u8; 24]) = |token| token.fill(7);
    let mut network = Network::with(Settings { random: Some(random), ..Settings::default() });
    for (client, line) in [("ann", "/notices on"), ("bob", "/resume"), ("eve", "/notices on")] {
        network.connect(client, "native");
        network.line(client, line.as_bytes());
    }
    network.line("ann", b"/ignore bob");
    network.wait(5000);
    network.read_all();
    network.cut_off("bob");
    check_in(&mut network, "+120000\neve< bob left the chat.");
}

#[test]
fn what_the_ignored_have_said_stays_hidden_when_they_have_gone() {
    let mut network = watched();
    check_in(
        &mut network,
        "ann> /ignore bob
         ann< Ignoring bob.
         bob> rubbish
         bob< [bob] rubbish
         g1< [bob] rubbish
         ann> mine
         ann< [ann] mine
         bob< [ann] mine
         g1< [ann] mine
         bob> /exit
         bob< Bye.
         bob.
         ann> /history
         ann< 15:17 [ann] mine
         ann> /join games
         ann< 1 in games: ann
         ann> /leave
         ann< 1 in lobby: ann (and 1 silent)
         ann< 15:17 [ann] mine
         +1000
         g1> /nick bob
         g1< You are now bob
         ann< bob joined the chat.
         g1> hello
         ann< [bob] hello
         g1< [bob] hello
         ann> /history
         ann< 15:17 [ann] mine
         ann< 15:17 [bob] hello",
    );
}

#[test]
fn a_private_line_that_is_not_shown_announces_nobody() {
    let mut network = watched();
    network.connect("bob", "native");
    network.arrive("g1", "native");
    network.line("bob", b"/ignore guest");
    network.wait(5000);
    network.read_all();
    check_in(
        &mut network,
        "g1> SEND @bob hi
         g1> /msg bob hi
         g1< [guest → bob] hi
         ann> /who
         ann< 2 in lobby: ann, bob (and 1 silent)
         g1> SEND @ann hi
         ann< guest joined the chat.
         ann< [guest → ann] hi",
    );
}

#[test]
fn the_gone_are_not_counted_among_those_one_may_ignore() {
    let settings = Settings { ignored_max: 2, ..Settings::default() };
    check_in(
        &mut Network::with(settings),
        "ann> /ignore bob
         ann< Ignoring bob.
         ann> /ignore cat
         ann< Ignoring cat.
         ann> /ignore dan
         ann< You ignore 2 already, as many as you may.
         cat> /exit
         cat< Bye.
         cat.
         ann> /ignore dan
         ann< Ignoring dan.
         ann> /ignore eve
         ann< You ignore 2 already, as many as you may.
         bob> hi
         bob< [bob] hi
         dan< [bob] hi
         eve< [bob] hi
         dan> hi
         bob< [dan] hi
         dan< [dan] hi
         eve< [dan] hi",
    );
}

#[test]
fn what_the_ignored_say_of_their_absence_is_not_shown() {
    check(
        "bob> /away at evil.com
         bob< You are away.
         ann> /ignore bob
         ann< Ignoring bob.
         ann> /msg bob hi
         ann< [ann → bob] hi
         bob< [ann → bob] hi",
    );
}

#[test]
fn ignored_users_stay_ignored_under_another_name() {
    let random: fn(&mut [u8; 24]) = |token| token.fill(7);
    let mut network = Network::with(Settings { random: Some(random), ..Settings::default() });
    for client in ["ann", "bob", "eve"] {
        network.connect(client, "native");
    }
    network.line("eve", b"/resume");
    network.line("ann", b"/ignore bob");
    network.read_all();
    network.cut_off("eve");
    check_in(
        &mut network,
        &format!(
            "bob> rubbish
             bob< [bob] rubbish
             bob> /resume {}
             bob< You are now eve
             bob< 15:17 [bob] rubbish
             bob> more
             bob< [eve] more
             ann> /history
             ann> /unignore eve
             ann< No longer ignoring eve.
             bob> again
             ann< [eve] again
             bob< [eve] again",
            "07".repeat(24)
        ),
    );
}
