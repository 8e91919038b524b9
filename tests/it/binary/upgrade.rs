//! An upgrade in place: another program takes over, and nobody notices.
//!
//! What takes long is left out of a usual run: `cargo test --release --test it upgrade -- --ignored`.
#![cfg(target_os = "linux")]

mod along;
mod encrypted;
mod successors;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Folder, Program, piped};
use crate::client::{Client, eventually};

/// A place where the program is installed, and replaced.
pub(super) fn install(name: &str) -> Folder {
    let folder = Folder::new(name);
    fs::create_dir_all(&folder.0).unwrap();
    fs::hard_link(env!("CARGO_BIN_EXE_chinwag"), folder.0.join("chinwag")).unwrap();
    folder
}

fn start(folder: &Folder, arguments: &[&str]) -> Program {
    let mut command = Command::new(folder.0.join("chinwag"));
    let arguments = [&["-v", "-l", "127.0.0.1:0"], arguments].concat();
    Program::start_as(piped(&mut command).args(&arguments), &arguments)
}

/// A machine that has too much to do may not even start the check in time.
const NOT_STARTED: &str = "it has not answered within";

/// Asks for an upgrade, and says what the log says has come of it.
fn ask(program: &Program) -> String {
    loop {
        program.signal("USR2");
        let line = program.logged("upgraded");
        if !line.contains(NOT_STARTED) {
            return line;
        }
    }
}

/// Asks for an upgrade, and waits until it is done.
pub(super) fn upgrade(program: &Program) -> String {
    let line = ask(program);
    let version = env!("CARGO_PKG_VERSION");
    assert!(line.contains(&format!("event=upgraded from={version} ")), "{line}");
    line
}

/// Whatever happens, it is over then.
pub(super) struct Ends<'a>(pub(super) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Says numbered lines and hears them, and those of all others, until it is told to stop. Each
/// one's come in order, none twice and none not.
fn talk(mut client: Client, name: &str, names: &[String], is_over: &AtomicBool) {
    let mut heard = vec![0; names.len()];
    let me = names.iter().position(|other| other == name).unwrap();
    while !is_over.load(Ordering::Acquire) {
        client.say(&format!("{}", heard[me] + 1));
        let own = heard[me] + 1;
        while heard[me] < own {
            let line = client.line();
            let (who, number) = line.strip_prefix('[').and_then(|it| it.split_once("] ")).unwrap();
            let who = names.iter().position(|other| other == who).unwrap();
            heard[who] += 1;
            assert_eq!(number, heard[who].to_string(), "to {name}, of {}", names[who]);
        }
    }
}

fn talk_through_upgrades(name: &str, talkers: usize, upgrades: usize) {
    let folder = install(name);
    let program = start(&folder, &["--rate", "off"]);
    let names: Vec<String> = (0..talkers).map(|number| format!("talker-{number}")).collect();
    let is_over = AtomicBool::new(false);
    let clients: Vec<Client> = names.iter().map(|name| program.client(name)).collect();
    thread::scope(|scope| {
        let _ends = Ends(&is_over);
        for (client, name) in clients.into_iter().zip(&names) {
            let (names, is_over) = (&names, &is_over);
            scope.spawn(move || talk(client, name, names, is_over));
        }
        for _ in 0..upgrades {
            assert!(upgrade(&program).contains(&format!("connections={talkers} ")));
        }
    });
}

#[test]
fn many_talk_through_many_upgrades_and_nothing_is_lost_or_comes_twice() {
    talk_through_upgrades("upgrade-talkers", 12, 20);
}

#[test]
#[ignore = "it takes long"]
fn fifty_talk_through_forty_upgrades() {
    talk_through_upgrades("upgrade-fifty", 50, 40);
}

/// From 0 to 12 ms after an upgrade was asked for.
fn end_while_upgrading(name: &str, rounds: usize) {
    let folder = install(name);
    for halves in (0..rounds).flat_map(|_| 0..=24) {
        let mut program = start(&folder, &[]);
        let mut client = program.client("ann");
        program.signal("USR2");
        thread::sleep(Duration::from_millis(halves / 2));
        program.signal("TERM");
        client.expect("Server is shutting down.");
        client.finish_writing();
        eventually("it ends", || program.child.try_wait().unwrap().is_some());
        let status = program.child.try_wait().unwrap().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(0), None), "after {halves} halves");
    }
}

#[test]
fn a_signal_to_end_is_heard_whenever_it_comes() {
    end_while_upgrading("upgrade-and-end", 1);
}

#[test]
#[ignore = "it takes long"]
fn a_signal_to_end_is_heard_a_hundred_times() {
    end_while_upgrading("upgrade-and-end-hundred", 4);
}

/// Whichever of the two programs hears it.
#[test]
fn a_reload_is_heard_whenever_it_comes() {
    let folder = install("upgrade-and-reload");
    let (socket, state) = (folder.0.join("op"), folder.0.join("state"));
    let listen = format!("op=unix:{}", socket.display());
    let program = start(&folder, &["-l", &listen, "--state", state.to_str().unwrap()]);
    let mut op = program.operator();
    for number in 0..=12 {
        let (new, ban) = (folder.0.join("new"), format!("192.0.2.{number} "));
        fs::write(&new, format!("{ban}never op for this test\n")).unwrap();
        program.signal("USR2");
        thread::sleep(Duration::from_millis(4 * number));
        fs::rename(new, state.join("bans")).unwrap();
        program.signal("HUP");
        eventually("it is read", || op.ask("/bans").starts_with(&ban));
        if program.logged("upgraded").contains(NOT_STARTED) {
            upgrade(&program);
        }
    }
}

fn upgrade_again_and_again(name: &str, times: usize) {
    let folder = install(name);
    let program = start(&folder, &["--rate", "off"]);
    let mut ann = program.client("ann");
    let pid = program.child.id();
    let descriptors = || {
        let all = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        all.count()
    };
    let threads = || fs::read_dir(format!("/proc/{pid}/task")).unwrap().count();
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap()
    };
    upgrade(&program);
    assert_eq!(ann.ask("/up first"), "FIRST");
    let before = (descriptors(), threads(), resident());
    for number in 0..times {
        // Asked for twice, one or two happen.
        program.signal("USR2");
        upgrade(&program);
        assert_eq!(ann.ask(&format!("/up a{number}")), format!("A{number}"));
    }
    eventually("no descriptor is left", || descriptors() == before.0);
    eventually("no thread is left", || threads() == before.1);
    assert!(resident() < before.2 + before.2 / 4, "{} kB, and {} before", resident(), before.2);
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let names = environment.split(|byte| *byte == 0).filter(|it| it.starts_with(b"CHINWAG_"));
    assert_eq!(names.count(), 1, "it is as it was started, but for who takes over");
    drop(program);
}

#[test]
fn one_upgrade_after_another_leaves_nothing_behind() {
    upgrade_again_and_again("upgrade-flat", 30);
}

#[test]
#[ignore = "it takes long"]
fn a_hundred_upgrades_leave_nothing_behind() {
    upgrade_again_and_again("upgrade-hundred", 100);
}
