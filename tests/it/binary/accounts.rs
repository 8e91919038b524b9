//! Names with passwords, from the wire to the disk and back.
#![cfg(all(target_os = "linux", feature = "accounts"))]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;

use super::operators::from;
use super::{Folder, Outcome, Program, chinwag, run};
use crate::client::Client;

fn start(folder: &Folder, options: &[&str]) -> Program {
    let state = format!("{}/state", folder.path());
    fs::create_dir_all(&folder.0).unwrap();
    let socket = format!("op=unix:{}/op", folder.path());
    let fixed = ["-l", "127.0.0.1:0", "-l", &socket, "--state", &state, "--rate", "off"];
    Program::start(&[&fixed[..], options].concat())
}

/// Runs it with something to read.
pub(super) fn run_with(arguments: &[&str], input: &str) -> Outcome {
    let mut command = chinwag();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may have ended without reading it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let lines =
        |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect();
    Outcome {
        code: output.status.code(),
        stdout: lines(output.stdout),
        stderr: lines(output.stderr),
    }
}

#[test]
fn a_name_is_ones_own_beyond_a_restart_and_no_password_is_told() {
    let folder = Folder::new("accounts-restart");
    let program = start(&folder, &["-vvvv"]);
    let mut ann = program.client("ann");
    let protected = "Name ann is protected from now on: /nick ann PASSWORD";
    assert_eq!(ann.ask("/protect open sesame"), protected);
    let mut bob = program.client("bob");
    assert_eq!(bob.ask("/nick ann"), "Name ann is protected: /nick ann PASSWORD");
    assert_eq!(bob.ask("/nick ann close sesame"), "Wrong name or password.");
    // What is typed ahead waits for the verdict, and is said under the new name.
    bob.write("/nick ann open sesame\nit is me\n");
    assert_eq!(ann.rest(), "You have been replaced by another connection.\n");
    bob.expect("You are now ann");
    bob.expect("[ann] it is me");
    assert_eq!(bob.ask("/passwd new sesame"), "Password changed.");
    program.signal("TERM");
    bob.expect("Server is shutting down.");
    drop(bob);
    let log = program.outcome().stderr.join("\n");
    assert!(log.contains(" event=protected conn=1 name=ann") && !log.contains("sesame"), "{log}");
    let program = start(&folder, &[]);
    let mut ann = Client::connect(program.addr());
    assert_eq!(ann.ask("REGISTER ann"), "Name ann is protected: /nick ann PASSWORD");
    assert_eq!(ann.ask("REGISTER ann new sesame"), "Registered as ann");
    assert_eq!(ann.ask("/unprotect new sesame"), "Name ann is no longer protected.");
    assert_eq!(fs::read_to_string(folder.0.join("state/accounts")).unwrap(), "");
}

/// `printf '…' | nc -N`: the verdict comes after the end of what is said.
#[test]
fn a_last_line_without_an_end_is_answered_too() {
    let folder = Folder::new("accounts-last-line");
    let program = start(&folder, &[]);
    let said = |text: &str| {
        let mut client = Client::connect(program.addr());
        client.write(text);
        client.finish_writing();
        client.rest()
    };
    let protected = "Name ann is protected from now on: /nick ann PASSWORD\n";
    assert_eq!(
        said("REGISTER ann\n/protect open sesame"),
        format!("Registered as ann\n{protected}")
    );
    assert_eq!(said("/nick ann close sesame"), "Wrong name or password.\n");
    assert_eq!(said("/nick ann open sesame"), "You are now ann\n");
    let mut op = Client::connect_unix(&folder.0.join("op")).unwrap();
    op.write("/ban ann");
    op.finish_writing();
    assert_eq!(op.rest(), "Banned ann for good.\n");
}

