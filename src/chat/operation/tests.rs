//! What is passed on of operations.

use std::time::{Instant, SystemTime};

use super::*;
use crate::chat::name::Name;
use crate::net::timeouts::Now;

fn unpack<T: Pack>(packed: &impl Pack) -> Result<T, Damaged> {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
    let mut packer = Packer::without_head(now);
    packer.put(packed);
    Unpacker::without_head(&packer.finish(), now).get()
}

#[test]
fn names_that_nobody_can_have_are_damage() {
    let passed_on = |effect: &Effect<'static>| unpack::<Effect<'static>>(effect);
    let named = |name: String| {
        passed_on(&Effect::Name { name: name.into(), by: Naming::Nick, logged_in: false, conn: 1 })
    };
    let joined = |room: String| passed_on(&Effect::Join { room: room.into(), conn: 1 });
    assert!(named("x".repeat(32)).is_ok() && joined("x".repeat(32)).is_ok());
    assert!(named("x".repeat(33)).is_err() && joined("x".repeat(33)).is_err());
    assert!(unpack::<Name>(&Name::Guest(1)).is_ok() && unpack::<Name>(&Name::Guest(0)).is_err());
}
