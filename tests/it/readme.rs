//! What the README shows is what happens.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::thread::{self, JoinHandle};

use chinwag::{Chat, Config, Handle, Listen, Server};
use jiff::tz::TimeZone;

use crate::client::{Client, PATIENCE};

const README: &str = include_str!("../../README.md");

/// A chat in a thread, for one test.
struct Running {
    addr: SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start() -> Running {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = vec![Listen { addr, label: "native".to_owned() }];
        let server = Server::bind(Config { listen, ..Config::default() }).unwrap();
        let (addr, handle) = (server.local_addrs()[0], server.handle());
        let thread = thread::spawn(move || {
            server.run(Chat::new(TimeZone::UTC)).unwrap();
        });
        Running { addr, handle, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.handle.shutdown();
        let result = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || matches!(result, Some(Ok(()))), "the server panicked");
    }
}

/// The README's blocks of a kind.
fn blocks(kind: &str) -> Vec<&'static str> {
    let start = format!("```{kind}\n");
    let found: Vec<&str> = README
        .split(start.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().expect("a block has a start"))
        .collect();
    assert!(!found.is_empty(), "no {kind} blocks");
    found
}

#[test]
fn its_chats_go_as_it_says() {
    for chat in blocks("chat") {
        let server = Running::start();
        let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
        let lines: Vec<&str> = chat.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let (client, text) = line.split_once(['>', '<']).expect("a line is typed or read");
            let is_typed = line.as_bytes()[client.len()] == b'>';
            let text = text.strip_prefix(' ').unwrap_or(text);
            if !is_typed {
                assert_eq!(clients.get_mut(client).unwrap().line(), text, "line {at}: {line}");
                continue;
            }
            // Whoever is to read what comes of it is there before it is typed.
            let reads = |line: &&&str| line.split('>').next().is_some_and(|who| who.contains('<'));
            let readers = lines[at + 1..].iter().take_while(reads);
            for reader in readers.filter_map(|line| line.split('<').next()).chain([client]) {
                clients.entry(reader).or_insert_with(|| Client::connect(server.addr));
            }
            clients.get_mut(client).unwrap().say(text);
        }
        // Nothing came that the README does not show.
        for (name, client) in &mut clients {
            client.finish_writing();
            assert_eq!(client.rest(), "", "for {name}");
        }
    }
}

#[test]
fn its_pipes_print_what_it_says() {
    let mut tried = 0;
    for block in blocks("console") {
        let Some(rest) = block.strip_prefix("$ printf '") else { continue };
        let (typed, printed) = rest.split_once("' | nc -N 127.0.0.1 1337\n").expect("a pipe to nc");
        let server = Running::start();
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(typed.replace("\\n", "\n").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, printed);
        tried += 1;
    }
    assert!(tried > 0);
}

#[test]
fn its_options_are_those_of_the_binary() {
    let help = Command::new(env!("CARGO_BIN_EXE_chinwag")).arg("--help").output().unwrap();
    assert_eq!(blocks("options"), [String::from_utf8(help.stdout).unwrap()]);
}

#[test]
fn its_server_to_embed_is_the_example() {
    let example = include_str!("../../examples/echo.rs");
    for code in blocks("rust") {
        assert!(example.contains(code), "the README has another echo than examples/echo.rs");
    }
}

#[test]
fn its_index_names_files_that_are_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = README
        .split('`')
        .filter(|word| ["src/", "tests/", "examples/"].iter().any(|start| word.starts_with(start)));
    let mut count = 0;
    for path in paths {
        assert!(root.join(path).exists(), "{path}");
        count += 1;
    }
    assert!(count > 10);
}
