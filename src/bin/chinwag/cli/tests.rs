//! What is read from a command line, and what is said of one that is wrong.

use std::time::Duration;

use chinwag::{Listen, ListenUnix};

use super::*;

fn run(line: &str) -> Result<Box<Options>, String> {
    match parse(line.split_whitespace().map(OsString::from).collect())? {
        Task::Run(options) => Ok(options),
        request => panic!("{line} was read as {request:?}"),
    }
}

#[test]
fn without_options_everything_is_at_its_default() {
    let options = run("").unwrap();
    let limits = Limits::default().with(|it| it.rate = Some(10));
    let config = Config::default().with(|it| it.limits = limits);
    assert_eq!((options.config, options.log), (config, LevelFilter::Warn));
    assert_eq!(options.settings.greet_after, Some(Duration::from_secs(2)));
    assert_eq!((options.settings.require_name, options.motd), (false, None));
}

#[test]
fn options_are_understood_in_every_notation() {
    let options =
        run("-l recipe=[::1]:7 --listen=127.0.0.1:8 --max-line 8k --max-clients=2K -vv").unwrap();
    let listen =
        |label: &str, addr: &str| Listen { addr: addr.parse().unwrap(), label: label.to_owned() };
    assert_eq!(
        options.config.listen,
        [listen("recipe", "[::1]:7"), listen("native", "127.0.0.1:8")]
    );
    assert_eq!((options.config.limits.line_max, options.config.max_clients), (8192, 2048));
    assert_eq!(options.log, LevelFilter::Debug);
    let options = run("--limit-loopback --limit-loopback").unwrap();
    assert!(options.config.limits.limit_loopback && !options.settings.require_name);
    assert_eq!(run("-q").unwrap().log, LevelFilter::Error);
    assert_eq!(run("-qqqq").unwrap().log, LevelFilter::Off);
    assert_eq!(run("-vvvvv").unwrap().log, LevelFilter::Trace);
}

#[test]
fn operators_come_by_a_unix_socket_and_others_may() {
    let options = run("-l op=unix:/run/op").unwrap();
    let unix = |label: &str, path: &str| ListenUnix {
        path: path.into(),
        label: label.into(),
        is_proxied: false,
    };
    assert_eq!(options.config.listen, Config::default().listen);
    assert_eq!(options.config.listen_unix, [unix("op", "/run/op")]);
    assert!(options.settings.operators);
    let options = run("-l unix:/run/a -l json=unix:b=c --state d").unwrap();
    assert_eq!(options.config.listen, []);
    assert_eq!(options.config.listen_unix, [unix("native", "/run/a"), unix("json", "b=c")]);
    assert_eq!(options.state, Some("d".into()));
    let has_accounts = cfg!(feature = "accounts");
    assert_eq!(options.settings.accounts, has_accounts);
    // An account may be an operator's.
    assert_eq!(options.settings.operators, has_accounts);
}

#[test]
fn proxies_are_networks_or_whoever_connects_to_unix_sockets_but_the_operators() {
    let line = "--proxy-protocol unix -l unix:/a -l op=unix:/b --proxy-protocol ::1";
    let config = run(line).unwrap().config;
    let are_proxied: Vec<_> = config.listen_unix.iter().map(|it| it.is_proxied).collect();
    assert_eq!((config.proxies.len(), are_proxied), (1, vec![true, false]));
}

