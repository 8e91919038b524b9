//! What the chat says, as chats: `ann> hello` is typed, `ann< [ann] hello` is read, and
//! `ann.` is the end of ann's connection.
//!
//! A bare [`Outbox`] is the whole network. Everybody mentioned is there from the start
//! and bears the name that stands at the line's start; `g1`, `g2` … are guests. All that
//! each client reads between one typed line and the next is compared, no more, no less.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use chinwag::{Chat, CloseReason, ConnId, Ending, Limit, Limits, Now, Outbox, Peer, Service};
use jiff::tz::TimeZone;

/// 2026-11-20 15:17:28 UTC, a Friday.
const FRIDAY: u64 = 1_795_187_848;

struct Network {
    chat: Chat,
    out: Outbox,
    clients: BTreeMap<String, ConnId>,
    connected: usize,
}

impl Network {
    fn new() -> Network {
        Network::at(FRIDAY)
    }

    fn at(seconds: u64) -> Network {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let now = Now { monotonic: Instant::now(), wall };
        let out = Outbox::new(&Limits::default(), now);
        Network { chat: Chat::new(TimeZone::UTC), out, clients: BTreeMap::new(), connected: 0 }
    }

    fn connect(&mut self, client: &str, listener: &str) -> ConnId {
        let id = self.out.open(self.connected);
        self.connected += 1;
        let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
        self.chat.on_open(id, &Peer { addr, label: listener }, &mut self.out);
        self.clients.insert(client.to_owned(), id);
        let is_guest = client.starts_with('g') && client[1..].parse::<u8>().is_ok();
        if !is_guest {
            self.chat.on_line(id, format!("REGISTER {client}").as_bytes(), &mut self.out);
            self.out.take(id);
        }
        id
    }

    fn line(&mut self, client: &str, line: &[u8]) {
        let id = self.clients[client];
        self.chat.on_line(id, line, &mut self.out);
        if !self.out.is_open(id) {
            self.chat.on_close(id, CloseReason::Asked, &mut self.out);
        }
    }

    fn read(&mut self, client: &str) -> String {
        let bytes = self.out.take(self.clients[client]);
        String::from_utf8(bytes).expect("all that is sent is UTF-8")
    }

    /// What everybody has read, in the script's notation; each one's lines in order.
    fn read_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for client in self.clients.keys().cloned().collect::<Vec<_>>() {
            let text = self.read(&client);
            assert!(text.is_empty() || text.ends_with('\n'), "{client} read half a line: {text}");
            all.extend(text.lines().map(|line| format!("{client}< {line}")));
            let id = self.clients[&client];
            if !self.out.is_open(id) {
                all.push(format!("{client}."));
                self.clients.remove(&client);
            }
        }
        all
    }
}

#[track_caller]
fn check(script: &str) {
    check_in(&mut Network::new(), script);
}

#[track_caller]
fn check_in(network: &mut Network, script: &str) {
    let lines: Vec<&str> = script.lines().map(str::trim_start).collect();
    for line in &lines {
        let client = line.split(['>', '<', '.']).next().expect("a split has a first part");
        if !client.is_empty() && !network.clients.contains_key(client) {
            network.connect(client, "native");
        }
    }
    let mut at = 0;
    while at < lines.len() {
        let Some((client, typed)) = lines[at].split_once('>') else {
            panic!("nobody types here: {}", lines[at]);
        };
        network.line(client, typed.strip_prefix(' ').unwrap_or(typed).as_bytes());
        let reads = |line: &&&str| !line.split(['<', '.']).next().unwrap_or("").contains('>');
        let mut expected: Vec<&str> = lines[at + 1..].iter().take_while(reads).copied().collect();
        at += 1 + expected.len();
        // Each client's lines stay in order; in which order clients come says nothing.
        expected.sort_by_key(|line| line.split(['<', '.']).next());
        assert_eq!(network.read_all(), expected, "after {client}> {typed}");
    }
}

#[test]
fn speech_goes_to_all_the_speaker_included() {
    check(
        "ann> hello
         ann< [ann] hello
         bob< [ann] hello
         g1< [ann] hello
         g1> two  spaces\tand a tab
         ann< [guest] two  spaces and a tab
         bob< [guest] two  spaces and a tab
         g1< [guest] two  spaces and a tab",
    );
}

