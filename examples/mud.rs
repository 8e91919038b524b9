//! A small world: rooms to walk through, people to talk to, and a clock that ticks for all.
//!
//! `cargo run --example mud -- 127.0.0.1:4000`, then `telnet 127.0.0.1 4000` twice, and type
//! a name, `look`, `north`, `south` or whatever is to be said.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use chinwag::{CloseReason, Config, ConnId, Outbox, Peer, Server, Service};

/// Each room is north of the one before.
const ROOMS: [(&str, &str); 3] = [
    ("Harbour", "Gulls, tar, and a bell that nobody rings."),
    ("Market", "Fish, onions, and the price of both."),
    ("Tower", "From here the sea is a line."),
];
/// Where people begin.
const MARKET: usize = 1;

/// The world's only timer, and how often it ticks.
const TIDE: u64 = 0;
const TIDE_TIME: Duration = Duration::from_mins(1);

#[derive(Default)]
struct World {
    players: HashMap<ConnId, Player>,
    is_high_tide: bool,
}

#[derive(Clone)]
struct Player {
    name: String,
    room: usize,
}

impl Service for World {
    fn on_start(&mut self, out: &mut Outbox) {
        out.set_timer(TIDE, TIDE_TIME);
    }

    fn on_open(&mut self, id: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        out.send_line(id, b"Who are you?");
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let line = String::from_utf8_lossy(line);
        let text = line.trim();
        let Some(player) = self.players.get(&id).cloned() else {
            return self.enter(id, text, out);
        };
        match text {
            "" => {}
            "look" => self.look(id, out),
            "north" if player.room + 1 < ROOMS.len() => {
                self.walk(id, &player, player.room + 1, out);
            }
            "south" if player.room > 0 => self.walk(id, &player, player.room - 1, out),
            "north" | "south" => out.send_line(id, b"There is only water."),
            "quit" => out.close(id),
            text => self.tell(player.room, &format!("{}: {text}", player.name), out),
        }
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, out: &mut Outbox) {
        if let Some(player) = self.players.remove(&id) {
            self.tell(player.room, &format!("{} is gone.", player.name), out);
        }
    }

    fn on_timer(&mut self, _: u64, out: &mut Outbox) {
        self.is_high_tide = !self.is_high_tide;
        let tide = if self.is_high_tide { "The water rises." } else { "The water falls." };
        self.tell(0, tide, out);
        out.set_timer(TIDE, TIDE_TIME);
    }
}

impl World {
    fn enter(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        if name.is_empty() || self.players.values().any(|player| player.name == name) {
            return out.send_line(id, b"Somebody else, please.");
        }
        self.tell(MARKET, &format!("{name} comes out of nowhere."), out);
        self.players.insert(id, Player { name: name.to_owned(), room: MARKET });
        self.look(id, out);
    }

    fn look(&self, id: ConnId, out: &mut Outbox) {
        let Some(player) = self.players.get(&id) else { return };
        let (name, view) = ROOMS[player.room];
        let is_near = |other: &&Player| other.room == player.room && other.name != player.name;
        let mut others: Vec<&str> =
            self.players.values().filter(is_near).map(|other| other.name.as_str()).collect();
        others.sort_unstable();
        let mut text = out.writer(id);
        // Writing to a client cannot fail.
        let _ = writeln!(text, "{name}. {view}");
        if !others.is_empty() {
            let _ = writeln!(text, "Here: {}.", others.join(", "));
        }
    }

    fn walk(&mut self, id: ConnId, player: &Player, room: usize, out: &mut Outbox) {
        self.players.insert(id, Player { room, ..player.clone() });
        self.tell(player.room, &format!("{} goes to the {}.", player.name, ROOMS[room].0), out);
        self.look(id, out);
    }

    /// Says something to all in a room.
    fn tell(&self, room: usize, text: &str, out: &mut Outbox) {
        let near = self.players.iter().filter(|(_, player)| player.room == room);
        out.send_line_all(room, near.map(|(id, _)| *id), text.as_bytes());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let server = Server::bind(Config::at(addr))?;
    println!("the world is at {}", server.local_addrs()[0]);
    server.run(World::default())?;
    Ok(())
}

#[test]
fn people_meet_talk_walk_and_hear_the_tide() {
    let mut network = chinwag::testing::Network::new(World::default(), &chinwag::Limits::default());
    let (ann, bob) = (network.connect(""), network.connect(""));
    assert_eq!(
        network.say(ann, "ann\n"),
        "Who are you?\nMarket. Fish, onions, and the price of both.\n"
    );
    network.send(bob, b"ann\r\nbob\r\n");
    assert!(network.read(bob).ends_with("Here: ann.\r\n"));
    network.send(bob, b"hello\r\nsouth\r\n");
    let heard = "bob comes out of nowhere.\nbob: hello\nbob goes to the Harbour.\n";
    assert_eq!(network.read(ann), heard);
    network.pass(TIDE_TIME * 2);
    assert!(network.read(bob).ends_with("The water rises.\r\nThe water falls.\r\n"));
    assert_eq!(network.say(ann, "look\n"), "Market. Fish, onions, and the price of both.\n");
    network.send(ann, b"south\n");
    network.reset(bob);
    assert!(network.read(ann).ends_with("Here: bob.\nbob is gone.\n"));
}
