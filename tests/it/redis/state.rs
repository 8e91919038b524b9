//! Bans and accounts in a real redis-server, which several nodes change at the same time.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use chinwag::SharedState;
use chinwag::chat::{Account, Answer, Ban, Naming, Password, Persisted, Request};
use jiff::Timestamp;

use super::server::{MINUTE, Redis};
use crate::client::eventually;

/// Hashes of passwords take their time beside other tests.
fn state(redis: &Redis) -> SharedState {
    let options = redis.options().with(|options| {
        options.patience = MINUTE;
        options.lease = 2 * MINUTE;
    });
    SharedState::new(&options).unwrap()
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn register_at(at: i64, name: &str, text: &str) -> Request {
    let unused_until = Some(second(at + 10));
    let account = Account { name: name.to_owned(), op: false, unused_until };
    Request::Register { account, password: password(text), now: second(at) }
}

fn register(name: &str, text: &str) -> Request {
    register_at(0, name, text)
}

fn log_in(name: &str, text: &str) -> Request {
    Request::LogIn { name: name.to_owned(), password: password(text), by: Naming::Nick }
}

fn passwd(name: &str, text: &str) -> Request {
    Request::Passwd { name: name.to_owned(), password: password(text) }
}

fn unregister(name: &str, text: &str) -> Request {
    Request::Unregister { name: name.to_owned(), password: password(text) }
}

fn ban(target: &str, until: Option<i64>) -> Ban {
    let (by, why) = ("op".to_owned(), "too loud".to_owned());
    Ban { target: target.parse().unwrap(), until: until.map(second), by, why }
}

fn ban_at(at: i64, ban: Ban) -> Request {
    Request::Ban { ban, now: second(at) }
}

fn refreshed(state: &mut SharedState, put_back: Option<Vec<Ban>>) -> Persisted {
    match state.perform(Request::Refresh { put_back }) {
        Answer::Refreshed(Some(persisted)) => persisted,
        answer => panic!("{answer:?}"),
    }
}

fn names(persisted: &Persisted) -> Vec<&str> {
    persisted.accounts.iter().map(|account| account.name.as_str()).collect()
}

fn targets(persisted: &Persisted) -> Vec<String> {
    persisted.bans.all().map(|ban| ban.target.to_string()).collect()
}

/// What two nodes answer that are asked at the same time.
fn at_once(states: &mut [SharedState; 2], requests: [Request; 2]) -> [Answer; 2] {
    let barrier = Barrier::new(2);
    let [one, other] = states;
    let [first, second] = requests;
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            barrier.wait();
            other.perform(second)
        });
        barrier.wait();
        [one.perform(first), other.join().unwrap()]
    })
}

#[test]
fn a_name_is_protected_by_one_of_two_nodes() {
    let redis = Redis::start();
    let mut states = [state(&redis), state(&redis)];
    for round in 0..20 {
        let name = format!("name-{round}");
        let requests = ["hunter22", "hunter23"].map(|text| register(&name, text));
        let answers = at_once(&mut states, requests);
        let (mine, theirs) = match answers {
            [Answer::Registered(_), Answer::Exists(_)] => ("hunter22", "hunter23"),
            [Answer::Exists(_), Answer::Registered(_)] => ("hunter23", "hunter22"),
            answers => panic!("{answers:?}"),
        };
        for state in &mut states {
            assert!(matches!(state.perform(log_in(&name, mine)), Answer::LoggedIn(..)));
            assert!(matches!(state.perform(log_in(&name, theirs)), Answer::Wrong));
        }
    }
}

/// A log-in is noted in the same line.
#[test]
fn a_new_password_holds_whatever_another_node_does_at_the_same_time() {
    let redis = Redis::start();
    let mut states = [state(&redis), state(&redis)];
    for round in 0..20 {
        let name = format!("name-{round}");
        assert!(matches!(states[0].perform(register(&name, "hunter22")), Answer::Registered(_)));
        let requests = [passwd(&name, "hunter23"), log_in(&name, "hunter22")];
        let [answer, _] = at_once(&mut states, requests);
        assert!(matches!(answer, Answer::PasswordSet), "{answer:?}");
        for state in &mut states {
            assert!(matches!(state.perform(log_in(&name, "hunter22")), Answer::Wrong));
            assert!(matches!(state.perform(log_in(&name, "hunter23")), Answer::LoggedIn(..)));
        }
    }
}

