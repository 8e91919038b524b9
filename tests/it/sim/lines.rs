//! What clients type: speech, and the commands whose outcome depends on what others do meanwhile,
//! with a number in it wherever possible, so that no two lines are alike. What a command answers
//! to whoever mistypes it, and all that depends on nobody else, the transcripts say.

use super::rng::Rng;
use super::rules::{token, tokens_given};

const ROOMS: [&str; 6] = ["lobby", "games", "GAMES", "tea", "x", "Lobby"];

/// Whom somebody may well mean.
const PEOPLE: [&str; 8] =
    ["guest", "Guest-2", "guest-3", "guest-4", "ann", "BOB", "dora", "user-1"];

const NAMES: [&str; 6] = ["ann", "Ann", "bob", "BOB", "c.d-e_f", "dora"];

/// What is nothing to look at.
const NOTHING: [&str; 4] = ["", " \t ", "\x04", " \x04\x04\t"];

/// How a client ends its lines, mostly.
pub(super) const ENDINGS: [&[u8]; 5] = [b"\n", b"\r\n", b"\0", b"\r\0", b"\r"];

/// The writer of one run's lines.
pub(super) struct Lines {
    line_max: usize,
    count: usize,
    /// How much of a run is commands that depend on what others do.
    commands: usize,
}

impl Lines {
    pub(super) fn new(line_max: usize, rng: &mut Rng) -> Lines {
        Lines { line_max, count: 0, commands: *rng.pick(&[6, 60, 150, 150]) }
    }

    /// A line with its ending.
    pub(super) fn write(&mut self, rng: &mut Rng, ending: &[u8]) -> Vec<u8> {
        self.count += 1;
        let mut line = match rng.below(40 + self.commands) {
            0..15 => self.speech(rng).into_bytes(),
            15..29 => self.command(rng).into_bytes(),
            29..32 => self.telnet(rng),
            32..34 => self.erased(rng),
            34..37 => self.near_the_limit(rng),
            40.. => self.command_among_others(rng).into_bytes(),
            37 => vec![b'#'; self.line_max * rng.between(1, 3)],
            38 => rng.pick(&NOTHING).as_bytes().to_vec(),
            _ => b"/exit".to_vec(),
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
        match rng.below(4) {
            0 => format!("  hi {n}\t"),
            1 => format!("Grüße {n} 你好 👩‍👧"),
            _ => format!("{n} {}", "hello ".repeat(rng.below(self.line_max / 8 + 1))),
        }
    }

    fn command(&self, rng: &mut Rng) -> String {
        let n = self.count;
        let name = if rng.one_in(2) { rng.pick(&NAMES) } else { rng.pick(&PEOPLE) };
        match rng.below(13) {
            0..3 => format!("/nick {}", rng.pick(&NAMES)),
            3 => format!("/NICK   user-{}", n % 7),
            4..9 => format!("/msg {name} psst {n}"),
            9 => format!("/reply back {n}"),
            10 => format!("/r  back {n}"),
            _ => (*rng.pick(&["/who", "/who lobby", "/who LOBBY", "/who games"])).to_owned(),
        }
    }

    /// What belongs to rooms, to what one sees of others, or to coming back.
    fn command_among_others(&self, rng: &mut Rng) -> String {
        match rng.below(24) {
            0..8 => self.room_command(rng),
            8..16 => self.people_command(rng),
            16..18 => "/resume".to_owned(),
            18..21 => write_return(rng),
            21 => format!("/join {}", rng.pick(&["games", "tea"])),
            _ => format!("{} is seen later", self.count),
        }
    }

    fn room_command(&self, rng: &mut Rng) -> String {
        let (n, room) = (self.count, rng.pick(&ROOMS));
        match rng.below(10) {
            0..4 => format!("/join {room}"),
            4 => "/leave".to_owned(),
            5 => "/rooms".to_owned(),
            6 => format!("/who {room}"),
            7 => "/history".to_owned(),
            8 => format!("/history {}", rng.between(1, 5)),
            _ => format!("{n} for the room"),
        }
    }

    fn people_command(&self, rng: &mut Rng) -> String {
        let (n, name) = (self.count, rng.pick(&PEOPLE));
        match rng.below(12) {
            0..4 => format!("/ignore {name}"),
            4 => format!("/unignore {name}"),
            5..7 => format!("/msg {name} psst {n}"),
            7..9 => "/notices on".to_owned(),
            9 => "/notices off".to_owned(),
            10 => format!("/nick {}", rng.pick(&NAMES)),
            _ => format!("{n} for all"),
        }
    }

    /// Telnet commands in the middle of a line.
    fn telnet(&self, rng: &mut Rng) -> Vec<u8> {
        let mut line = format!("tel{}", self.count).into_bytes();
        for _ in 0..rng.between(1, 3) {
            let option = rng.byte();
            match rng.below(8) {
                0 => line.extend([255, 253, option]),
                1 => line.extend([255, 251, option % 4]),
                2 => line.extend([255, 244, 255, 253, 6]),
                3 => line.extend([255, 250, 24, 1, 255, 255, b'\n', 0, 255, 240]),
                4 => line.extend([255, 248, b'2']),
                5 => line.extend([255, 246]),
                _ => line.extend([255, 241].repeat(*rng.pick(&[1, 1, 1, 600]))),
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
            format!("words {n}, the \t last\u{17}\u{17}one {n}"),
            format!("\u{1b}[Akeys {n}\u{1b}[200~ in\u{1b}[201~\u{1b}OP\u{1b}\u{1b}[[D\u{1b}[M !~."),
            format!("no key {n}\u{1b}q\u{1b}]0;ü\u{7}\u{1b}P1$r\u{1b}\\ \u{1b}]q\u{1b}[/\u{1b}[12"),
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
        0 => format!("/resume {token} {}", rng.below(12)),
        1 if rng.one_in(3) => format!("/resume {token} {}", u64::MAX),
        _ => format!("/resume {token}"),
    }
}