#[test]
fn tls_has_listeners_and_files_or_neither() {
    let line = "-l tls=127.0.0.1:1 -l json+tls=[::1]:2 -l web+tls=127.0.0.1:3 -l 127.0.0.1:4 \
                --tls-cert a.pem --tls-key b.pem";
    let Options { config, settings, tls, .. } = *run(line).unwrap();
    let labels = |listeners: &[Listen]| {
        let labels = listeners.iter().map(|it| format!("{} {}", it.label, it.addr.port()));
        labels.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(labels(&config.listen_tls), "native 1, json 2");
    assert_eq!(labels(&config.listen_web_tls), "json 3");
    assert_eq!(labels(&config.listen), "native 4");
    assert!(settings.dialects.contains(&chinwag::chat::Dialect::Json));
    let files = tls.unwrap();
    assert_eq!((files.cert, files.key), ("a.pem".into(), "b.pem".into()));
    assert_eq!(run("-l web+tls=127.0.0.1:3 --tls-cert a --tls-key b").unwrap().config.listen, []);
}

#[test]
fn times_may_have_units() {
    let cases = [
        ("2", 2000),
        ("0.5", 500),
        ("1.5s", 1500),
        ("20MS", 20),
        ("2m", 120_000),
        ("1h", 3_600_000),
    ];
    for (text, millis) in cases {
        let options = run(&format!("--greet-after {text} --resume-for={text}")).unwrap();
        assert_eq!(options.settings.greet_after, Some(Duration::from_millis(millis)), "{text}");
        assert_eq!(options.settings.resume_for, Duration::from_millis(millis), "{text}");
    }
    let options = run("--greet-after off --resume-for OFF").unwrap();
    assert_eq!(options.settings.greet_after, None);
    assert_eq!(options.settings.resume_for, Duration::ZERO);
}

#[test]
fn help_and_version_need_nothing_else_to_be_right() {
    let request = |word: &str| parse(vec![word.into(), "--max-line".into()]);
    assert!(matches!(request("-h"), Ok(Task::Help)));
    assert!(matches!(request("--version"), Ok(Task::Version)));
}

#[cfg(unix)]
#[test]
fn what_is_not_text_is_named_as_far_as_it_can_be_read() {
    use std::os::unix::ffi::OsStringExt;
    for (line, why) in [
        (&b"--max-line \xff1"[..], "--max-line \u{fffd}1: it is not UTF-8"),
        (b"-l 127.0.0.1:0 --motd=a=\xff", "--motd a=\u{fffd}: it is not UTF-8"),
        (b"-l unix:\xff", "-l unix:\u{fffd}: it is not UTF-8"),
        (b"--idle=1 \xff", "unexpected argument '\u{fffd}'; see --help"),
        (b"\xff", "unexpected argument '\u{fffd}'; see --help"),
    ] {
        let words = line.split(|byte| *byte == b' ').map(<[u8]>::to_vec);
        let result = parse(words.map(OsString::from_vec).collect());
        assert_eq!(result.unwrap_err(), why);
    }
    let directory = OsString::from_vec(b"\xff".to_vec());
    assert!(matches!(parse(vec!["accounts".into(), directory]), Ok(Task::Accounts(_))));
}

#[test]
fn an_error_names_the_option_the_value_and_what_is_allowed() {
    let cases = [
        ("--max-line 12x", "--max-line 12x: a number from 64 to 1048576 is wanted"),
        ("--max-line +64", "--max-line +64: a number from 64"),
        ("--max-line 1", "--max-line 1: a number from 64"),
        ("--max-clients 99999999999999999999", "a number from 1 to 10000000"),
        ("--max-clients 18014398509481984K", "a number from 1 to 10000000"),
        ("--max-line", "--max-line: a number from 64 to 1048576 is wanted"),
        ("--rate=", "--rate: a number from 1 to 1000000 is wanted, K, M and G allowed; or off"),
        ("--idle", "--idle: a time above 0, at most 24h, is wanted; ms, s, m and h allowed; or"),
        ("--motd", "--motd: a value is wanted"),
        ("-l", "--listen: "),
        ("--max-line 1K --max-line 2K", "--max-line is given twice"),
        ("-l klingon=127.0.0.1:1", "unknown dialect 'klingon'; there are native, recipe,"),
        ("-l foo=127.0.0.1:1", "fork, json; or it is web, tls, op or metrics"),
        ("-l op=127.0.0.1:1", "--listen op=127.0.0.1:1: operators come by unix:PATH"),
        ("-l op+tls=127.0.0.1:1", "operators come by unix:PATH"),
        ("-l tls=unix:/a", "--listen tls=unix:/a: TLS is for ADDR"),
        ("-l +tls=127.0.0.1:1", "unknown dialect ''"),
        ("-l xtls=127.0.0.1:1", "unknown dialect 'xtls'"),
        ("-l tls=127.0.0.1:1", "--listen tls=127.0.0.1:1: --tls-cert FILE and --tls-key FILE"),
        ("-l web+tls=127.0.0.1:1", "--listen web+tls=127.0.0.1:1: --tls-cert FILE and"),
        ("-l json+tls=127.0.0.1:1", "--listen json+tls=127.0.0.1:1: --tls-cert FILE and"),
        ("--origin https://a:99999", "--origin https://a:99999: http://HOST[:PORT] or"),
        ("-l tls=[::1]:1 --tls-cert a", "--tls-cert a: --tls-key FILE is wanted, too"),
        ("-l tls=[::1]:1 --tls-key b", "--tls-key b: --tls-cert FILE is wanted, too"),
        ("--tls-cert a --tls-key b", "--tls-cert a: --listen tls=ADDR, DIALECT+tls=ADDR or"),
        ("-l metrics=unix:/a", "--listen metrics=unix:/a: monitors come by metrics=ADDR"),
        ("-l metrics+tls=[::1]:1", "monitors come by metrics=ADDR"),
        ("--state a --state b", "--state is given twice"),
        ("--proxy-protocol 10.0.0.0/33", "--proxy-protocol 10.0.0.0/33: ADDR or ADDR/BITS"),
        ("--forwarded-for x", "--forwarded-for x: ADDR or ADDR/BITS"),
        ("--rate fast", "--rate fast: a number from 1 to 1000000"),
        ("--queue-soft 1G", "--queue-soft 1073741824, --queue-park 131072"),
        ("--stall x", "--stall x: a time above 0, at most 24h, is wanted; ms,"),
        ("--stall off", "--stall off: a time above 0"),
        ("--stall 0", "--stall 0: a time above 0"),
        ("--idle 0.0ms", "--idle 0.0ms: a time above 0"),
        ("--idle x", "ms, s, m and h allowed; or off"),
        ("-l unix:", "--listen unix:: unix:PATH is wanted, and there is no path"),
        ("-l op=unix:", "--listen op=unix:: unix:PATH is wanted, and there is no path"),
        ("--greet-after soon", "--greet-after soon: a time from 0 to 24h, or off, is wanted"),
        ("--greet-after -1", "--greet-after -1: a time"),
        ("--resume-for 1e3", "--resume-for 1e3: a time"),
        ("--resume-for 25h", "--resume-for 25h: a time"),
        ("--history many", "--history many: a number from 0"),
        ("-l 127.0.0.1", "--listen 127.0.0.1: "),
        ("-l 127.0.0.1:99999", "--listen 127.0.0.1:99999: "),
        ("--frobnicate", "unexpected argument '--frobnicate'"),
        ("stray", "unexpected argument 'stray'"),
        ("passwd dir", "usage: chinwag passwd DIR NAME"),
        ("accounts", "usage: chinwag accounts DIR"),
    ];
    for (line, part) in cases {
        let error = run(line).unwrap_err();
        assert!(error.contains(part) && error.lines().count() == 1, "{line}: {error}");
    }
}

#[test]
fn options_of_a_cluster_want_a_redis() {
    for (option, value) in [
        ("--cluster", "other"),
        ("--node", "one"),
        ("--redis-password-file", "secret"),
        ("--redis-patience", "1s"),
        ("--redis-lease", "2s"),
    ] {
        let error = run(&format!("{option} {value}")).unwrap_err();
        assert_eq!(error, format!("{option} {value}: --redis URL is wanted, too"));
    }
    let error = run("--redis redis://127.0.0.1 --state there").unwrap_err();
    assert_eq!(error, "--state there: with --redis, bans and accounts are kept there");
}

#[cfg(not(feature = "redis"))]
#[test]
fn without_the_feature_there_is_no_cluster() {
    let error = run("--redis redis://127.0.0.1").unwrap_err();
    assert_eq!(error, "--redis: this program was built without it (the feature redis)");
}

#[cfg(feature = "redis")]
#[test]
fn a_redis_is_understood_whole_or_not_at_all() {
    let options = run("--redis redis://127.0.0.1").unwrap().redis.unwrap();
    assert_eq!(options.cluster, "chinwag");
    let line = "--redis redis://127.0.0.1 --cluster tea --node one --redis-patience 500ms";
    let options = run(line).unwrap().redis.unwrap();
    assert_eq!((&*options.cluster, &*options.node), ("tea", "one"));
    assert_eq!(options.patience, Duration::from_millis(500));
    for (line, start) in [
        ("--redis redis://:secret@127.0.0.1?db=4", "--redis: "),
        ("--redis redis://127.0.0.1 --redis-patience 0", "--redis-patience 0: "),
        ("--redis redis://127.0.0.1 --redis-password-file /nowhere", "--redis-password-file /now"),
    ] {
        let error = run(line).unwrap_err();
        assert!(error.starts_with(start) && !error.contains("secret"), "{error}");
    }
}
