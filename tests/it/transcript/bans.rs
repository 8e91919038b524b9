//! For how long a ban holds and for whom, and what becomes of what they said.

use super::operators::{network, with_tokens};
use super::{Network, check_in};
use chinwag::Service;
use chinwag::chat::{Account, Answer, Request, Settings};

#[test]
fn a_time_that_is_none_is_refused_and_the_answer_says_how_long() {
    let told = "is no time: 10m, 2h, 7d or 1w, at most 3660d; without one it is for good.";
    check_in(
        &mut network(),
        &format!(
            "op> /ban joe 10min
             op< '10min' {told}
             op> /ban joe 10 minutes
             op< '10' {told}
             op> /mute ann 10x
             op< '10x' {told}
             op> /bans
             op< There are no bans.
             ann> heard
             ann< [ann] heard
             op< [ann] heard
             op> /ban joe
             op< Banned joe for good.
             op> /ban jim 10m
             op< Banned jim until 2026-11-20 15:27 UTC.
             op> /mute ann
             ann< You were muted by op.
             op< Muted ann for good."
        ),
    );
}

#[test]
fn a_ban_that_holds_everybody_is_asked_about_first() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    network.user_from("bob", "192.0.2.8:4001");
    for target in ["0.0.0.0/0", "::/0", "::ffff:0:0/96", "192.0.2.0/24", "128.0.0.0/1", "2000::/3"]
    {
        network.line("op", format!("/ban {target} 1h spam").as_bytes());
        let answer = network.read("op");
        assert!(answer.starts_with("Nothing done: "), "{answer}");
        assert!(answer.ends_with(" holds everybody. If that is meant: /ban … yes\n"), "{answer}");
    }
    check_in(
        &mut network,
        "op> /ban joe@0.0.0.0/0
         op< Nothing done: joe@0.0.0.0/0 holds everybody. If that is meant: /ban … yes
         op> /ban 192.0.2.7
         ann< ann was banned by op.
         ann.
         bob< ann was banned by op.
         op< Banned 192.0.2.7 for good.
         op> /ban 192.0.2.0/24 1h too many yes
         bob< bob was banned by op: too many
         bob.
         op< Banned 192.0.2.0/24 until 2026-11-20 16:17 UTC.
         op> /ban ::/0 yes
         op< Banned ::/0 for good.",
    );
}

#[test]
fn of_those_who_share_an_address_nobody_is_banned_with_all_by_a_slip() {
    let mut network = network();
    network.user_from("ann", "192.0.2.7:4001");
    network.user_from("bob", "192.0.2.7:4002");
    check_in(
        &mut network,
        "op> /ban ann
         op< Nothing done: ann@192.0.2.7 holds everybody. If that is meant: /ban … yes",
    );
}

#[test]
fn an_operator_who_would_ban_themselves_is_asked_first() {
    let accounts = true;
    let mut network = Network::with(Settings { accounts, operators: true, ..Settings::default() });
    network.user_from("boss", "192.0.2.7:4001");
    network.user_from("ann", "192.0.2.8:4001");
    network.user_from("eve", "198.51.100.1:4001");
    check_in(
        &mut network,
        "boss> /protect hunter22
         boss< Name boss is protected from now on: /nick boss PASSWORD
         boss< That line was not encrypted: whoever carried it can have read the password.",
    );
    network.reload(vec![Account { name: "boss".to_owned(), op: true, unused_until: None }]);
    check_in(
        &mut network,
        "boss> /ban 192.0.2.0/24 rude
         boss< Nothing done: 192.0.2.0/24 holds an operator's own address. If that is meant: /ban … yes
         boss> /ban 192.0.2.8
         ann< ann was banned by boss.
         ann.
         boss< Banned 192.0.2.8 for good.
         eve< ann was banned by boss.",
    );
}

#[test]
fn almost_an_address_is_no_name() {
    let mut network = network();
    for target in ["127.1", "10.0.0", "10.0.0.1-9", "0x7.1", "1.2.3.4.5"] {
        let told = "cannot be banned; NAME, ADDR, ADDR/BITS or NAME@ADDR is wanted.";
        check_in(&mut network, &format!("op> /ban {target}\nop< '{target}' {told}"));
    }
    check_in(
        &mut network,
        "ann> /nick 1.2.3
         ann< You are now 1.2.3
         op> /ban 1.2.3
         ann< 1.2.3 was banned by op.
         ann.
         op< Banned 1.2.3 for good.",
    );
}

