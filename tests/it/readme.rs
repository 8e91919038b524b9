//! What the README shows is what happens.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use chinwag::chat::Settings;
use chinwag::{Chat, Config, Listen, Server};

use crate::client::Client;
use crate::tcp::Running;

const README: &str = include_str!("../../README.md");

/// A chat with the README's listeners, at other ports.
struct Listening {
    native: SocketAddr,
    json: SocketAddr,
    _server: Running,
}

impl Listening {
    fn start() -> Listening {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = ["native", "json"].map(|label| Listen { addr, label: label.to_owned() });
        let server = Server::bind(Config { listen: listen.into(), ..Config::default() }).unwrap();
        let (native, json) = (server.local_addrs()[0], server.local_addrs()[1]);
        let random: fn(&mut [u8; 24]) = |token| getrandom::fill(token).unwrap();
        let settings = Settings { random: Some(random), ..Settings::default() };
        Listening { native, json, _server: Running::run(server, Chat::new(settings)) }
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

/// A chat of the README, as far as it has been played.
struct Play {
    server: Listening,
    clients: BTreeMap<String, Client>,
    token: String,
}

impl Play {
    /// Whoever has not been there connects.
    fn client(&mut self, name: &str) -> &mut Client {
        let native = self.server.native;
        self.clients.entry(name.to_owned()).or_insert_with(|| Client::connect(native))
    }

    /// A line is typed, and whoever reads what comes of it is there before.
    fn typed(&mut self, client: &str, text: &str, following: &[&str]) {
        let text = text.replace("TOKEN", &self.token);
        let is_read =
            |line: &&&str| line.split(['>', '!']).next().is_some_and(|who| who.contains('<'));
        for reader in following.iter().take_while(is_read) {
            self.client(reader.split('<').next().expect("a split has a first part"));
        }
        self.client(client).say(&text);
    }

    /// A line is read. `HH:MM` stands for a time, and `TOKEN` for what comes instead.
    fn read(&mut self, client: &str, text: &str) {
        // Who was greeted and has not spoken yet reads CR LF; a terminal shows both alike.
        let line = self.client(client).line().trim_end_matches('\r').to_owned();
        if let Some(start) = text.strip_suffix("TOKEN") {
            let token = line.strip_prefix(start).unwrap_or_else(|| panic!("{line}"));
            token.clone_into(&mut self.token);
        } else if let Some(rest) = text.strip_prefix("HH:MM ") {
            let (time, said) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert!(time.len() == 5 && time.as_bytes()[2] == b':', "{time}");
            assert_eq!(said, rest);
        } else {
            assert_eq!(line, text, "read by {client}");
        }
    }
}

#[test]
fn its_chats_go_as_it_says() {
    for chat in blocks("chat") {
        let (clients, token) = (BTreeMap::new(), String::new());
        let mut play = Play { server: Listening::start(), clients, token };
        let lines: Vec<&str> = chat.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let (client, text) = line.split_once(['>', '<', '!']).expect("something happens");
            let text = text.strip_prefix(' ').unwrap_or(text);
            match line.as_bytes()[client.len()] {
                b'>' => play.typed(client, text, &lines[at + 1..]),
                b'<' => play.read(client, text),
                _ => play.clients.remove(client).expect("it was there").reset(),
            }
        }
        // Nothing came that the README does not show, but that others leave as well.
        for (name, client) in &mut play.clients {
            client.finish_writing();
            let rest = client.rest();
            assert!(rest.lines().all(|line| line.ends_with(" left the chat.")), "{name}: {rest}");
        }
    }
}

/// Whether a program can be had. In CI there is no excuse.
fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("CI").is_none(), "{program} is not installed");
    found
}

/// What a shell prints that is given something to read.
fn piped(command: &str, input: &str) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut shell = shell.spawn().expect("there is a shell");
    // It may not read it.
    let _ = shell.stdin.take().expect("it is piped").write_all(input.as_bytes());
    let output = shell.wait_with_output().expect("it ends");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// There are three programs called nc, and not all have `-N`; what it does is done here:
/// send all, say that this is the end, and read up to the other's.
#[test]
fn its_pipes_print_what_it_says() {
    let mut tried = 0;
    for block in blocks("console").into_iter().filter(|block| block.contains(" | nc -N ")) {
        if block.contains("jq") && !has("jq") {
            eprintln!("not tried, for want of jq: {block}");
            continue;
        }
        let (typed, printed) = block.split_once('\n').expect("a command, and what it prints");
        let parts: Vec<&str> = typed.trim_start_matches("$ ").splitn(3, " | ").collect();
        let server = Listening::start();
        let addr = match parts[1] {
            "nc -N 127.0.0.1 1337" => server.native,
            "nc -N 127.0.0.1 1338" => server.json,
            other => panic!("{other} connects to none of the listeners"),
        };
        let mut client = Client::connect(addr);
        client.write(piped(parts[0], ""));
        client.finish_writing();
        let read = client.rest();
        assert_eq!(parts.get(2).map_or(read.clone(), |then| piped(then, &read)), printed);
        tried += 1;
    }
    assert!(tried == 2 || std::env::var_os("CI").is_none());
}

#[test]
fn its_objects_and_codes_are_those_that_there_are() {
    for line in blocks("json").iter().flat_map(|block| block.lines()) {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    let replies = [
        include_str!("../../src/chat/reply.rs"),
        include_str!("../../src/chat/operators/reply.rs"),
        include_str!("../../src/chat/accounts/reply.rs"),
    ]
    .concat();
    let codes = replies.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut count = 0;
    for code in codes.filter(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
        let is_named =
            README.contains(&format!("`{code}`")) || README.contains(&format!("\"{code}\""));
        assert!(is_named, "the README does not name the code {code}");
        count += 1;
    }
    assert!(count > 30);
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
