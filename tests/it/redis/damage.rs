//! What somebody else has written into Redis: it is stepped over, and nothing that nodes say is lost.

use arbtest::arbitrary::Unstructured;
use chinwag::chat::{Answer, Ban, Password, Request};
use chinwag::cluster::{Action, Carrier, Outcome, Report};
use chinwag::redis::Link;
use chinwag::{Handle, SharedState};
use jiff::Timestamp;

use super::links::{Node, events, patient};
use super::server::{MINUTE, Redis};

/// Says something that the other hears.
fn get_through(by: &mut Node, to: &mut Node) {
    let (id, number) = (by.id(), by.get_said());
    to.wait("the line", |told| events(told).any(|it| it.node == id && it.number == number));
}

/// Keys that somebody may give an entry, each with a header and a payload.
fn entries(redis: &Redis) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let era = redis.ask("HGET {chinwag}:head era");
    let id: u64 = redis.ask("HGET {chinwag}:head id").parse().unwrap();
    let key = |more: u64| format!("{era}-{}", id + more);
    let header = |id: u64| format!("{id} 1 1 1 T").into_bytes();
    vec![
        ("*".to_owned(), b"foo".to_vec(), b"bar".to_vec()),
        (key(1), b"foo".to_vec(), b"bar".to_vec()),
        (key(100), b"".to_vec(), b"".to_vec()),
        (key(100), b"\xff\xfe".to_vec(), vec![b'x'; 32 << 20]),
        ("*".to_owned(), header(0), b"bar".to_vec()),
        (key(2), header(id + 3), b"bar".to_vec()),
        (key(2), header(u64::MAX), b"bar".to_vec()),
    ]
}

#[test]
fn entries_that_no_node_has_written_are_stepped_over() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for stream in ["{chinwag}:log", "{chinwag}:said"] {
        for at in 0..entries(&redis).len() {
            get_through(&mut a, &mut b);
            let (key, header, payload) = entries(&redis).swap_remove(at);
            let call: [&[u8]; 5] = [b"XADD", stream.as_bytes(), key.as_bytes(), &header, &payload];
            let answer = redis.call(&call);
            assert!(answer.contains('-'), "{answer}");
            get_through(&mut b, &mut a);
            get_through(&mut a, &mut b);
        }
    }
    // Who enters later reads what was said before all the same.
    let said = [&a, &b].map(|node| node.count).into_iter().sum::<u64>();
    let link = Link::start(&patient(&redis), Handle::detached()).unwrap();
    let mut c = Node { link, told: Vec::new(), count: 0 };
    c.wait_until_entered(1);
    let past = c.told.iter().filter(|it| matches!(it, Report::Past(_))).count() as u64;
    assert!(past <= said && past >= 28, "{past} of {said}");
    for node in [&a, &b, &c] {
        let is_wrong = |it: &&Report| matches!(it, Report::CutOff | Report::Lost(_));
        assert_eq!(node.told.iter().find(is_wrong), None);
    }
}

#[test]
fn what_a_node_has_not_read_of_an_era_comes_before_the_next() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    get_through(&mut a, &mut b);
    b.link.stop();
    for _ in 0..500 {
        a.say("hello");
    }
    let last = a.count;
    a.outcome(last);
    redis.ask("XADD {chinwag}:log * foo bar");
    a.wait_for(&Report::NewEra);
    a.wait_until_entered(2);
    let last = a.say("hello");
    a.outcome(last);
    b.link.go_on();
    let id = a.id();
    b.wait("the last", |told| events(told).any(|it| it.node == id && it.number == last));
    let numbers = events(&b.told).filter(|it| it.node == id && it.number > 0);
    assert_eq!(numbers.map(|it| it.number).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    assert!(!b.told.iter().any(|it| matches!(it, Report::Lost(_))));
}

#[test]
fn after_an_id_that_nothing_can_follow_the_stream_has_to_be_deleted() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    redis.ask("XADD {chinwag}:log 18446744073709551615-1 foo bar");
    let error = Link::start(&patient(&redis), Handle::detached()).err().unwrap().to_string();
    assert!(error.contains("{chinwag}:log has had an id that nothing can follow"), "{error}");
    redis.ask("DEL {chinwag}:log");
    get_through(&mut a, &mut b);
}

#[test]
fn a_key_of_another_type_is_named() {
    let redis = Redis::start();
    redis.ask("SET {chinwag}:head x");
    let error = Link::start(&patient(&redis), Handle::detached()).err().unwrap().to_string();
    assert!(error.contains("{chinwag}:head is to be a hash, and is something else"), "{error}");
    redis.ask("SET {chinwag}:bans x");
    let error = SharedState::new(&patient(&redis)).unwrap().read().err().unwrap().to_string();
    assert!(error.contains("{chinwag}:bans is to be a hash, and is something else"), "{error}");
}

