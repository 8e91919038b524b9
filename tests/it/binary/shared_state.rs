//! Bans and accounts of several servers, which have them in Redis.
#![cfg(target_os = "linux")]

use std::fs;

use super::accounts::run_with;
use super::operators::from;
use super::upgrade::upgrade;
use super::{Folder, Program, run};
use crate::client::{Client, eventually};
use crate::redis::server::Redis;

/// Nobody has to be patient here, and nobody is cut off while the machine is busy.
const TIMES: [&str; 4] = ["--redis-patience", "20s", "--redis-lease", "60s"];

struct Nodes {
    redis: Redis,
    folder: Folder,
    programs: [Option<Program>; 2],
}

impl Nodes {
    fn start(name: &str) -> Nodes {
        let folder = Folder::new(name);
        fs::create_dir_all(&folder.0).unwrap();
        let mut nodes = Nodes { redis: Redis::start(), folder, programs: [None, None] };
        nodes.start_node(0);
        nodes.start_node(1);
        nodes
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.redis.port())
    }

    fn start_node(&mut self, node: usize) {
        let socket = format!("op=unix:{}/op-{node}", self.folder.path());
        let url = self.url();
        let own = ["-l", "127.0.0.1:0", "-l", &socket, "--redis", &url, "--rate", "off", "-v"];
        let program = Program::start(&[&own[..], &TIMES].concat());
        // It has entered after all others, so it reads what there is once.
        program.logged(" event=refreshed");
        self.programs[node] = Some(program);
    }

    fn stop_node(&mut self, node: usize) {
        let program = self.programs[node].take().unwrap();
        program.signal("TERM");
        assert_eq!(program.outcome().code, Some(0));
    }

    fn node(&self, node: usize) -> &Program {
        self.programs[node].as_ref().unwrap()
    }

    fn named(&self, node: usize, name: &str) -> Client {
        self.node(node).client(name)
    }

    /// What is set from outside is in force once one node has been told, and the other by it.
    fn passwd(&self, name: &str, password: &str) {
        let outcome = run_with(&["passwd", "--redis", &self.url(), name], password);
        assert_eq!((outcome.code, outcome.stderr.len()), (Some(0), 0), "{outcome:?}");
        let told = "has this password now; tell one of the servers with SIGHUP or /reload";
        assert_eq!(outcome.stdout, [format!("{name} {told}")]);
        assert_eq!(self.node(0).operator().ask("/reload"), "Reloaded.");
        self.node(1).logged(" event=refreshed");
    }
}

#[test]
fn a_name_that_is_protected_at_one_server_is_at_the_other() {
    let nodes = Nodes::start("shared-names");
    let mut ann = nodes.named(0, "ann");
    let protected = "Name ann is protected from now on: /nick ann PASSWORD";
    assert_eq!(ann.ask("/protect open sesame"), protected);
    let mut bob = nodes.named(1, "bob");
    // It is told through the log.
    eventually("the other server knows", || bob.ask("/nick ann") == protected_by("ann"));
    assert_eq!(bob.ask("/nick ann close sesame"), "Wrong name or password.");
    bob.write("/nick ann open sesame\n");
    assert_eq!(ann.rest(), "You have been replaced by another connection.\n");
    bob.expect("You are now ann");
    assert_eq!(bob.ask("/passwd new sesame"), "Password changed.");
    let mut eve = nodes.named(0, "eve");
    assert_eq!(eve.ask("/nick ann open sesame"), "Wrong name or password.");
    assert_eq!(run(&["accounts", "--redis", &nodes.url()]).stdout, ["ann"]);
    assert_eq!(bob.ask("/unprotect new sesame"), "Name ann is no longer protected.");
    bob.say("/nick bob");
    bob.expect("You are now bob");
    eventually("the other server knows", || eve.ask("/nick ann") != protected_by("ann"));
}

fn protected_by(name: &str) -> String {
    format!("Name {name} is protected: /nick {name} PASSWORD")
}

#[test]
fn a_password_from_outside_logs_out_at_every_server() {
    let nodes = Nodes::start("shared-passwd");
    nodes.passwd("ann", "open sesame\n");
    let mut ann = nodes.named(1, "bob");
    assert_eq!(ann.ask("/nick ann open sesame"), "You are now ann");
    nodes.passwd("ann", "new sesame\n");
    let logged_out = "You have not shown that ann is yours: /nick ann PASSWORD";
    assert_eq!(ann.ask("/passwd newer sesame"), logged_out);
    assert_eq!(ann.ask("/nick ann new sesame"), "You are now ann");
    // The flag is given by hand.
    let line = nodes.redis.ask("HGET {chinwag}:accounts ann");
    nodes.redis.ask(&format!("HSET {{chinwag}}:accounts ann {line}op"));
    assert_eq!(run(&["accounts", "--redis", &nodes.url()]).stdout, ["ann op"]);
    assert_eq!(nodes.node(0).operator().ask("/reload"), "Reloaded.");
    eventually("she is an operator", || ann.ask("/bans") == "There are no bans.");
}

