//! How a decoder is handed over to the process that replaces this one, amid a frame or not.

use super::{Decoder, Frame, State};
use crate::pack::{Damaged, Pack, Packer, Unpacker};

impl Pack for Frame {
    fn pack(&self, to: &mut Packer) {
        let Frame { opcode, is_last, mask, read, left } = self;
        to.put(opcode).put(is_last).put(mask).put(read).put(left);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Frame, Damaged> {
        Ok(Frame {
            opcode: from.get()?,
            is_last: from.get()?,
            mask: from.get()?,
            read: from.get()?,
            left: from.get()?,
        })
    }
}

impl Pack for State {
    fn pack(&self, to: &mut Packer) {
        match self {
            State::Header => to.tag(0),
            State::Payload(frame) => to.tag(1).put(frame),
            State::Over => to.tag(2),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<State, Damaged> {
        Ok(match from.tag()? {
            0 => State::Header,
            1 => State::Payload(from.get()?),
            2 => State::Over,
            _ => return Err(from.wrong("WebSocket state")),
        })
    }
}

impl Pack for Decoder {
    fn pack(&self, to: &mut Packer) {
        let Decoder {
            state,
            header,
            header_len,
            text,
            control,
            is_given,
            is_in_message,
            is_after_lf,
            unpaid,
            line_max,
        } = self;
        to.put(state)
            .put(header)
            .put(header_len)
            .put(text)
            .put(control)
            .put(is_given)
            .put(is_in_message)
            .put(is_after_lf)
            .put(unpaid)
            .put(line_max);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Decoder, Damaged> {
        Ok(Decoder {
            state: from.get()?,
            header: from.get()?,
            header_len: from.get()?,
            text: from.get()?,
            control: from.get()?,
            is_given: from.get()?,
            is_in_message: from.get()?,
            is_after_lf: from.get()?,
            unpaid: from.get()?,
            line_max: from.get()?,
        })
    }
}
