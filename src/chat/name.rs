//! Names: which are valid, how they are stored, and how several are listed.

use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The longest name, in bytes.
const LEN_MAX: usize = 32;

/// Reserved names, which would mislead others. `op` stands for an operator without a name.
const RESERVED: [&str; 8] =
    ["server", "system", "admin", "operator", "op", "root", "all", "everyone"];

/// Why nobody can take a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Shape(BadShape),
    Reserved,
}

/// What is wrong with the shape of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadShape {
    /// It is too short or too long, or has a forbidden character at its beginning or later.
    Rule,
    /// A letter outside ASCII, or a mark, which many scripts need for their letters.
    Foreign(char),
    Address,
    Ending,
}

/// Whether users may take this name.
pub(super) fn check(name: &str) -> Result<(), Unfit> {
    check_shape(name, 3).map_err(Unfit::Shape)?;
    // A reserved word with dots or dashes in it misleads as much.
    let letters = || name.bytes().filter(u8::is_ascii_alphanumeric);
    let bare = || letters().map(|byte| byte.to_ascii_lowercase());
    if bare().take(5).eq(*b"guest") || RESERVED.iter().any(|word| bare().eq(word.bytes())) {
        return Err(Unfit::Reserved);
    }
    Ok(())
}

/// Whether a room may have this name.
pub(super) fn check_room(name: &str) -> Result<(), BadShape> {
    check_shape(name, 1)
}

fn check_shape(name: &str, least: usize) -> Result<(), BadShape> {
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let is_inside = |c: char| is_letter(c) || "-_.".contains(c);
    if let Some(foreign) = name.chars().find(|c| !c.is_ascii()) {
        return Err(BadShape::Foreign(foreign));
    }
    let has_length = (least..=LEN_MAX).contains(&name.len());
    if !has_length || !name.starts_with(is_letter) || !name.chars().all(is_inside) {
        return Err(BadShape::Rule);
    }
    if is_ipv4_like(name) {
        return Err(BadShape::Address);
    }
    if name.ends_with(is_letter) { Ok(()) } else { Err(BadShape::Ending) }
}

/// Names like `192.0.2.7`. Some dialects show addresses instead of names, so a name must not look
/// like an address.
fn is_ipv4_like(name: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('.').count() == 4 && name.split('.').all(is_number)
}

impl BadShape {
    /// The reply to a request for this user name.
    pub(super) fn of_name(self) -> impl fmt::Display {
        self.sentence("Username", 3)
    }

    /// The reply to a request for this room name.
    pub(super) fn of_room(self) -> impl fmt::Display {
        self.sentence("Room name", 1)
    }

    /// The reply, which must be true for the kind of name that was asked for.
    fn sentence(self, what: &'static str, least: usize) -> impl fmt::Display {
        fmt::from_fn(move |f| match self {
            BadShape::Rule => write!(
                f,
                "{what} must only contain letters, digits, '-', '_' and '.', start with a letter \
                 or digit, and its length must be between {least} and {LEN_MAX} characters."
            ),
            BadShape::Foreign(c) => write!(
                f,
                "{what} must only contain letters a to z, digits, '-', '_' and '.'; '{c}' is none \
                 of them."
            ),
            BadShape::Address => write!(f, "{what} must not look like an address."),
            BadShape::Ending => write!(f, "{what} must end with a letter or digit."),
        })
    }
}

/// A user's name as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    Named(&'a str),
    /// The first guest is `guest`, the second `guest-2`.
    Guest(u32),
}

impl Shown<'_> {
    /// The guest number in `guest` or `guest-2`.
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

/// A user's name. Most are short and need no allocation.
pub(super) enum Name {
    /// A guest's number.
    Guest(u32),
    /// As its owner spells it.
    Short(Spelling<14>),
    Long(Box<Spelling<LEN_MAX>>),
}

// One for each user.
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
    /// Stores a valid name.
    pub(super) fn own(name: &str) -> Name {
        Spelling::of(name).map_or_else(
            || Name::Long(Box::new(Spelling::of(name).expect("names are no longer"))),
            Name::Short,
        )
    }

    /// The name as its owner spells it; `None` for guests.
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

/// Text of at most `MAX` bytes, stored inline.
pub(super) struct Spelling<const MAX: usize> {
    len: u8,
    bytes: [u8; MAX],
}

/// A room's name, stored inline.
pub(super) type RoomName = Spelling<LEN_MAX>;