#[test]
fn the_other_node_knows_what_one_has_changed() {
    let redis = Redis::start();
    let (mut one, mut other) = (state(&redis), state(&redis));
    assert!(matches!(one.perform(register("Ann", "hunter22")), Answer::Registered(_)));
    assert!(matches!(other.perform(register("ANN", "hunter23")), Answer::Exists(_)));
    assert!(matches!(other.perform(log_in("ann", "hunter23")), Answer::Wrong));
    assert!(matches!(other.perform(log_in("bob", "hunter22")), Answer::Wrong));
    let account = refreshed(&mut other, None).accounts.pop().unwrap();
    assert_eq!((account.name.as_str(), account.unused_until), ("Ann", Some(second(10))));
    assert!(matches!(other.perform(log_in("ann", "hunter22")), Answer::LoggedIn(..)));
    assert_eq!(refreshed(&mut one, None).accounts[0].unused_until, None);
    assert!(matches!(one.perform(ban_at(0, ban("Eve@192.0.2.7", None))), Answer::Banned(_)));
    assert!(matches!(other.perform(ban_at(0, ban("EVE@192.0.2.7", None))), Answer::Banned(_)));
    assert!(matches!(one.perform(ban_at(0, ban("10.0.0.0/8", Some(20)))), Answer::Banned(_)));
    assert_eq!(targets(&refreshed(&mut one, None)), ["10.0.0.0/8", "EVE@192.0.2.7"]);
    assert!(matches!(other.perform(Request::Unban("eve".parse().unwrap())), Answer::Unbanned(_)));
    let line = redis.ask("HGETALL {chinwag}:bans");
    assert_eq!(line, "10.0.0.0/8\n10.0.0.0/8 1970-01-01T00:00:20Z op too loud");
    // One that is over goes with the next.
    assert!(matches!(one.perform(ban_at(20, ban("bob", None))), Answer::Banned(_)));
    assert_eq!(targets(&refreshed(&mut other, None)), ["bob"]);
    assert!(matches!(other.perform(unregister("ann", "hunter23")), Answer::Wrong));
    assert!(matches!(other.perform(unregister("ann", "hunter22")), Answer::Unregistered(_)));
    assert!(names(&refreshed(&mut one, None)).is_empty());
}

#[test]
fn who_has_another_password_is_named_where_it_was_not_set() {
    let redis = Redis::start();
    let (mut one, mut other) = (state(&redis), state(&redis));
    one.set_password("Ann", &password("hunter22")).unwrap();
    assert!(refreshed(&mut other, None).new_passwords.is_empty(), "nobody can have logged in");
    assert!(matches!(one.perform(passwd("ann", "hunter23")), Answer::PasswordSet));
    // With the password that was right when this node has read it last.
    assert!(matches!(other.perform(passwd("ann", "hunter24")), Answer::Wrong));
    assert_eq!(refreshed(&mut other, None).new_passwords, ["Ann"]);
    assert!(refreshed(&mut other, None).new_passwords.is_empty());
    assert!(refreshed(&mut one, None).new_passwords.is_empty());
    assert!(matches!(other.perform(passwd("ann", "hunter24")), Answer::PasswordSet));
    assert!(matches!(one.perform(passwd("bob", "hunter24")), Answer::Wrong));
    assert!(one.set_password("al", &password("hunter22")).is_err());
}

#[test]
fn an_account_that_nobody_has_logged_in_to_can_be_had_by_another_node() {
    let redis = Redis::start();
    let (mut one, mut other) = (state(&redis), state(&redis));
    for name in ["ann", "bob", "cat"] {
        assert!(matches!(one.perform(register(name, "hunter22")), Answer::Registered(_)));
    }
    assert!(matches!(other.perform(log_in("cat", "hunter22")), Answer::LoggedIn(..)));
    assert!(matches!(other.perform(register_at(9, "ann", "hunter23")), Answer::Exists(_)));
    assert!(matches!(other.perform(register_at(10, "ann", "hunter23")), Answer::Registered(_)));
    // This one takes all three for unused, and the others are not.
    assert!(matches!(one.perform(register_at(10, "eve", "hunter22")), Answer::Registered(_)));
    assert_eq!(names(&refreshed(&mut other, None)), ["ann", "cat", "eve"]);
}

#[test]
fn what_redis_has_lost_is_put_back_by_whoever_knows_it() {
    let redis = Redis::start();
    let (mut one, mut other) = (state(&redis), state(&redis));
    for name in ["ann", "bob"] {
        one.set_password(name, &password("hunter22")).unwrap();
    }
    refreshed(&mut other, None);
    assert!(matches!(one.perform(passwd("ann", "hunter23")), Answer::PasswordSet));
    redis.ask("FLUSHALL");
    let many: Vec<Ban> = (0..1200).map(|number| ban(&format!("name-{number}"), None)).collect();
    let persisted = refreshed(&mut one, Some(many.clone()));
    assert_eq!((persisted.bans.all().count(), names(&persisted)), (1200, vec!["ann", "bob"]));
    // What is there stays, whoever comes later.
    let changed = Ban { by: "ann".to_owned(), ..many[7].clone() };
    let persisted = refreshed(&mut other, Some(vec![changed, ban("eve", None)]));
    assert_eq!((persisted.bans.all().count(), persisted.new_passwords), (1201, vec!["ann".into()]));
    assert_eq!(redis.ask("HGET {chinwag}:bans name-7"), "name-7 never op too loud");
    assert!(matches!(other.perform(log_in("ann", "hunter23")), Answer::LoggedIn(..)));
}

