//! A server in the worst state that it has to serve strangers in: rooms, people who take
//! notices, detached sessions, a full history, accounts.

use super::client::{self, Client};
use crate::common::machine::Cores;
use crate::common::server::ServerProcess;
use mio::{Events, Interest, Poll, Token};
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs};

pub(crate) const PASSWORD: &str = "a right password";

/// Names that are protected, `keeper-0` and so on; `boss` is an operator.
pub(crate) const KEEPERS: usize = 16;

/// Lines that a room keeps, how long they are, and how many of them one may say at once.
const HISTORY: usize = 200;
const LINE_LENGTH: usize = 300;
const SAY_AT_ONCE: usize = 12;

/// A half of the largest number that the limit on connections from one address allows.
const NEIGHBOURS: usize = 16;

/// How many are there already.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// In the lobby, every other one with notices.
    lobby: usize,
    /// Each in a room of their own.
    rooms: usize,
}

impl Size {
    /// Where more are in a room, nobody is told who comes and goes.
    pub(crate) const LARGE: Size = Size { lobby: 180, rooms: 120 };
    pub(crate) const SMALL: Size = Size { lobby: 24, rooms: 8 };
}

/// What every server of a run begins with.
pub(crate) struct Site {
    size: Size,
    cores: Cores,
    /// A state directory's file of accounts.
    accounts: String,
}

/// A running server and those who are there.
pub(crate) struct Town {
    server: ServerProcess,
    pub(crate) boss: Client,
    folder: PathBuf,
    is_over: Arc<AtomicBool>,
    residents: Option<JoinHandle<io::Result<()>>>,
}

impl Site {
    /// Has this program hash the password, once for everybody.
    pub(crate) fn new(program: &Path, size: Size, cores: Cores) -> io::Result<Site> {
        let folder = new_folder()?;
        let hash = hash(program, &folder);
        fs::remove_dir_all(&folder)?;
        let hash = hash?;
        let keepers = (0..KEEPERS).map(|number| format!("keeper-{number}:{hash}:\n"));
        let accounts = keepers.chain([format!("boss:{hash}:op\n")]).collect();
        Ok(Site { size, cores, accounts })
    }

    /// Starts a server with further arguments, and fills it.
    pub(crate) fn found(&self, program: &Path, arguments: &[&str]) -> io::Result<Town> {
        let folder = new_folder()?;
        let mut accounts = OpenOptions::new();
        let accounts = accounts.write(true).create_new(true).mode(0o600);
        accounts.open(folder.join("accounts"))?.write_all(self.accounts.as_bytes())?;
        let (program, state) = (program.display().to_string(), folder.display().to_string());
        let fixed = ["-q", "-l", "127.0.0.1:0", "--state", &state];
        let words = [program.as_str()].into_iter().chain(fixed).chain(arguments.iter().copied());
        let words = words.map(str::to_owned).collect();
        let server = ServerProcess::start_program(words, None, self.cores)?;
        let addr = server.addr();
        let residents = move_in(addr, self.size)?;
        let mut boss = Client::connect_aside(Ipv4Addr::new(127, 0, 1, 1), addr)?;
        boss.ask(&format!("REGISTER boss {PASSWORD}\n/join office\n"), " in office: ")?;
        boss.patience = client::PATIENCE;
        let is_over = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&is_over);
        let residents = Some(thread::spawn(move || live(residents, &watched)));
        Ok(Town { server, boss, folder, is_over, residents })
    }
}

impl Town {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// CPU time of the loop, which is the server's first thread.
    pub(crate) fn loop_seconds(&self) -> io::Result<f64> {
        self.server.main_thread_seconds()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(residents) = self.residents.take() {
            // What went wrong there shows in what others could not do.
            let _ = residents.join();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An empty folder of its owner's.
fn new_folder() -> io::Result<PathBuf> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("chinwag-bench-{}-{number}", process::id()));
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// The password as a program keeps it.
fn hash(program: &Path, folder: &Path) -> io::Result<String> {
    let mut passwd = Command::new(program);
    passwd.arg("passwd").arg(folder).arg("boss").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut passwd = passwd.spawn()?;
    writeln!(passwd.stdin.take().expect("stdin is piped"), "{PASSWORD}")?;
    passwd.wait()?;
    let text = fs::read_to_string(folder.join("accounts"))?;
    let line = text.lines().find(|line| line.starts_with("boss:"));
    let hash = line.and_then(|line| line.split(':').nth(1));
    hash.map(str::to_owned).ok_or_else(|| io::Error::other("chinwag passwd has written no hash"))
}

/// Brings everybody in, and has them fill the lobby's history.
fn move_in(addr: SocketAddr, size: Size) -> io::Result<Vec<Client>> {
    let mut residents = Vec::new();
    for number in 0..size.lobby + size.rooms {
        let host = u8::try_from(number / NEIGHBOURS).expect("residents are few");
        let mut client = Client::connect_aside(Ipv4Addr::new(127, 0, 5, host + 1), addr)?;
        client.ask(&format!("REGISTER resident-{number}\n"), "Registered as")?;
        if number * SAY_AT_ONCE < HISTORY {
            let line = format!("{number:.<LINE_LENGTH$}\n");
            client.ask(&format!("{}/up done\n", line.repeat(SAY_AT_ONCE)), "DONE")?;
        }
        // An answer to something names what is to be answered last.
        let more = match number {
            number if number >= size.lobby => format!("/join room-{number}\n"),
            number if number % 2 == 0 => "/notices on\n".to_owned(),
            _ => String::new(),
        };
        client.ask(&format!("{more}/resume\n"), "/resume ")?;
        residents.push(client);
    }
    Ok(residents)
}

/// Residents read whatever comes, and say nothing.
fn live(residents: Vec<Client>, is_over: &AtomicBool) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut streams = Vec::new();
    for (number, client) in residents.into_iter().enumerate() {
        let stream = client.into_stream();
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        streams.push(stream);
    }
    let mut events = Events::with_capacity(1024);
    let mut chunk = vec![0; 64 << 10];
    while !is_over.load(Ordering::Relaxed) {
        poll.poll(&mut events, Some(Duration::from_millis(20)))?;
        for event in &events {
            while matches!(streams[event.token().0].read(&mut chunk), Ok(length) if length > 0) {}
        }
    }
    Ok(())
}
