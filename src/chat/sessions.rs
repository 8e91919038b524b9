//! Resume tokens, and which of their users are detached.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use super::user::AddressKey;
use super::user_id::UserId;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

/// Random bytes of a token. The first eight are the lookup key; the rest are the secret.
pub(super) const TOKEN: usize = 24;

/// As it is written: in hexadecimal.
const DIGITS: usize = 2 * TOKEN;

/// All resume tokens by their lookup key.
#[derive(Default)]
pub(super) struct Sessions {
    by_key: HashMap<u64, ResumeToken>,
    detached: usize,
    /// Keys of detached users' tokens, by address; the longest detached in front.
    detached_by_address: HashMap<AddressKey, VecDeque<u64>>,
}

/// A token that was issued.
pub(super) struct ResumeToken {
    secret: [u8; TOKEN - 8],
    pub(super) user: UserId,
    from: AddressKey,
    pub(super) is_detached: bool,
}

impl Sessions {
    /// Adds a new token. Returns its lookup key.
    pub(super) fn issue(&mut self, bytes: &[u8; TOKEN], user: UserId, from: AddressKey) -> u64 {
        let (key, secret) = split(bytes);
        self.by_key.insert(key, ResumeToken { secret, user, from, is_detached: false });
        key
    }

    /// The user of this token is detached from now on.
    pub(super) fn detach(&mut self, key: u64) {
        let Some(token) = self.by_key.get_mut(&key) else { return };
        token.is_detached = true;
        self.detached += 1;
        self.detached_by_address.entry(token.from).or_default().push_back(key);
    }

    pub(super) fn has(&self, key: u64) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The whole token with this key.
    pub(super) fn bytes(&self, key: u64) -> Option<[u8; TOKEN]> {
        let ResumeToken { secret, .. } = self.by_key.get(&key)?;
        let mut bytes = [0; TOKEN];
        bytes[..8].copy_from_slice(&key.to_be_bytes());
        bytes[8..].copy_from_slice(secret);
        Some(bytes)
    }

    /// How many users are detached.
    pub(super) fn detached(&self) -> usize {
        self.detached
    }

    /// The longest detached user of a token's address, and how many it has.
    pub(super) fn first_beside(&self, key: u64) -> Option<(u64, usize)> {
        let detached = self.detached_by_address.get(&self.by_key.get(&key)?.from)?;
        Some((*detached.front()?, detached.len()))
    }

    /// Removes a token.
    pub(super) fn remove(&mut self, key: u64) -> Option<ResumeToken> {
        let token = self.by_key.remove(&key)?;
        if token.is_detached {
            self.detached -= 1;
            if let Entry::Occupied(mut detached) = self.detached_by_address.entry(token.from) {
                detached.get_mut().retain(|other| *other != key);
                if detached.get().is_empty() {
                    detached.remove();
                }
            }
        }
        Some(token)
    }

    /// The user of the token with this key.
    pub(super) fn user(&self, key: u64) -> Option<UserId> {
        self.by_key.get(&key).map(|token| token.user)
    }

    /// The key of a token. Comparing takes the same time wherever a wrong token differs.
    pub(super) fn find(&self, token: &str) -> Option<u64> {
        let (key, secret) = split(&from_hex(token)?);
        let token = self.by_key.get(&key)?;
        let difference =
            token.secret.iter().zip(secret).fold(0, |found, (one, other)| found | (one ^ other));
        (std::hint::black_box(difference) == 0).then_some(key)
    }
}

fn split(bytes: &[u8; TOKEN]) -> (u64, [u8; TOKEN - 8]) {
    let (key, secret) = bytes.split_first_chunk::<8>().expect("a token is longer");
    (u64::from_be_bytes(*key), secret.try_into().expect("the rest is as long as it is"))
}

/// Whether a line may contain a token, or a mistyped `/resume` with a piece of one.
pub(super) fn has_token(line: &str) -> bool {
    let line = line.as_bytes();
    // Wherever a token is, it is at one of these places: so few bytes are looked at.
    let mut places = (DIGITS - 1..line.len()).step_by(DIGITS);
    places.any(|at| is_token_at(line, at)) || is_mistyped_resume(line)
}

/// Whether a byte is a token's: of a run of letters and digits that is as long as one.
fn is_token_at(line: &[u8], at: usize) -> bool {
    let is_other = |byte: &u8| !byte.is_ascii_alphanumeric();
    // One more on each side shows a run that is too long.
    let (before, behind) = (&line[at.saturating_sub(DIGITS)..at], &line[at..]);
    let behind = &behind[..behind.len().min(DIGITS + 1)];
    let before = &before[before.iter().rposition(is_other).map_or(0, |other| other + 1)..];
    let behind = &behind[..behind.iter().position(is_other).unwrap_or(behind.len())];
    let mut run = before.iter().chain(behind);
    !behind.is_empty() && before.len() + behind.len() == DIGITS && run.all(u8::is_ascii_hexdigit)
}

fn is_mistyped_resume(line: &[u8]) -> bool {
    let runs = line.split(|byte| !byte.is_ascii_alphanumeric());
    let mut runs = runs.filter(|run| !run.is_empty());
    let is_token = |run: &[u8]| run.len() >= 8 && run.iter().all(u8::is_ascii_hexdigit);
    let Some((word, rest)) = runs.next().and_then(|run| run.split_at_checked(6)) else {
        return false;
    };
    let is_resume = word.eq_ignore_ascii_case(b"resume");
    is_resume && (is_token(rest) || (rest.is_empty() && runs.next().is_some_and(is_token)))
}

/// The bytes of a token.
pub(super) fn from_hex(token: &str) -> Option<[u8; TOKEN]> {
    let mut bytes = [0; TOKEN];
    if token.len() != DIGITS || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(token.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

impl Pack for Sessions {
    fn pack(&self, to: &mut Packer) {
        let Sessions { by_key, detached: _, detached_by_address } = self;
        to.put(by_key).put(detached_by_address);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Sessions, Damaged> {
        let by_key: HashMap<u64, ResumeToken> = from.get()?;
        let detached = by_key.values().filter(|token| token.is_detached).count();
        Ok(Sessions { by_key, detached, detached_by_address: from.get()? })
    }
}

impl_pack! {
    struct ResumeToken { secret, user, from, is_detached }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_noticed_wherever_it_stands_and_nothing_else_is() {
        arbtest::arbtest(|u| {
            let mut line = String::new();
            for _ in 0..u.int_in_range(0..=6)? {
                let len = DIGITS - 2 + u.int_in_range(0..=4)?;
                let len = *u.choose(&[0, 1, len, len, 2 * DIGITS])?;
                line += &"7".repeat(len);
                line.push(*u.choose(&['a', 'g', ' ', '.', '/', 'ä'])?);
            }
            let mut runs = line.split(|c: char| !c.is_ascii_alphanumeric());
            let is_hex = |run: &str| run.bytes().all(|byte| byte.is_ascii_hexdigit());
            let expected = runs.any(|run| run.len() == DIGITS && is_hex(run));
            assert_eq!(has_token(&line), expected, "{line}");
            Ok(())
        });
    }
}