impl RoomName {
    /// Stores a valid name.
    pub(super) fn new(name: &str) -> RoomName {
        Spelling::of(name).expect("names are no longer")
    }
}

impl<const MAX: usize> Spelling<MAX> {
    /// `None` if the text is longer.
    fn of(text: &str) -> Option<Spelling<MAX>> {
        let mut bytes = [0; MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Spelling { len: u8::try_from(text.len()).ok()?, bytes })
    }

    pub(super) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("it was text")
    }
}

/// Hashes names, the same for every spelling. For tables that do not store the names themselves.
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

/// `alice, bob and carol`. Of more than three, the first two and the number of the others.
/// `names` are the first of `count`, or all.
pub(super) fn listed(names: &[impl fmt::Display], count: usize) -> String {
    match names {
        [first, second, ..] if count > 3 => format!("{first}, {second} and {} others", count - 2),
        [] => String::new(),
        [one] => one.to_string(),
        [one, last] => format!("{one} and {last}"),
        [first, second, last, ..] => format!("{first}, {second} and {last}"),
    }
}

impl_pack! {
    enum Name { 0 => Guest(number by guest_number), 1 => Short(spelling), 2 => Long(spelling) }
    else "name"
}

fn guest_number(from: &mut Unpacker<'_>) -> Result<u32, Damaged> {
    match from.get()? {
        0 => Err(from.wrong("number of a guest")),
        number => Ok(number),
    }
}

impl<const MAX: usize> Pack for Spelling<MAX> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.as_str().to_owned());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Spelling<MAX>, Damaged> {
        Spelling::of(&from.get::<String>()?).ok_or_else(|| from.wrong("name that is short enough"))
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
        for (name, why) in [
            ("", BadShape::Rule),
            ("ab", BadShape::Rule),
            ("-ab", BadShape::Rule),
            (".ab", BadShape::Rule),
            ("_ab", BadShape::Rule),
            ("a b", BadShape::Rule),
            ("a/b", BadShape::Rule),
            (&long, BadShape::Rule),
            ("añn", BadShape::Foreign('ñ')),
            ("ann\u{301}", BadShape::Foreign('\u{301}')),
            ("аnn", BadShape::Foreign('а')),
            ("127.0.0.1", BadShape::Address),
            ("1.2.3.999", BadShape::Address),
            ("127.0.0.1.", BadShape::Ending),
            ("ann-", BadShape::Ending),
            ("op.", BadShape::Ending),
        ] {
            assert_eq!(check(name), Err(Unfit::Shape(why)), "{name}");
        }
    }

    #[test]
    fn a_room_may_be_called_by_one_letter_and_not_like_an_address() {
        for name in ["a", "guest", "1.2.3", "op", &"x".repeat(32)] {
            assert_eq!(check_room(name), Ok(()), "{name}");
        }
        for name in ["", "a b", "127.0.0.1", "a.", "é", &"x".repeat(33)] {
            assert!(check_room(name).is_err(), "{name}");
        }
    }

    #[test]
    fn names_of_any_length_keep_their_spelling() {
        for len in 3..=LEN_MAX {
            let name = "aBc-".repeat(8)[..len].to_owned();
            assert_eq!(Name::own(&name).as_own(), Some(&*name));
        }
    }

    #[test]
    fn names_that_would_mislead_are_reserved() {
        for name in [
            "admin",
            "Root",
            "ALL",
            "everyone",
            "guest",
            "Guest-7",
            "guesthouse",
            "g.uest",
            "Gu-est_2",
            "ser.ver",
            "a-l-l",
            "O-P",
        ] {
            assert_eq!(check(name), Err(Unfit::Reserved), "{name}");
        }
        for name in ["administrator", "my.server", "op1", "theguest"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_is_the_same_in_every_spelling_and_shown_as_it_was_written() {
        use super::super::commands::{Command, Commands};
        use super::super::text::sanitise;
        let hasher = NameHasher::default();
        let commands = Commands { accounts: false, operators: false };
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
            assert!(check(&upper).is_ok() && check_room(&name).is_ok(), "{name}");
            assert_eq!(hasher.hash(&upper), hasher.hash(&name));
            let line = format!("/nick {name}");
            assert!(
                matches!(commands.parse(&line, |_| false), Ok(Command::Name(_, read, None)) if *read == *name)
            );
            let line = format!("SEND @{name} hi");
            let command = commands.parse(&line, |_| false);
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
