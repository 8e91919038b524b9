//! Mutes: what muted users cannot do, and for how long.

use super::operators::{network, with_tokens};
use super::{Network, check_in};
use chinwag::chat::Settings;

#[test]
fn nobody_hears_the_muted() {
    check_in(
        &mut network(),
        "op> /mute nobody
         op< No one is called nobody.
         op> /mute guest
         op< guest is an operator.
         op> /mute ann 10m
         ann< You were muted until 2026-11-20 15:27 UTC by op.
         op< Muted ann until 2026-11-20 15:27 UTC.
         ann> hello
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         ann> /me waves
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         ann> /topic me
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         ann> /msg bob psst
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         ann> SEND @bob psst
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         ann> /topic
         ann< No topic is set.
         bob> /msg ann cannot answer?
         ann< [bob → ann] cannot answer?
         bob< [bob → ann] cannot answer?
         ann> /reply no
         ann< You are muted until 2026-11-20 15:27 UTC; nobody was told.
         +600000
         ann> /topic me
         ann< ann set the topic: me
         bob< ann set the topic: me
         op< ann set the topic: me
         op> /mute ann
         ann< You were muted by op.
         op< Muted ann for good.
         op> /unmute ANN
         ann< You are no longer muted.
         op< No longer muted: ann
         op> /unmute ann
         op< ann is not muted.
         ann> hello
         ann< [ann] hello
         bob< [ann] hello
         op< [ann] hello",
    );
}

#[test]
fn what_the_muted_write_reaches_nobody_in_any_form() {
    let no = "You are muted; nobody was told.";
    check_in(
        &mut network(),
        &format!(
            "bob> /notices on
             bob< Notices on.
             bob> /join games
             bob< 1 in games: bob
             ann> /away buy at evil.com
             ann< You are away.
             op> /mute ann
             ann< You were muted by op.
             op< Muted ann for good.
             bob> /msg ann hi
             ann< [bob → ann] hi
             bob< [bob → ann] hi
             ann> /nick buy.at.evil.com
             ann< {no}
             ann> REGISTER buy.at.evil.com
             ann< {no}
             ann> /nick ANN
             ann< {no}
             ann> /away buy at evil.com
             ann< {no}
             ann> /join come.to.evil.com
             ann< {no}
             bob> /rooms
             bob< games 1
             bob< lobby 1
             ann> /away
             ann< You are back.
             ann> /join GAMES
             ann< 2 in games: ann, bob
             bob< ann joined the chat.
             op> /unmute ann
             ann< You are no longer muted.
             op< No longer muted: ann
             +1000
             ann> /nick eve
             ann< You are now eve
             bob< ann is now eve"
        ),
    );
}

#[test]
fn a_muted_user_who_resumes_makes_no_room_either() {
    let mut network = with_tokens();
    network.connect("ann", "native");
    for (who, line) in [("ann", "/join evil"), ("ann", "/resume"), ("op", "/mute ann")] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "bob> /resume {}
             bob< You are now ann
             bob> /rooms
             bob< lobby 1",
            "07".repeat(24)
        ),
    );
}

#[test]
fn a_mute_that_is_over_is_none_before_it_is_noticed() {
    check_in(
        &mut network(),
        "op> /mute ann 10m
         ann< You were muted until 2026-11-20 15:27 UTC by op.
         op< Muted ann until 2026-11-20 15:27 UTC.
         op> /whois ann
         op< ann: 127.0.0.1:4002, idle 0 s, 0 bytes queued, in lobby, muted
         +600000
         op> /whois ann
         op< ann: 127.0.0.1:4002, idle 10 m, 0 bytes queued, in lobby
         op> /unmute ann
         op< ann is not muted.",
    );
}

#[test]
fn a_mute_waits_for_the_name_when_its_bearer_has_gone() {
    check_in(
        &mut network(),
        "op> /mute ann
         ann< You were muted by op.
         op< Muted ann for good.
         ann> /exit
         ann< Bye.
         ann.
         g2> hello
         g2< [guest-2] hello
         g3< [guest-2] hello
         op< [guest-2] hello
         g2> /nick ANN
         g2< You are now ANN
         g2> hello
         g2< You are muted; nobody was told.
         g2> /exit
         g2< Bye.
         g2.
         op> /unmute ann
         op< No longer muted: ann
         g3> /nick ann
         g3< You are now ann
         g3> hello
         g3< [ann] hello
         op< [ann] hello",
    );
}

#[test]
fn a_mute_outlives_a_cut_off_connection() {
    let mut network = with_tokens();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            "ann> /resume
             ann< To come back within 2 m: /resume {token}
             op> /mute ann
             ann< You were muted by op.
             op< Muted ann for good."
        ),
    );
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "g2> /resume {token}
             g2< You are now ann
             g2> hello
             g2< You are muted; nobody was told."
        ),
    );
}

/// Ann is cut off, and bob comes back in her place.
fn comes_back_as_ann(mute_ann: &str, mute_bob: &str, pause: &str, told: &str) {
    let mut network = with_tokens();
    network.connect("ann", "native");
    network.connect("bob", "native");
    let token = "07".repeat(24);
    for (who, line) in [("ann", "/resume"), ("op", mute_ann), ("op", mute_bob)] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "{pause}
             bob> /resume {token}
             bob< You are now ann
             bob> hello
             bob< {told}"
        ),
    );
}

#[test]
fn nobody_gets_rid_of_a_mute_by_coming_back_as_another() {
    let muted = "You are muted; nobody was told.";
    comes_back_as_ann("/away", "/mute bob", "+1", muted);
    comes_back_as_ann("/mute ann", "/mute bob 1s", "+2000", muted);
    comes_back_as_ann("/mute ann 1s", "/mute bob", "+2000", muted);
    comes_back_as_ann("/mute ann", "/mute bob 10m", "+1", muted);
}

#[test]
fn nobody_gets_rid_of_a_mute_by_a_name_that_had_a_shorter_one() {
    let mut network = Network::with(Settings { operators: true, ..Settings::default() });
    network.arrive("op", "op");
    network.connect("ann", "native");
    network.connect("dan", "native");
    for (who, line) in [("op", "/mute dan 2s"), ("dan", "/exit"), ("op", "/mute ann")] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    check_in(
        &mut network,
        "+3000
         ann> /nick dan
         ann< You are muted; nobody was told.
         ann> hello
         ann< You are muted; nobody was told.",
    );
}
