//! What goes along in an upgrade: all that is half done.

use std::fs;
use std::iter::repeat_with;

use super::{NOT_STARTED, install, start, upgrade};
use crate::client::Client;

#[test]
fn what_is_half_said_goes_along() {
    let folder = install("upgrade-half");
    let program = start(&folder, &["--rate", "5"]);
    let mut ann = program.client("ann");
    ann.write("half a ");
    // A telnet command cut in the middle: DO, and the option is still to come.
    let mut telnet = program.client("telnet");
    telnet.write(b"\xff\xfd");
    // More lines than its rate lets pass at once: they wait.
    let mut fast = program.client("fast");
    for number in 0..20 {
        fast.say(&format!("/up line {number}"));
    }
    for number in 0..3 {
        fast.expect(&format!("LINE {number}"));
    }
    assert!(upgrade(&program).contains("connections=3"));
    ann.write("line\n");
    ann.expect("[ann] half a line");
    telnet.expect("[ann] half a line");
    telnet.write(b"\x18");
    assert_eq!(telnet.read(3), b"\xff\xfc\x18");
    let mut rest = Vec::new();
    while rest.len() < 17 {
        let line = fast.line();
        if line.starts_with("LINE") {
            rest.push(line);
        }
    }
    assert_eq!(rest, (3..20).map(|number| format!("LINE {number}")).collect::<Vec<_>>());
}

#[test]
fn what_a_proxy_has_half_said_goes_along() {
    let folder = install("upgrade-proxy");
    let program = start(&folder, &["-l", "tutorial=127.0.0.1:0", "--proxy-protocol", "127.0.0.1"]);
    let mut client = Client::connect(program.addrs[1]);
    client.write("PROXY TCP4 192.0.2.7 127.0.");
    assert!(upgrade(&program).contains("connections=1"));
    client.write("0.1 4001 1337\r\nhello\n");
    client.expect("192.0.2.7:4001 says: hello");
}

/// What the log says of other protocols is about the client, not about its proxy.
#[test]
fn the_address_of_a_silent_client_behind_a_proxy_goes_along() {
    let folder = install("upgrade-behind-proxy");
    let program = start(&folder, &["--proxy-protocol", "127.0.0.1"]);
    let mut client = Client::connect(program.addr());
    client.write("PROXY TCP4 192.0.2.7 127.0.0.1 4001 1337\r\n");
    program.logged("event=accepted");
    assert!(upgrade(&program).contains("connections=1"));
    client.write("GET / HTTP/1.1\r\n\r\n");
    let line = program.logged("event=refused");
    assert!(line.contains(" addr=192.0.2.7 port=4001 why=http "), "{line}");
}

#[test]
fn a_slow_readers_queue_and_count_go_along() {
    let folder = install("upgrade-slow");
    let program = start(&folder, &["--rate", "off", "--queue-soft", "8K"]);
    let mut slow = Client::connect_narrow(program.addr()).register("slow");
    let mut ann = program.client("ann");
    let text = "x".repeat(1000);
    let mut said = 0;
    let mut say = |count: usize| {
        for _ in 0..count {
            said += 1;
            let line = format!("{said} {text}");
            assert_eq!(ann.ask(&line), format!("[ann] {line}"));
        }
        said
    };
    say(600);
    let mut stats = program.client("stats");
    let before = lines_counted(&mut stats);
    upgrade(&program);
    let after = lines_counted(&mut stats);
    assert!(before[2] > 0 && after[2] == before[2], "skipped: {before:?}, {after:?}");
    assert!(after[0] == before[0] + 1 && after[1] > before[1], "in, out: {before:?}, {after:?}");
    drop(stats);
    let said = say(100);
    let (mut next, mut skipped) = (1, 0);
    while next <= said {
        let line = slow.line();
        if let Some(count) = line.strip_prefix("-- ").and_then(|it| it.split(' ').next()) {
            skipped += count.parse::<usize>().unwrap();
            next += count.parse::<usize>().unwrap();
        } else {
            assert_eq!(line, format!("[ann] {next} {text}"));
            next += 1;
        }
    }
    assert!(next == said + 1 && skipped > 100, "{skipped} of {said} are counted as skipped");
}

/// How many lines the server has counted in, out, and as skipped.
fn lines_counted(client: &mut Client) -> [u64; 3] {
    client.say("/stats");
    loop {
        if let Some(counts) = client.line().strip_prefix("Lines: ") {
            let counts = counts.split(", ").map(|it| it.split(' ').next().unwrap().parse());
            return counts.collect::<Result<Vec<_>, _>>().unwrap().try_into().unwrap();
        }
    }
}

