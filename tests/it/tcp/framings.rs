//! Each listener with a framing of its own: what a service chooses by its label.

use chinwag::{Codec, Config, ConnId, Framing, Item, Limit, Listen, Outbox, Peer, Server, Service};

use super::{Running, fast};
use crate::client::Client;

/// Echoes, in the framing that the label asks for, and says where a message is too long.
struct Echo;

impl Service for Echo {
    fn framing(&self, peer: &Peer<'_>) -> Framing {
        match peer.label {
            "plain" => Framing::Plain,
            "prefixed" => Framing::LengthPrefix,
            "pairs" => Framing::Own(Box::new(Pairs::default())),
            _ => Framing::Telnet,
        }
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        out.send(id, b"<");
        out.send(id, line);
        out.send(id, b">");
    }

    fn on_limit(&mut self, id: ConnId, _: Limit, out: &mut Outbox) {
        out.send(id, b"!");
    }
}

/// Two bytes are an item; a `.` ends the connection.
#[derive(Default)]
struct Pairs {
    first: Option<u8>,
    pair: [u8; 2],
}

impl Codec for Pairs {
    fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        while let [byte, rest @ ..] = bytes {
            *bytes = rest;
            if *byte == b'.' {
                return Some(Item::Malformed(0));
            }
            if let Some(first) = self.first.replace(*byte) {
                self.first = None;
                self.pair = [first, *byte];
                return Some(Item::Line(&self.pair, None));
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Item<'_>> {
        self.pair[0] = self.first.take()?;
        Some(Item::Line(&self.pair[..1], None))
    }

    fn held(&self) -> usize {
        usize::from(self.first.is_some())
    }
}

/// A server for this framing alone.
fn start(label: &str) -> Running<Echo> {
    let listen = Listen { addr: ([127, 0, 0, 1], 0).into(), label: label.to_owned() };
    let config = Config::default().with(|it| {
        it.listen = vec![listen];
        it.limits = fast();
    });
    Running::run(Server::bind(config).expect("a port is free"), Echo)
}

/// What is answered to these pieces, all of which arrive one by one, and the end of input.
fn answer(label: &str, pieces: &[&[u8]], answers: &[&[u8]]) {
    let server = start(label);
    let mut client = Client::connect(server.addr);
    for (piece, answer) in pieces.iter().zip(answers) {
        client.write(piece);
        assert_eq!(
            client.read(answer.len()).escape_ascii().to_string(),
            answer.escape_ascii().to_string()
        );
    }
    client.finish_writing();
    let last = answers.get(pieces.len()).map_or("", |last| str::from_utf8(last).unwrap());
    assert_eq!(client.rest(), last);
}

#[test]
fn telnet_lines_are_edited_and_plain_ones_are_not() {
    let pieces: [&[u8]; 2] = [b"a\x08b\xff\xf1c\n", b"d\0"];
    answer("", &pieces, &[b"<bc>", b"<d>"]);
    answer(
        "plain",
        &[b"a\x08b\xff\xf1c\n", b"d\0\r\ne"],
        &[b"<a\x08b\xff\xf1c>", b"<d\0>", b"<e>"],
    );
}

#[test]
fn messages_come_whole_whatever_the_pieces() {
    let pieces: [&[u8]; 3] = [b"\0\0\0\x03a\nb\0\0", b"\0\x02c", b"d\0\0\x20\0"];
    answer("prefixed", &pieces, &[b"<a\nb>", b"", b"<cd>!"]);
}

#[test]
fn a_codec_of_ones_own_remembers_what_it_has_to_between_two_reads() {
    answer("pairs", &[b"abc", b"d", b"e"], &[b"<ab>", b"<cd>", b"", b"<e>"]);
    let server = start("pairs");
    let mut client = Client::connect(server.addr);
    client.write(b"ab.cd");
    assert_eq!(client.rest(), "<ab>");
}