#[test]
fn blank_lines_are_ignored() {
    check("ann> \nann>  \t \nann> \x04\nann> \x04x\nann< [ann] ␄x");
}

#[test]
fn a_double_slash_and_say_say_anything() {
    check(
        "ann> //nick bob
         ann< [ann] /nick bob
         ann> /say /nick bob
         ann< [ann] /nick bob
         ann> /say SEND @bob hi
         ann< [ann] SEND @bob hi
         ann> /say
         ann< Usage: /say TEXT",
    );
}

#[test]
fn what_could_do_something_to_a_terminal_is_shown_instead() {
    check("ann> \x1b[2J\u{202e}x\nann< [ann] ␛[2J\u{fffd}x");
    let mut network = Network::new();
    network.connect("ann", "native");
    network.line("ann", b"caf\xe9 \x80");
    assert_eq!(network.read("ann"), "[ann] caf\u{fffd} \u{fffd}\n");
}

#[test]
fn names_are_taken_kept_and_freed() {
    let rule = "Username must only contain letters, digits, '-', '_' and '.', start with a \
                letter or digit, and its length must be between 3 and 32 characters.";
    check(&format!(
        "g1> REGISTER alice
         g1< Registered as alice
         g2> register ALICE
         g2< Name alice is taken.
         g1> /nick Alice
         g1< You are now Alice
         g2> /nick alice
         g2< Name Alice is taken.
         g1> /nick bob
         g1< You are now bob
         g2> /nick alice
         g2< You are now alice
         g1> REGISTER al
         g1< {rule}
         g1> REGISTER 127.0.0.1
         g1< {rule}
         g1> /nick admin
         g1< Name admin is reserved.
         g1> REGISTER Guest-7
         g1< Name Guest-7 is reserved.
         g1> REGISTER
         g1< Usage: REGISTER NAME
         g1> REGISTER a b
         g1< Usage: REGISTER NAME
         g1> /nick a b
         g1< Usage: /nick NAME
         g1> /nick
         g1< Usage: /nick NAME
         g1> still me
         g1< [bob] still me
         g2< [bob] still me"
    ));
}

#[test]
fn a_departure_frees_the_name_at_once() {
    check("ann> /exit\nann< Bye.\nann.\ng1> /nick ann\ng1< You are now ann");
}

#[test]
fn guests_have_the_lowest_free_number_and_can_be_written_to() {
    check(
        "g1> /echo on
         g1< Echo on.
         g2> /echo on
         g2< Echo on.
         g1> SEND @guest-3 hi
         g3< [guest → guest-3] hi
         g2> /who
         g2< 3 in lobby: guest, guest-2, guest-3
         g2> /nick bob
         g2< You are now bob
         g1> SEND @Guest-2 hi
         g1< No one is called Guest-2.
         g1> SEND @guest-1 hi
         g1< No one is called guest-1.",
    );
    let mut network = Network::new();
    check_in(&mut network, "g1> x\ng1< [guest] x\ng2< [guest] x\ng3< [guest] x");
    check_in(&mut network, "g2> /exit\ng2< Bye.\ng2.");
    check_in(&mut network, "g4> x\ng1< [guest-2] x\ng3< [guest-2] x\ng4< [guest-2] x");
}

#[test]
fn private_lines_reach_one() {
    check(
        "ann> SEND @BOB hey  there
         bob< [ann → bob] hey  there
         bob> /msg ann  hi
         ann< [bob → ann]  hi
         bob< [bob → ann]  hi
         ann> /msg ann note
         ann< [ann → ann] note
         ann> SEND @ann note
         ann< [ann → ann] note
         ann> SEND @carl hi
         ann< No one is called carl.
         ann> /msg carl hi
         ann< No one is called carl.
         ann> /msg bob
         ann< Usage: /msg NAME TEXT
         ann> send\t@bob
         ann< Usage: SEND @NAME TEXT
         cat> SEND @
         cat< Usage: SEND @NAME TEXT",
    );
}

