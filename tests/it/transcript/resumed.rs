//! What a user still has who comes back by another connection, and what that one's guest had.

use super::names::{token, with_sessions};
use super::{Network, check_in};
use chinwag::chat::Settings;

/// Ann, cut off, whose token is the first; bob, and a guest.
fn ann_is_cut_off(before: &[(&str, &str)]) -> Network {
    let mut network = with_sessions(Settings::default());
    network.connect("g1", "native");
    for (client, line) in before {
        network.line(client, line.as_bytes());
    }
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    network
}

#[test]
fn a_reply_reaches_a_guest_who_has_come_back_as_somebody() {
    check_in(
        &mut ann_is_cut_off(&[("g1", "SEND @bob psst")]),
        &format!(
            "g1> /resume {}
             g1< You are now ann
             bob> /reply hi
             bob< [bob → ann] hi
             g1< [bob → ann] hi",
            token(1)
        ),
    );
}

#[test]
fn who_wrote_last_is_known_after_a_resume() {
    check_in(
        &mut ann_is_cut_off(&[("bob", "SEND @ann psst")]),
        &format!(
            "g1> /resume {}
             g1< You are now ann
             g1> /reply hi
             bob< [ann → bob] hi
             g1< [ann → bob] hi",
            token(1)
        ),
    );
}

#[test]
fn what_is_pending_is_told_before_one_is_another() {
    let mut network = ann_is_cut_off(&[("g1", "/notices on")]);
    check_in(
        &mut network,
        &format!(
            "bob> /nick bert
             bob< You are now bert
             g1< bob is now bert
             bob> /nick bob
             bob< You are now bob
             g1> /resume {}
             g1< bert is now bob
             g1< You are now ann
             +1000",
            token(1)
        ),
    );
}

#[test]
fn nobody_ignores_themselves_after_a_resume() {
    for (one, other, number) in [("ann", "guest", 1), ("g1", "ann", 2)] {
        check_in(
            &mut ann_is_cut_off(&[(one, &format!("/ignore {other}"))]),
            &format!(
                "g1> /resume {}
                 g1< You are now ann
                 g1> hello
                 bob< [ann] hello
                 g1< [ann] hello
                 g1> /msg ann a note
                 g1< [ann → ann] a note
                 g1> /history
                 g1< 15:17 [ann] hello",
                token(number)
            ),
        );
    }
}

#[test]
fn a_user_who_comes_back_where_no_room_can_be_made_is_in_the_lobby() {
    let mut network = with_sessions(Settings { rooms_max: 2, ..Settings::default() });
    network.connect("g1", "native");
    network.line("ann", b"/join tea");
    network.line("ann", b"/resume");
    network.read_all();
    network.cut_off("ann");
    check_in(
        &mut network,
        &format!(
            "bob> /join den
             bob< 1 in den: bob
             g1> /resume {}
             g1< You are now ann
             g1> hello
             g1< [ann] hello
             g1> /who
             g1< 1 in lobby: ann",
            token(1)
        ),
    );
}
