//! What clients type: every kind of line that the protocol has a rule for, with a number
//! in it wherever possible, so that no two lines are alike.

use super::rng::Rng;
use super::rules::{token, tokens_given};

const ROOMS: [&str; 6] = ["lobby", "games", "GAMES", "tea", "x", "Lobby"];

/// Whom somebody may well mean.
const PEOPLE: [&str; 8] =
    ["guest", "Guest-2", "guest-3", "guest-4", "ann", "BOB", "dora", "user-1"];

const NAMES: [&str; 12] = [
    "ann", "Ann", "bob", "BOB", "c.d-e_f", "dora", "guest", "Guest-2", "guest-3", "admin", "x",
    "1.2.3.4",
];

/// What is nothing to look at.
const NOTHING: [&str; 6] =
    ["", " \t ", "\x04", " \x04\x04\t", "\u{3164} \u{200b}", "/say \u{2800}\u{e0041}"];

/// How a client ends its lines, mostly.
pub(super) const ENDINGS: [&[u8]; 5] = [b"\n", b"\r\n", b"\0", b"\r\0", b"\r"];

/// The writer of one run's lines.
pub(super) struct Lines {
    line_max: usize,
    count: usize,
    /// How much of a run is commands of the newer kind, and which.
    newer: usize,
    focuses: &'static [Focus],
}

/// What the clients of a run care for.
#[derive(Clone, Copy)]
enum Focus {
    Rooms,
    People,
    Sessions,
}

/// Together, because it is where they meet that things go wrong.
const FOCUSES: [&[Focus]; 4] = [
    &[Focus::Rooms, Focus::People],
    &[Focus::Rooms, Focus::Sessions],
    &[Focus::People, Focus::Sessions],
    &[Focus::Rooms, Focus::People, Focus::Sessions],
];

impl Lines {
    pub(super) fn new(line_max: usize, rng: &mut Rng) -> Lines {
        let newer = *rng.pick(&[6, 60, 150, 150]);
        let focuses = FOCUSES[rng.below(FOCUSES.len())];
        Lines { line_max, count: 0, newer, focuses }
    }

    /// A line with its ending.
    pub(super) fn write(&mut self, rng: &mut Rng, ending: &[u8]) -> Vec<u8> {
        self.count += 1;
        let mut line = match rng.below(40 + self.newer) {
            0..15 => self.speech(rng).into_bytes(),
            15..27 => self.command(rng).into_bytes(),
            27..29 => mistake(rng).into_bytes(),
            29..31 => self.dirt(rng),
            31..33 => self.telnet(rng),
            33 => self.erased(rng),
            34..37 => self.near_the_limit(rng),
            40.. => self.newer_command(rng).into_bytes(),
            37 => vec![b'#'; self.line_max * rng.between(1, 3)],
            38 => rng.pick(&NOTHING).as_bytes().to_vec(),
            _ => rng.pick(&["quit", "EXIT", "/quit", "/Exit now", " exit\t"]).as_bytes().to_vec(),
        };
        let ending = if rng.one_in(20) { *rng.pick(&ENDINGS) } else { ending };
        line.extend_from_slice(ending);
        line
    }

    /// About as much as nobody would send who means to end the line.
    pub(super) fn write_endless(&self, rng: &mut Rng) -> Vec<u8> {
        let mut long = vec![b'~'; self.line_max * 16 + rng.below(4) - 1];
        match rng.below(4) {
            0 => long.push(b'\n'),
            1 => {}
            // A subnegotiation counts like any other bytes.
            _ => drop(long.splice(..0, *b"\xff\xfa")),
        }
        long
    }

    fn speech(&self, rng: &mut Rng) -> String {
        let n = self.count;
        match rng.below(8) {
            0 => format!("  hi {n}\t"),
            1 => format!("//shrug \"{n}\" \\o/"),
            2 => format!("/say /nick {n}"),
            3 => format!("Grüße {n} 你好 👩‍👧"),
            4 => format!("/me waves {n}"),
            5 => format!("send {} {n}", rng.pick(&["help", "ann", "Guest-2", "bob:", "dora"])),
            _ => format!("{n} {}", "hello ".repeat(rng.below(self.line_max / 8 + 1))),
        }
    }

