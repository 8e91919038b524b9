//! The command line, as it is answered.

use super::{Program, run};

#[test]
fn help_and_version_are_printed_and_that_is_all() {
    for option in ["-h", "--help"] {
        let outcome = run(&[option]);
        assert_eq!((outcome.code, outcome.stderr.len()), (Some(0), 0));
        assert!(outcome.stdout.iter().any(|line| line.starts_with("Usage: chinwag")));
        for option in ["--listen", "--max-line", "--max-clients", "--verbose", "--quiet"] {
            assert!(outcome.stdout.iter().any(|line| line.contains(option)), "{option}");
        }
    }
    for option in ["-V", "--version"] {
        let outcome = run(&[option]);
        assert_eq!((outcome.code, outcome.stderr.len()), (Some(0), 0));
        assert_eq!(outcome.stdout, [concat!("chinwag ", env!("CARGO_PKG_VERSION"))]);
    }
}

#[test]
fn a_bad_option_is_one_line_that_names_it_and_its_value() {
    let cases: [(&[&str], &str); 11] = [
        (&["--max-line", "12x"], "--max-line 12x"),
        (&["--max-line=1"], "--max-line 1"),
        (&["--max-clients", "0"], "--max-clients 0"),
        (&["-l", "klingon=127.0.0.1:0"], "--listen klingon=127.0.0.1:0"),
        (&["--listen", "127.0.0.1"], "--listen 127.0.0.1"),
        (&["--frobnicate"], "--frobnicate"),
        (&["-l", "127.0.0.1:0", "stray"], "stray"),
        (&["--max-line", "1\nchinwag: \x1b[2J"], "--max-line 1\\nchinwag: \\u{1b}[2J: a number"),
        (&["--max\nline=1"], "'--max\\nline=1'"),
        (&["a\nb"], "'a\\nb'"),
        (&["-l", "unix:"], "--listen unix:: unix:PATH is wanted"),
    ];
    for (arguments, name) in cases {
        let outcome = run(arguments);
        assert_eq!((outcome.code, outcome.stdout.len()), (Some(2), 0), "{arguments:?}");
        let [line] = &outcome.stderr[..] else { panic!("{arguments:?}: {:?}", outcome.stderr) };
        assert!(line.starts_with("chinwag: ") && line.contains(name), "{arguments:?}: {line}");
    }
}

#[test]
fn a_path_that_cannot_be_is_one_line_whatever_is_in_it() {
    for option in ["--motd", "--state"] {
        let outcome = run(&["-l", "127.0.0.1:0", option, "/nowhere/a\nb"]);
        assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
        let [line] = &outcome.stderr[..] else { panic!("{:?}", outcome.stderr) };
        assert!(line.starts_with(&format!("chinwag: {option} /nowhere/a\\nb: ")), "{line}");
    }
}

#[test]
fn a_port_that_is_taken_is_one_line_that_names_the_address() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let addr = program.addr().to_string();
    let outcome = run(&["-l", &addr]);
    assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
    let [line] = &outcome.stderr[..] else { panic!("{:?}", outcome.stderr) };
    assert!(line.starts_with("chinwag: ") && line.contains(&addr), "{line}");
    // It has done the first no harm.
    let mut alice = program.client("alice");
    assert_eq!(alice.ask("hello"), "[alice] hello");
}

#[test]
fn the_longest_line_is_as_long_as_the_option_says() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--max-line", "64"]);
    let mut alice = program.client("alice");
    let longest = "x".repeat(64);
    assert_eq!(alice.ask(&longest), format!("[alice] {longest}"));
    let too_long = "Line too long (limit 64 bytes); dropped.";
    assert_eq!(alice.ask(&(longest + "x")), too_long);
    assert_eq!(alice.ask("shorter"), "[alice] shorter");
}

#[test]
fn no_more_clients_are_let_in_than_the_option_says() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--max-clients", "1"]);
    let mut alice = program.client("alice");
    let mut late = crate::client::Client::connect(program.addr());
    assert_eq!(late.rest(), "Server is full.\n");
    assert_eq!(alice.ask("hello"), "[alice] hello");
}
