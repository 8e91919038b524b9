//! Finds special bytes (endings, editing keys, telnet's), eight at a time, and counts how many
//! bytes were looked at: at most twice as many as came, however they were cut into pieces.

use crate::work;

pub(crate) const IAC: u8 = 255;
pub(crate) const ESC: u8 = 0x1b;
pub(crate) const CTRL_C: u8 = 0x03;
pub(crate) const CTRL_U: u8 = 0x15;
pub(crate) const CTRL_W: u8 = 0x17;
/// What terminals send for their erase key, the one or the other.
pub(crate) const BS: u8 = 0x08;
pub(crate) const DEL: u8 = 0x7f;

/// The index of the first byte that ends a line, edits it, or may be telnet's.
pub(crate) fn find_special(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    let found = loop {
        let Some(at) = find_unusual(&bytes[from..]) else { break None };
        if is_special(bytes[from + at]) {
            break Some(from + at);
        }
        from += at + 1;
    };
    work::look_at(found.map_or(bytes.len(), |at| at + 1));
    found
}

fn is_special(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | ESC | IAC | CTRL_C | CTRL_U | CTRL_W | BS | DEL)
}

/// Where the first control character, DEL or 255 stands: all that is special, and little else.
fn find_unusual(bytes: &[u8]) -> Option<usize> {
    // Whether there is any is something that the compiler finds out for 16 at once.
    let (blocks, _) = bytes.as_chunks::<16>();
    let is_plain =
        |block: &&[u8; 16]| !block.iter().fold(false, |any, byte| any | is_unusual(*byte));
    let plain = 16 * blocks.iter().take_while(is_plain).count();
    let (words, rest) = bytes[plain..].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = mark_unusual(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(plain + index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| is_unusual(*byte)).map(|at| bytes.len() - rest.len() + at)
}

fn is_unusual(byte: u8) -> bool {
    byte < 0x20 || byte == DEL || byte == IAC
}

/// Marks bytes in their highest bit. The lowest mark is right; those above it need not be.
fn mark_unusual(word: u64) -> u64 {
    const EACH: u64 = u64::MAX / 255;
    const HIGH: u64 = 0x80 * EACH;
    let below_space = word.wrapping_sub(0x20 * EACH) & !word;
    // DEL and 255 are the bytes of which this leaves nothing.
    let low_bits = !(word | HIGH);
    (below_space | low_bits.wrapping_sub(EACH)) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_wherever_it_stands_and_whatever_is_around_it() {
        arbtest::arbtest(|u| {
            let mut bytes: Vec<u8> = u.arbitrary()?;
            for _ in 0..u.int_in_range(0..=40)? {
                bytes.push(*u.choose(b"aaaa~ \t\x07\x1f\x20\x7e\x80\xfe\xff\x7f\n")?);
            }
            assert_eq!(find_special(&bytes), bytes.iter().position(|byte| is_special(*byte)));
            Ok(())
        });
    }
}
