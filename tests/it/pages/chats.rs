//! Conversations and pipes that the pages show, played against a server.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use chinwag::chat::Settings;
use chinwag::{Chat, Config, Listen, Server};

use super::{blocks, page};
use crate::client::Client;
use crate::tcp::Running;

/// A chat with the listeners of the pages, at other ports.
pub(crate) struct Listening {
    /// Whoever comes first is at the first, the next at the next, and so on.
    native: Vec<SocketAddr>,
    json: SocketAddr,
    _server: Option<Running>,
}

impl Listening {
    fn start() -> Listening {
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen = ["native", "json"].map(|label| Listen { addr, label: label.to_owned() });
        let server = Server::bind(Config::default().with(|it| it.listen = listen.into())).unwrap();
        let (native, json) = (vec![server.local_addrs()[0]], server.local_addrs()[1]);
        let random: fn(&mut [u8; 24]) = |token| getrandom::fill(token).unwrap();
        // Whoever speaks at once has spoken by then, on a busy machine too.
        let greet_after = Some(Duration::from_secs(5));
        let settings = Settings { random: Some(random), greet_after, ..Settings::default() };
        let server = Some(Running::run(server, Chat::new(settings)));
        Listening { native, json, _server: server }
    }

    /// Servers that are one chat.
    #[cfg(feature = "redis")]
    pub(crate) fn at(native: &[SocketAddr], json: SocketAddr) -> Listening {
        Listening { native: native.to_vec(), json, _server: None }
    }
}

/// A conversation of a page, as far as it has been played.
struct Play {
    server: Listening,
    clients: BTreeMap<String, Client>,
    token: String,
}

impl Play {
    /// Whoever has not been there connects.
    fn client(&mut self, name: &str) -> &mut Client {
        let native = &self.server.native;
        let native = native[self.clients.len() % native.len()];
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

/// Plays `alice> ...` (is typed), `alice< ...` (is read) and `alice! ...` (is cut off).
fn play(lines: &[&str]) {
    play_at(Listening::start(), lines);
}

/// The first conversation of the README.
#[cfg(feature = "redis")]
pub(crate) fn play_the_readmes(server: Listening) {
    let chats = blocks("chat");
    play_at(server, &chats[0].lines().collect::<Vec<_>>());
}

fn play_at(server: Listening, lines: &[&str]) {
    let (clients, token) = (BTreeMap::new(), String::new());
    let mut play = Play { server, clients, token };
    for (at, line) in lines.iter().enumerate() {
        let (client, text) = line.split_once(['>', '<', '!']).expect("something happens");
        let text = text.strip_prefix(' ').unwrap_or(text);
        match line.as_bytes()[client.len()] {
            b'>' => play.typed(client, text, &lines[at + 1..]),
            b'<' => play.read(client, text),
            _ => play.clients.remove(client).expect("it was there").reset(),
        }
    }
    // Nothing came that is not shown, but that others leave as well.
    for (name, client) in &mut play.clients {
        client.finish_writing();
        let rest = client.rest();
        assert!(rest.lines().all(|line| line.ends_with(" left the chat.")), "{name}: {rest}");
    }
}

#[test]
fn conversations_go_as_the_pages_say() {
    let chats = blocks("chat");
    assert!(chats.len() >= 2, "the README has one, and docs/using.md");
    for chat in chats {
        play(&chat.lines().collect::<Vec<_>>());
    }
}

#[test]
fn the_picture_shows_a_conversation_as_it_goes() {
    let picture = page("docs/conversation.svg");
    let mut lines = Vec::new();
    for text in picture.split("<text class=\"").skip(1) {
        let (class, rest) = text.split_once('"').expect("a class ends");
        let Some((who, how)) = class.split_once(' ') else { continue };
        let shown = rest.split(['>', '<']).nth(1).expect("a text has a content");
        assert!(!shown.contains('&'), "escapes are not understood here: {shown}");
        lines.push(format!("{who}{} {shown}", if how == "typed" { '>' } else { '<' }));
    }
    assert!(lines.len() > 12, "{lines:?}");
    play(&lines.iter().map(String::as_str).collect::<Vec<_>>());
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
fn pipes_print_what_the_pages_say() {
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
            nc if nc.ends_with(" 127.0.0.1 1337") => server.native[0],
            nc if nc.ends_with(" 127.0.0.1 1338") => server.json,
            other => panic!("{other} connects to none of the listeners"),
        };
        let mut client = Client::connect(addr);
        client.write(piped(parts[0], ""));
        client.finish_writing();
        let read = client.rest();
        assert_eq!(parts.get(2).map_or(read.clone(), |then| piped(then, &read)), printed);
        tried += 1;
    }
    assert!(tried == 3 || std::env::var_os("CI").is_none());
}
