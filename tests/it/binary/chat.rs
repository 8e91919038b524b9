//! What the options of the chat change, seen from outside.

use std::fs;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use super::{Folder, fifo};
use super::{Program, run};
use crate::client::Client;

/// A file that is gone when this is dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // A test that failed may have left a directory in its place.
        let _ = fs::remove_dir(&path);
        fs::write(&path, text).unwrap();
        File(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = fs::remove_file(&self.0);
    }
}

/// Reads a greeting, up to its last line. It ends its lines with CR LF, for raw terminals.
fn greeting(client: &mut Client) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = client.line();
        lines.push(line.strip_suffix('\r').expect("a line ends with CR LF").to_owned());
        if lines.last().is_some_and(|line| line.starts_with("You are ")) {
            return lines;
        }
    }
}

#[test]
fn the_message_of_the_day_is_read_again_on_sighup_and_kept_if_it_cannot_be() {
    let motd = File::new("motd-sighup", "Be kind.\n");
    let arguments = ["-l", "127.0.0.1:0", "--greet-after", "20ms", "--motd", motd.path()];
    let program = Program::start(&arguments);
    assert_eq!(greeting(&mut Client::connect(program.addr()))[0], "Be kind.");
    fs::remove_file(&motd.0).unwrap();
    program.signal("HUP");
    let line = program.log_line();
    assert!(line.contains(motd.path()) && line.contains(" event=not_reloaded "), "{line}");
    assert_eq!(greeting(&mut Client::connect(program.addr()))[0], "Be kind.");
    fs::create_dir(&motd.0).unwrap();
    program.signal("HUP");
    let why = format!("error=\"--motd {}: it is not a regular file\"", motd.path());
    let line = program.log_line();
    assert!(line.ends_with(&why), "{line}");
    fs::remove_dir(&motd.0).unwrap();
    fs::write(&motd.0, "Be\nbrief.").unwrap();
    program.signal("HUP");
    // Nothing says when it has been read, but it is soon.
    crate::client::eventually("the new message", || {
        greeting(&mut Client::connect(program.addr()))[..2] == ["Be", "brief."]
    });
}

#[test]
fn a_message_of_the_day_that_cannot_be_had_is_an_error_at_the_start() {
    let outcome = run(&["-l", "127.0.0.1:0", "--motd", "/nowhere/motd"]);
    assert_eq!((outcome.code, outcome.stderr.len()), (Some(1), 1), "{outcome:?}");
    assert!(outcome.stderr[0].contains("--motd /nowhere/motd: "), "{outcome:?}");
    let long = File::new("motd-long", &"x".repeat(16 * 1024 + 1));
    let outcome = run(&["-l", "127.0.0.1:0", "--motd", long.path()]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome.stderr[0].contains("it is too long; at most 16384 bytes are allowed"),
        "{outcome:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_message_of_the_day_is_a_regular_file() {
    let folder = Folder::new("motd-irregular");
    for path in [fifo(&folder.0, "motd").to_str().unwrap(), "/dev/null", folder.path()] {
        let outcome = run(&["-l", "127.0.0.1:0", "--motd", path]);
        assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
        let wrong = format!("chinwag: --motd {path}: it is not a regular file");
        assert_eq!(outcome.stderr, [wrong]);
    }
}

#[test]
fn silent_clients_are_greeted_after_the_time_that_was_set() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--greet-after", "1s"]);
    let mut person = Client::connect(program.addr());
    let last = "You are guest. Type to talk; /nick NAME to be named; /help for more.";
    assert_eq!(greeting(&mut person), ["Welcome.", "1 in lobby: guest", last]);
    let mut bob = Client::connect(program.addr());
    bob.say("REGISTER bob");
    // On a busy machine he is greeted, too, before he has said who he is.
    while bob.line() != "Registered as bob" {}
    person.expect("bob joined the chat.\r");
    bob.say("/exit");
    person.expect("bob left the chat.\r");
    assert_eq!(person.ask("hello"), "[guest] hello");
}

#[test]
fn rooms_history_and_names_are_as_the_options_say() {
    let arguments = ["-l", "127.0.0.1:0", "--max-rooms", "2", "--history", "1", "--require-name"];
    let program = Program::start(&arguments);
    let mut guest = Client::connect(program.addr());
    assert_eq!(guest.ask("hello"), "REGISTER first.");
    let mut ann = program.client("ann");
    assert_eq!(ann.ask("/join games"), "1 in games: ann");
    assert_eq!(guest.ask("/join more"), "There are 2 rooms already, as many as there may be.");
    assert_eq!(ann.ask("one"), "[ann] one");
    assert_eq!(ann.ask("two"), "[ann] two");
    let kept = ann.ask("/history");
    assert!(kept.ends_with(" [ann] two"), "{kept}");
    assert_eq!(ann.ask("/rooms"), "games 1");
}

#[test]
fn a_name_is_held_for_who_was_cut_off() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--resume-for", "90"]);
    let mut ann = program.client("ann");
    let answer = ann.ask("/resume");
    let token = answer.strip_prefix("To come back within 90 s: ").expect(&answer).to_owned();
    assert_eq!(token.len(), "/resume ".len() + 48, "{token}");
    ann.reset();
    let mut other = Client::connect(program.addr());
    // Whether the reset has been noticed or not, the name is not free.
    assert_eq!(other.ask("/nick ann"), "Name ann is taken.");
    assert_eq!(other.ask(&token), "You are now ann");
    assert_eq!(
        Client::connect(program.addr()).ask(&token),
        "That token is not known, or no longer."
    );
    let off = Program::start(&["-l", "127.0.0.1:0", "--resume-for", "off"]);
    assert_eq!(off.client("ann").ask("/resume"), "This server holds no names.");
}

#[test]
fn every_dialect_has_its_listener_and_all_share_a_room() {
    let arguments =
        ["tutorial", "fork", "json", "recipe"].map(|name| format!("{name}=127.0.0.1:0"));
    let arguments: Vec<&str> = arguments.iter().flat_map(|addr| ["-l", addr]).collect();
    let program = Program::start(&arguments);
    let mut clients: Vec<Client> = Vec::new();
    for addr in &program.addrs {
        let mut client = Client::connect(*addr);
        // An answer means that it is in the room; what came before is other tests' matter.
        client.say("/down THERE");
        while !client.line().contains("there") {}
        clients.push(client);
    }
    clients[3].say("/nick rob");
    clients[3].expect("You are now rob");
    clients[3].say("hello");
    clients[3].expect("[rob] hello");
    let wanted = ["rob says: hello", "[127.0.0.1] (4):hello", r#""from":"rob","text":"hello"}"#];
    for (client, wanted) in clients.iter_mut().zip(wanted) {
        while !client.line().ends_with(wanted) {}
    }
}
