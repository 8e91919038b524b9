//! Counts the messages in what a server has sent, for the log.

use super::{FIN, TEXT};
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// What has been sent of the present frame, in whatever pieces it is.
#[derive(Debug, Default)]
pub(crate) struct SentMessages {
    header: [u8; 10],
    header_len: usize,
    /// Bytes that are still to come: of its payload, or of what precedes the first frame.
    left: usize,
}

impl SentMessages {
    /// So many bytes come before the first frame.
    pub(crate) fn after(bytes: usize) -> SentMessages {
        SentMessages { left: bytes, ..SentMessages::default() }
    }

    /// How many messages begin in this.
    pub(crate) fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        loop {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            let Some((byte, rest)) = bytes[skipped..].split_first() else { return count };
            bytes = rest;
            self.header[self.header_len] = *byte;
            self.header_len += 1;
            if let Some(len) = payload_len(&self.header[..self.header_len]) {
                count += u64::from(self.header[0] == FIN | TEXT);
                (self.left, self.header_len) = (len, 0);
            }
        }
    }
}

/// What a header says, once it is whole. A server's frames are not masked.
fn payload_len(header: &[u8]) -> Option<usize> {
    match *header {
        [_, len] if len < 126 => Some(len.into()),
        [_, 126, high, low] => Some(u16::from_be_bytes([high, low]).into()),
        [_, 127, ref len @ ..] => {
            let len = u64::from_be_bytes(len.try_into().ok()?);
            Some(usize::try_from(len).expect("it has been in memory"))
        }
        _ => None,
    }
}

impl Pack for SentMessages {
    fn pack(&self, to: &mut Packer) {
        let SentMessages { header, header_len, left } = self;
        to.put(header).put(header_len).put(left);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<SentMessages, Damaged> {
        let (header, header_len, left) = (from.get()?, from.get()?, from.get()?);
        let messages = SentMessages { header, header_len, left };
        let is_sound = header_len < header.len();
        is_sound.then_some(messages).ok_or_else(|| from.wrong("start of a frame"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::codec::websocket::{PING_FRAME, close, write_text};

    #[test]
    fn messages_are_counted_once_whatever_the_pieces_and_whatever_is_in_them() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
        let mut sent = head.to_vec();
        for text in ["", "\n\n\u{1}\u{1}", &"\u{1}\n".repeat(100), &"x".repeat(70_000)] {
            write_text(text, &mut sent);
            sent.extend(PING_FRAME);
        }
        sent.extend(close(1000, "\u{1}\u{1}"));
        for size in [1, 2, 3, 7, 1000, sent.len()] {
            let mut messages = SentMessages::after(head.len());
            let counts = sent.chunks(size).map(|piece| messages.count(piece));
            assert_eq!(counts.sum::<u64>(), 4, "in pieces of {size}");
        }
    }
}
