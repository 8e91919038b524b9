//! Which framing a connection speaks: how its bytes become lines, and how a line to it is framed.

mod raw;
pub(crate) mod websocket;

use std::fmt;

use crate::net::decoder::{Decoder, Item};
use crate::net::line::Ending;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};
use raw::Raw;

/// How the bytes of a connection become lines: a service's choice
/// ([`Service::framing`](crate::Service::framing)).
#[non_exhaustive]
pub enum Framing {
    /// Lines for people, and for most programs: they end with LF, CR LF, CR or NUL. Telnet's bytes
    /// are taken out, and so are erased characters, the sequences of keys that edit nothing, and a
    /// byte order mark at the start. The default.
    Telnet,
    /// Lines that leave every byte alone: LF ends one, and a CR before it goes. DEL, IAC, NUL and
    /// escapes are bytes like others.
    Plain,
    /// Messages: four bytes of length, big endian, then as many bytes as that says. What is longer
    /// than [`Limits::line_max`](crate::Limits::line_max) is dropped, and told with
    /// [`Limit::LineTooLong`](crate::Limit::LineTooLong); what is longer than sixteen times that
    /// ends the connection.
    LengthPrefix,
    /// A framing of your own, for this connection.
    Own(Box<dyn Codec>),
}

impl Framing {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Framing::Telnet => Kind::Telnet,
            Framing::Plain => Kind::Plain,
            Framing::LengthPrefix => Kind::LengthPrefix,
            Framing::Own(_) => Kind::Own,
        }
    }
}

impl fmt::Debug for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

/// A framing of your own: a state machine without I/O that turns one connection's bytes into
/// items ([`Framing::Own`]).
///
/// The codec has to limit what it holds: it returns [`Item::TooLong`] or [`Item::Endless`] before
/// it holds too much, and [`Item::Bulk`] for each full KiB that came without a line, so that the
/// rate limit sees it. The same bytes have to give the same items, in whatever pieces they come.
pub trait Codec: Send {
    /// The next item, taken from the front of `bytes`; `None` once all of them are taken. It is
    /// also called without bytes: an item may be due that needs none.
    fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>>;

    /// The last item, when no more bytes will come: an unterminated line, for example.
    fn finish(&mut self) -> Option<Item<'_>> {
        None
    }

    /// How many bytes it holds now; they count towards
    /// [`Limits::input_total`](crate::Limits::input_total).
    fn held(&self) -> usize;
}

/// Which codec a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Telnet,
    Plain,
    LengthPrefix,
    WebSocket,
    Own,
}

impl Kind {
    /// The ending that lines to it get, if the codec alone decides that.
    pub(crate) fn ending(self) -> Option<Ending> {
        match self {
            Kind::Telnet | Kind::Plain | Kind::Own => None,
            Kind::LengthPrefix => Some(Ending::LengthPrefix),
            Kind::WebSocket => Some(Ending::WebSocket),
        }
    }
}

/// What turns one connection's bytes into items.
pub(crate) enum AnyCodec {
    Telnet(Decoder),
    Raw(Raw, Kind),
    WebSocket(websocket::Decoder),
    Own(Box<dyn Codec>),
}

impl AnyCodec {
    /// A new one of a kind. One of a service's own comes from the service.
    pub(crate) fn new(kind: Kind, line_max: usize) -> AnyCodec {
        // Without an ending, a connection may send this much before it is closed.
        let endless = line_max.saturating_mul(16);
        match kind {
            Kind::Telnet => AnyCodec::Telnet(Decoder::new(line_max, endless)),
            Kind::Plain => AnyCodec::Raw(Raw::lines(line_max, endless), kind),
            Kind::LengthPrefix => AnyCodec::Raw(Raw::messages(line_max, endless), kind),
            Kind::WebSocket => AnyCodec::WebSocket(websocket::Decoder::new(line_max)),
            Kind::Own => unreachable!("it is kept for as long as its connection is read from"),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            AnyCodec::Telnet(_) => Kind::Telnet,
            AnyCodec::Raw(_, kind) => *kind,
            AnyCodec::WebSocket(_) => Kind::WebSocket,
            AnyCodec::Own(_) => Kind::Own,
        }
    }

