//! What clients type: every kind of line that the protocol has a rule for, with a number
//! in it wherever possible, so that no two lines are alike.

use super::rng::Rng;

const NAMES: [&str; 12] = [
    "ann", "Ann", "bob", "BOB", "c.d-e_f", "dora", "guest", "Guest-2", "guest-3", "admin", "x",
    "1.2.3.4",
];

/// How a client ends its lines, mostly.
pub(super) const ENDINGS: [&[u8]; 4] = [b"\n", b"\r\n", b"\0", b"\r\0"];

/// The writer of one run's lines.
pub(super) struct Lines {
    line_max: usize,
    count: usize,
}

impl Lines {
    pub(super) fn new(line_max: usize) -> Lines {
        Lines { line_max, count: 0 }
    }

    /// A line with its ending.
    pub(super) fn write(&mut self, rng: &mut Rng, ending: &[u8]) -> Vec<u8> {
        self.count += 1;
        let mut line = match rng.below(40) {
            0..15 => self.speech(rng).into_bytes(),
            15..27 => self.command(rng).into_bytes(),
            27..29 => mistake(rng).into_bytes(),
            29..31 => self.dirt(rng),
            31..33 => self.telnet(rng),
            33 => self.erased(rng),
            34..37 => self.near_the_limit(rng),
            37 => vec![b'#'; self.line_max * rng.between(1, 3)],
            38 => rng.pick(&[&b""[..], b" \t ", b"\x04", b" \x04\t"]).to_vec(),
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
            _ => long[..2].copy_from_slice(b"\xff\xfa"),
        }
        long
    }

    fn speech(&self, rng: &mut Rng) -> String {
        let n = self.count;
        match rng.below(8) {
            0 => format!("  hi {n}\t"),
            1 => format!("//shrug {n}"),
            2 => format!("/say /nick {n}"),
            3 => format!("Grüße {n} 你好 👩‍👧"),
            4 => format!("/me waves {n}"),
            5 => format!("send help {n}"),
            _ => format!("{n} {}", "hello ".repeat(rng.below(self.line_max / 8 + 1))),
        }
    }

    fn command(&self, rng: &mut Rng) -> String {
        let n = self.count;
        let name = rng.pick(&NAMES);
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

    /// What is no text, or would do something if it were shown.
    fn dirt(&self, rng: &mut Rng) -> Vec<u8> {
        let dirt: [&[u8]; 9] = [
            b"\xc3",
            b"\xe9t\xe9",
            b"\xf0\x9f\x91",
            b"\x1b[31m",
            b"\x07",
            b"\xc2\x9b2J",
            b"\xe2\x80\xaeevil",
            b"a\tb\rc",
            b"\xff\xff",
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
            match rng.below(6) {
                0 => line.extend([255, 253, option]),
                1 => line.extend([255, 251, option % 4]),
                2 => line.extend([255, 244, 255, 253, 6]),
                3 => line.extend([255, *rng.pick(&[252, 254]), option]),
                4 => line.extend([255, 250, 24, 1, 255, 255, b'\n', 0, 255, 240]),
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
        "quit it",
        "registered",
        "/register ann",
    ];
    format!("{} ", rng.pick(&mistakes))
}
