//! A password on its way to whoever checks it: wiped when it is dropped, and never shown.
//!
//! The line that it came in is not wiped everywhere: the loop's one buffer is overwritten by
//! what is read next, but a piece of a line that had to wait is freed as it is.

use std::fmt;

use super::text::sanitise;

/// What a password may be, in bytes.
pub(super) const MIN: usize = 8;
pub(super) const MAX: usize = 128;

/// A password of 8 to 128 bytes. Its memory is wiped when it is dropped; what `Debug` says
/// of it is nothing.
#[derive(PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// `None`, if it is too short or too long, had bytes in it that are no text (then
    /// another could pass for it), or is nothing that comes out of a line as it was typed:
    /// with a control character, a mark that turns the direction of writing, or a space at
    /// the end.
    #[must_use]
    pub fn new(text: &str) -> Option<Password> {
        let can_be_typed = sanitise(text.as_bytes()) == text && !text.ends_with(' ');
        let is_text = !text.contains(char::REPLACEMENT_CHARACTER);
        let fits = (MIN..=MAX).contains(&text.len()) && is_text && can_be_typed;
        fits.then(|| Password(text.as_bytes().to_vec()))
    }

    /// For a hash to be made of it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites what is not needed any more.
#[cfg(feature = "accounts")]
pub(super) fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}

/// The same, as well as it goes without a crate for it.
#[cfg(not(feature = "accounts"))]
pub(super) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    std::hint::black_box(&*bytes);
}

/// The same while it is still part of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret<'a>(pub(super) &'a str);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_a_length_and_is_not_shown() {
        for (text, fits) in [
            ("1234567", false),
            ("12345678", true),
            ("correct horse", true),
            ("grüßegrüße", true),
            ("caf\u{fffd} au lait", false),
            (" a space before", true),
            ("a space behind ", false),
            ("a\ttabulator", false),
            ("two\nlines", false),
            ("a\0null byte", false),
            ("erased\x7f it", false),
            ("\u{202e}backwards", false),
        ] {
            assert_eq!(Password::new(text).is_some(), fits, "{text}");
        }
        assert!(Password::new(&"x".repeat(128)).is_some());
        assert!(Password::new(&"x".repeat(129)).is_none());
        assert_eq!(
            format!("{:?} {:?}", Password::new("12345678"), Secret("12345678")),
            "Some(Password) Secret"
        );
    }

    #[test]
    fn what_is_wiped_is_gone() {
        let mut bytes = *b"12345678";
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 8]);
    }
}
