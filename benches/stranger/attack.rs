//! What a stranger may do: each attack in a row, and the process that carries it out.

use super::price;
use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};
use std::collections::VecDeque;
use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// As many connections as one address may have.
const ALL: usize = 32;

/// About as many bytes are offered to a socket at once.
const PACKET: usize = 4096;

/// Connections that are left open at the stranger's end; more would take their own
/// descriptors.
const LEFT_OPEN: usize = 8000;

/// Has a name protected. Builds before the second command have the first, which now does nothing.
const PROTECT: &str = "/register 12345678\n/protect 12345678\n";

/// What a connection says over and over, or once.
type Says = fn(u64, &[String]) -> Vec<u8>;

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    connections: usize,
    /// By the connection's number and the server's commands.
    hello: Says,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    /// Say this for ever, and read what comes.
    Repeat(Says),
    /// The same, without reading.
    RepeatDeaf(Says),
    /// End the input, read to the end, and come again.
    ComeAgain,
    /// Vanish at once, and come again.
    Vanish,
    /// Leave it open, and come again.
    LeaveOpen,
}

/// All that is tried. Whoever adds something that costs the server adds it here; commands
/// that `/help` names are found by themselves.
pub(crate) static ATTACKS: [Attack; 26] = [
    Attack { name: "nobody", connections: 0, hello: nothing, then: Then::Vanish },
    flood("plain text", |_, _| b"all work and no play makes Jack a dull boy\n".to_vec()),
    flood("lines of 4000 bytes", |_, _| [&[b'x'; 3999][..], b"\n"].concat()),
    flood("empty lines", |_, _| b"\n".to_vec()),
    flood("bytes without a line ending", |_, _| b"xxxxxxxxxxxxxxxx".to_vec()),
    flood("telnet: IAC DO x", |_, _| (0..=250).flat_map(|option| [255, 253, option]).collect()),
    flood("telnet: IAC NOP", |_, _| vec![255, 241]),
    flood("backspaces", |_, _| b"x\x08".to_vec()),
    flood("unknown commands of 1023 bytes", |_, _| [b"/", &[b'x'; 1022][..], b"\n"].concat()),
    flood("every command that /help names", |_, commands| (commands.join("\n") + "\n").into()),
    flood("/resume TOKEN", |_, _| format!("/resume {:048x}\n", 1).into()),
    flood("/history 200", |_, _| b"/history 200\n".to_vec()),
    flood("moves", |number, _| format!("/join lobby\n/join r{number}\n").into()),
    flood("renames", |number, _| format!("/nick n{number}-a\n/nick n{number}-b\n").into()),
    flood("wrong passwords", |number, _| format!("/nick keeper-{} 12345678\n", number % 9).into()),
    Attack {
        name: "register, and change the password for ever",
        connections: 17,
        hello: |number, _| format!("REGISTER p-{number:04}\n{PROTECT}").into(),
        then: Then::Repeat(|_, _| b"/passwd 12345678\n/passwd 87654321\n".to_vec()),
    },
    Attack {
        name: "ask for the history, and never read",
        connections: ALL,
        hello: named,
        then: Then::RepeatDeaf(|_, _| b"/history 200\n".to_vec()),
    },
    Attack {
        name: "connect, /exit, do not close",
        connections: ALL,
        hello: |_, _| b"/exit\n".to_vec(),
        then: Then::LeaveOpen,
    },
    Attack { name: "connect, and vanish", connections: ALL, hello: nothing, then: Then::Vanish },
    visits("connect, be named, and vanish", |number, _| {
        format!("REGISTER v-{number:04}\nhi\n").into()
    }),
    visits("connect, join and leave a room", |number, _| {
        format!("REGISTER j-{number:04}\n/join room-200\n/leave\n").into()
    }),
    visits("connect, and say 20 lines at once", |_, _| {
        b"all work and no play makes Jack a dull boy\n".repeat(20)
    }),
    Attack {
        name: "connect, ask for the history, do not read",
        connections: ALL,
        hello: |_, _| b"/dialect json\n/history 200\n".to_vec(),
        then: Then::LeaveOpen,
    },
    visits("connect, take a token, and vanish", |number, _| {
        format!("REGISTER t-{number:04}\n/resume\n").into()
    }),
    visits("make accounts", |number, _| format!("REGISTER a-{number:04}\n{PROTECT}").into()),
    visits("look like a browser", |_, _| b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n".to_vec()),
];

/// All connections say this for ever, under names of their own.
const fn flood(name: &'static str, says: Says) -> Attack {
    Attack { name, connections: ALL, hello: named, then: Then::Repeat(says) }
}

/// Connections that say this, end their input, read to the end, and come again.
const fn visits(name: &'static str, hello: Says) -> Attack {
    Attack { name, connections: ALL, hello, then: Then::ComeAgain }
}

fn named(number: u64, _: &[String]) -> Vec<u8> {
    format!("REGISTER s-{number:04}\n").into()
}

fn nothing(_: u64, _: &[String]) -> Vec<u8> {
    Vec::new()
}

/// A stranger at work, in a process that gives way to everybody else.
pub(crate) struct Stranger(Option<Child>);

impl Attack {
    /// Goes on for so long.
    pub(crate) fn begin(&self, addr: SocketAddr, duration: Duration) -> io::Result<Stranger> {
        if self.connections == 0 {
            return Ok(Stranger(None));
        }
        let child = Command::new("nice")
            .args(["-n", "10"])
            .arg(env::current_exe()?)
            .args(["--attack", self.name, &addr.to_string(), &duration.as_millis().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Stranger(Some(child)))
    }
}

impl Stranger {
    /// Waits for its end. Returns how many connections it has opened, and how many bytes it
    /// got rid of.
    pub(crate) fn end(mut self) -> io::Result<[f64; 2]> {
        let Some(child) = &mut self.0 else { return Ok([0.0; 2]) };
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let numbers = line
            .trim()
            .split_once(' ')
            .and_then(|(connects, sent)| Some([connects.parse().ok()?, sent.parse().ok()?]));
        numbers.ok_or_else(|| io::Error::other("the stranger has failed"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself: then there is nothing left to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The process of a stranger.
pub(crate) fn main(name: &str, addr: &str, milliseconds: &str) -> ExitCode {
    let attack = ATTACKS.iter().find(|attack| attack.name == name);
    match (attack, addr.parse(), milliseconds.parse()) {
        (Some(attack), Ok(addr), Ok(milliseconds)) => {
            let end = Instant::now() + Duration::from_millis(milliseconds);
            let (connects, sent) = attack.run(addr, end);
            println!("{connects} {sent}");
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

impl Attack {
    /// Goes round all connections until it is over. Returns how many there were, and how
    /// many bytes were sent.
    fn run(&self, addr: SocketAddr, end: Instant) -> (u64, u64) {
        let commands = price::commands(addr).unwrap_or_default();
        let mut work =
            Work { attack: self, addr, commands, left_open: VecDeque::new(), number: 0, sent: 0 };
        let mut places: Vec<Option<Connection>> = (0..self.connections).map(|_| None).collect();
        while Instant::now() < end {
            for place in &mut places {
                let connection = match place.take() {
                    Some(connection) => connection,
                    None => match work.connect() {
                        Ok(connection) => connection,
                        // Out of ports for a moment.
                        Err(_) => continue,
                    },
                };
                *place = work.go_on(connection);
            }
        }
        (work.number, work.sent)
    }
}

struct Work<'a> {
    attack: &'a Attack,
    addr: SocketAddr,
    commands: Vec<String>,
    left_open: VecDeque<TcpStream>,
    /// How many connections there have been.
    number: u64,
    sent: u64,
}

/// One connection, and what it has still to say.
struct Connection {
    stream: TcpStream,
    number: u64,
    unsent: Vec<u8>,
    written: usize,
    is_ended: bool,
}

impl Work<'_> {
    fn connect(&mut self) -> io::Result<Connection> {
        self.number += 1;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        if matches!(self.attack.then, Then::Vanish) {
            socket.set_linger(Some(Duration::ZERO))?;
        }
        socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, 66), 0)).into())?;
        match socket.connect(&self.addr.into()) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
            _ => {}
        }
        Ok(Connection {
            stream: TcpStream::from_std(socket.into()),
            number: self.number,
            unsent: (self.attack.hello)(self.number, &self.commands),
            written: 0,
            is_ended: false,
        })
    }

    /// Writes and reads what goes without waiting. The connection comes back if it stays.
    fn go_on(&mut self, mut connection: Connection) -> Option<Connection> {
        let Connection { stream, unsent, written, .. } = &mut connection;
        while *written < unsent.len() {
            match stream.write(&unsent[*written..]) {
                Ok(length) => {
                    *written += length;
                    self.sent += length as u64;
                }
                Err(error) if is_to_wait(&error) => break,
                Err(_) => return None,
            }
        }
        let is_said = *written == unsent.len();
        match self.attack.then {
            Then::Repeat(says) | Then::RepeatDeaf(says) if is_said => {
                let unit = says(connection.number, &self.commands);
                connection.unsent = unit.repeat(PACKET.div_ceil(unit.len()));
                connection.written = 0;
            }
            Then::ComeAgain if is_said && !connection.is_ended => {
                connection.is_ended = connection.stream.shutdown(Shutdown::Write).is_ok();
            }
            Then::Vanish if is_said => return None,
            Then::LeaveOpen if is_said => {
                self.left_open.push_back(connection.stream);
                if self.left_open.len() > LEFT_OPEN {
                    self.left_open.pop_front();
                }
                return None;
            }
            _ => {}
        }
        let is_deaf = matches!(self.attack.then, Then::RepeatDeaf(_));
        (is_deaf || is_open(&mut connection.stream)).then_some(connection)
    }
}

/// Reads what has come. False at the end.
fn is_open(stream: &mut TcpStream) -> bool {
    let mut chunk = [0; 16 << 10];
    match stream.read(&mut chunk) {
        Ok(length) => length > 0,
        Err(error) => is_to_wait(&error),
    }
}

/// It is still connecting, or there is nothing to be read or no place to write to.
fn is_to_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted)
}
