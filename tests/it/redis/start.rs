//! How a link begins, and why it does not.

#[cfg(target_os = "linux")]
use std::process::Command;

use chinwag::Handle;
use chinwag::cluster::Carrier;
use chinwag::redis::{Link, Options};

use super::links::{Node, patient};
use super::server::Redis;
#[cfg(target_os = "linux")]
use super::server::free_port;

fn why(options: &Options) -> String {
    let error = Link::start(options, Handle::detached()).err().expect("it cannot start");
    let why = error.to_string();
    assert_eq!(why.lines().count(), 1, "{why}");
    why
}

fn at(url: &str) -> Options {
    Options::new(url.parse().unwrap())
}

/// Whether one can be started, and says something.
fn check(options: &Options) {
    let mut node = Node::with(options);
    let number = node.say("hello");
    node.outcome(number);
}

#[test]
fn without_redis_there_is_one_line_that_says_so() {
    let mut redis = Redis::start();
    let (options, port) = (redis.options(), redis.port());
    redis.kill();
    let why = why(&options);
    assert!(why.starts_with(&format!("redis://127.0.0.1:{port}: Connection refused")), "{why}");
}

#[test]
fn a_redis_that_does_not_answer_is_not_waited_for_longer_than_patience() {
    let redis = Redis::start();
    redis.signal("-STOP");
    let options = redis.options().with(|it| it.patience = std::time::Duration::from_millis(200));
    let why = why(&options);
    redis.signal("-CONT");
    let expected = format!("redis://127.0.0.1:{}: it does not answer in time", redis.port());
    assert_eq!(why, expected);
}

#[test]
fn a_password_has_to_be_right() {
    let redis = Redis::with(&["--requirepass", "right"]);
    let port = redis.port();
    assert!(why(&at(&format!("redis://127.0.0.1:{port}"))).contains("NOAUTH"));
    let wrong = why(&at(&format!("redis://:wrong@127.0.0.1:{port}")));
    assert!(wrong.contains("WRONGPASS") && !wrong.contains("wrong@"), "{wrong}");
    check(&at(&format!("redis://:right@127.0.0.1:{port}")));
    let options = at(&format!("redis://127.0.0.1:{port}"));
    check(&options.with(|options| options.password = Some("right".to_owned())));
}

#[test]
fn a_user_of_redis_needs_the_rights_that_are_used_and_no_more() {
    let rules = "chat on >pw ~{chinwag}:* -@all +evalsha +script|load +time +hmget +hset \
                 +hget +hdel +hgetall +hkeys +hscan +xadd +xrange +xread +xtrim +xinfo|stream +auth";
    let rules = ["--user"].into_iter().chain(rules.split_whitespace());
    let redis = Redis::with(&rules.collect::<Vec<_>>());
    let port = redis.port();
    check(&at(&format!("redis://chat:pw@127.0.0.1:{port}")));
    let options = at(&format!("redis://chat:pw@127.0.0.1:{port}"));
    let other = options.with(|options| options.cluster = "other".to_owned());
    assert!(why(&other).contains("permission"), "{}", why(&other));
}

#[test]
fn databases_and_clusters_are_apart() {
    let redis = Redis::start();
    let port = redis.port();
    let mut nodes = ["", "/4"].map(|path| {
        let url = format!("redis://127.0.0.1:{port}{path}");
        Node::with(&patient(&redis).with(|it| it.address = url.parse().unwrap()))
    });
    let mut other = Node::with(&patient(&redis).with(|it| it.cluster = "other".to_owned()));
    for node in nodes.iter_mut().chain([&mut other]) {
        let claim = node.claim("erin", 1);
        assert_eq!(node.outcome(claim), chinwag::cluster::Outcome::Claimed);
    }
}

#[cfg(unix)]
#[test]
fn a_unix_socket_will_do() {
    let redis = Redis::start();
    let path = redis.dir().join("socket");
    check(&at(&format!("redis+unix://{}", path.display())));
    let none = redis.dir().join("none");
    let why = why(&at(&format!("redis+unix://{}", none.display())));
    assert!(why.starts_with("redis+unix:///") && why.contains("No such file"), "{why}");
}

#[test]
fn a_replica_is_refused() {
    let redis = Redis::start();
    redis.ask("REPLICAOF 127.0.0.1 1");
    assert!(why(&redis.options()).contains("replica"));
}

/// In a process of its own, whose environment says whom to trust.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_go_on_after_an_upgrade_that_failed_is_cut_off_and_keeps_nothing() {
    const NAME: &str = "redis::start::\
        what_cannot_go_on_after_an_upgrade_that_failed_is_cut_off_and_keeps_nothing";
    const PORT: &str = "CHINWAG_TEST_TLS_PORT";
    if let Ok(port) = std::env::var(PORT) {
        let options = at(&format!("rediss://localhost:{port}"));
        let mut node = Node::with(&options.with(|it| {
            it.patience = super::server::MINUTE;
            it.lease = 2 * super::server::MINUTE;
        }));
        node.link.stop();
        // Nobody is trusted any more.
        std::fs::write(std::env::var("SSL_CERT_FILE").unwrap(), "").unwrap();
        node.link.go_on();
        node.wait_for(&chinwag::cluster::Report::CutOff);
        for _ in 0..3 {
            node.say("hello");
        }
        assert_eq!((node.link.stats().waiting, node.link.stats().is_cut_off), (0, true));
        return;
    }
    let [cert, key] = ["chat.crt", "chat.key"].map(crate::secure::file);
    let port = free_port().to_string();
    let arguments = ["--tls-port", &port, "--tls-cert-file", &cert, "--tls-key-file", &key];
    let redis = Redis::with(&[&arguments[..], &["--tls-auth-clients", "no"]].concat());
    let trusted = redis.dir().join("trusted");
    std::fs::copy(&cert, &trusted).unwrap();
    let mut test = Command::new(std::env::current_exe().unwrap());
    test.args(["--exact", NAME]).env(PORT, &port).env("SSL_CERT_FILE", &trusted);
    let output = test.env("SSL_CERT_DIR", redis.dir().join("none")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// In a process of its own, whose environment says whom to trust.
#[cfg(target_os = "linux")]
#[test]
fn over_tls_the_certificate_has_to_be_the_hosts() {
    const NAME: &str = "redis::start::over_tls_the_certificate_has_to_be_the_hosts";
    const PORT: &str = "CHINWAG_TEST_TLS_PORT";
    if let Ok(port) = std::env::var(PORT) {
        check(&at(&format!("rediss://localhost:{port}")));
        let other_name = why(&at(&format!("rediss://127.0.0.2:{port}")));
        let told = "its certificate is for localhost, 127.0.0.1, not for 127.0.0.2";
        assert_eq!(other_name, format!("rediss://127.0.0.2:{port}: {told}"));
        return;
    }
    let [cert, key, other] = ["chat.crt", "chat.key", "other.crt"].map(crate::secure::file);
    let port = free_port().to_string();
    let arguments = ["--tls-port", &port, "--tls-cert-file", &cert, "--tls-key-file", &key];
    // The certificate is for the first address alone.
    let more = ["--tls-auth-clients", "no", "--bind", "127.0.0.1", "127.0.0.2"];
    let _redis = Redis::with(&[&arguments[..], &more].concat());
    let run = |trusted: &str| {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", NAME]).env(PORT, &port).env("SSL_CERT_FILE", trusted);
        test.output().unwrap()
    };
    let output = run(&cert);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    let output = run(&other);
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("nobody whom this system trusts"), "{text}");
}
