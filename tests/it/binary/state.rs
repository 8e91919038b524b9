//! What outlives the process, whatever ends it.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{Folder, Program, fifo, piped, run};
use crate::client::Client;

fn arguments(folder: &Folder) -> Vec<String> {
    fs::create_dir_all(&folder.0).unwrap();
    let socket = format!("op=unix:{}/op", folder.path());
    let state = format!("{}/state", folder.path());
    ["-l", "127.0.0.1:0", "-l", &socket, "--state", &state].map(str::to_owned).into()
}

fn start(folder: &Folder) -> Program {
    let arguments = arguments(folder);
    Program::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// All that one is told who asks for the bans.
fn bans(op: &mut Client) -> Vec<String> {
    op.say("/bans\n/up done");
    let mut lines = Vec::new();
    loop {
        match op.line() {
            line if line == "DONE" => return lines,
            line => lines.push(line),
        }
    }
}

#[test]
fn bans_are_there_again_after_a_restart() {
    let folder = Folder::new("state-restart");
    let program = start(&folder);
    let mut op = program.operator();
    assert_eq!(op.ask("/ban 127.0.0.0/8 everybody"), "Banned 127.0.0.0/8 for good.");
    assert_eq!(op.ask("/ban eve 10m"), "Banned eve".to_owned() + &until(&mut op) + ".");
    let before = bans(&mut op);
    assert_eq!(before.len(), 2);
    program.signal("KILL");
    drop(program);
    let program = start(&folder);
    assert_eq!(Client::connect(program.addr()).rest(), "You are banned: everybody\n");
    assert_eq!(bans(&mut program.operator()), before);
}

fn until(op: &mut Client) -> String {
    let bans = bans(op);
    let line = bans.last().unwrap();
    let rest = line.strip_prefix("eve").expect(line);
    rest.split(" by ").next().unwrap().to_owned()
}

#[test]
fn what_is_wrong_with_a_file_keeps_it_from_starting_and_from_being_read_again() {
    let folder = Folder::new("state-wrong");
    let program = start(&folder);
    let file = folder.0.join("state/bans");
    fs::write(&file, "# by hand\neve never ann\n").unwrap();
    program.signal("HUP");
    let line = program.log_line();
    assert!(line.ends_with(" event=reloaded by=\"a signal\""), "{line}");
    let mut op = program.operator();
    assert_eq!(bans(&mut op), ["eve for good by ann."]);
    fs::write(&file, "eve never ann\nmallory tomorrow ann\n").unwrap();
    let wrong = format!(
        "{}: line 2: 'tomorrow': a time like 2026-12-24T18:00:00Z, or never, is wanted",
        file.display()
    );
    assert_eq!(op.ask("/reload"), format!("Not reloaded: {wrong}"));
    assert_eq!(bans(&mut op), ["eve for good by ann."]);
    // What somebody is in the middle of writing is not overwritten.
    let answer = op.ask("/ban bob");
    assert_eq!(answer, "Not saved: bans was changed by somebody else; /reload first");
    drop((op, program));
    let arguments = arguments(&folder);
    let outcome = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
    assert_eq!(outcome.stderr, [format!("chinwag: --state {wrong}")]);
}

#[test]
fn a_file_in_it_is_a_regular_file() {
    let names: &[&str] = if cfg!(feature = "accounts") { &["bans", "accounts"] } else { &["bans"] };
    for name in names {
        let folder = Folder::new("state-irregular");
        let file = fifo(&folder.0, name);
        let outcome = run(&["-l", "127.0.0.1:0", "--state", folder.path()]);
        assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
        let wrong = format!("chinwag: --state {}: it is not a regular file", file.display());
        assert_eq!(outcome.stderr, [wrong]);
    }
}

#[test]
fn a_disk_that_takes_no_more_changes_nothing() {
    let folder = Folder::new("state-full");
    let arguments = arguments(&folder);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    drop(Program::start(&arguments));
    let file = folder.0.join("state/bans");
    fs::write(&file, "eve never ann\n").unwrap();
    // Files may be as long as nothing at all.
    let script = r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_chinwag")]).args(&arguments);
    let program = Program::start_as(piped(&mut shell), &arguments);
    let mut op = program.operator();
    assert_eq!(op.ask("/ban bob"), "Not saved: File too large (os error 27)");
    assert_eq!(op.ask("/ban bob"), "Not saved: File too large (os error 27)");
    // To have no bans takes no room.
    assert_eq!(bans(&mut op), ["eve for good by ann."]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "eve never ann\n");
    assert_eq!(op.ask("/unban eve"), "No longer banned: eve");
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    fs::remove_dir_all(folder.0.join("state")).unwrap();
    assert_eq!(op.ask("/ban bob"), "Not saved: No such file or directory (os error 2)");
    assert_eq!(bans(&mut op), ["There are no bans."]);
}

/// What is known of a name, by the answers that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    Banned,
    Free,
    /// Asked for, and no answer came.
    Either,
}

#[test]
fn whenever_it_is_killed_what_was_answered_is_in_the_file() {
    let folder = Folder::new("state-killed");
    let file = folder.0.join("state/bans");
    let mut known: BTreeMap<String, Known> = BTreeMap::new();
    let mut chance = 88_172_645_463_325_252_u64;
    let mut answered = 0;
    let mut times = 0;
    // On a busy machine little is answered before each end.
    while times < 100 || (answered <= 50 && times < 2000) {
        times += 1;
        let mut program = start(&folder);
        let mut op = program.operator();
        // It loads; and what it loads is what was answered.
        let text = fs::read_to_string(&file).unwrap_or_default();
        for (name, known) in &mut known {
            let is_there = text.lines().any(|line| line == format!("{name} never op"));
            let is_it = if is_there { Known::Banned } else { Known::Free };
            assert!(*known == is_it || *known == Known::Either, "{name}: {known:?}: {text}");
            *known = is_it;
        }
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let time = Duration::from_micros(chance % (300 * times.max(100)));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(time);
                program.child.kill().expect("it is a child");
            });
            answered += ban_until_it_ends(&mut op, &mut known);
        });
    }
    assert!(answered > 50, "only {answered} changes were answered");
}

/// Bans and lifts the bans of a few names in turn.
fn ban_until_it_ends(op: &mut Client, known: &mut BTreeMap<String, Known>) -> usize {
    for round in 0.. {
        let name = format!("name-{}", round % 7);
        let before = known.insert(name.clone(), Known::Either);
        let is_banned = before == Some(Known::Banned);
        let (command, answer, then) = if is_banned {
            ("/unban", format!("No longer banned: {name}\n"), Known::Free)
        } else {
            ("/ban", format!("Banned {name} for good.\n"), Known::Banned)
        };
        if op.try_ask(&format!("{command} {name}\n")) != Some(answer) {
            return round;
        }
        known.insert(name, then);
    }
    unreachable!("it goes on until the server is killed")
}