#[test]
fn whatever_stands_among_bans_and_accounts_the_others_stay() {
    const HASHES: [&str; 2] = ["bans", "accounts"];
    let redis = Redis::start();
    let ban = |name: &str| Ban {
        target: name.parse().unwrap(),
        until: None,
        by: "op".to_owned(),
        why: "rude".to_owned(),
    };
    let ban_now = |name: &str| Request::Ban { ban: ban(name), now: Timestamp::UNIX_EPOCH };
    let mut state = SharedState::new(&patient(&redis)).unwrap();
    assert!(matches!(state.perform(ban_now("erin")), Answer::Banned(_)));
    state.set_password("finn", &Password::new("hunter22").unwrap()).unwrap();
    let good = HASHES.map(|hash| {
        let key = format!("{{chinwag}}:{hash}");
        let field = redis.ask(&format!("HKEYS {key}"));
        let line = redis.ask(&format!("HGET {key} {field}"));
        (field, line)
    });
    let mut run = 0;
    arbtest::arbtest(|u| {
        run += 1;
        let options = patient(&redis).with(|it| it.cluster = format!("state{run}"));
        let key = |hash: &str| format!("{{state{run}}}:{hash}");
        for (hash, (field, line)) in HASHES.iter().zip(&good) {
            redis.call(&[b"HSET", key(hash).as_bytes(), field.as_bytes(), line.as_bytes()]);
        }
        for _ in 0..u.int_in_range(1..=4)? {
            let at = u.choose_index(2)?;
            let (field, text) = (rubbish(u, "other")?, rubbish(u, &good[at].1)?);
            if field != good[at].0.as_bytes() {
                redis.call(&[b"HSET", key(HASHES[at]).as_bytes(), &field, &text]);
            }
        }
        let mut state = SharedState::new(&options).unwrap();
        if let Err(why) = state.read() {
            let why = why.to_string();
            assert!(HASHES.iter().any(|hash| why.contains(hash)), "{why}");
        }
        let put_back = Some(vec![ban("gail")]);
        state.perform(Request::Refresh { put_back });
        state.perform(Request::Unban("nobody".parse().unwrap()));
        let banned = state.perform(ban_now("hugo"));
        for (hash, (field, line)) in HASHES.iter().zip(&good) {
            assert_eq!(redis.ask(&format!("HGET {} {field}", key(hash))), *line);
        }
        if matches!(banned, Answer::Banned(_)) {
            assert!(redis.ask(&format!("HVALS {}", key("bans"))).contains("hugo"));
        }
        Ok(())
    })
    .budget_ms(3000);
}

/// Something that may stand in a field which no node has written.
fn rubbish(u: &mut Unstructured<'_>, was: &str) -> arbtest::arbitrary::Result<Vec<u8>> {
    let fixed =
        ["", "x", "-1", "1e300", "99999999999999999999", " ", "1", "0 0 0", "1 1 1 1 ", "\u{0}"];
    Ok(match u.int_in_range(0..=2)? {
        0 => u.choose(&fixed)?.as_bytes().to_vec(),
        1 => was.as_bytes()[..u.int_in_range(0..=was.len())?].to_vec(),
        _ => u.arbitrary()?,
    })
}

#[test]
fn whatever_stands_in_the_hashes_nodes_go_on() {
    let redis = Redis::start();
    let mut run = 0;
    arbtest::arbtest(|u| {
        run += 1;
        let options = patient(&redis).with(|it| it.cluster = format!("run{run}"));
        let (mut a, mut b) = (Node::with(&options), Node::with(&options));
        a.claim("erin", 1);
        a.append(Action::LeaseGuests);
        get_through(&mut a, &mut b);
        for _ in 0..u.int_in_range(1..=8)? {
            let hash = *u.choose(&["head", "head", "rooms", "names", "guests", "nodes"])?;
            let key = format!("{{run{run}}}:{hash}");
            let fields = redis.ask(&format!("HKEYS {key}"));
            let fields: Vec<&str> = fields.lines().chain(["other"]).collect();
            let field = *u.choose(&fields)?;
            let was = redis.ask(&format!("HGET {key} {field}"));
            let text = rubbish(u, &was)?;
            redis.call(&[b"HSET", key.as_bytes(), field.as_bytes(), &text]);
        }
        // It looks through all of them.
        a.beat(&redis);
        get_through(&mut a, &mut b);
        get_through(&mut b, &mut a);
        let claim = b.claim("a name of their own", 1);
        get_through(&mut b, &mut a);
        let id = b.id();
        let is_refused = events(&b.told)
            .any(|it| it.node == id && it.number == claim && it.outcome != Outcome::Claimed);
        assert!(!is_refused);
        for mut node in [a, b] {
            node.link.leave(MINUTE);
        }
        Ok(())
    })
    .budget_ms(3000);
}