#[test]
fn passwords_are_set_from_outside_and_read_when_it_is_asked_for() {
    let folder = Folder::new("accounts-outside");
    let program = start(&folder, &[]);
    let state = format!("{}/state", folder.path());
    let passwd = |name: &str, input: &str| run_with(&["passwd", &state, name], input);
    let outcome = passwd("ann", "open sesame\n");
    assert_eq!((outcome.code, outcome.stderr.len()), (Some(0), 0), "{outcome:?}");
    for (name, input, why) in [
        ("bob", "short\n", "a password has 8 to 128 bytes of UTF-8, without "),
        ("bob", "open\tsesame\n", "a password has 8 to 128 bytes of UTF-8, without "),
        ("bob", "open sesame \n", "a password has 8 to 128 bytes of UTF-8, without "),
        ("bob", "open\nsesame\n", "a password has 8 to 128 bytes of UTF-8, without "),
        ("al", "open sesame\n", "'al' cannot be a name"),
    ] {
        let outcome = passwd(name, input);
        let [line] = &outcome.stderr[..] else { panic!("{input:?}: {outcome:?}") };
        assert!(line.starts_with(&format!("chinwag: {why}")), "{line}");
        assert_eq!(outcome.code, Some(1), "{input:?}");
    }
    assert_eq!(run(&["accounts", &state]).stdout, ["ann"]);
    let file = folder.0.join("state/accounts");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.trim().to_owned() + "op\n").unwrap();
    assert_eq!(run(&["accounts", &state]).stdout, ["ann op"]);
    let mut bob = program.client("bob");
    // Not before it has read it, nor over what it has not read.
    let answer = bob.ask("/protect open sesame");
    assert_eq!(answer, "Not saved: accounts was changed by somebody else; /reload first");
    program.signal("HUP");
    let line = program.log_line();
    assert!(line.contains(" event=not_saved by=bob error=\"accounts was changed"), "{line}");
    let line = program.log_line();
    assert!(line.ends_with(" event=reloaded by=\"a signal\""), "{line}");
    assert_eq!(bob.ask("/nick ann open sesame"), "You are now ann");
    assert_eq!(bob.ask("/bans"), "There are no bans.");
    fs::write(&file, "ann:secret:\n").unwrap();
    let answer = bob.ask("/reload");
    assert!(answer.ends_with("line 1: ann has no argon2id hash in the PHC format"), "{answer}");
    fs::write(&file, text.replace("m=19456", "m=4194304")).unwrap();
    let why = "line 1: ann has a hash with m=4194304; at most 65536 is allowed";
    let answer = bob.ask("/reload");
    assert!(answer.ends_with(why), "{answer}");
    let outcome = run(&["-l", "127.0.0.1:0", "--state", &state]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, [format!("chinwag: --state {}: {why}", file.display())]);
    assert_eq!(bob.ask("/nick ann open sesame"), "You are now ann");
    assert_eq!(run(&["accounts", "/nowhere"]).code, Some(1));
}

#[test]
fn a_directory_that_is_not_there_is_told_and_not_made() {
    let folder = Folder::new("accounts-none");
    let path = folder.path();
    let told = format!(
        "chinwag: {path}: no such directory; chinwag --state {path} makes it, or mkdir -m 700"
    );
    let passwd = run_with(&["passwd", path, "ann"], "open sesame\n");
    for outcome in [passwd, run(&["accounts", path])] {
        assert_eq!((outcome.code, folder.0.exists()), (Some(1), false));
        assert_eq!(outcome.stderr, [&*told]);
    }
}

#[test]
fn of_many_who_set_passwords_at_once_one_waits_for_the_other() {
    let folder = Folder::new("accounts-at-once");
    fs::create_dir_all(&folder.0).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
    let names: Vec<String> = (10..30).map(|number| format!("name-{number}")).collect();
    thread::scope(|scope| {
        for name in &names {
            let folder = &folder;
            scope.spawn(move || {
                let outcome = run_with(&["passwd", folder.path(), name], "open sesame\n");
                assert_eq!(outcome.code, Some(0), "{outcome:?}");
            });
        }
    });
    let mut kept = run(&["accounts", folder.path()]).stdout;
    kept.sort();
    assert_eq!(kept, names);
}

#[test]
fn two_hundred_at_once_get_a_verdict_each_and_nobody_else_waits_for_them() {
    let folder = Folder::new("accounts-crowd");
    let program = start(&folder, &[]);
    let mut ann = program.client("ann");
    ann.say("/protect open sesame");
    ann.line();
    let mut clients: Vec<Client> = (0..200).map(|_| Client::connect(program.addr())).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        // Twenty attempts an address are enough; these are nobody's names.
        client.say(&format!("/nick user-{number} open sesame"));
    }
    // Everything else goes on meanwhile.
    assert_eq!(ann.ask("/up here"), "HERE");
    let mut counts = [0; 3];
    for client in &mut clients {
        let answer = client.line();
        let kinds = ["Wrong name or password.", "Busy; try again in a moment."];
        let last = "Too many attempts; wait a minute.";
        let kind = kinds.iter().position(|kind| answer == *kind);
        counts[kind.unwrap_or_else(|| {
            assert_eq!(answer, last);
            2
        })] += 1;
        assert_eq!(client.ask("/up done"), "DONE");
    }
    assert!((16..=20).contains(&counts[0]), "{counts:?}");
}

/// Whatever one address asks of the worker, others are asked for less than that is worth.
#[test]
fn right_passwords_and_bans_are_not_behind_those_of_one_address() {
    let folder = Folder::new("accounts-flood");
    let program = start(&folder, &[]);
    let mut ann = from(8, &program).register("ann");
    assert!(ann.ask("/protect open sesame").ends_with("/nick ann PASSWORD"));
    let mut op = program.operator();
    let mut flood: Vec<Client> =
        (0..17).map(|number| from(7, &program).register(&format!("flood-{number}"))).collect();
    for client in &mut flood {
        let many = "/passwd open sesame\n/nick nobody open sesame\n".repeat(200);
        client.write("/protect open sesame\n".to_owned() + &many);
    }
    for number in 0..18 {
        assert_eq!(ann.ask("/nick ann open sesame"), "You are now ann");
        assert_eq!(
            op.ask(&format!("/ban name-{number}")),
            format!("Banned name-{number} for good.")
        );
    }
}
