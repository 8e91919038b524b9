//! What a name may be, and how many of them are listed.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Said to whoever asks for a name that cannot be one.
pub(super) const RULE: &str = "Username must only contain letters, digits, '-', '_' and '.', \
    start with a letter or digit, and its length must be between 3 and 32 characters.";

/// Said to whoever asks for a room that cannot be.
pub(super) const ROOM_RULE: &str = "Room name must only contain letters, digits, '-', '_' and '.', \
    start with a letter or digit, and its length must be between 1 and 32 characters.";

/// The longest name, in bytes.
const LEN_MAX: usize = 32;

const RESERVED: [&str; 7] = ["server", "system", "admin", "operator", "root", "all", "everyone"];

/// Why a name cannot be had by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Shape,
    Reserved,
}

/// Whether a name may be borne.
pub(super) fn check(name: &str) -> Result<(), Unfit> {
    if !(3..=LEN_MAX).contains(&name.len()) || !has_shape(name) || is_ipv4_like(name) {
        return Err(Unfit::Shape);
    }
    let starts_as_guest = name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("guest"));
    if starts_as_guest || RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name)) {
        return Err(Unfit::Reserved);
    }
    Ok(())
}

/// Whether a room may be called so.
pub(super) fn fits_room(name: &str) -> bool {
    name.len() <= LEN_MAX && has_shape(name) && !is_ipv4_like(name)
}

/// The letters of a name, whatever its length.
fn has_shape(name: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.bytes().all(inside)
}

/// Four numbers with dots between them: some dialects show addresses where others show
/// names, and the one should not pass for the other.
fn is_ipv4_like(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').count() == 4 && name.split('.').all(is_number)
}

/// A user's name as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Named(&'a str),
    /// The first guest is `guest`, the second `guest-2`.
    Guest(u32),
}

impl Shown<'_> {
    /// The number of the guest who would be shown like this.
    pub(super) fn guest_number(name: &str) -> Option<u32> {
        let rest = name.get(5..).filter(|_| name[..5].eq_ignore_ascii_case("guest"))?;
        if rest.is_empty() {
            return Some(1);
        }
        let digits = rest.strip_prefix('-').filter(|digits| !digits.starts_with(['0', '+']))?;
        digits.parse().ok().filter(|number| *number > 1)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Named(name) => f.write_str(name),
            Shown::Guest(1) => f.write_str("guest"),
            Shown::Guest(number) => write!(f, "guest-{number}"),
        }
    }
}

/// What a user is called. Most names are short, and then they take no memory of their own.
pub(super) enum Name {
    /// Its number among those who have none.
    Guest(u32),
    /// As its owner spells it.
    Short(Spelling<14>),
    Long(Box<Spelling<LEN_MAX>>),
}

// There are as many as there are users.
const _: () = assert!(size_of::<Name>() <= 16);

impl From<Shown<'_>> for Name {
    fn from(shown: Shown<'_>) -> Name {
        match shown {
            Shown::Named(name) => Name::own(name),
            Shown::Guest(number) => Name::Guest(number),
        }
    }
}

impl Name {
    /// A name that may be borne.
    pub(super) fn own(name: &str) -> Name {
        Spelling::of(name).map_or_else(
            || Name::Long(Box::new(Spelling::of(name).expect("names are no longer"))),
            Name::Short,
        )
    }

    /// As its owner spells it, if it has one.
    pub(super) fn as_own(&self) -> Option<&str> {
        match self {
            Name::Guest(_) => None,
            Name::Short(spelling) => Some(spelling.as_str()),
            Name::Long(spelling) => Some(spelling.as_str()),
        }
    }

    pub(super) fn shown(&self) -> Shown<'_> {
        match self {
            Name::Guest(number) => Shown::Guest(*number),
            Name::Short(spelling) => Shown::Named(spelling.as_str()),
            Name::Long(spelling) => Shown::Named(spelling.as_str()),
        }
    }
}

/// At most so many bytes of text, kept where they stand.
pub(super) struct Spelling<const MAX: usize> {
    len: u8,
    bytes: [u8; MAX],
}

/// What a room is called, kept with it.
pub(super) type RoomName = Spelling<LEN_MAX>;

impl RoomName {
    /// A name that a room may have.
    pub(super) fn new(name: &str) -> RoomName {
        Spelling::of(name).expect("names are no longer")
    }
}

impl<const MAX: usize> Spelling<MAX> {
    /// `None` if it is longer.
    fn of(text: &str) -> Option<Spelling<MAX>> {
        let mut bytes = [0; MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Spelling { len: u8::try_from(text.len()).ok()?, bytes })
    }

    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("it was text")
    }
}

