//! What it writes on stderr, and what it never does.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use super::{Folder, Program, chinwag, piped};
use crate::client::Client;

/// The value of a field, as it is written.
fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn connections_are_logged_only_when_asked_for_and_messages_never() {
    for (options, is_logged) in [(vec![], false), (vec!["-v"], true), (vec!["-vvvv"], true)] {
        let arguments = [&["-l", "127.0.0.1:0"][..], &options].concat();
        let program = Program::start(&arguments);
        let mut alice = program.client("alice");
        let mut bob = program.client("bob");
        let ports = [alice.local_addr(), bob.local_addr()].map(|addr| addr.port());
        assert_eq!(alice.ask("sesame to all"), "[alice] sesame to all");
        bob.expect("[alice] sesame to all");
        alice.say("SEND @bob sesame to one");
        bob.expect("[alice → bob] sesame to one");
        assert_eq!(bob.ask("/sesame"), "Unknown command: sesame (did you mean /resume?)");
        bob.write("half a sesame");
        bob.reset();
        program.signal("TERM");
        alice.expect("Server is shutting down.");
        drop(alice);
        let log = program.outcome().stderr.join("\n");
        for port in ports {
            let from = format!(" addr=127.0.0.1 port={port} ");
            assert_eq!(log.contains(&from), is_logged, "{options:?}: {log}");
        }
        assert_eq!(log.is_empty(), !is_logged, "{options:?}: {log}");
        assert!(!log.to_lowercase().contains("sesame"), "{options:?}: {log}");
    }
}

#[test]
fn a_connection_is_told_of_when_it_comes_takes_a_name_and_ends() {
    let program = Program::start(&["-v", "-l", "127.0.0.1:0"]);
    let started = program.log_line();
    assert_eq!(field(&started, "event"), Some("started"));
    assert_eq!(field(&started, "version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(field(&started, "max_per_ip"), Some("32"));
    let mut alice = Client::connect(program.addr());
    let from = format!("conn=1 addr=127.0.0.1 port={}", alice.local_addr().port());
    let accepted = program.log_line();
    assert!(accepted.ends_with(&format!(" level=info event=accepted {from} listener=native")));
    alice.write("hello\n\nREGISTER alice\n/exit\n");
    assert_eq!(alice.rest(), "[guest] hello\nRegistered as alice\nBye.\n");
    let named = program.log_line();
    assert!(named.ends_with(" level=info event=named conn=1 name=alice was=guest"), "{named}");
    drop(alice);
    let ended = program.log_line();
    assert!(ended.contains(&format!(" event=ended {from} why=closed duration=")), "{ended}");
    assert!(ended.ends_with(" lines_in=4 lines_out=3 name=alice"), "{ended}");
    let (seconds, millis) = field(&ended, "duration").unwrap().split_once('.').unwrap();
    assert!(seconds.parse::<u32>().is_ok() && millis.len() == 3, "{ended}");
    // The time is in UTC, and to the microsecond.
    let (time, _) = ended.split_once(' ').unwrap();
    assert_eq!(time.len(), "2026-11-20T15:17:28.000000Z".len());
    assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
}

#[test]
fn refusals_leave_at_most_a_line_a_second_and_all_are_counted() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--max-clients", "1"]);
    let start = std::time::Instant::now();
    let _alice = program.client("alice");
    for _ in 0..200 {
        assert_eq!(Client::connect(program.addr()).rest(), "Server is full.\n");
    }
    let (mut lines, mut refused) = (0, 0);
    while refused < 200 {
        let line = program.log_line();
        assert!(line.contains(" level=warn event=refused addr=127.0.0.1 port="), "{line}");
        assert_eq!(field(&line, "why"), Some("full"));
        refused += 1 + field(&line, "suppressed").unwrap().parse::<u32>().unwrap();
        lines += 1;
    }
    assert_eq!(refused, 200);
    assert!(lines >= 2 && lines <= 2 + start.elapsed().as_secs(), "{lines} lines");
}

#[test]
fn a_wrong_password_is_logged_with_who_tried_it_gone_or_not_and_behind_a_proxy_too() {
    let folder = Folder::new("failed-passwords");
    let options = ["-l", "127.0.0.1:0", "--proxy-protocol", "127.0.0.1", "--state", folder.path()];
    let program = Program::start(&options);
    let mut bytes = b"PROXY TCP6 2001:db8::7 2001:db8::1 4001 1337\r\n".to_vec();
    bytes.extend(b"/nick alice open sesame\n");
    let mut client = Client::connect(program.addr());
    client.write(&bytes);
    client.expect("Wrong name or password.");
    let line = program.log_line();
    let tried = " event=failed_password conn=1 addr=2001:db8::7 port=4001 name=alice";
    assert!(line.ends_with(tried) && line.contains(" level=warn "), "{line}");
    // Who has its answer never come: a mapped address is the IPv4 address that it is.
    let mut client = Client::connect(program.addr());
    client.write("PROXY TCP6 ::ffff:192.0.2.9 ::1 4002 1337\r\n/nick bob open sesame\n");
    client.reset();
    let line = program.log_line();
    assert!(line.ends_with(" conn=2 addr=192.0.2.9 port=4002 name=bob"), "{line}");
    assert!(!line.contains("sesame"), "{line}");
}

#[test]
fn a_health_check_leaves_nothing_and_with_v_two_lines() {
    for (options, lines) in [(&[][..], 0), (&["-v"], 2)] {
        let behind_proxy = ["-l", "127.0.0.1:0", "--proxy-protocol", "127.0.0.1"];
        let program = Program::start(&[&behind_proxy, options].concat());
        let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
        let mut check = Client::connect(program.addr());
        check.write(local);
        check.reset();
        Client::connect(program.addr()).reset();
        let mut check = Client::connect(program.addr());
        check.write([&local[..], b"/time\n"].concat());
        check.line();
        check.finish_writing();
        check.rest();
        program.signal("TERM");
        let log = program.outcome().stderr;
        let checks = log.iter().filter(|line| line.contains(" conn=")).count();
        assert_eq!(checks, 2 * lines, "{log:?}");
        assert_eq!(log.len(), if lines == 0 { 0 } else { 2 + checks }, "{log:?}");
    }
}

#[test]
fn no_text_of_a_user_makes_up_a_field_or_a_line() {
    let folder = Folder::new("forged");
    std::fs::create_dir_all(&folder.0).unwrap();
    let place = format!("op=unix:{}/op", folder.path());
    let program = Program::start(&["-l", "127.0.0.1:0", "-l", &place]);
    let mut op = program.operator();
    let text = "x\u{85}y event=failed_password addr=192.0.2.1 \" level=error \u{1b}[31m";
    op.say(&format!("/announce {text}"));
    let line = program.log_line();
    let (_, told) = line.split_once(" level=warn event=announced by=op text=\"").expect(&line);
    assert!(!told.contains('=') && told.ends_with('"'), "{line}");
    assert_eq!(told.replace("\\\"", "").matches('"').count(), 1, "{line}");
}

#[test]
fn the_journal_is_told_no_time() {
    let folder = Folder::new("journal");
    std::fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("stderr");
    for is_journal in [true, false] {
        let stderr = File::create(&path).unwrap();
        let stat = stderr.metadata().unwrap();
        let stream = format!("{}:{}", stat.dev(), stat.ino() + u64::from(!is_journal));
        let mut command = chinwag();
        let arguments = ["-v", "-l", "127.0.0.1:0"];
        let command = piped(command.args(arguments)).stderr(stderr).env("JOURNAL_STREAM", stream);
        let program = Program::start_as(command, &arguments);
        program.signal("TERM");
        assert_eq!(program.outcome().code, Some(0));
        let log = std::fs::read_to_string(&path).unwrap();
        assert_eq!(log.starts_with("level=info event=started version="), is_journal, "{log}");
        assert!(log.contains("level=info event=shutting_down connections=0\n"), "{log}");
    }
}

#[test]
fn a_mapped_address_is_logged_as_the_ipv4_address_that_it_is() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // There is no IPv6 here.
    }
    let mut program = Program::start(&["-v", "-l", "[::]:0"]);
    let port = program.addr().port();
    program.addrs = vec![format!("127.0.0.1:{port}").parse().unwrap()];
    let alice = program.client("alice");
    program.logged(&format!(" addr=127.0.0.1 port={} ", alice.local_addr().port()));
}

