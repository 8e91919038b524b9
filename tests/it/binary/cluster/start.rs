//! How a node starts, and why it does not: with one line that says so.

use std::io::{Read, Write};

use super::PATIENT;
use super::{Cluster, arguments};
use crate::binary::{Program, chinwag, piped, run};
use crate::redis::server::Redis;

fn refused(port: u16, more: &[&str]) -> String {
    let arguments = arguments(port, 0, PATIENT);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.to_vec()).collect();
    // Without -v.
    let outcome = run(&arguments[1..]);
    assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0), "{outcome:?}");
    assert_eq!(outcome.stderr.len(), 1, "{outcome:?}");
    outcome.stderr.into_iter().next().unwrap()
}

#[test]
fn without_redis_it_does_not_start() {
    let mut redis = Redis::start();
    redis.kill();
    let why = refused(redis.port(), &[]);
    let start = format!("chinwag: --redis redis://127.0.0.1:{}: ", redis.port());
    assert!(why.starts_with(&start), "{why}");
    assert!(why.contains("Connection refused"), "{why}");
}

#[test]
fn with_a_wrong_password_it_does_not_start() {
    let redis = Redis::with(&["--requirepass", "right"]);
    let file = redis.dir().join("password");
    std::fs::write(&file, "wrong\n").unwrap();
    let why = refused(redis.port(), &["--redis-password-file", file.to_str().unwrap()]);
    assert!(why.contains("WRONGPASS") && why.starts_with("chinwag: --redis redis://"), "{why}");
}

#[test]
fn of_two_passwords_none_is_ignored() {
    let mut command = chinwag();
    let arguments = ["--redis", "redis://127.0.0.1:1", "--redis-password-file", "/dev/null"];
    let output = command.args(arguments).env("CHINWAG_REDIS_PASSWORD", "other").output().unwrap();
    assert_eq!(
        (output.status.code(), &*String::from_utf8_lossy(&output.stderr)),
        (Some(2), "chinwag: --redis-password-file /dev/null: CHINWAG_REDIS_PASSWORD is set, too\n")
    );
}

#[test]
fn what_is_no_redis_is_said_to_be_none() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
        // Until the node closes it.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let why = refused(port, &[]);
    assert!(why.ends_with(&format!("127.0.0.1:{port}: it does not speak as Redis does")), "{why}");
    other.join().unwrap();
}

#[test]
fn an_empty_password_in_the_environment_is_none() {
    let redis = Redis::start();
    let arguments = arguments(redis.port(), 0, PATIENT);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = chinwag();
    piped(command.env("CHINWAG_REDIS_PASSWORD", "")).args(&arguments);
    let program = Program::start_as(&mut command, &arguments);
    assert_eq!(program.client("ann").ask("hello"), "[ann] hello");
}

#[test]
fn a_node_without_a_name_is_called_after_its_port() {
    let redis = Redis::start();
    let url = format!("redis://127.0.0.1:{}", redis.port());
    let program = Program::start(&["-v", "-l", "127.0.0.1:0", "--redis", &url]);
    let mut ann = program.client("ann");
    ann.say("/stats");
    let lines = std::iter::repeat_with(|| ann.line());
    let line = lines.into_iter().find(|line| line.starts_with("Cluster: node ")).unwrap();
    assert!(line.contains(&format!(":{},", program.addr().port())), "{line}");
}

#[test]
fn what_somebody_else_writes_into_the_log_is_logged_and_nobody_notices() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let (mut ann, mut bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.redis.ask("XADD {chinwag}:log * foo bar");
    for node in &cluster.nodes {
        node.logged(" event=foreign_entry key=");
    }
    for number in 1..=3 {
        assert_eq!(ann.ask(&number.to_string()), format!("[ann] {number}"));
        bob.expect(&format!("[ann] {number}"));
    }
}

#[test]
fn one_node_alone_is_a_server_like_any_other() {
    let cluster = Cluster::start(Redis::start(), 1, PATIENT);
    let mut ann = cluster.named(0, "ann");
    assert_eq!(ann.ask("hello"), "[ann] hello");
    assert_eq!(ann.ask("/who"), "1 in lobby: ann");
}

#[test]
fn without_v_the_log_has_the_end_of_what_went_wrong_as_well() {
    let mut redis = Redis::start();
    let arguments = arguments(redis.port(), 0, PATIENT);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).skip(1).collect();
    let program = Program::start_as(piped(&mut chinwag()).args(&arguments), &arguments);
    redis.kill();
    // Both connections fail.
    program.logged(" event=redis_failed side=");
    program.logged(" event=redis_failed side=");
    redis.start_again();
    program.logged(" event=redis_back side=");
    program.logged(" event=redis_back side=");
}

#[test]
fn a_key_of_another_type_is_named_and_once_it_is_deleted_all_goes_on() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let (mut ann, mut bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    // What a node has not read yet is lost with the key.
    ann.say("are you there?");
    bob.expect("[ann] are you there?");
    bob.say("yes");
    for line in ["[ann] are you there?", "[bob] yes"] {
        ann.expect(line);
    }
    bob.expect("[bob] yes");
    for (key, kind) in [("log", "stream"), ("said", "stream"), ("nodes", "hash")] {
        cluster.redis.ask(&format!("SET {{chinwag}}:{key} x"));
        ann.say(key);
        cluster.nodes[0].logged(&format!("{{chinwag}}:{key} is to be a {kind}, and is something"));
        cluster.redis.ask(&format!("DEL {{chinwag}}:{key}"));
        for person in [&mut ann, &mut bob] {
            person.expect(&format!("[ann] {key}"));
        }
    }
}
