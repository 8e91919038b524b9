//! What is packed is unpacked, and what is damaged is an error.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::time::{Duration, Instant, SystemTime};

use super::*;

fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH }
}

fn packed(value: &impl Pack) -> Vec<u8> {
    let mut packer = Packer::new(now());
    packer.put(value);
    packer.finish()
}

fn unpacked<T: Pack>(bytes: &[u8]) -> Result<T, Damaged> {
    let mut unpacker = Unpacker::new(bytes, now())?;
    let value = unpacker.get()?;
    unpacker.finish()?;
    Ok(value)
}

/// It comes out as it went in, and no part of it does.
#[track_caller]
fn check<T: Pack + PartialEq + Debug>(value: &T) {
    let bytes = packed(value);
    assert_eq!(unpacked::<T>(&bytes).as_ref(), Ok(value));
    for len in 0..bytes.len() {
        assert!(unpacked::<T>(&bytes[..len]).is_err(), "{len} of {} bytes", bytes.len());
    }
    assert!(unpacked::<T>(&[&bytes[..], b"x"].concat()).is_err(), "with one byte more");
}

#[test]
fn what_is_packed_is_unpacked() {
    for shift in 0..64 {
        let number = 1_u64 << shift;
        check(&[number, number - 1, !number]);
        check(&[number.cast_signed(), number.cast_signed().wrapping_neg(), !number.cast_signed()]);
    }
    check(&NonZeroU64::MAX);
    assert!(unpacked::<NonZeroU64>(&packed(&0_u64)).is_err());
    check(&(u16::MAX, (u32::MAX, (usize::MAX, (false, true)))));
    check(&("naïve".to_owned(), vec![Some(7_u8), None]));
    check(&HashMap::from([("one".to_owned(), 1_u32), ("two".to_owned(), 2)]));
    check(&Duration::new(5, 4));
    let addrs: [SocketAddr; 2] =
        ["192.0.2.1:7".parse().unwrap(), "[2001:db8::1]:65535".parse().unwrap()];
    check(&addrs);
    let mut ring: VecDeque<u8> = (0..10).collect();
    ring.rotate_left(4);
    ring.extend(10..16);
    check(&ring);
}

#[test]
fn times_are_as_far_away_as_they_were() {
    let (then, later) = (now(), now());
    let later = Now { monotonic: later.monotonic + Duration::from_secs(100), ..later };
    let second = Duration::from_secs(1);
    let before = |now: Now| now.monotonic.checked_sub(second).unwrap();
    let times = [before(then), then.monotonic, then.monotonic + second];
    let mut packer = Packer::new(then);
    packer.put(&times);
    let bytes = packer.finish();
    let unpacked = Unpacker::new(&bytes, later).unwrap().get::<[Instant; 3]>().unwrap();
    assert_eq!(unpacked, [before(later), later.monotonic, later.monotonic + second]);
}

#[test]
fn what_is_damaged_is_an_error_that_says_where() {
    let says = |bytes: &[u8]| unpacked::<Vec<bool>>(bytes).unwrap_err().to_string();
    assert_eq!(says(b""), "it is not what a chinwag has packed");
    assert_eq!(says(b"chinwag 0.1.0 is text"), "it is not what a chinwag has packed");
    let mut bytes = packed(&vec![true, false]);
    let len = bytes.len();
    assert_eq!(says(&bytes[..len - 1]), format!("there is no count at byte {}", len - 2));
    bytes[len - 1] = 2;
    assert_eq!(says(&bytes), format!("there is no yes or no at byte {len}"));
    bytes[MAGIC.len()] = 99;
    let version = env!("CARGO_PKG_VERSION");
    let why = format!("it is in format 99, of version {version}; version {version} reads");
    assert!(says(&bytes).starts_with(&why), "{}", says(&bytes));
}

#[test]
fn no_bytes_make_it_panic_or_take_more_memory_than_they_are() {
    arbtest::arbtest(|u| {
        let mut bytes = packed(&true);
        bytes.pop();
        let len = u.arbitrary_len::<u8>()?;
        bytes.extend_from_slice(u.bytes(len)?);
        let mut unpacker = Unpacker::new(&bytes, now()).unwrap();
        while unpacker.get::<(Vec<u8>, (String, Option<Instant>))>().is_ok() {}
        assert!(unpacked::<Vec<u64>>(&bytes).map_or(0, |all| all.capacity()) <= bytes.len());
        let _ = unpacked::<HashMap<IpAddr, VecDeque<i64>>>(&bytes);
        Ok(())
    });
}
