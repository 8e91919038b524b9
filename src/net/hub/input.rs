//! The input half of a connection: bytes that were read and are not decoded yet, and the codec that
//! turns them into lines.

use std::mem;
use std::time::Instant;

use super::{Conn, Hub};
use crate::net::codec::{AnyCodec, Framing, Kind};
use crate::net::conn::ConnId;
use crate::net::decoder::Item;
use crate::net::line::{Ending, EndingSeen};
use crate::net::service::{Peer, Service};
use crate::net::sniff::Sniffer;
use crate::net::transport::Transport;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

/// The input state of a connection: its codec, and bytes that are not lines yet.
pub(super) struct Input {
    /// Used until the first line has told what the connection is.
    pub(super) sniffer: Sniffer,
    pub(super) codec: AnyCodec,
    /// An item that waits for the rate limit, or telnet's end of input for the service.
    pub(super) waiting: Option<Waiting>,
    /// Parked input: read, and not decoded while reading is paused. Used up to `rest_start`.
    pub(super) rest: Vec<u8>,
    pub(super) rest_start: usize,
}

impl Input {
    pub(super) fn new(codec: AnyCodec) -> Input {
        Input { sniffer: Sniffer::default(), codec, waiting: None, rest: Vec::new(), rest_start: 0 }
    }

    /// Parks bytes that cannot be decoded yet.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The bytes that were read and are not decoded yet.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        let start = mem::take(&mut self.rest_start);
        let mut rest = mem::take(&mut self.rest);
        rest.drain(..start);
        rest
    }

    /// Drops the item that waits for the rate limit.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting = None;
    }

    #[cfg(test)]
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest[self.rest_start..]
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// How many bytes it holds.
    pub(super) fn held(&self) -> usize {
        let waiting = match &self.waiting {
            Some(Waiting { what: WaitingItem::Line(line, _), .. }) => line.len(),
            _ => 0,
        };
        self.rest.len() + self.codec.held() + waiting
    }

    fn is_new(&self) -> bool {
        self.sniffer.is_new()
            && self.codec.is_new()
            && self.rest.is_empty()
            && self.waiting.is_none()
    }
}

/// An item that waits for the rate limit, until its time.
pub(super) struct Waiting {
    pub(super) until: Instant,
    pub(super) what: WaitingItem,
}

/// Its line is a copy: the bytes that it came in are used for others meanwhile.
pub(super) enum WaitingItem {
    Line(Vec<u8>, Option<Ending>),
    Other(Item<'static>),
}

impl WaitingItem {
    pub(super) fn item(&self) -> Item<'_> {
        match self {
            WaitingItem::Line(line, ending) => Item::Line(line, *ending),
            WaitingItem::Other(item) => *item,
        }
    }
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Has the service choose the codec; a WebSocket has its own. Returns the peer with the line
    /// ending that the codec implies, if it implies one.
    pub(super) fn choose_codec<'a>(&mut self, id: ConnId, peer: &Peer<'a>) -> Peer<'a> {
        if self.is_web_socket(id) {
            return *peer;
        }
        let framing = self.service.framing(peer);
        let kind = framing.kind();
        self.conns[id.slot()].codec = kind;
        let ending = kind.ending();
        if let Some(ending) = ending {
            self.outbox.note_ending(id, EndingSeen::Own(ending));
        }
        if let Framing::Own(codec) = framing {
            self.park_input(id, Box::new(Input::new(AnyCodec::Own(codec))));
        }
        Peer { ending, ..*peer }
    }

    /// Takes the input state of a connection, or a new one.
    pub(super) fn take_or_new_input(&mut self, id: ConnId) -> Box<Input> {
        if let Some(input) = self.take_input(id) {
            return input;
        }
        let Conn { codec, class, .. } = self.conns[id.slot()];
        let spare = self.spare.take_if(|(of, input)| *of == class && input.codec.kind() == codec);
        let line_max = self.limits.of_class(class).line_max;
        let new = || Box::new(Input::new(AnyCodec::new(codec, line_max)));
        spare.map_or_else(new, |(_, input)| input)
    }

    /// Keeps the input state for the connection if it holds anything; else it is the spare one.
    pub(super) fn park_input(&mut self, id: ConnId, mut input: Box<Input>) {
        if input.is_new() {
            input.sniffer = Sniffer::default();
            let Conn { codec, class, .. } = self.conns[id.slot()];
            self.spare = (codec != Kind::WebSocket).then_some((class, input));
        } else {
            self.keep_input(id, input);
        }
    }

    pub(super) fn keep_input(&mut self, id: ConnId, input: Box<Input>) {
        self.input_held += input.held();
        self.inputs.insert(id, input);
    }

    /// Takes the input state of a connection, if it has one.
    pub(super) fn take_input(&mut self, id: ConnId) -> Option<Box<Input>> {
        let input = self.inputs.remove(&id)?;
        self.input_held -= input.held();
        Some(input)
    }
}

