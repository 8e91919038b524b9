//! Which framing a connection speaks: how its bytes become lines, and how a line to it is framed.

pub(crate) mod websocket;

use crate::net::decoder::{Decoder, Item};
use crate::net::limits::Limits;
use crate::net::line::Ending;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// What turns one connection's bytes into items.
pub(crate) enum Framing {
    Lines(Decoder),
    WebSocket(websocket::Decoder),
}

impl Framing {
    /// What goes with how a connection ends its lines.
    pub(crate) fn new(ending: Option<Ending>, limits: &Limits) -> Framing {
        match ending {
            Some(Ending::WebSocket) => Framing::WebSocket(websocket::Decoder::new(limits.line_max)),
            _ => Framing::Lines(Decoder::new(limits.line_max, limits.endless())),
        }
    }

    /// Whether it is the one that goes with an ending.
    pub(crate) fn is_for(&self, ending: Option<Ending>) -> bool {
        matches!(self, Framing::WebSocket(_)) == (ending == Some(Ending::WebSocket))
    }

    /// The next item, as [`Decoder::next`] has it.
    pub(crate) fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        match self {
            Framing::Lines(decoder) => decoder.next(bytes),
            Framing::WebSocket(decoder) => decoder.next(bytes),
        }
    }

    /// The unterminated last line. Half a message is none.
    pub(crate) fn finish(&mut self) -> Option<Item<'_>> {
        match self {
            Framing::Lines(decoder) => decoder.finish(),
            Framing::WebSocket(_) => None,
        }
    }

    /// How many bytes of the present line there are.
    pub(crate) fn partial_len(&self) -> usize {
        match self {
            Framing::Lines(decoder) => decoder.partial().len(),
            Framing::WebSocket(decoder) => decoder.partial_len(),
        }
    }

    /// Whether nothing is to be remembered, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            Framing::Lines(decoder) => decoder.is_new(),
            Framing::WebSocket(decoder) => decoder.is_new(),
        }
    }
}

impl Ending {
    /// Frames a line: what is to be sent for it. `framed` is for what is not the text alone.
    pub fn frame<'a>(self, line: &'a mut String, framed: &'a mut Vec<u8>) -> &'a [u8] {
        if self == Ending::WebSocket {
            websocket::write_text(line, framed);
            return framed;
        }
        line.push_str(self.as_str());
        line.as_bytes()
    }
}

impl Pack for Framing {
    fn pack(&self, to: &mut Packer) {
        match self {
            Framing::Lines(decoder) => to.tag(0).put(decoder),
            Framing::WebSocket(decoder) => to.tag(1).put(decoder),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Framing, Damaged> {
        Ok(match from.tag()? {
            0 => Framing::Lines(from.get()?),
            1 => Framing::WebSocket(from.get()?),
            _ => return Err(from.wrong("framing")),
        })
    }
}