    fn command(&self, rng: &mut Rng) -> String {
        let n = self.count;
        let name = if rng.one_in(2) { rng.pick(&NAMES) } else { rng.pick(&PEOPLE) };
        match rng.below(17) {
            0 | 1 => format!("REGISTER {name}"),
            2 => format!("/nick {name}"),
            3 => format!("/NICK   user-{}", n % 7),
            4..=6 => format!("SEND @{name} psst {n}"),
            7 | 8 => format!("/msg {name} psst {n}"),
            9 => format!("/reply back {n}"),
            10 => format!("/r  back {n}"),
            11 => (*rng.pick(&["/who", "/who lobby", "/who LOBBY", "/who games"])).to_owned(),
            12 => "/time".to_owned(),
            13 => format!("/up straße {n}"),
            14 => format!("/down  ÄÖ {n}"),
            15 => (*rng.pick(&["/echo off", "/ECHO on", "/echo OFF"])).to_owned(),
            _ => (*rng.pick(&["/help", "/help nick", "/help /me", "/help foo"])).to_owned(),
        }
    }

    /// What belongs to rooms, to what one sees of others, or to coming back.
    fn newer_command(&self, rng: &mut Rng) -> String {
        match rng.pick(self.focuses) {
            Focus::Rooms => self.room_command(rng),
            Focus::People => self.people_command(rng),
            Focus::Sessions => match rng.below(9) {
                0..2 => "/resume".to_owned(),
                2..5 => write_return(rng),
                // The slash forgotten.
                8 => write_return(rng)[1..].to_owned(),
                5 => format!("/join {}", rng.pick(&["games", "tea"])),
                _ => format!("{} is seen later", self.count),
            },
        }
    }

    fn room_command(&self, rng: &mut Rng) -> String {
        let (n, room) = (self.count, rng.pick(&ROOMS));
        match rng.below(12) {
            0..4 => format!("/join {room}"),
            4 => "/leave".to_owned(),
            5 => "/rooms".to_owned(),
            6 => format!("/who {room}"),
            7 if rng.one_in(3) => "/topic  -".to_owned(),
            7 => format!("/topic  tea {n}"),
            8 => "/topic".to_owned(),
            9 => "/history".to_owned(),
            10 => format!("/history {}", rng.below(5)),
            _ => format!("{n} for the room"),
        }
    }

    fn people_command(&self, rng: &mut Rng) -> String {
        let (n, name) = (self.count, rng.pick(&PEOPLE));
        match rng.below(16) {
            0..4 => format!("/ignore {name}"),
            4 => format!("/unignore {name}"),
            5 => format!("/away for {n}"),
            6 => "/away".to_owned(),
            7 => format!("/msg {name} psst {n}"),
            8 => format!("SEND @{name} psst {n}"),
            9..11 => "/notices on".to_owned(),
            11 => "/notices off".to_owned(),
            12 => {
                let dialects = ["native", "RECIPE", "tutorial", "fork", "json", "klingon"];
                format!("/dialect {}", rng.pick(&dialects))
            }
            13 => "/history".to_owned(),
            14 => format!("/nick {}", rng.pick(&PEOPLE[4..])),
            _ => format!("{n} for all"),
        }
    }

    /// What is no text, or would do something if it were shown.
    fn dirt(&self, rng: &mut Rng) -> Vec<u8> {
        let dirt: [&[u8]; 11] = [
            b"\xc3",
            b"\xe9t\xe9",
            b"\xf0\x9f\x91",
            b"\x1bP",
            b"\x07",
            b"\xc2\x9b2J",
            b"\xe2\x80\xaeevil",
            b"a\tb",
            b"\xff\xff",
            "e\u{301}\u{301}\u{301}\u{200b}\u{301}\u{302}\u{301}\u{301}\u{301}\u{301}\u{e0041}a"
                .as_bytes(),
            "\u{3164}\u{2800}".as_bytes(),
        ];
        let mut line = format!("dirt {} ", self.count).into_bytes();
        for _ in 0..rng.between(1, 3) {
            line.extend_from_slice(dirt[rng.below(dirt.len())]);
            line.push(b'.');
        }
        line
    }