    /// The next item, as [`Decoder::next`] has it.
    pub(crate) fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        match self {
            AnyCodec::Telnet(decoder) => decoder.next(bytes),
            AnyCodec::Raw(raw, _) => raw.next(bytes),
            AnyCodec::WebSocket(decoder) => decoder.next(bytes),
            AnyCodec::Own(codec) => codec.next(bytes),
        }
    }

    /// The unterminated last line. Half a message is none.
    pub(crate) fn finish(&mut self) -> Option<Item<'_>> {
        match self {
            AnyCodec::Telnet(decoder) => decoder.finish(),
            AnyCodec::Raw(raw, _) => raw.finish(),
            AnyCodec::WebSocket(_) => None,
            AnyCodec::Own(codec) => codec.finish(),
        }
    }

    /// How many bytes of the present line there are.
    pub(crate) fn held(&self) -> usize {
        match self {
            AnyCodec::Telnet(decoder) => decoder.partial().len(),
            AnyCodec::Raw(raw, _) => raw.held(),
            AnyCodec::WebSocket(decoder) => decoder.partial_len(),
            AnyCodec::Own(codec) => codec.held(),
        }
    }

    /// Whether it holds no state, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            AnyCodec::Telnet(decoder) => decoder.is_new(),
            AnyCodec::Raw(raw, _) => raw.is_new(),
            AnyCodec::WebSocket(decoder) => decoder.is_new(),
            AnyCodec::Own(_) => false,
        }
    }
}

impl Ending {
    /// Frames a line, and returns the bytes to send. `framed` is a buffer for framings that do not
    /// only append to the text.
    pub fn frame<'a>(self, line: &'a mut String, framed: &'a mut Vec<u8>) -> &'a [u8] {
        if matches!(self, Ending::WebSocket | Ending::LengthPrefix) {
            framed.clear();
            self.write(line.as_bytes(), framed);
            return framed;
        }
        line.push_str(self.as_str());
        line.as_bytes()
    }

    /// Appends a line, framed. Over WebSocket, where text is UTF-8, other bytes are replaced.
    pub(crate) fn write(self, line: &[u8], framed: &mut Vec<u8>) {
        match self {
            Ending::WebSocket => websocket::write_text(&String::from_utf8_lossy(line), framed),
            Ending::LengthPrefix => {
                let len = u32::try_from(line.len()).expect("a line is shorter than 4 GiB");
                framed.extend(len.to_be_bytes());
                framed.extend_from_slice(line);
            }
            Ending::Lf | Ending::CrLf | Ending::Nul => {
                framed.extend_from_slice(line);
                framed.extend_from_slice(self.as_str().as_bytes());
            }
        }
    }
}

/// One of a service's own cannot be packed: no other process has it.
impl Pack for AnyCodec {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.kind());
        match self {
            AnyCodec::Telnet(decoder) => decoder.pack(to),
            AnyCodec::Raw(raw, _) => raw.pack(to),
            AnyCodec::WebSocket(decoder) => decoder.pack(to),
            AnyCodec::Own(_) => {}
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<AnyCodec, Damaged> {
        Ok(match from.get()? {
            Kind::Telnet => AnyCodec::Telnet(from.get()?),
            kind @ (Kind::Plain | Kind::LengthPrefix) => AnyCodec::Raw(from.get()?, kind),
            Kind::WebSocket => AnyCodec::WebSocket(from.get()?),
            Kind::Own => return Err(from.wrong("codec: it is a service's own")),
        })
    }
}

impl_pack! {
    enum Kind { 0 => Telnet, 1 => WebSocket, 2 => Plain, 3 => LengthPrefix, 4 => Own }
    else "codec"
}
