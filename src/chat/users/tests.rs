//! Who is found by what, and who is not found any more.

use super::*;
use crate::chat::dialect::Dialect;
use crate::net::line::Ending;

fn conn(serial: u32) -> ConnId {
    ConnId { slot: serial % 2, serial }
}

fn connect(users: &mut Users, serial: u32) -> UserId {
    let format = Format { dialect: Dialect::Native, ending: Ending::Lf };
    users.add(conn(serial), Origin::Unix, format);
    users.id(conn(serial)).expect("they are connected")
}

#[test]
fn a_user_keeps_id_and_name_from_one_connection_to_the_next() {
    let mut users = Users::new(false, false);
    let ann = connect(&mut users, 1);
    users.rename(ann, Shown::Named("Ann"));
    users.detach(ann, "lobby".into());
    assert!(users.get(conn(1)).is_none() && users.find("ann").is_none());
    assert_eq!(users.find_detached("ANN"), Some(ann));
    let guest = connect(&mut users, 3);
    assert!(guest.index != ann.index && users.get(conn(1)).is_none());
    assert!(users.resume(guest, conn(3)).is_none(), "who is connected is not resumed");
    assert!(users.resume(ann, conn(3)).is_some_and(|(left, _)| left.is(guest)));
    assert_eq!((users.id(conn(3)), users.conn(ann)), (Some(ann), Some(conn(3))));
    assert!(users.find("ann").is_some_and(|(at, user)| at == conn(3) && user.is(ann)));
    assert_eq!(users.counts(), (1, 1));
}

#[test]
fn encryption_is_of_a_connection_and_not_of_its_slot() {
    let mut users = Users::new(false, false);
    let ann = connect(&mut users, 1);
    users.note_encryption(conn(1), true);
    assert!(users.is_encrypted(conn(1)) && !users.is_encrypted(conn(2)));
    users.detach(ann, "lobby".into());
    connect(&mut users, 3);
    users.note_encryption(conn(3), false);
    assert!(!users.is_encrypted(conn(3)));
    // Whoever goes on by a connection goes on as it is.
    connect(&mut users, 5);
    users.note_encryption(conn(5), true);
    users.resume(ann, conn(5));
    assert!(users.is_encrypted(conn(5)));
}

#[test]
fn a_stale_id_names_nobody() {
    let mut users = Users::new(false, false);
    let ann = connect(&mut users, 1);
    users.rename(ann, Shown::Named("ann"));
    assert!(users.remove(ann).is_some() && users.remove(ann).is_none());
    let next = connect(&mut users, 3);
    assert!(next.index == ann.index && next != ann);
    assert!(users.by_id(ann).is_none() && users.extras_mut(ann).is_none());
    assert!(users.find_any("ann").is_none() && users.get(conn(1)).is_none());
    assert_eq!(users.find_any("guest").map(User::number), Some(next.number));
}