#[test]
fn a_line_that_only_looks_like_a_private_one_is_speech() {
    check(
        "ann> Send help please
         ann< [ann] Send help please
         ann> sender @bob
         ann< [ann] sender @bob",
    );
}

#[test]
fn a_reply_goes_to_whoever_wrote_last_and_not_to_a_name() {
    check(
        "ann> /reply hi
         ann< No one has written to you.
         bob> SEND @ann one
         ann< [bob → ann] one
         ann> /r two
         ann< [ann → bob] two
         bob< [ann → bob] two
         bob> /nick bert
         bob< You are now bert
         ann> /reply three
         ann< [ann → bert] three
         bob< [ann → bert] three
         cat> /msg ann four
         ann< [cat → ann] four
         cat< [cat → ann] four
         ann> /reply five
         ann< [ann → cat] five
         cat< [ann → cat] five
         cat> exit
         cat< Goodbye!
         cat.
         bob> /nick cat
         bob< You are now cat
         ann> /reply six
         ann< No one has written to you.
         ann> /reply
         ann< Usage: /reply TEXT",
    );
}

#[test]
fn actions_echo_and_who() {
    check(
        "ann> /me waves
         ann< * ann waves
         bob< * ann waves
         ann> /echo off
         ann< Echo off.
         ann> quietly
         bob< [ann] quietly
         ann> /me nods
         bob< * ann nods
         ann> /echo ON
         ann< Echo on.
         ann> again
         ann< [ann] again
         bob< [ann] again
         ann> /echo
         ann< Usage: /echo on|off
         ann> /who
         ann< 2 in lobby: ann, bob
         ann> /who Lobby
         ann< 2 in lobby: ann, bob
         ann> /who games
         ann< No room is called games.
         ann> /me
         ann< Usage: /me TEXT",
    );
}

#[test]
fn who_names_a_hundred_and_counts_the_rest() {
    let mut network = Network::new();
    for number in 0..103 {
        network.connect(&format!("user-{number}"), "native");
    }
    network.line("user-7", b"/who");
    let list = network.read("user-7");
    let list = list.strip_suffix(" and 3 more\n").expect(&list);
    let names = list.strip_prefix("103 in lobby: ").expect(list);
    assert_eq!(names.split(", ").count(), 100);
}

#[test]
fn time_is_told_in_words() {
    check("ann> /time\nann< Friday 20th of November 2026 03:17:28 PM");
    let day = 24 * 60 * 60;
    for (days, said) in
        [(1, "Saturday 21st"), (2, "Sunday 22nd"), (3, "Monday 23rd"), (4, "Tuesday 24th")]
    {
        let said = format!("ann> /TIME\nann< {said} of November 2026 03:17:28 PM");
        check_in(&mut Network::at(FRIDAY + days * day), &said);
    }
    let (midnight, eleventh) = (15 * 3600 + 17 * 60 + 28, 9 * day);
    let said = "ann> /time\nann< Wednesday 11th of November 2026 12:00:00 AM";
    check_in(&mut Network::at(FRIDAY - midnight - eleventh), said);
}

#[test]
fn up_and_down_know_more_than_ascii() {
    check(
        "ann> /up grüße ǆ
         ann< GRÜSSE Ǆ
         ann> /down GRÜẞE
         ann< grüße
         ann> /up
         ann< Usage: /up TEXT
         bob> /down
         bob< Usage: /down TEXT",
    );
}

#[test]
fn there_is_help_in_a_screenful() {
    let mut network = Network::new();
    network.connect("ann", "native");
    network.line("ann", b"/help");
    let lines = network.read("ann").lines().count();
    assert!((2..=12).contains(&lines), "{lines} lines");
    check_in(
        &mut network,
        "ann> /help msg
         ann< /msg NAME TEXT: say something to NAME alone, and see it yourself
         ann> /help /ECHO
         ann< /echo on|off: whether what you say comes back to you
         ann> /help register
         ann< REGISTER NAME: take a name
         ann> /help dance
         ann< Unknown command: dance",
    );
}