#[test]
fn what_is_logged_of_a_connection_goes_along() {
    let folder = install("upgrade-logged");
    let program = start(&folder, &[]);
    let mut ann = program.client("ann");
    assert_eq!(ann.ask("hello"), "[ann] hello");
    upgrade(&program);
    assert_eq!(ann.ask("/exit"), "Bye.");
    let line = program.logged("event=ended");
    // With her name's.
    assert!(line.contains(" lines_in=3 ") && line.ends_with(" name=ann"), "{line}");
}

#[test]
fn detached_users_resume_after_an_upgrade() {
    let folder = install("upgrade-resume");
    let program = start(&folder, &[]);
    let token = |client: &mut Client| {
        let line = client.ask("/resume");
        line.split_whitespace().map(str::to_owned).find(|word| word.len() == 48).expect(&line)
    };
    let mut ann = program.client("ann");
    let (mut bob, mut eve) = (program.client("bob"), program.client("eve"));
    let (anns, bobs) = (token(&mut ann), token(&mut bob));
    assert_eq!(eve.ask("/ignore bob"), "Ignoring bob.");
    bob.reset();
    upgrade(&program);
    // One detached before, one after.
    ann.reset();
    for (token, name) in [(bobs, "bob"), (anns, "ann")] {
        let mut client = Client::connect(program.addr());
        assert_eq!(client.ask(&format!("/resume {token}")), format!("You are now {name}"));
        client.say("hello");
    }
    eve.expect("[ann] hello");
}

#[test]
fn an_operator_asks_for_it_and_is_told_and_what_is_kept_in_files_is_read() {
    let folder = install("upgrade-operator");
    let (socket, state) = (folder.0.join("op"), folder.0.join("state"));
    let listen = format!("op=unix:{}", socket.display());
    let program = start(&folder, &["-l", &listen, "--state", state.to_str().unwrap()]);
    let mut op = program.operator();
    let mut ann = program.client("ann");
    assert_eq!(op.ask("/mute ann"), "Muted ann for good.");
    ann.line();
    assert_eq!(op.ask("/ban 192.0.2.7"), "Banned 192.0.2.7 for good.");
    let asked = "The program that is installed now is asked whether it can take over.";
    let upgrade = |op: &mut Client| {
        let answers = repeat_with(|| {
            assert_eq!(op.ask("/upgrade"), asked);
            op.line()
        });
        let is_answer = |line: &String| !line.contains(NOT_STARTED);
        answers.into_iter().find(is_answer).expect("it goes on")
    };
    let line = upgrade(&mut op);
    assert!(line.starts_with("Upgraded from 0.1.0, with 2 connections, in "), "{line}");
    assert!(op.ask("/bans").starts_with("192.0.2.7 "), "the ban is there");
    assert!(ann.ask("may I?").starts_with("You are muted"), "and so is the mute");
    // The file is still the same socket's, and goes with it.
    assert_eq!(program.operator().ask("/up me too"), "ME TOO");
    fs::remove_file(folder.0.join("chinwag")).unwrap();
    let line = upgrade(&mut op);
    assert!(line.starts_with("Not upgraded: ") && line.contains("No such file"), "{line}");
    op.say("/stats");
    let stats: Vec<String> = (0..6).map(|_| op.line()).collect();
    assert!(stats.iter().any(|line| line.starts_with("Upgraded: once, last from")), "{stats:?}");
    program.signal("TERM");
    assert_eq!(program.outcome().code, Some(0));
    assert!(!socket.exists(), "the socket's file is gone");
}

/// Each room keeps 64 KiB of what was said there.
fn upgrade_with_history(name: &str, rooms: usize) {
    const LINES: usize = 64;
    let folder = install(name);
    let program =
        start(&folder, &["--rate", "off", "--max-rooms", "2000", "--max-clients", "3000"]);
    let text = "x".repeat(1000);
    let mut members = Vec::new();
    for number in 0..rooms {
        let mut member = program.client(&format!("member-{number}"));
        member.say(&format!("/join room-{number}"));
        assert!(member.line().contains(&format!(" in room-{number}: ")));
        for line in 0..LINES {
            member.say(&format!("{line} {text}"));
        }
        for line in 0..LINES {
            member.expect(&format!("[member-{number}] {line} {text}"));
        }
        members.push(member);
    }
    assert!(upgrade(&program).contains(&format!("connections={rooms} ")));
    let mut ann = program.client("ann");
    for number in [0, rooms / 2, rooms - 1] {
        ann.say(&format!("/join room-{number}"));
        assert!(ann.line().contains(&format!(" in room-{number}: ")));
        let last = format!("{} {text}", LINES - 1);
        while !ann.line().ends_with(&last) {}
        assert_eq!(members[number].ask("/up still here"), "STILL HERE");
    }
}

#[test]
fn what_was_said_before_can_be_read_after() {
    upgrade_with_history("upgrade-history", 16);
}

#[test]
#[ignore = "it takes long"]
fn sixty_four_megabytes_of_history_go_along() {
    upgrade_with_history("upgrade-history-64", 1024);
}