/// What the operator asked to be kept, and is not yet. Nobody takes over before it is.
fn ban(network: &mut Network, line: &str) -> Vec<(Option<chinwag::ConnId>, Answer)> {
    network.is_handed_over = false;
    network.chat.on_line(network.clients["op"], line.as_bytes(), &mut network.out);
    let answer = |(id, request)| match request {
        Request::Ban { ban, .. } => (id, Answer::Banned(ban)),
        other => panic!("{other:?}"),
    };
    std::iter::from_fn(|| network.chat.next_request()).map(answer).collect()
}

fn answer(network: &mut Network, answers: Vec<(Option<chinwag::ConnId>, Answer)>) {
    for (id, answer) in answers {
        network.chat.answer(id, answer, &mut network.out);
    }
    network.close_the_closing();
}

#[test]
fn a_ban_is_for_who_bore_the_name_when_it_was_said() {
    let mut network = network();
    network.user_from("ann", "127.0.0.1:4001");
    network.user_from("bob", "127.0.0.1:4002");
    let answers = ban(&mut network, "/ban ann");
    check_in(
        &mut network,
        "ann> /nick other
         ann< You are now other
         bob> /nick ann
         bob< You are now ann",
    );
    answer(&mut network, answers);
    let read = network.read_all();
    assert_eq!(
        read,
        [
            "ann< other was banned by op.",
            "ann.",
            "bob< other was banned by op.",
            "op< Banned ann for good."
        ]
    );
}

#[test]
fn a_ban_finds_who_comes_back_before_it_is_kept() {
    let mut network = with_tokens();
    network.user_from("ann", "127.0.0.1:4001");
    network.line("ann", b"/resume");
    network.arrive("again", "native");
    let answers = ban(&mut network, "/ban ann");
    network.line("again", format!("/resume {}", "07".repeat(24)).as_bytes());
    network.line("again", b"/nick other");
    network.read_all();
    answer(&mut network, answers);
    assert_eq!(
        network.read_all(),
        ["again< other was banned by op.", "again.", "op< Banned ann for good."]
    );
}

#[test]
fn what_the_banned_have_said_is_shown_to_nobody_again() {
    let mut network = network();
    network.user_from("eve", "192.0.2.7:4001");
    network.user_from("ann", "192.0.2.8:4001");
    for (who, line) in [
        ("eve", "buy"),
        ("eve", "/nick mallory"),
        ("eve", "/me sells"),
        ("ann", "stop"),
        ("eve", "/join games"),
        ("eve", "and here"),
        ("eve", "/nick eve"),
    ] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    check_in(
        &mut network,
        "op> /ban eve
         eve< eve was banned by op.
         eve.
         op< Banned eve@192.0.2.7 for good.
         ann> /history
         ann< 15:17 [ann] stop
         ann> /join games
         ann< 1 in games: ann
         ann> /leave
         ann< 1 in lobby: ann (and 1 silent)
         ann< 15:17 [ann] stop",
    );
}

#[test]
fn topics_and_rooms_of_the_banned_go_as_well() {
    let mut network = network();
    network.user_from("eve", "192.0.2.7:4001");
    network.user_from("ann", "192.0.2.8:4001");
    for (who, line) in [
        ("ann", "/topic tea"),
        ("eve", "/topic buy"),
        ("eve", "/join come.and.buy"),
        ("eve", "buy"),
        ("eve", "/join games"),
        ("ann", "/join games"),
        ("ann", "/topic chess"),
        ("eve", "/topic buy"),
        ("ann", "/leave"),
        ("eve", "/join empty"),
        ("eve", "/topic buy"),
    ] {
        network.line(who, line.as_bytes());
    }
    network.read_all();
    check_in(
        &mut network,
        "op> /ban eve
         eve< eve was banned by op.
         eve.
         op< Banned eve@192.0.2.7 for good.
         ann> /topic
         ann< Topic: tea
         ann> /rooms
         ann< lobby 1
         ann< games 0
         ann> /join games
         ann< 1 in games: ann
         ann< 15:17 ann set the topic: chess
         ann> /topic
         ann< Topic: chess
         ann> /join empty
         ann< 1 in empty: ann
         ann> /topic
         ann< No topic is set.",
    );
}

#[test]
fn the_spam_of_who_has_gone_already_goes_with_the_name() {
    let mut network = network();
    network.user_from("eve", "192.0.2.7:4001");
    network.line("eve", b"buy");
    network.line("eve", b"/exit");
    network.read_all();
    check_in(
        &mut network,
        "ann> hi
         ann< [ann] hi
         op< [ann] hi
         op> /ban EVE
         op< Banned EVE for good.
         op> /history
         op< 15:17 [ann] hi",
    );
}