#[test]
fn a_ban_at_one_server_holds_at_the_other_beyond_its_restart() {
    let mut nodes = Nodes::start("shared-bans");
    let mut op = nodes.node(0).operator();
    assert_eq!(op.ask("/ban 127.0.0.7 7d too loud").split(' ').nth(1), Some("127.0.0.7"));
    let refused = |nodes: &Nodes| from(7, nodes.node(1)).line();
    eventually("the other server knows", || refused(&nodes).starts_with("You are banned until "));
    // It may be told before Redis is.
    eventually("it is saved", || nodes.redis.ask("HLEN {chinwag}:bans") == "1");
    nodes.stop_node(1);
    nodes.start_node(1);
    assert!(refused(&nodes).ends_with(": too loud"));
    // Redis loses all, and the servers still know.
    nodes.redis.ask("FLUSHALL");
    eventually("it is put back", || nodes.redis.ask("HLEN {chinwag}:bans") == "1");
    nodes.stop_node(1);
    nodes.start_node(1);
    assert!(refused(&nodes).starts_with("You are banned until "));
    let mut op = nodes.node(1).operator();
    assert_eq!(op.ask("/unban 127.0.0.7"), "No longer banned: 127.0.0.7");
    let mut client = from(7, nodes.node(1));
    assert_eq!(client.ask("REGISTER seven"), "Registered as seven");
}

#[test]
fn what_a_banned_user_has_said_is_withdrawn_at_a_server_that_starts_later() {
    let mut nodes = Nodes::start("shared-past");
    let (mut eve, mut ann) = (nodes.named(0, "eve"), nodes.named(0, "ann"));
    assert_eq!(ann.ask("so"), "[ann] so");
    eve.expect("[ann] so");
    assert_eq!(eve.ask("buy this"), "[eve] buy this");
    assert_eq!(eve.ask("/topic buy this"), "eve set the topic: buy this");
    ann.say("no");
    eve.expect("[ann] no");
    assert_eq!(nodes.node(0).operator().ask("/ban eve"), "Banned eve for good.");
    eventually("it is saved", || nodes.redis.ask("HLEN {chinwag}:bans") == "1");
    nodes.stop_node(1);
    nodes.start_node(1);
    let mut bob = nodes.named(1, "bob");
    assert_eq!(bob.ask("/topic"), "No topic is set.");
    bob.say("/history");
    for end in [" [ann] so", " [ann] no"] {
        let line = bob.line();
        assert!(line.ends_with(end), "{line}");
    }
}

#[test]
fn accounts_come_back_with_the_servers_that_know_them() {
    let nodes = Nodes::start("shared-loss");
    let mut ann = nodes.named(0, "ann");
    ann.say("/protect open sesame");
    ann.line();
    let line = nodes.redis.ask("HGET {chinwag}:accounts ann");
    nodes.redis.ask("FLUSHALL");
    eventually("it is put back", || nodes.redis.ask("HGET {chinwag}:accounts ann") == line);
    let mut bob = nodes.named(1, "bob");
    assert_eq!(bob.ask("/nick ann close sesame"), "Wrong name or password.");
    assert_eq!(bob.ask("/nick ann open sesame"), "You are now ann");
}

#[test]
fn what_is_asked_of_a_redis_that_is_away_is_one_line() {
    let mut redis = Redis::start();
    let url = format!("redis://127.0.0.1:{}", redis.port());
    redis.kill();
    let why = format!("{url}: Connection refused");
    let passwd = run_with(&["passwd", "--redis", &url, "ann"], "open sesame\n");
    for outcome in [passwd, run(&["accounts", "--redis", &url])] {
        let [line] = &outcome.stderr[..] else { panic!("{outcome:?}") };
        assert!(line.starts_with(&format!("chinwag: {why}")), "{line}");
        assert_eq!(outcome.code, Some(1));
    }
    let outcome = run(&["-l", "127.0.0.1:0", "--redis", &url]);
    let [line] = &outcome.stderr[..] else { panic!("{outcome:?}") };
    assert!(line.starts_with(&format!("chinwag: --redis {why}")), "{line}");
    assert_eq!(outcome.code, Some(1));
    let outcome = run(&["passwd", "--redis", &url]);
    assert_eq!(outcome.stderr, ["chinwag: usage: chinwag passwd --redis URL NAME"]);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn an_upgraded_server_knows_accounts_and_bans_while_redis_is_away() {
    let mut nodes = Nodes::start("shared-upgrade");
    let mut ann = nodes.named(0, "ann");
    ann.say("/protect open sesame");
    ann.line();
    assert_eq!(nodes.node(0).operator().ask("/ban eve"), "Banned eve for good.");
    let (mut bob, mut cat) = (nodes.named(0, "bob"), nodes.named(1, "cat"));
    eventually("the other server knows", || cat.ask("/nick ann") == protected_by("ann"));
    nodes.redis.kill();
    upgrade(nodes.node(0));
    assert_eq!(bob.ask("/nick ann"), protected_by("ann"));
    assert_eq!(bob.ask("/nick eve"), "Name eve is banned.");
    // It has not kept anything, and the server that was not upgraded knows.
    nodes.redis.start_again();
    for hash in ["accounts", "bans"] {
        let count = format!("HLEN {{chinwag}}:{hash}");
        eventually("it is put back", || nodes.redis.ask(&count) == "1");
    }
    eventually("it is checked again", || bob.ask("/nick ann open sesame") == "You are now ann");
}
