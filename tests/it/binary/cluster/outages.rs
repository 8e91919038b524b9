//! Redis is away, and back: with all that it knew, with some of it, or with nothing.

use std::thread;
use std::time::Duration;

use super::crowd::{Crowd, LONG, SHORT, Size};
use super::nodes::newest;
use super::switch::Switch;
use super::{CUT_OFF, Cluster, IMPATIENT, PATIENT};
use crate::client::eventually;
use crate::redis::server::Redis;

/// An outage that is shorter than anybody's patience.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// What keeps all that Redis has answered to, whatever becomes of Redis.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// Ends the connection by which a node reads, and lets some lines be said. Until it has another
/// one, others know what has become of its lines, and it does not.
fn blind(redis: &Redis, node: usize) {
    let name = format!(" name=chinwag:node-{node} ");
    let mut reader = None;
    eventually("it reads", || {
        pass(Duration::from_millis(1));
        let clients = redis.ask("CLIENT LIST");
        let mut clients = clients.lines().filter(|line| line.contains(&name));
        reader = clients.find(|line| line.contains(" cmd=xread ")).map(str::to_owned);
        reader.is_some()
    });
    let reader = reader.expect("it was waited for");
    let id = reader.strip_prefix("id=").and_then(|rest| rest.split(' ').next()).unwrap();
    redis.ask(&format!("CLIENT KILL ID {id}"));
    let (killed, before) = (id.parse::<u64>().unwrap(), newest(redis));
    eventually("some lines are said", || {
        // The next ones are killed as well: it may be quick, and this test slow.
        let clients = redis.ask("CLIENT LIST");
        let ids = clients
            .lines()
            .filter(|line| line.contains(&name))
            .filter_map(|line| line.strip_prefix("id=")?.split(' ').next()?.parse::<u64>().ok());
        for id in ids.filter(|id| *id > killed) {
            redis.ask(&format!("CLIENT KILL ID {id}"));
        }
        newest(redis) > before + 3
    });
}

/// An outage is nothing to wait for but its end.
fn pass(time: Duration) {
    thread::sleep(time);
}

fn redis_is_killed(size: Size) {
    let mut cluster = Cluster::start(Redis::with(&DURABLE), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        cluster.redis.kill();
        pass(HALF_A_SECOND);
        cluster.redis.start_again();
    });
    crowd.check_nothing_happened();
    crowd.check_names(&cluster);
}

#[test]
fn redis_killed_and_back_with_its_file_is_not_noticed() {
    redis_is_killed(SHORT);
}

#[test]
#[ignore = "it takes long"]
fn redis_killed_and_back_with_its_file_is_not_noticed_by_many() {
    redis_is_killed(LONG);
}

fn redis_is_stopped(size: Size) {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        cluster.redis.signal("-STOP");
        pass(Duration::from_secs(2));
        cluster.redis.signal("-CONT");
    });
    crowd.check_nothing_happened();
}

#[test]
fn redis_stopped_for_less_than_patience_is_not_noticed() {
    redis_is_stopped(SHORT);
}

#[test]
#[ignore = "it takes long"]
fn redis_stopped_for_less_than_patience_is_not_noticed_by_many() {
    redis_is_stopped(LONG);
}

fn redis_is_emptied(size: Size) {
    let mut cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        blind(&cluster.redis, 1);
        cluster.redis.kill();
        pass(HALF_A_SECOND);
        cluster.redis.start_again();
    });
    crowd.check_nothing_twice();
    crowd.check_nobody_was_told();
    crowd.check_names(&cluster);
}

#[test]
fn redis_back_empty_is_told_all_that_it_has_to_know() {
    redis_is_emptied(SHORT);
}

#[test]
#[ignore = "it takes long"]
fn redis_back_empty_is_told_all_that_it_has_to_know_by_many() {
    redis_is_emptied(LONG);
}

#[test]
fn redis_flushed_is_told_all_that_it_has_to_know() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, SHORT);
    crowd.talk_while(|| drop(cluster.redis.ask("FLUSHALL")));
    crowd.check_nothing_twice();
    crowd.check_nobody_was_told();
    crowd.check_names(&cluster);
}

/// For longer than patience: until everybody knows, and for so long besides.
fn redis_is_away(size: Size, besides: Duration) {
    let cluster = Cluster::start(Redis::start(), 2, IMPATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        cluster.redis.signal("-STOP");
        crowd.all_hear(CUT_OFF);
        pass(besides);
        cluster.redis.signal("-CONT");
        crowd.all_hear("Back with the other servers.");
    });
    crowd.check_nothing_twice();
    crowd.check_what_is_lost_was_told();
    assert_eq!(crowd.count(CUT_OFF), crowd.count("Back with the other servers."));
    crowd.check_names(&cluster);
}

#[test]
fn redis_away_for_longer_than_patience_is_told_and_what_was_said_is_counted() {
    redis_is_away(SHORT, HALF_A_SECOND);
}

