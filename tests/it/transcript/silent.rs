//! Silent users, who send nothing that others can see: nobody is told of them.

use super::check_in;
use super::presence::watched;
use chinwag::{Limit, Service};

#[test]
fn silent_guests_neither_join_nor_leave() {
    let lines = [
        "/time",
        "/help",
        "/stats",
        "/who",
        "/rooms",
        "/topic",
        "/history",
        "/away",
        "/notices on",
        "/ignore ann",
        "/dialect json",
        "/join #",
        "/join lobby",
        "/leave",
        "/nick x",
        "/nick ann",
        "SEND @nobody hi",
        "SEND @guest to myself",
        "/reply hi",
        "/unheard of",
        "register",
        "/resume x",
    ];
    for line in lines {
        let mut network = watched();
        network.line("ann", b"/who");
        network.connect("bot", "json");
        network.wait(5000);
        network.read_all();
        network.arrive("g1", "native");
        network.line("g1", line.as_bytes());
        network.wait(5000);
        network.line("g1", b"/exit");
        network.wait(5000);
        assert_eq!((network.read("ann"), network.read("bot")), <_>::default(), "{line}");
    }
    let mut network = watched();
    let id = network.arrive("g1", "native");
    network.chat.on_limit(id, Limit::LineTooLong { max: 4096 }, &mut network.out);
    network.wait(5000);
    network.cut_off("g1");
    assert_eq!(network.read("ann"), "");
}

#[test]
fn the_silent_are_counted_and_not_named() {
    let mut network = watched();
    network.connect("bob", "native");
    for number in 1..=40 {
        network.arrive(&format!("g{number}"), if number % 2 == 0 { "native" } else { "recipe" });
    }
    network.line("ann", b"/notices off");
    network.read_all();
    check_in(
        &mut network,
        "ann> /who
         ann< 2 in lobby: ann, bob (and 40 silent)
         ann> /rooms
         ann< lobby 2
         g2> /who
         g2< 3 in lobby: ann, bob, guest-2 (and 39 silent)
         g2> /rooms
         g2< lobby 3
         g4> /join games
         g4< 1 in games: guest-4
         g4> /who lobby
         g4< 2 in lobby: ann, bob (and 39 silent)
         bob> /join games
         bob< 2 in games: bob, guest-4
         ann> /join games
         ann< 3 in games: ann, bob, guest-4
         ann> /who lobby
         ann< 0 in lobby (and 39 silent)",
    );
}
