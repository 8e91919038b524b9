//! Which numbering of its room a line's number is of, for programs that come back.

use super::{Network, check_in};
use chinwag::chat::Settings;

/// Ann and a program, which is cut off after it has read line 2 of a room that is then gone,
/// and made again, where a line has been said since.
fn with_a_room_made_again() -> Network {
    let random = Some((|bytes: &mut [u8; 24]| bytes.fill(7)) as fn(&mut [u8; 24]));
    let mut network = Network::with(Settings { rooms_max: 2, random, ..Settings::default() });
    network.arrive("bot", "json");
    for line in ["/nick bot", "/join tea", "/resume"] {
        network.line("bot", line.as_bytes());
    }
    network.connect("ann", "native");
    network.read_all();
    check_in(
        &mut network,
        r#"ann> hi
           ann< [ann] hi
           bot> one
           bot< {"seq":1,"epoch":1795187848001,"at":1795187848000,"type":"say","room":"tea","from":"bot","text":"one"}
           +5
           bot> two
           bot< {"seq":2,"epoch":1795187848001,"at":1795187848005,"type":"say","room":"tea","from":"bot","text":"two"}"#,
    );
    network.cut_off("bot");
    check_in(
        &mut network,
        "ann> /join games
         ann< 1 in games: ann
         ann> /leave
         ann< 1 in lobby: ann
         ann< 15:17 [ann] hi
         ann> /join tea
         ann< 1 in tea: ann
         ann> another one
         ann< [ann] another one",
    );
    network.arrive("again", "json");
    network.read_all();
    network
}

#[track_caller]
fn check_missed(seen: &str, missed: &str) {
    let mut network = with_a_room_made_again();
    let token = "07".repeat(24);
    check_in(
        &mut network,
        &format!(
            r#"again> /resume {token} {seen}
               again< {{"at":1795187848005,"type":"reply","text":"You are now bot","code":"renamed"}}{missed}"#
        ),
    );
}

const ANOTHER_ONE: &str = r#"
    again< {"seq":1,"epoch":1795187848005,"at":1795187848005,"type":"say","room":"tea","from":"ann","text":"another one"}"#;

#[test]
fn two_rooms_of_one_millisecond_and_a_room_made_again_are_of_different_epochs() {
    check_missed("", ANOTHER_ONE);
}

#[test]
fn a_number_of_another_epoch_hides_nothing_that_was_said_since() {
    check_missed("2 1795187848001", ANOTHER_ONE);
}

#[test]
fn a_number_of_the_same_epoch_counts() {
    check_missed("0 1795187848005", ANOTHER_ONE);
    check_missed("1 1795187848005", "");
}

#[test]
fn a_number_without_an_epoch_is_taken_at_its_word() {
    check_missed("2", "");
}
