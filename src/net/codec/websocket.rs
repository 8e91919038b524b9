//! WebSocket frames, RFC 6455: a client's bytes become lines, and lines become a server's frames.
//! No I/O, no connection, and no handshake.
//!
//! A message's end is a line's end, and so is an LF inside it. Extensions are never agreed upon.

mod hand_over;
mod sent;
#[cfg(test)]
mod tests;

use crate::net::decoder::Item;
use crate::net::line::Ending;
pub(crate) use sent::SentMessages;

/// Close codes, RFC 6455 section 7.4.
pub(crate) mod code {
    pub(crate) const NORMAL: u16 = 1000;
    pub(crate) const GOING_AWAY: u16 = 1001;
    pub(crate) const PROTOCOL_ERROR: u16 = 1002;
    pub(crate) const UNSUPPORTED: u16 = 1003;
    pub(crate) const NOT_UTF_8: u16 = 1007;
    pub(crate) const POLICY: u16 = 1008;
    pub(crate) const TOO_LONG: u16 = 1009;
    pub(crate) const SERVICE_RESTART: u16 = 1012;
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The most that a control frame may carry.
const CONTROL_MAX: usize = 125;

/// Bytes that cost as much as a line.
const KIB: usize = 1024;

/// A frame's header, unpacked.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: u8,
    is_last: bool,
    mask: [u8; 4],
    /// Bytes of its payload: how many were read, and how many are left.
    read: usize,
    left: u64,
}

#[derive(Debug)]
enum State {
    /// Between frames, or inside a header.
    Header,
    Payload(Frame),
    /// The client has closed, or broken the protocol: nothing more is decoded.
    Over,
}

/// Turns a client's frames into lines, and what else it has to say.
///
/// Whatever the pieces that the bytes arrive in, the same items come out.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    header: [u8; 14],
    header_len: usize,
    /// The present line.
    text: Vec<u8>,
    /// The payload of the present control frame.
    control: Vec<u8>,
    /// `text` has been given out, and is to be emptied.
    is_given: bool,
    /// A message has begun, and its last frame is still to come.
    is_in_message: bool,
    /// The present message's last line has ended with an LF.
    is_after_lf: bool,
    /// Bytes since the last line or [`Item::Bulk`], control frames among them.
    unpaid: usize,
    line_max: usize,
}

impl Decoder {
    /// Lines may be `line_max` bytes long.
    pub(crate) fn new(line_max: usize) -> Decoder {
        Decoder {
            state: State::Header,
            header: [0; 14],
            header_len: 0,
            text: Vec::new(),
            control: Vec::new(),
            is_given: false,
            is_in_message: false,
            is_after_lf: false,
            unpaid: 0,
            line_max,
        }
    }

    /// How many bytes of the present line there are.
    pub(crate) fn partial_len(&self) -> usize {
        if self.is_given { 0 } else { self.text.len() }
    }

