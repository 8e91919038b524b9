//! How a decoder is handed over to the process that replaces this one, amid a frame or not.

use super::{Decoder, Frame, State};
use crate::pack::impl_pack;

impl_pack! {
    struct Frame { opcode, is_last, mask, read, left }
}

impl_pack! {
    enum State { 0 => Header, 1 => Payload(frame), 2 => Over }
    else "WebSocket state"
}

impl_pack! {
    struct Decoder {
        state, header, header_len, text, control, is_given, is_in_message, is_after_lf, unpaid,
        line_max,
    }
}
