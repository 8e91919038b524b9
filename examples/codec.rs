//! A framing of one's own: netstrings, such as `5:hello,`. What is said comes back, backwards.
//!
//! `cargo run --example codec -- 127.0.0.1:4000`, then `printf 5:hello, | nc 127.0.0.1 4000`.

use std::mem;

use chinwag::{Codec, Config, ConnId, Framing, Item, Outbox, Peer, Server, Service};

/// A length has so many digits at most. So a message stays below a KiB, of which no more than
/// one is held: longer ones would have to be told with [`Item::Bulk`], a KiB at a time.
const DIGITS: usize = 3;

/// Turns one client's bytes into messages.
#[derive(Default)]
struct Netstrings {
    len: usize,
    digits: usize,
    /// How much of the text is still to come, once its length is known.
    left: Option<usize>,
    text: Vec<u8>,
    /// The text has been given out, and is to be emptied.
    is_given: bool,
}

impl Codec for Netstrings {
    fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        if mem::take(&mut self.is_given) {
            self.text.clear();
        }
        while let [byte, rest @ ..] = *bytes {
            *bytes = rest;
            match (self.left, *byte) {
                (None, digit @ b'0'..=b'9') if self.digits < DIGITS => {
                    self.digits += 1;
                    self.len = 10 * self.len + usize::from(digit - b'0');
                }
                (None, b':') if self.digits > 0 => self.left = Some(self.len),
                (Some(left @ 1..), byte) => {
                    self.left = Some(left - 1);
                    self.text.push(byte);
                }
                (Some(0), b',') => {
                    (self.len, self.digits, self.left, self.is_given) = (0, 0, None, true);
                    return Some(Item::Line(&self.text, None));
                }
                // The connection is closed.
                _ => return Some(Item::Malformed(0)),
            }
        }
        None
    }

    fn held(&self) -> usize {
        self.text.len()
    }
}

struct Backwards;

impl Service for Backwards {
    fn framing(&self, _: &Peer<'_>) -> Framing {
        Framing::Own(Box::new(Netstrings::default()))
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let line: Vec<u8> = line.iter().rev().copied().collect();
        out.send(id, &[line.len().to_string().as_bytes(), b":", &line, b","].concat());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let server = Server::bind(Config::at(addr))?;
    println!("turning around what is said on {}", server.local_addrs()[0]);
    server.run(Backwards)?;
    Ok(())
}

#[test]
fn messages_come_back_whatever_the_pieces_and_what_is_none_ends_the_connection() {
    let mut network = chinwag::testing::Network::new(Backwards, &chinwag::Limits::default());
    let (ann, bob) = (network.connect(""), network.connect(""));
    let said = "5:hello,3:a,b,0:,";
    assert_eq!(network.say(ann, said), "5:olleh,3:b,a,0:,");
    let answers: String = said.split("").map(|piece| network.say(bob, piece)).collect();
    assert_eq!(answers, "5:olleh,3:b,a,0:,");
    for broken in ["1000:", ":", "1:ab", "x"] {
        let client = network.connect("");
        network.send(client, broken.as_bytes());
        assert!(network.is_closed(client), "{broken}");
    }
    assert_eq!(network.say(ann, "2:ab,"), "2:ba,");
}
