//! Programs that cannot take over: the one that is there goes on, and says why.

use std::fs;
use std::process::Command;

use super::{ask, install, start, upgrade};
use crate::binary::{Folder, Outcome, chinwag};
#[cfg(feature = "web")]
use crate::{binary::Program, client::Client};

/// Puts a program in place of the one that is there. Another process writes it: what is open for
/// writing in any process cannot be executed.
pub(super) fn replace(folder: &Folder, text: &str) {
    let (new, path) = (folder.0.join("new"), folder.0.join("chinwag"));
    let command = r#"printf %s "$0" > "$1" && chmod 755 "$1" && mv "$1" "$2""#;
    let mut shell = Command::new("sh");
    let status = shell.args(["-c", command, text]).arg(new).arg(path).status();
    assert!(status.unwrap().success());
}

/// The start of a script, and the rest: the program that is a good one is asked, and takes over.
pub(super) fn checks_well(start: &str) -> String {
    format!("{start}\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_chinwag"))
}

#[test]
fn a_bad_successor_takes_nothing_over_and_the_log_says_why() {
    let folder = install("upgrade-bad");
    let path = folder.0.join("chinwag");
    let program = start(&folder, &[]);
    let mut ann = program.client("ann");
    ann.write("half a ");
    let good = fs::canonicalize(env!("CARGO_BIN_EXE_chinwag")).unwrap();
    let garbage = "\u{1}\u{2}\u{3} this is no program";
    let scripts = [
        (garbage, "Exec format error"),
        ("#!/nowhere/interpreter\n", "No such file or directory"),
        ("#!/bin/sh\nexit 3\n", "it says nothing"),
        // It ends well, and has checked nothing.
        ("#!/bin/sh\nexit 0\n", "it says nothing"),
        ("#!/bin/sh\necho 7 bytes are understood\n", "7 bytes are understood"),
        ("#!/bin/sh\nhead -c 10 > /dev/null; kill -9 $$\n", "it says nothing"),
        // An older version.
        (
            "#!/bin/sh\necho \"unexpected argument '--check-state'; see --help\" >&2\nexit 2\n",
            "unexpected argument '--check-state'; see --help",
        ),
    ];
    let fails = |why: &str| {
        let line = ask(&program);
        assert!(line.contains("level=warn event=not_upgraded"), "{line}");
        assert!(line.contains(why), "{line}, and not {why}");
        assert!(line.contains(&*path.to_string_lossy()), "{line}");
    };
    for (text, why) in scripts {
        replace(&folder, text);
        fails(why);
    }
    replace(&folder, "#!/bin/sh\nexec sleep 60\n");
    program.signal("USR2");
    assert!(program.logged("upgraded").contains("it has not answered within 5s"));
    fs::remove_file(&path).unwrap();
    fails("No such file or directory");
    fs::create_dir(&path).unwrap();
    fails("Permission denied");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, "").unwrap();
    fails("Permission denied");
    fs::remove_file(&path).unwrap();
    for act in ["rm \"$0\"", "touch \"$0\"", "chmod 644 \"$0\""] {
        replace(&folder, &checks_well(&format!("#!/bin/sh\n{act}")));
        // It is gone, or it is not the file that was checked.
        let rm = act.starts_with("rm");
        fails(if rm { "No such file or directory" } else { "it was replaced after its check" });
    }
    // The same file, and it cannot be executed any more.
    let shell = folder.0.join("shell");
    std::os::unix::fs::symlink("/bin/sh", &shell).unwrap();
    let shell = shell.display();
    replace(&folder, &checks_well(&format!("#!{shell}\nrm {shell}")));
    fails("No such file or directory");
    fs::remove_file(&path).unwrap();
    // All has gone on meanwhile, and goes on.
    ann.write("line\n");
    ann.expect("[ann] half a line");
    fs::hard_link(&good, &path).unwrap();
    upgrade(&program);
    assert_eq!(ann.ask("/up still here"), "STILL HERE");
}

/// What a running server hands over, as the one that takes over would read it.
#[cfg(feature = "web")]
fn state_of(folder: &Folder, program: &Program) -> Vec<u8> {
    replace(folder, "#!/bin/sh\ncat > \"$0.state\"\nexit 1\n");
    assert!(ask(program).contains("it says nothing"));
    fs::read(folder.0.join("chinwag.state")).unwrap()
}

/// What the program says of a state.
fn check(state: &[u8]) -> Outcome {
    let mut command = chinwag();
    let arguments = ["-l", "127.0.0.1:0", "--check-state"];
    let input = chinwag::memory_file(state).unwrap();
    let output = command.args(arguments).stdin(input).output().unwrap();
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
    let (stdout, stderr) = (lines(&output.stdout), lines(&output.stderr));
    Outcome { code: output.status.code(), stdout, stderr }
}

