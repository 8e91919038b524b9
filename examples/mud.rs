//! A small world: rooms to walk through, people to talk to, and a clock that ticks for all.
//!
//! `cargo run --example mud -- 127.0.0.1:4000`, then `telnet 127.0.0.1 4000` twice, and type
//! a name, `look`, `north`, `south` or whatever is to be said. `rebuild` puts the program that has
//! been built meanwhile in the place of this one, and everybody stays where they are. (It is not
//! asked first whether it understands this one's world, as `src/bin/chinwag/upgrade.rs` does.)

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use chinwag::{
    CloseReason, Config, ConnId, Damaged, HandOver, Handle, Inherited, Outbox, Pack, Packer, Pause,
    Peer, Server, Service, Unpacker,
};

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

struct World {
    server: Handle,
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
            "rebuild" => self.server.interrupt(),
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

/// What a program packs that another one takes the place of.
impl HandOver for World {
    fn pack(&self, to: &mut Packer) {
        let World { server: _, players, is_high_tide } = self;
        to.put(players).put(is_high_tide);
    }

    fn on_not_upgraded(&mut self, why: &str, out: &mut Outbox) {
        out.broadcast(format!("The world stays as it is: {why}").as_bytes());
    }
}

impl Pack for Player {
    fn pack(&self, to: &mut Packer) {
        let Player { name, room } = self;
        to.put(name).put(room);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Player, Damaged> {
        Ok(Player { name: from.get()?, room: from.get()? })
    }
}

impl World {
    fn new(server: Handle) -> World {
        World { server, players: HashMap::new(), is_high_tide: false }
    }

    /// The world of the program that was here before.
    fn unpack(server: Handle, from: &mut Unpacker<'_>) -> Result<World, Damaged> {
        Ok(World { server, players: from.get()?, is_high_tide: from.get()? })
    }

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

fn main() -> Result<(), Box<dyn Error>> {
    serve(&std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()))
}

fn serve(addr: &str) -> Result<(), Box<dyn Error>> {
    let config = Config::at(addr.parse()?);
    let mut inherited = Inherited::take()?;
    let mut running = if let Some(inherited) = &mut inherited {
        let (server, mut from) = Server::adopt(config, inherited)?;
        let world = World::unpack(server.handle(), &mut from)?;
        server.thaw(world, from)?
    } else {
        let server = Server::bind(config)?;
        println!("the world is at {}", server.local_addrs()[0]);
        let world = World::new(server.handle());
        server.start(world)
    };
    while running.run()? == Pause::Interrupted {
        let mut arguments = std::env::args_os();
        let mut command = Command::new(arguments.next().unwrap_or_default());
        // It comes back only if there is no such program.
        let error = running.hand_over_to(command.args(arguments)).to_string();
        running.between_turns(|world, out| world.on_not_upgraded(&error, out));
    }
    Ok(())
}

#[test]
fn people_meet_talk_walk_and_hear_the_tide() {
    let world = World::new(Handle::detached());
    let mut network = chinwag::testing::Network::new(world, &chinwag::Limits::default());
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

#[cfg(target_os = "linux")]
#[test]
fn everybody_stays_where_they_are_when_the_program_is_rebuilt() {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpStream;
    use std::process::Stdio;

    /// However the test ends.
    struct Ended(std::process::Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    const NAME: &str = "everybody_stays_where_they_are_when_the_program_is_rebuilt";
    // This test is also the program that it starts.
    if std::env::var_os("MUD").is_some() {
        return serve("127.0.0.1:0").unwrap();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env("MUD", "1");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let _child = Ended(child);
    let addr = lines.find_map(|line| line.strip_prefix("the world is at ").map(str::to_owned));
    let mut ann = TcpStream::connect(addr.unwrap()).unwrap();
    ann.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut ann_hears = BufReader::new(ann.try_clone().unwrap()).lines();
    let mut hear = move || ann_hears.next().unwrap().unwrap();
    ann.write_all(b"ann\nnorth\nrebuild\nlo").unwrap();
    let greeting = ["Who are you?", "Market. Fish, onions, and the price of both."];
    assert_eq!([hear(), hear()], greeting);
    assert_eq!(hear(), "Tower. From here the sea is a line.");
    // Another program has taken over when its environment says so.
    let environment = format!("/proc/{id}/environ");
    let has_taken_over = || {
        // While it does, there is none.
        let text = std::fs::read(&environment).unwrap_or_default();
        text.split(|byte| *byte == 0).any(|it| it.starts_with(b"CHINWAG_TAKES_OVER="))
    };
    let start = std::time::Instant::now();
    while !has_taken_over() {
        assert!(start.elapsed() < Duration::from_mins(1), "nobody has taken over");
    }
    ann.write_all(b"ok\nsouth\nsouth\n").unwrap();
    assert_eq!(hear(), "Tower. From here the sea is a line.");
    assert_eq!(hear(), greeting[1]);
    assert_eq!(hear(), "Harbour. Gulls, tar, and a bell that nobody rings.");
}