/// Hashes names, for tables that do not store them twice; every spelling alike.
#[derive(Default)]
pub(super) struct NameHasher(RandomState);

impl NameHasher {
    pub(super) fn hash(&self, name: &str) -> u64 {
        let mut hasher = self.0.build_hasher();
        for byte in name.bytes() {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        hasher.finish()
    }
}

/// `alice, bob and carol`; of more than three the first two, and how many others.
/// The names are the first of `count`, or all.
pub(super) fn listed(names: &[impl fmt::Display], count: usize) -> String {
    match names {
        [first, second, ..] if count > 3 => format!("{first}, {second} and {} others", count - 2),
        [] => String::new(),
        [one] => one.to_string(),
        [one, last] => format!("{one} and {last}"),
        [first, second, last, ..] => format!("{first}, {second} and {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_shape_of_one() {
        for name in ["ann", "0-0", "a_b.C-d", "1.2.3", "1.2.3.4.5", "a.2.3.4", &"x".repeat(32)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        let long = "x".repeat(33);
        for name in
            ["", "ab", "-ab", ".ab", "_ab", "a b", "añn", "a/b", "127.0.0.1", "1.2.3.999", &long]
        {
            assert_eq!(check(name), Err(Unfit::Shape), "{name}");
        }
    }

    #[test]
    fn a_room_may_be_called_by_one_letter_and_not_like_an_address() {
        for name in ["a", "guest", "1.2.3", &"x".repeat(32)] {
            assert!(fits_room(name), "{name}");
        }
        for name in ["", "a b", "127.0.0.1", &"x".repeat(33)] {
            assert!(!fits_room(name), "{name}");
        }
    }

    #[test]
    fn a_name_is_kept_as_it_is_spelled_whatever_its_length() {
        for len in 3..=LEN_MAX {
            let name = "aBc-".repeat(8)[..len].to_owned();
            assert_eq!(Name::own(&name).as_own(), Some(&*name));
        }
    }

    #[test]
    fn names_that_would_mislead_are_reserved() {
        for name in ["admin", "Root", "ALL", "everyone", "guest", "Guest-7", "guesthouse"] {
            assert_eq!(check(name), Err(Unfit::Reserved), "{name}");
        }
        assert_eq!(check("administrator"), Ok(()));
    }

    #[test]
    fn a_name_is_the_same_name_in_every_spelling_and_read_as_it_is_written() {
        use super::super::command::Command;
        use super::super::text::sanitise;
        let hasher = NameHasher::default();
        arbtest::arbtest(|u| {
            let letters = b"aZ09-_.gGuest1. @/\xc3";
            let bytes: Vec<u8> = (0..u.int_in_range(1..=34)?)
                .map(|_| u.choose(letters).copied())
                .collect::<Result<_, _>>()?;
            let name = String::from_utf8_lossy(&bytes);
            if check(&name).is_err() {
                return Ok(());
            }
            assert_eq!(sanitise(name.as_bytes()), name);
            assert_eq!(Shown::guest_number(&name), None, "{name} passes for a guest");
            let upper = name.to_uppercase();
            assert!(check(&upper).is_ok() && fits_room(&name), "{name}");
            assert_eq!(hasher.hash(&upper), hasher.hash(&name));
            let line = format!("/nick {name}");
            assert!(
                matches!(Command::parse(&line), Ok(Command::Nick(read, None)) if *read == *name)
            );
            let line = format!("SEND @{name} hi");
            let command = Command::parse(&line);
            assert!(matches!(command, Ok(Command::Send(to, "hi")) if *to == *name), "{line}");
            Ok(())
        });
    }

    #[test]
    fn a_guest_is_found_by_what_is_shown() {
        for number in [1, 2, 10, 4_000_000_000] {
            let shown = Shown::Guest(number).to_string();
            assert_eq!(Shown::guest_number(&shown), Some(number), "{shown}");
        }
        assert_eq!(Shown::guest_number("GUEST-2"), Some(2));
        for name in
            ["guest-1", "guest-0", "guest-02", "guest-+2", "guest2", "guest-", "gues", "über"]
        {
            assert_eq!(Shown::guest_number(name), None, "{name}");
        }
    }

    #[test]
    fn of_many_names_most_are_counted() {
        let names = ["ann", "bob", "cat", "dan", "eve"];
        for (count, text) in [
            (0, ""),
            (1, "ann"),
            (2, "ann and bob"),
            (3, "ann, bob and cat"),
            (4, "ann, bob and 2 others"),
            (5, "ann, bob and 3 others"),
        ] {
            assert_eq!(listed(&names[..count], count), text);
        }
    }
}