#[test]
fn out_of_reach_is_said_and_over_once_redis_is_back() {
    let mut redis = Redis::with(&["--appendonly", "yes"]);
    let options = redis.options();
    let mut state = SharedState::new(&options).unwrap();
    let every = || {
        [
            register("ann", "hunter22"),
            log_in("ann", "hunter22"),
            passwd("ann", "hunter22"),
            unregister("ann", "hunter22"),
            ban_at(0, ban("eve", None)),
            Request::Unban("eve".parse().unwrap()),
            Request::Reload,
            Request::Refresh { put_back: None },
        ]
    };
    redis.kill();
    for request in every() {
        let kind = format!("{request:?}");
        let (Answer::NotSaved(why)
        | Answer::NotChecked(why)
        | Answer::NotReloaded(why)
        | Answer::NotRefreshed(why)) = state.perform(request)
        else {
            panic!("{kind}");
        };
        assert_eq!(why, "Redis is out of reach");
    }
    let why = state.read().unwrap_err().to_string();
    let expected = format!("redis://127.0.0.1:{}: Connection refused", redis.port());
    assert!(why.starts_with(&expected), "{why}");
    redis.start_again();
    assert!(matches!(state.perform(register("ann", "hunter22")), Answer::Registered(_)));
    // It is waited for no longer than this.
    let brief = Duration::from_millis(200);
    let mut brief = SharedState::new(&options.with(|options| options.patience = brief)).unwrap();
    redis.signal("-STOP");
    let answer = brief.perform(log_in("ann", "hunter22"));
    redis.signal("-CONT");
    assert!(matches!(&answer, Answer::NotChecked(why) if why == "Redis is out of reach"));
    assert!(matches!(state.perform(log_in("ann", "hunter22")), Answer::LoggedIn(..)));
}

#[test]
fn whether_it_was_done_is_not_known_without_an_answer() {
    let redis = Redis::start();
    let brief = redis.options().with(|options| options.patience = Duration::from_millis(300));
    let mut brief = SharedState::new(&brief).unwrap();
    redis.ask("CLIENT PAUSE 600000 WRITE");
    // On a busy machine it may not come so far in that time.
    let is_so = || match brief.perform(ban_at(0, ban("eve", None))) {
        Answer::NotSaved(why) => why == "Redis has not answered, and may have done it",
        answer => panic!("{answer:?}"),
    };
    eventually("it has come so far", is_so);
    redis.ask("CLIENT UNPAUSE");
    assert!(matches!(state(&redis).perform(ban_at(0, ban("eve", None))), Answer::Banned(_)));
}

#[test]
fn without_memory_nothing_is_saved_and_passwords_are_checked() {
    let redis = Redis::start();
    let mut state = state(&redis);
    for name in ["ann", "bob"] {
        assert!(matches!(state.perform(register(name, "hunter22")), Answer::Registered(_)));
    }
    assert!(matches!(state.perform(log_in("ann", "hunter22")), Answer::LoggedIn(..)));
    redis.ask("CONFIG SET maxmemory 1");
    match state.perform(passwd("ann", "hunter23")) {
        Answer::NotSaved(why) => assert_eq!(
            why,
            "Redis refuses: OOM command not allowed when used memory > 'maxmemory'."
        ),
        answer => panic!("{answer:?}"),
    }
    for name in ["ann", "bob"] {
        assert!(matches!(state.perform(log_in(name, "hunter22")), Answer::LoggedIn(..)), "{name}");
        assert!(matches!(state.perform(log_in(name, "hunter23")), Answer::Wrong), "{name}");
    }
    redis.ask("CONFIG SET maxmemory 0");
    assert_eq!(refreshed(&mut state, None).accounts[1].unused_until, Some(second(10)));
}

#[test]
fn a_line_that_is_wrong_is_named_and_changes_nothing() {
    let redis = Redis::start();
    let mut state = state(&redis);
    for (key, field, line, why) in [
        ("bans", "eve", "eve", "the time until when, or never, is missing"),
        ("bans", "Eve", "'Eve never op'", "its field is to be eve"),
        ("accounts", "ann", "ann:secret:", "ann has no argon2id hash in the PHC format"),
        ("bans", "eve", "\"eve never op \\x1b[2J\"", "there is a control character in it"),
    ] {
        redis.ask(&format!("HSET {{chinwag}}:{key} {field} {line}"));
        let expected = format!("{{chinwag}}:{key} {field}: {why}");
        assert_eq!(state.read().unwrap_err().to_string(), expected);
        let answer = state.perform(Request::Reload);
        assert!(matches!(&answer, Answer::NotReloaded(why) if *why == expected), "{answer:?}");
        redis.ask("FLUSHALL");
    }
    assert_eq!(state.read().unwrap(), Persisted::default());
}