/// Much of what there is to be handed over: two rooms, one with a topic and history, somebody away
/// who ignores others, somebody muted, somebody cut off who may come back, half a line, and half a
/// frame of a browser.
#[cfg(feature = "web")]
fn start_with_everything(folder: &Folder) -> (Program, Vec<Client>) {
    let op = format!("op=unix:{}", folder.0.join("op").display());
    let program = start(folder, &["-l", &op, "-l", "web=127.0.0.1:0"]);
    let mut ann = program.client("ann");
    assert_eq!(ann.ask("/topic tea"), "ann set the topic: tea");
    assert_eq!(ann.ask("hello"), "[ann] hello");
    let mut eve = program.client("eve");
    assert_eq!(program.operator().ask("/mute eve 1h").get(..10), Some("Muted eve "));
    eve.line();
    let mut cut = program.client("cut");
    assert!(cut.ask("/resume").contains("/resume "));
    cut.reset();
    program.logged("event=ended");
    let mut bob = program.client("bob");
    bob.say("/away out for lunch\n/ignore ann\n/join garden\n/resume");
    bob.write("half a l");
    assert!((0..9).any(|_| bob.line().contains("/resume ")));
    let mut browser = Client::connect(program.addrs[1]);
    let request = format!("GET /ws HTTP/1.1\r\nHost: {}\r\n", program.addrs[1]);
    browser.write(request + "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    browser
        .write("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    while browser.read_until(b'\n') != b"\r\n" {}
    browser.write([0x81, 0x84, 1]);
    (program, vec![ann, eve, bob, browser])
}

#[cfg(feature = "web")]
#[test]
fn what_is_handed_over_is_understood_whole_or_not_at_all() {
    let folder = install("upgrade-state");
    let (program, _clients) = start_with_everything(&folder);
    let state = state_of(&folder, &program);
    let good = check(&state);
    let understood = format!("{} bytes are understood", state.len());
    assert_eq!((good.code, good.stdout), (Some(0), vec![understood]), "{:?}", good.stderr);
    for cut in [1, state.len() / 3, state.len() / 2] {
        let bad = check(&state[..state.len() - cut]);
        assert_eq!((bad.code, bad.stdout.len()), (Some(1), 0));
        assert!(bad.stderr[0].starts_with("chinwag: there is no "), "{:?}", bad.stderr);
    }
    let newer = [&state[..8], &[99], &state[9..]].concat();
    assert!(check(&newer).stderr[0].contains("it is in format 99, of version "));
    let other = check(b"something else");
    assert_eq!(other.stderr, ["chinwag: it is not what a chinwag has packed"]);
    // A file for those of later versions that are to read this format; see below.
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        fs::write(format!("{GOLDEN}/format-1.state"), state).unwrap();
    }
}

/// It would end at its start, and with it all connections.
#[test]
fn what_a_successor_could_not_read_keeps_it_from_taking_over() {
    let folder = install("upgrade-files");
    let path = |name: &str| folder.0.join(name);
    let [motd, state] = ["motd", "state"].map(|name| path(name).display().to_string());
    let mut files = vec![("motd", "Hello.")];
    #[cfg_attr(not(feature = "tls"), expect(unused_mut))]
    let mut options = vec!["--motd", &motd, "--state", &state];
    #[cfg(feature = "tls")]
    let [cert, key] = ["chat.crt", "chat.key"].map(|name| path(name).display().to_string());
    #[cfg(feature = "tls")]
    {
        files.extend([
            ("chat.crt", include_str!("../../../certificates/chat.crt")),
            ("chat.key", include_str!("../../../certificates/chat.key")),
        ]);
        options.extend(["-l", "tls=127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key]);
    }
    for (name, text) in &files {
        fs::write(path(name), text).unwrap();
    }
    let program = start(&folder, &options);
    files.push(("state/bans", ""));
    let mut ann = program.client("ann");
    for (name, text) in files {
        let bad = path(name);
        if name == "motd" {
            fs::remove_file(&bad).unwrap();
        } else {
            fs::write(&bad, "nonsense\n").unwrap();
        }
        let line = ask(&program);
        assert!(line.contains("event=not_upgraded"), "{line}");
        assert!(line.contains(&*bad.to_string_lossy()), "{line}");
        assert_eq!(ann.ask("/up still here"), "STILL HERE");
        fs::write(&bad, text).unwrap();
    }
    upgrade(&program);
    assert_eq!(ann.ask("/up still here"), "STILL HERE");
}

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// If this fails, the format has changed. Once a version with it is out: raise `FORMAT` in
/// `src/pack.rs`, read what that version packs as well, and add a file (`WRITE_GOLDEN=1`, above).
#[test]
fn each_format_that_is_to_be_read_is_still_read() {
    for file in fs::read_dir(GOLDEN).unwrap() {
        let path = file.unwrap().path();
        let state = fs::read(&path).unwrap();
        let outcome = check(&state);
        assert_eq!(outcome.code, Some(0), "{}: {:?}", path.display(), outcome.stderr);
    }
}