#[test]
fn an_unknown_command_is_named_and_not_said() {
    check(
        "ann> /Foo bar
         ann< Unknown command: foo
         bob> /
         bob< Unknown command: 
         bob> / nick ann
         bob< Unknown command: ",
    );
}

#[test]
fn four_ways_to_leave() {
    for (line, word) in
        [("quit", "Goodbye!"), ("EXIT", "Goodbye!"), ("/exit", "Bye."), ("/Quit", "Bye.")]
    {
        check(&format!("ann> {line}\nann< {word}\nann."));
    }
    check("ann> quit it\nann< [ann] quit it\nbob< [ann] quit it");
}

#[test]
fn the_recipes_conversation_is_as_it_was() {
    let mut network = Network::new();
    network.connect("g1", "recipe");
    network.connect("g2", "recipe");
    check_in(
        &mut network,
        "g1> REGISTER alice
         g1< Registered as alice
         g2> REGISTER bob
         g2< Registered as bob
         g2> SEND @alice hey there
         g1< [bob → alice] hey there
         g2> hello room
         g1< [bob] hello room
         g2< [bob] hello room
         g1> quit
         g1< Goodbye!
         g1.",
    );
}

#[test]
fn each_reads_the_ending_that_it_writes() {
    let mut network = Network::new();
    for (client, ending) in [("lf1", Ending::Lf), ("crlf", Ending::CrLf), ("nul", Ending::Nul)] {
        let id = network.connect(client, "native");
        network.chat.on_ending(id, ending, &mut network.out);
    }
    let not_yet = network.connect("g1", "native");
    network.line("crlf", b"hello");
    network.line("crlf", b"/msg nul hi");
    assert_eq!(network.read("lf1"), "[crlf] hello\n");
    assert_eq!(network.read("crlf"), "[crlf] hello\r\n[crlf → nul] hi\r\n");
    assert_eq!(network.read("nul"), "[crlf] hello\0[crlf → nul] hi\0");
    assert_eq!(network.read("g1"), "[crlf] hello\n");
    // Who changed sides is in its place among the others still.
    network.chat.on_ending(not_yet, Ending::CrLf, &mut network.out);
    network.line("crlf", b"/exit");
    network.line("lf1", b"bye");
    assert_eq!(network.read("g1"), "[lf1] bye\r\n");
}

#[test]
fn a_browser_is_turned_away_and_says_nothing_to_the_room() {
    let no = "This is a chat server, not a web server.";
    for line in ["GET / HTTP/1.1", "POST /chat?a b HTTP/1.0", "OPTIONS * HTTP/1.1"] {
        check(&format!("ann> x\nann< [ann] x\ng1< [ann] x\ng1> {line}\ng1< {no}\ng1."));
    }
    check(
        "g1> GET well soon\ng1< [guest] GET well soon\ng1> GET / HTTP/1.1\ng1< [guest] GET / HTTP/1.1",
    );
    check("g1> get / HTTP/1.1\ng1< [guest] get / HTTP/1.1");
}

#[test]
fn a_tls_client_is_turned_away_without_a_word() {
    let hello = b"\x16\x03\x01\x02";
    let mut network = Network::new();
    let id = network.connect("g1", "native");
    network.chat.on_partial(id, &hello[..1], &mut network.out);
    assert!(network.out.is_open(id));
    network.chat.on_partial(id, &hello[..2], &mut network.out);
    assert_eq!(network.read_all(), ["g1."]);
    network.connect("g2", "native");
    network.line("g2", hello);
    assert_eq!(network.read_all(), ["g2."]);
}

#[test]
fn limits_are_told_in_words() {
    let mut network = Network::new();
    let ann = network.connect("ann", "native");
    for limit in [Limit::LineTooLong { max: 4096 }, Limit::Skipped(1), Limit::Skipped(42)] {
        network.chat.on_limit(ann, limit, &mut network.out);
    }
    assert_eq!(
        network.read("ann"),
        "Line too long (limit 4096 bytes); dropped.\n\
         -- 1 line skipped: your connection is slow --\n\
         -- 42 lines skipped: your connection is slow --\n"
    );
    network.chat.on_shutdown(&mut network.out);
    assert_eq!(network.read("ann"), "Server is shutting down.\n");
}
