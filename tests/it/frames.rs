//! WebSocket frames as a client writes and reads them.

pub(crate) const MASK: [u8; 4] = [1, 2, 3, 4];

/// A frame with this first byte.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            frame.push(0x80 + 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Takes a frame of a server's off the front, once it has come whole: its first byte, and its
/// payload.
pub(crate) fn take_frame(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (head, len) = match *bytes.as_slice() {
        [_, 126, high, low, ..] => (4, u16::from_be_bytes([high, low]).into()),
        [_, len @ 0..126, ..] => (2, usize::from(len)),
        _ => return None,
    };
    if bytes.len() < head + len {
        return None;
    }
    let frame: Vec<u8> = bytes.drain(..head + len).collect();
    Some((frame[0], frame[head..].to_vec()))
}