#[test]
fn a_filter_that_cannot_be_read_is_told_of_and_harms_nobody() {
    let arguments = ["-v", "-l", "127.0.0.1:0"];
    for filter in ["a=b=c", "chinwag=loud", "a/b/c"] {
        let mut command = Command::new("env");
        command.arg(format!("RUST_LOG={filter}")).arg(env!("CARGO_BIN_EXE_chinwag"));
        let program = Program::start_as(piped(command.args(arguments)), &arguments);
        let line = program.log_line();
        assert!(line.contains(" event=rust_log_ignored error="), "{filter}: {line}");
        // What -v says does.
        let _alice = program.client("alice");
        program.logged(" event=accepted conn=1 ");
        drop(program);
        // Nor does it where nobody can be told.
        let full = OpenOptions::new().write(true).open("/dev/full");
        if let Ok(full) = full {
            let program = Program::start_as(piped(&mut command).stderr(full), &arguments);
            assert_eq!(program.client("alice").ask("hello"), "[alice] hello");
        }
    }
}

#[test]
fn every_event_is_told_of_in_the_pages() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = std::fs::read_to_string(root.join("docs/operating.md")).unwrap();
    let mut events = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // The fields of a line end with a semicolon, and then comes what has happened.
            for rest in text.split(';').skip(1) {
                let quoted = rest.trim_start().strip_prefix('"').and_then(|it| it.split_once('"'));
                if let Some((event, rest)) = quoted
                    && rest.trim_start().starts_with(')')
                {
                    events.push(event.to_owned());
                }
            }
        }
    }
    assert!(events.len() > 20, "{events:?}");
    events.retain(|event| !pages.contains(&format!("`{event}`")));
    assert_eq!(events, [""; 0]);
}