    /// Whether it holds no state that matters. Unpaid bytes of some pongs do not: pongs come one at
    /// a time, and each costs its sender a packet.
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.state, State::Header) && self.header_len == 0 && !self.is_in_message
    }

    /// The next item, taken from the front of `bytes`; `None` once they are used up.
    pub(crate) fn next<'a>(&'a mut self, bytes: &mut &[u8]) -> Option<Item<'a>> {
        if std::mem::take(&mut self.is_given) {
            self.text.clear();
        }
        loop {
            if self.unpaid >= KIB {
                self.unpaid = 0;
                return Some(Item::Bulk);
            }
            let step = match self.state {
                State::Header => self.header(bytes)?,
                State::Payload(frame) if frame.opcode >= CLOSE => self.control(frame, bytes)?,
                State::Payload(frame) => self.text(frame, bytes)?,
                State::Over => {
                    *bytes = &[];
                    return None;
                }
            };
            match step {
                Ok(Step::On) => {}
                Ok(Step::Line) => return Some(self.line()),
                Ok(Step::Ping) => {
                    self.control = control(PONG, &self.control);
                    return Some(Item::Answer(&self.control));
                }
                Ok(Step::Close(code)) => {
                    self.state = State::Over;
                    return Some(Item::Close(code));
                }
                Err(code) => return Some(self.fail(code)),
            }
        }
    }

    fn fail(&mut self, code: u16) -> Item<'static> {
        self.text = Vec::new();
        self.state = State::Over;
        Item::Malformed(code)
    }

    fn line(&mut self) -> Item<'_> {
        if str::from_utf8(&self.text).is_err() {
            return self.fail(code::NOT_UTF_8);
        }
        (self.is_given, self.unpaid) = (true, 0);
        let line = self.text.strip_suffix(b"\r").unwrap_or(&self.text);
        Item::Line(line, Some(Ending::WebSocket))
    }

    /// Takes as much of a header as there is. `None` if that is not all of it.
    fn header(&mut self, bytes: &mut &[u8]) -> Option<Result<Step, u16>> {
        loop {
            let wanted = if self.header_len < 2 { 2 } else { header_len(self.header[1]) };
            if self.header_len == wanted {
                break;
            }
            let count = bytes.len().min(wanted - self.header_len);
            if count == 0 {
                return None;
            }
            let (taken, rest) = bytes.split_at(count);
            self.header[self.header_len..][..count].copy_from_slice(taken);
            (*bytes, self.header_len, self.unpaid) =
                (rest, self.header_len + count, self.unpaid + count);
            if self.header_len == 2
                && let Err(code) = self.check_start()
            {
                return Some(Err(code));
            }
        }
        Some(self.begin())
    }

    /// Checks a header's first two bytes.
    fn check_start(&self) -> Result<(), u16> {
        let [first, second, ..] = self.header;
        let (opcode, len) = (first & 0x0f, second & 0x7f);
        let is_sound = match opcode {
            CONTINUATION => self.is_in_message,
            TEXT | BINARY => !self.is_in_message,
            CLOSE | PING | PONG => first & FIN != 0 && usize::from(len) <= CONTROL_MAX,
            _ => false,
        };
        if !is_sound || first & 0x70 != 0 || second & MASKED == 0 {
            return Err(code::PROTOCOL_ERROR);
        }
        if opcode == BINARY { Err(code::UNSUPPORTED) } else { Ok(()) }
    }

    /// Begins the frame of a header that is complete.
    fn begin(&mut self) -> Result<Step, u16> {
        let header = &self.header[..self.header_len];
        let (start, mask) = header.split_at(header.len() - 4);
        let left = match start[2..] {
            [] => u64::from(start[1] & 0x7f),
            [high, low] => u64::from(u16::from_be_bytes([high, low])),
            _ => u64::from_be_bytes(start[2..].try_into().expect("it has eight bytes")),
        };
        // Of the ways to write a length only the shortest is allowed.
        let least = match start.len() {
            2 => 0,
            4 => 126,
            _ => 1 << 16,
        };
        if left < least || left >> 63 != 0 {
            return Err(code::PROTOCOL_ERROR);
        }
        let (opcode, is_last) = (start[0] & 0x0f, start[0] & FIN != 0);
        let mask = mask.try_into().expect("it has four bytes");
        self.control.clear();
        if opcode == TEXT {
            self.is_after_lf = false;
        }
        self.is_in_message |= opcode < CLOSE;
        self.state = State::Payload(Frame { opcode, is_last, mask, read: 0, left });
        self.header_len = 0;
        Ok(Step::On)
    }

    /// Takes a piece of text, up to the end of a line.
    fn text(&mut self, mut frame: Frame, bytes: &mut &[u8]) -> Option<Result<Step, u16>> {
        if frame.left == 0 {
            self.state = State::Header;
            if !frame.is_last {
                return Some(Ok(Step::On));
            }
            self.is_in_message = false;
            let is_line = !self.text.is_empty() || !self.is_after_lf;
            return Some(Ok(if is_line { Step::Line } else { Step::On }));
        }
        let window = frame.window(bytes, KIB - self.unpaid)?;
        let mut step = Ok(Step::On);
        let mut count = 0;
        for byte in window {
            let byte = frame.unmask(*byte);
            count += 1;
            self.is_after_lf = byte == b'\n';
            if self.is_after_lf {
                step = Ok(Step::Line);
                break;
            }
            // A CR that is the last byte before the end does not belong to the line.
            if self.text.len() >= self.line_max + usize::from(byte == b'\r') {
                step = Err(code::TOO_LONG);
                break;
            }
            self.text.push(byte);
        }
        self.unpaid += count;
        *bytes = &bytes[count..];
        self.state = State::Payload(frame);
        Some(step)
    }

    fn control(&mut self, mut frame: Frame, bytes: &mut &[u8]) -> Option<Result<Step, u16>> {
        if frame.left == 0 {
            self.state = State::Header;
            return Some(match frame.opcode {
                PING => Ok(Step::Ping),
                CLOSE => answer(&self.control).map(Step::Close),
                _ => Ok(Step::On),
            });
        }
        let window = frame.window(bytes, CONTROL_MAX)?;
        self.control.extend(window.iter().map(|byte| frame.unmask(*byte)));
        self.unpaid += window.len();
        *bytes = &bytes[window.len()..];
        self.state = State::Payload(frame);
        Some(Ok(Step::On))
    }
}