#[test]
#[ignore = "it takes long"]
fn redis_away_for_longer_than_patience_is_told_to_many() {
    redis_is_away(LONG, Duration::from_secs(3));
}

#[test]
fn redis_killed_and_back_empty_after_patience_is_told_as_well() {
    let mut cluster = Cluster::start(Redis::start(), 2, IMPATIENT);
    let crowd = Crowd::gather(&cluster, SHORT);
    crowd.talk_while(|| {
        cluster.redis.kill();
        crowd.all_hear(CUT_OFF);
        cluster.redis.start_again();
        crowd.all_hear("Back with the other servers.");
    });
    crowd.check_nothing_twice();
    crowd.check_names(&cluster);
}

#[test]
fn while_redis_is_away_what_it_decides_is_refused() {
    let cluster = Cluster::start(Redis::start(), 2, IMPATIENT);
    let (mut ann, mut bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let token = bob.ask("/resume").rsplit(' ').next().unwrap().to_owned();
    ann.ask_until("/msg bob hello", "[ann → bob] hello");
    bob.until("[ann → bob] hello");
    cluster.redis.signal("-STOP");
    ann.until(CUT_OFF);
    bob.until(CUT_OFF);
    assert_eq!(ann.ask("anybody?"), "[ann] anybody?");
    assert_eq!(ann.ask("/msg bob psst"), "bob is at another server, which is out of reach.");
    let refused = "Name anna cannot be had now: the other servers are out of reach.";
    assert_eq!(ann.ask("/nick anna"), refused);
    let mut eve = cluster.connect(0);
    let refused = "That token is another server's, and the other servers are out of reach.";
    assert_eq!(eve.ask(&format!("/resume {token}")), refused);
    cluster.redis.signal("-CONT");
    ann.expect("Back with the other servers. 1 line said here meanwhile has not reached them.");
    bob.expect("Back with the other servers.");
    ann.ask_until("/msg bob hello", "[ann → bob] hello");
    bob.expect("[ann → bob] hello");
}

fn redis_is_rolled_back(size: Size) {
    let mut cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        cluster.redis.ask("SAVE");
        crowd.go_on();
        blind(&cluster.redis, 1);
        cluster.redis.kill();
        cluster.redis.start_again();
    });
    crowd.check_nothing_twice();
    crowd.check_nobody_was_told();
    crowd.check_names(&cluster);
}

#[test]
fn redis_back_with_what_it_knew_a_while_ago_gives_no_number_twice() {
    redis_is_rolled_back(SHORT);
}

#[test]
#[ignore = "it takes long"]
fn redis_back_with_what_it_knew_a_while_ago_gives_no_number_twice_to_many() {
    redis_is_rolled_back(LONG);
}

/// A replica takes the place of Redis, and lacks what was said last.
fn replica_is_promoted(size: Size) {
    let redis = Redis::start();
    let port = redis.port().to_string();
    let mut replica = Redis::with(&["--replicaof", "127.0.0.1", &port]);
    let switch = Switch::start(redis.port());
    let mut cluster = Cluster::behind(redis, switch.port(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        eventually("it has what Redis has", || {
            pass(Duration::from_millis(10));
            replica.ask("HGET {chinwag}:head id").parse::<u64>().is_ok_and(|id| id > 20)
        });
        replica.ask("REPLICAOF NO ONE");
        crowd.go_on();
        blind(&cluster.redis, 1);
        cluster.redis.kill();
        switch.lead_to(Some(replica.port()));
    });
    crowd.check_nothing_twice();
    crowd.check_nobody_was_told();
    crowd.check_names(&cluster);
    replica.kill();
}

#[test]
fn a_replica_that_lacks_the_newest_lines_takes_over() {
    replica_is_promoted(SHORT);
}

#[test]
#[ignore = "it takes long"]
fn a_replica_that_lacks_the_newest_lines_takes_over_for_many() {
    replica_is_promoted(LONG);
}

#[test]
fn redis_without_memory_for_less_than_patience_is_not_noticed() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, SHORT);
    crowd.talk_while(|| {
        cluster.redis.ask("CONFIG SET maxmemory 1");
        pass(HALF_A_SECOND);
        cluster.redis.ask("CONFIG SET maxmemory 0");
    });
    crowd.check_nothing_happened();
}

#[test]
fn redis_without_memory_is_out_of_reach() {
    let cluster = Cluster::start(Redis::start(), 2, IMPATIENT);
    let crowd = Crowd::gather(&cluster, SHORT);
    crowd.talk_while(|| {
        cluster.redis.ask("CONFIG SET maxmemory 1");
        crowd.all_hear(CUT_OFF);
        cluster.redis.ask("CONFIG SET maxmemory 0");
        crowd.all_hear("Back with the other servers.");
    });
    crowd.check_nothing_twice();
    crowd.check_what_is_lost_was_told();
}
