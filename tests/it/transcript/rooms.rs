//! Rooms, what is kept of them, and the lists.

use super::{Network, check, check_in};
use chinwag::chat::Settings;

#[test]
fn slash_who_names_a_hundred_and_counts_the_rest() {
    let mut network = Network::new();
    for number in 0..103 {
        network.connect(&format!("user-{number}"), "native");
    }
    network.line("user-7", b"/who");
    let list = network.read("user-7");
    let list = list.strip_suffix(" and 3 more\n").expect(&list);
    let names = list.strip_prefix("103 in lobby: ").expect(list);
    assert_eq!(names.split(", ").count(), 100);
}

#[test]
fn rooms_are_made_on_first_use_and_gone_with_the_last_user() {
    check(
        "ann> /join Games
         ann< 1 in Games: ann
         ann> /who lobby
         ann< 1 in lobby: bob
         bob> /who gAMES
         bob< 1 in Games: ann
         bob> not for ann
         bob< [bob] not for ann
         ann> /rooms
         ann< Games 1
         ann< lobby 1
         bob> /join games
         bob< 2 in Games: ann, bob
         bob> /rooms
         bob< Games 2
         bob< lobby 0
         bob> /leave
         bob< 1 in lobby: bob
         bob< 15:17 [bob] not for ann
         ann> /leave
         ann< 2 in lobby: ann, bob
         ann< 15:17 [bob] not for ann
         ann> /rooms
         ann< lobby 2
         ann> /who games
         ann< No room is called games.
         ann> /join Lobby
         ann< 2 in lobby: ann, bob
         ann> /leave
         ann< 2 in lobby: ann, bob",
    );
}

#[test]
fn a_room_is_called_like_a_user_but_shorter_if_it_likes() {
    let rule = "Room name must only contain letters, digits, '-', '_' and '.', start with a \
                letter or digit, and its length must be between 1 and 32 characters.";
    check(&format!(
        "ann> /join x
         ann< 1 in x: ann
         ann> /join {0}
         ann< 1 in {0}: ann
         ann> /join {0}r
         ann< {rule}
         ann> /join #games
         ann< {rule}
         ann> /join tee-
         ann< Room name must end with a letter or digit.
         ann> /join büro
         ann< Room name must only contain letters a to z, digits, '-', '_' and '.'; 'ü' is none of them.
         ann> /join
         ann< Usage: /join ROOM",
        "r".repeat(32)
    ));
}

#[test]
fn there_are_as_many_rooms_as_there_may_be() {
    let mut network = Network::with(Settings { rooms_max: 3, ..Settings::default() });
    check_in(
        &mut network,
        "ann> /join one
         ann< 1 in one: ann
         bob> /join two
         bob< 1 in two: bob
         cat> /join three
         cat< There are 3 rooms already, as many as there may be.
         bob> kept for a while
         bob< [bob] kept for a while
         bob> /leave
         bob< 2 in lobby: bob, cat
         cat> /who two
         cat< 0 in two
         cat> /join three
         cat< 1 in three: cat
         cat> /who two
         cat< No room is called two.",
    );
}

#[test]
fn of_the_quiet_rooms_the_one_with_the_oldest_last_line_gives_way() {
    for (again, gone) in [("one", "two"), ("two", "one")] {
        let mut network = Network::with(Settings { rooms_max: 3, ..Settings::default() });
        network.connect("ann", "native");
        for room in ["one", "two", again] {
            for line in [&format!("/join {room}"), "hello", "/leave"] {
                network.line("ann", line.as_bytes());
            }
            network.wait(1);
        }
        network.read_all();
        check_in(
            &mut network,
            &format!(
                "ann> /join three
                 ann< 1 in three: ann
                 ann> /who {again}
                 ann< 0 in {again}
                 ann> /who {gone}
                 ann< No room is called {gone}."
            ),
        );
    }
}

#[test]
fn what_was_said_is_kept_and_told_again() {
    let mut network = Network::with(Settings { history_lines: 3, ..Settings::default() });
    check_in(
        &mut network,
        "ann> one
         ann< [ann] one
         ann> /nick anna
         ann< You are now anna
         ann> /me waves
         ann< * anna waves
         ann> /topic  tea
         ann< anna set the topic:  tea
         ann> /history
         ann< 15:17 [ann] one
         ann< 15:17 * anna waves
         ann< 15:17 anna set the topic:  tea
         +60000
         ann> last
         ann< [anna] last
         ann> /history 2
         ann< 15:17 anna set the topic:  tea
         ann< 15:18 [anna] last
         ann> /history 100
         ann< 15:17 * anna waves
         ann< 15:17 anna set the topic:  tea
         ann< 15:18 [anna] last
         ann> /history 0
         ann< Usage: /history [N]
         ann> /topic
         ann< Topic:  tea",
    );
}

#[test]
fn a_newcomer_to_a_room_is_shown_the_last_ten_lines() {
    let mut network = Network::new();
    network.connect("ann", "native");
    for number in 0..12 {
        network.line("ann", number.to_string().as_bytes());
    }
    network.read("ann");
    network.connect("bob", "native");
    network.line("bob", b"/join games");
    network.read("bob");
    network.line("bob", b"/leave");
    let shown: Vec<String> = (2..12).map(|number| format!("15:17 [ann] {number}")).collect();
    assert_eq!(network.read("bob"), format!("2 in lobby: ann, bob\n{}\n", shown.join("\n")));
}

#[test]
fn a_topic_is_for_all() {
    check(
        "ann> /topic
         ann< No topic is set.
         ann> /topic -
         ann< No topic is set.
         ann> /topic tea or coffee?
         ann< ann set the topic: tea or coffee?
         bob< ann set the topic: tea or coffee?
         bob> /topic
         bob< Topic: tea or coffee?
         bob> /echo off
         bob< Echo off.
         bob> /topic tea
         ann< bob set the topic: tea
         bob< bob set the topic: tea
         bob> /topic -
         ann< bob cleared the topic.
         bob< bob cleared the topic.
         bob> /topic -
         bob< No topic is set.",
    );
}

#[test]
fn the_server_says_how_it_is_doing() {
    let mut network =
        Network::with(Settings { resident: Some(|| Some(3_000_000)), ..Settings::default() });
    check_in(
        &mut network,
        "ann> hello
         ann< [ann] hello
         bob< [ann] hello
         bob> /exit
         bob< Bye.
         bob.
         +90000
         ann> /stats
         ann< Connections: 1 now, 2 at most
         ann< Lines: 5 in, 5 out, 0 skipped
         ann< Queued: 0 bytes
         ann< Up: 90 s
         ann< Memory: 3000000 bytes resident, 0 more than at the start",
    );
}
