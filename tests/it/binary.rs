//! The built program, as a process: what whoever starts it and its clients see.

mod accounts;
mod chat;
#[cfg(feature = "redis")]
mod cluster;
mod descriptors;
mod endings;
mod flood;
mod limits;
mod logs;
#[cfg(feature = "web")]
mod metrics;
mod operators;
mod options;
mod proxy;
mod resources;
#[cfg(feature = "redis")]
mod shared_state;
mod state;
mod strangers;
#[cfg(feature = "tls")]
mod tls;
mod upgrade;
#[cfg(feature = "web")]
mod web;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use crate::client::{Client, PATIENCE, eventually};
#[cfg(feature = "web")]
pub(crate) use metrics::scrape_with_everything;

/// On a busy machine somebody who speaks at once may be taken for a person who waits.
const GREETS_NOBODY: [&str; 2] = ["--greet-after", "1h"];

/// A process that is killed when this is dropped.
pub(super) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// Where it says that it listens, in order.
    addrs: Vec<SocketAddr>,
    /// The same, if it is a path.
    socket: Option<PathBuf>,
}

/// A directory that is not there when a test begins, nor when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = Folder(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        // It may be there from a test that was killed.
        let _ = std::fs::remove_dir_all(&folder.0);
        folder
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test may not have made it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a file that nobody can open as long as nobody writes to it.
#[cfg(unix)]
fn fifo(folder: &Path, name: &str) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// How a process ended, and what it wrote that nobody has looked at before.
#[derive(Debug)]
struct Outcome {
    code: Option<i32>,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

impl Program {
    fn spawn(command: &mut Command) -> Program {
        let command = command.env_remove("RUST_LOG").stdin(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        Program { child, stdout, stderr, addrs: Vec::new(), socket: None }
    }

    /// Starts it, and waits until it listens.
    fn start(arguments: &[&str]) -> Program {
        Program::start_as(piped(&mut chinwag()).args(arguments), arguments)
    }

    /// It greets nobody, unless its arguments say when.
    fn start_as(command: &mut Command, arguments: &[&str]) -> Program {
        if command.get_args().all(|argument| argument != GREETS_NOBODY[0]) {
            command.args(GREETS_NOBODY);
        }
        let mut program = Program::spawn(command);
        for _ in arguments.iter().filter(|argument| **argument == "-l") {
            let line = program.line();
            let addr =
                line.strip_prefix("chinwag listening on ").and_then(|rest| rest.split(' ').next());
            let addr = addr.unwrap_or_else(|| panic!("it says '{line}'"));
            match addr.strip_prefix("unix:") {
                Some(path) => program.socket = Some(path.into()),
                None => program.addrs.push(addr.parse().expect(addr)),
            }
        }
        program
    }

    /// The next line on stdout.
    fn line(&self) -> String {
        self.stdout.recv_timeout(PATIENCE).expect("a line on stdout, in time")
    }

    /// The next line on stderr.
    fn log_line(&self) -> String {
        self.stderr.recv_timeout(PATIENCE).expect("a line on stderr, in time")
    }

    /// The next line on stderr that says this; those before it are passed over.
    fn logged(&self, what: &str) -> String {
        loop {
            let line = self.log_line();
            if line.contains(what) {
                return line;
            }
        }
    }

    fn addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    fn client(&self, name: &str) -> Client {
        Client::named(self.addr(), name)
    }

    /// Somebody on its Unix socket.
    fn operator(&self) -> Client {
        let path = self.socket.as_ref().expect("it listens at a path");
        Client::connect_unix(path).expect("somebody listens there")
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.expect("there is a kill command").success());
    }

    /// Waits for its end.
    fn outcome(mut self) -> Outcome {
        let (stdout, stderr) = (rest(&self.stdout), rest(&self.stderr));
        let mut status = None;
        eventually("it ends", || {
            status = self.child.try_wait().expect("it is a child");
            status.is_some()
        });
        Outcome { code: status.and_then(|status| status.code()), stdout, stderr }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chinwag() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chinwag"))
}

fn piped(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// Runs it with arguments with which it is to end by itself.
fn run(arguments: &[&str]) -> Outcome {
    Program::spawn(piped(&mut chinwag()).args(arguments)).outcome()
}

/// Reads a pipe in a thread, so that reading has a deadline and the pipe is never full.
fn lines(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (send, lines) = mpsc::channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
    }
    lines
}

/// All lines up to the end of a pipe.
fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push(line),
            Err(RecvTimeoutError::Disconnected) => return rest,
            Err(RecvTimeoutError::Timeout) => panic!("it still runs, after {rest:?}"),
        }
    }
}

#[test]
fn it_says_where_it_listens_a_line_each_and_nothing_more_to_a_pipe() {
    let program = Program::start(&[]);
    drop(program);
    let mut command = chinwag();
    command.args(["-l", "127.0.0.1:0", "-l", "recipe=127.0.0.1:0"]).args(GREETS_NOBODY);
    let mut program = Program::spawn(piped(&mut command));
    // They come while it runs, although nobody fills a buffer.
    let said = [program.line(), program.line()];
    for (line, dialect) in said.iter().zip(["native", "recipe"]) {
        let port = line.rsplit_once(':').and_then(|(_, rest)| rest.split(' ').next()).unwrap();
        assert_ne!(port, "0");
        assert_eq!(*line, format!("chinwag listening on 127.0.0.1:{port} ({dialect})"));
        program.addrs.push(format!("127.0.0.1:{port}").parse().unwrap());
    }
    let mut native = program.client("native");
    let mut recipe = Client::named(program.addrs[1], "recipe");
    assert_eq!(recipe.ask("one room for all"), "[recipe] one room for all");
    native.expect("[recipe] one room for all");
    drop((native, recipe));
    program.signal("TERM");
    let outcome = program.outcome();
    assert_eq!((outcome.code, outcome.stdout.len(), outcome.stderr.len()), (Some(0), 0, 0));
}

/// The conversation that the recipe's page shows, byte for byte.
#[test]
fn the_recipes_conversation_comes_out_as_its_page_has_it() {
    let program = Program::start(&["-l", "recipe=127.0.0.1:0"]);
    let mut alice = Client::connect(program.addr());
    alice.write("REGISTER alice\n");
    assert_eq!(alice.read_until(b'\n'), b"Registered as alice\n");
    let mut bob = Client::connect(program.addr());
    bob.write("REGISTER bob\n");
    assert_eq!(bob.read_until(b'\n'), b"Registered as bob\n");
    bob.write("SEND @alice hey there\n");
    assert_eq!(alice.read_until(b'\n'), b"[bob \xe2\x86\x92 alice] hey there\n");
    bob.write("hello room\n");
    assert_eq!(alice.read_until(b'\n'), b"[bob] hello room\n");
    assert_eq!(bob.read_until(b'\n'), b"[bob] hello room\n");
    bob.write("quit\n");
    assert_eq!(bob.rest(), "Goodbye!\n");
    // Of bob's leaving nobody hears, and the room is alice's own.
    alice.write("exit\n");
    assert_eq!(alice.rest(), "Goodbye!\n");
}
