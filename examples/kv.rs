//! A store of keys and values, any bytes but line ends: what is put in comes out as it was. All of
//! it comes out with `DUMP`, piece by piece, whatever its size.
//!
//! `cargo run --example kv -- 127.0.0.1:4000`, then `nc 127.0.0.1 4000` and type `SET name ann`,
//! `GET name`, `DEL name` or `DUMP`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Unbounded};

use chinwag::{CloseReason, Config, ConnId, Framing, Outbox, Peer, Server, Service};

/// A dump is sent in pieces of about this size; the next when the one before is sent.
const PIECE: usize = 64 << 10;

#[derive(Default)]
struct Store {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The last key that each dump has come to.
    dumps: HashMap<ConnId, Vec<u8>>,
}

impl Service for Store {
    fn framing(&self, _: &Peer<'_>) -> Framing {
        Framing::Plain
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let mut words = line.splitn(3, |byte| *byte == b' ');
        let (command, key) = (words.next().unwrap_or(b""), words.next().unwrap_or(b""));
        match (command, key, words.next()) {
            (b"SET", [_, ..], Some(value)) => {
                self.values.insert(key.to_vec(), value.to_vec());
                out.send_line(id, b"OK");
            }
            (b"GET", [_, ..], None) => match self.values.get(key) {
                Some(value) => out.send_line(id, &[b"=", &value[..]].concat()),
                None => out.send_line(id, b"NONE"),
            },
            (b"DEL", [_, ..], None) => {
                let was = self.values.remove(key);
                out.send_line(id, if was.is_some() { b"OK" } else { b"NONE" });
            }
            (b"DUMP", b"", None) => {
                // What else this client asks for waits until the dump is out.
                out.pause_reading(id);
                self.dumps.insert(id, Vec::new());
                self.on_drained(id, out);
            }
            _ => out.send_line(id, b"SET key value, GET key, DEL key or DUMP"),
        }
    }

    fn on_drained(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(last) = self.dumps.remove(&id) else { return };
        let mut piece = Vec::new();
        for (key, value) in self.values.range((Excluded(last), Unbounded)) {
            piece.extend([&key[..], b" ", value, b"\n"].concat());
            if piece.len() >= PIECE {
                self.dumps.insert(id, key.clone());
                out.send(id, &piece);
                return out.notify_drained(id);
            }
        }
        out.send(id, &piece);
        out.send_line(id, b"END");
        out.resume_reading(id);
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, _: &mut Outbox) {
        self.dumps.remove(&id);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let server = Server::bind(Config::at(addr))?;
    println!("storing on {}", server.local_addrs()[0]);
    server.run(Store::default())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use chinwag::{Limits, testing::Network};

    use super::*;

    #[test]
    fn any_byte_that_is_put_in_comes_out() {
        let mut network = Network::new(Store::default(), &Limits::default());
        let id = network.connect("");
        network.send(id, b"SET bin a\x08b\xff\xf1\0 \x1b[A\r\nGET bin\nDEL bin\nGET bin\nGET\n");
        let answers = b"OK\r\n=a\x08b\xff\xf1\0 \x1b[A\r\nOK\r\nNONE\r\n\
            SET key value, GET key, DEL key or DUMP\r\n";
        assert_eq!(
            network.receive(id).escape_ascii().to_string(),
            answers.escape_ascii().to_string()
        );
    }

    #[test]
    fn a_dump_of_25_megabytes_takes_the_memory_of_a_piece() {
        let mut store = Store::default();
        for n in 0..25_000u32 {
            store.values.insert(format!("{n:05}").into_bytes(), vec![b'x'; 1000]);
        }
        let mut network = Network::new(store, &Limits::default());
        let id = network.connect("");
        network.narrow(id, 100 << 10);
        network.send(id, b"DUMP\nGET none\n");
        let mut length = 0;
        let mut end = Vec::new();
        while !end.ends_with(b"END\nNONE\n") {
            assert!(network.outbox().queued(id) < 2 * PIECE);
            end = network.receive_some(id);
            length += end.len();
        }
        assert_eq!(length, 25_000 * 1007 + "END\nNONE\n".len());
    }
}