impl Pack for Input {
    fn pack(&self, to: &mut Packer) {
        let Input { sniffer, codec, waiting, rest, rest_start } = self;
        to.put(sniffer).put(codec).put(waiting).put(&rest.len().saturating_sub(*rest_start));
        u8::pack_all(&rest[*rest_start..], to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Input, Damaged> {
        let (sniffer, codec, waiting) = (from.get()?, from.get()?, from.get()?);
        Ok(Input { sniffer, codec, waiting, rest: from.get()?, rest_start: 0 })
    }
}

impl_pack! {
    struct Waiting { until, what }
}

impl Pack for WaitingItem {
    fn pack(&self, to: &mut Packer) {
        match self {
            WaitingItem::Line(line, ending) => to.tag(0).put(line).put(ending),
            WaitingItem::Other(Item::TooLong) => to.tag(1),
            WaitingItem::Other(Item::AreYouThere) => to.tag(2),
            WaitingItem::Other(Item::EndOfInput) => to.tag(4),
            // All others have the same price, and nothing else of them matters.
            WaitingItem::Other(_) => to.tag(3),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<WaitingItem, Damaged> {
        Ok(match from.tag()? {
            0 => WaitingItem::Line(from.get()?, from.get()?),
            1 => WaitingItem::Other(Item::TooLong),
            2 => WaitingItem::Other(Item::AreYouThere),
            3 => WaitingItem::Other(Item::Bulk),
            4 => WaitingItem::Other(Item::EndOfInput),
            _ => return Err(from.wrong("line that waits")),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::net::hub::tests::{PEER, sent};
    use crate::net::limits::Limits;
    use crate::net::outbox::Outbox;
    use crate::net::timeouts::Now;
    use crate::testing::Stream;

    /// Notes which line endings it is told of, and puts an end of input off twice.
    #[derive(Default)]
    struct Noter {
        endings: Vec<Ending>,
        ends: usize,
        held: Option<ConnId>,
    }

    impl Service for Noter {
        fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

        fn on_ending(&mut self, _: ConnId, ending: Ending, _: &mut Outbox) {
            self.endings.push(ending);
        }

        fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
            self.ends += 1;
            if self.ends <= 2 {
                out.pause_reading(id);
                self.held = Some(id);
            }
        }

        fn on_tick(&mut self, out: &mut Outbox) {
            self.held.take().into_iter().for_each(|id| out.resume_reading(id));
        }
    }

    /// One who has sent this.
    fn hub(bytes: &[u8]) -> (Hub<Stream, Noter>, Now) {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let mut hub = Hub::new(Noter::default(), &Limits::default(), now);
        hub.open(sent(bytes), &PEER);
        hub.mark_readable(0);
        hub.turn(now);
        (hub, now)
    }

    #[test]
    fn telnet_stands_for_its_line_ending_until_a_line_has_ended() {
        for (bytes, endings) in [
            (&b"\xff\xfd\x01\xff\xfd\x01"[..], &[Ending::CrLf][..]),
            (b"\xff\xf6", &[Ending::CrLf]),
            (b"\xff\xfd\x01\xff\xf6hi\n", &[Ending::CrLf, Ending::Lf]),
            (b"hi\n\xff\xfd\x01\xff\xf6", &[Ending::Lf]),
        ] {
            assert_eq!(hub(bytes).0.service().endings, endings, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn telnets_end_of_input_comes_again_as_often_as_it_is_put_off() {
        let (mut hub, now) = hub(b"hi\n\xff\xec");
        for ends in 1..=3 {
            assert_eq!((hub.service().ends, hub.open_count()), (ends, usize::from(ends < 3)));
            hub.wake();
            hub.turn(now);
            hub.turn(now);
        }
    }
}