impl Frame {
    /// The bytes of the frame's payload that have come, at most so many. `None` if there are none.
    fn window<'b>(&self, bytes: &'b [u8], most: usize) -> Option<&'b [u8]> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let window = &bytes[..bytes.len().min(left).min(most)];
        (!window.is_empty()).then_some(window)
    }

    /// The next byte of its payload.
    fn unmask(&mut self, byte: u8) -> u8 {
        let byte = byte ^ self.mask[self.read % 4];
        (self.read, self.left) = ((self.read + 1) % 4, self.left - 1);
        byte
    }
}

/// What one step has led to; an error is the code to close with.
enum Step {
    On,
    Line,
    Ping,
    Close(u16),
}

/// How long a header is, by its second byte.
fn header_len(second: u8) -> usize {
    match second & 0x7f {
        126 => 8,
        127 => 14,
        _ => 6,
    }
}

/// The code to answer a close frame with: its own, if that may be sent.
fn answer(payload: &[u8]) -> Result<u16, u16> {
    let [high, low, reason @ ..] = payload else {
        return if payload.is_empty() { Ok(code::NORMAL) } else { Err(code::PROTOCOL_ERROR) };
    };
    let code = u16::from_be_bytes([*high, *low]);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(code::PROTOCOL_ERROR);
    }
    if str::from_utf8(reason).is_err() { Err(code::NOT_UTF_8) } else { Ok(code) }
}

/// A ping without a payload.
pub(crate) const PING_FRAME: [u8; 2] = [FIN | PING, 0];

/// Appends a text message.
pub(crate) fn write_text(text: &str, frame: &mut Vec<u8>) {
    frame.push(FIN | TEXT);
    let len = (text.len() as u64).to_be_bytes();
    match text.len() {
        0..126 => frame.push(len[7]),
        126..65536 => frame.extend([126, len[6], len[7]]),
        _ => {
            frame.push(127);
            frame.extend(len);
        }
    }
    frame.extend_from_slice(text.as_bytes());
}

/// Appends a close frame. A reason that is too long is cut.
pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    let end = reason.floor_char_boundary(CONTROL_MAX - 2);
    control(CLOSE, &[&code.to_be_bytes(), &reason.as_bytes()[..end]].concat())
}

fn control(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("control frames are short");
    [&[FIN | opcode, len], payload].concat()
}
