//! A password on its way to the worker: wiped when dropped, and never shown.
//!
//! Not every copy of its line is wiped. The loop overwrites its read buffer with the next read,
//! but a partial line that had to be stored is freed without being wiped.

use std::fmt;

use super::text::sanitise;

/// Limits of a password's length, in bytes.
pub(super) const MIN: usize = 8;
pub(super) const MAX: usize = 128;

/// A password of 8 to 128 bytes. Its memory is wiped when it is dropped, and `Debug` shows
/// nothing of it.
#[derive(PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// `None` if it is too short or too long, had invalid UTF-8 in it (which is replaced, so that
    /// other bytes would pass too), or cannot be typed in a line: with a control character, a
    /// mark that changes the direction of writing, or a space at the end.
    #[must_use]
    pub fn new(text: &str) -> Option<Password> {
        let can_be_typed = sanitise(text.as_bytes()) == text && !text.ends_with(' ');
        let is_text = !text.contains(char::REPLACEMENT_CHARACTER);
        let fits = (MIN..=MAX).contains(&text.len()) && is_text && can_be_typed;
        fits.then(|| Password(text.as_bytes().to_vec()))
    }

    /// The bytes to be hashed.
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

/// Overwrites a secret.
#[cfg(feature = "accounts")]
pub(super) fn wipe(bytes: &mut [u8]) {
    zeroize::Zeroize::zeroize(bytes);
}

/// The same, as well as it can be done without the crate.
#[cfg(not(feature = "accounts"))]
pub(super) fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    std::hint::black_box(&*bytes);
}

/// A password that is still part of a line.
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