    /// Telnet commands in the middle of a line.
    fn telnet(&self, rng: &mut Rng) -> Vec<u8> {
        let mut line = format!("tel{}", self.count).into_bytes();
        for _ in 0..rng.between(1, 3) {
            let option = rng.byte();
            match rng.below(12) {
                0 => line.extend([255, 253, option]),
                1 => line.extend([255, 251, option % 4]),
                2 => line.extend([255, 244, 255, 253, 6]),
                3 => line.extend([255, *rng.pick(&[252, 254]), option]),
                4 => line.extend([255, 250, 24, 1, 255, 255, b'\n', 0, 255, 240]),
                5 => line.extend([255, 250, 24, 1, 255, 251, option]),
                6 => line.extend([255, 247]),
                7 => line.extend([255, 248, b'2']),
                8 => line.extend([255, 246]),
                9 => line.extend([255, 241].repeat(*rng.pick(&[1, 1, 1, 600]))),
                _ => line.extend([255, 241]),
            }
        }
        line.extend(b"net");
        line
    }

    fn erased(&self, rng: &mut Rng) -> Vec<u8> {
        let n = self.count;
        let lines = [
            format!("\u{8}typed {n}x\u{7f}"),
            format!("typé\u{8}e {n} 👩\u{8}"),
            format!("typed {n} \u{8}\u{8}\u{8}\u{8}!"),
            "gone\u{8}\u{7f}\u{8}\u{7f}\u{8}".to_owned(),
            format!("\u{3}all {n} gone\u{15}not {n}"),
            format!("words {n}, the \t last\u{17}\u{17}one {n}"),
            format!("\u{1b}[Akeys {n}\u{1b}[200~ in\u{1b}[201~\u{1b}OP\u{1b}\u{1b}[[D."),
            format!("no key {n}\u{1b}q \u{1b}[12"),
            format!("\u{feff}marked {n}\u{feff}"),
            format!("cr {n}\r\u{8}"),
        ];
        rng.pick(&lines).clone().into_bytes()
    }

    /// As long as a line may be, or a byte or two less or more.
    fn near_the_limit(&self, rng: &mut Rng) -> Vec<u8> {
        let length = self.line_max + rng.below(4) - 1;
        let mut line = format!("{} long ", self.count).into_bytes();
        line.resize(length, b'.');
        line
    }
}

/// A token, mostly one that was given out not long ago; and perhaps what was seen.
pub(super) fn write_return(rng: &mut Rng) -> String {
    let number = tokens_given().saturating_sub(rng.below(6) as u64);
    let mut token = token(number);
    match rng.below(6) {
        0 => token.replace_range(47.., "x"),
        1 => token.replace_range(47.., "0"),
        2 => token = token.to_uppercase(),
        _ => {}
    }
    match rng.below(4) {
        0 => match rng.below(12) {
            9.. => format!("/resume {token} 2 1"),
            seq => format!("/resume {token} {seq}"),
        },
        1 if rng.one_in(3) => format!("/resume {token} {}", u64::MAX),
        _ => format!("/resume {token}"),
    }
}

/// What a command needs and does not get, or almost a command.
fn mistake(rng: &mut Rng) -> String {
    let mistakes = [
        "/",
        "/ ann",
        "/Foo bar",
        "/nick",
        "/nick a b",
        "REGISTER",
        "register a b",
        "SEND @",
        "send @ann",
        "SEND @ hi",
        "/msg ann",
        "/msg  ann hi",
        "/say",
        "/me",
        "/reply",
        "/up",
        "/echo maybe",
        "/who a b",
        "/join",
        "/join #games",
        "/history x",
        "/ignore",
        "/unignore a b",
        "/notices maybe",
        "/dialect",
        "/resume a b",
        "/resume a 1 b",
        "/nikc ann",
        "/he",
        "/join tee.",
        "/msg @ann",
        "/nick ann.",
        "REGISTER älice",
        "/nick Se-rver",
        "quit it",
        "registered",
        "/register ann",
    ];
    format!("{} ", rng.pick(&mistakes))
}
