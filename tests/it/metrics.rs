//! Metrics of a loop that is driven by hand, so that everything happens that can.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use chinwag::testing::Stream;
use chinwag::{Hub, Limits, Now, Origin, Packer, Refusal, Tls, Unpacker};

use crate::exposition::Scrape;
use crate::wire::{UPGRADE, World};

impl World {
    /// Asks a question as monitors do. Returns the head and the body of the answer.
    fn ask(&mut self, request: &str) -> (String, String) {
        let end = self.connect("metrics");
        self.say(&end, format!("{request} HTTP/1.1\r\nHost: chat.example\r\n\r\n"));
        end.end();
        self.turn();
        let answer = String::from_utf8(end.receive()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn scrape(&mut self) -> Scrape {
        let (head, body) = self.ask("GET /metrics");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        assert!(!body.contains("192.0.2.") && !body.contains("alice"), "{body}");
        Scrape::read(&body)
    }
}

fn small() -> Limits {
    Limits::default().with(|it| {
        it.line_max = 64;
        it.queue_soft = 1024;
        it.queue_park = 1024;
        it.queue_max = 1024;
        it.rate = None;
        it.idle_time = Some(Duration::from_mins(10));
    })
}

#[test]
fn every_end_is_counted_by_why() {
    let mut world = World::new(&small());
    let quitting = world.connect("native");
    world.say(&quitting, "quit\n");
    let ended = world.connect("native");
    ended.end();
    let broken = world.connect("native");
    broken.reset();
    world.turn();
    let endless = world.connect("native");
    world.say(&endless, "x".repeat(2000));
    let foreign = world.connect("native");
    world.say(&foreign, "GET / HTTP/1.1\r\n");
    let malformed = world.connect("web");
    world.say(&malformed, format!("{UPGRADE}\r\n"));
    world.say(&malformed, b"\x82\x80abcd");
    for (full, help) in [(1, "/help\n"), (0, "/time\n")] {
        let slow = world.connect("native");
        slow.narrow(0);
        world.say(&slow, "/time\n");
        world.say(&slow, help.repeat(1 + 20 * full));
    }
    world.pass(Duration::from_mins(1));
    world.pass(Duration::from_mins(1));
    let idle = world.connect("native");
    world.pass(Duration::from_mins(10));
    world.pass(Duration::from_mins(10));
    let stays = world.connect("native");
    world.hub.shutdown();
    world.turn();
    let scrape = world.scrape();
    for why in ["closed", "end_of_input", "endless_line", "too_slow", "stalled", "idle", "broken"]
        .iter()
        .chain(&["refused", "malformed", "shutdown"])
    {
        let count = scrape.get(&format!("chinwag_closed_total{{why=\"{why}\"}}"));
        assert_eq!(count, 1, "{why}");
    }
    assert_eq!(scrape.get("chinwag_accepted_total"), 10);
    assert_eq!(scrape.get("chinwag_refused_total{why=\"http\"}"), 1);
    drop((idle, stays));
}

#[test]
fn connections_are_told_apart_and_what_they_say_is_counted() {
    let mut world = World::new(&small());
    let clients = [world.connect("native"), world.connect("native"), world.connect("json")];
    let browser = world.connect("web");
    let before = world.scrape();
    assert_eq!(before.get("chinwag_connections_starting"), 1);
    world.say(&browser, format!("{UPGRADE}\r\n"));
    world.say(&clients[0], "REGISTER alice\nhello\nunended");
    let scrape = world.scrape();
    for (framing, listener, count) in
        [("lines", "native", 2), ("lines", "json", 1), ("websocket", "web", 1)]
    {
        let labels =
            format!("{{transport=\"other\",framing=\"{framing}\",listener=\"{listener}\"}}");
        assert_eq!(scrape.get(&format!("chinwag_connections{labels}")), count, "{listener}");
    }
    let grown = |series: &str| scrape.get(series) - before.get(series);
    assert_eq!(grown("chinwag_lines_received_total"), 2);
    // The reply, and what all four read of it.
    assert_eq!(scrape.get("chinwag_users"), 4);
    let said = "REGISTER alice\nhello\nunended".len();
    let asked = "GET /metrics HTTP/1.1\r\nHost: chat.example\r\n\r\n".len();
    assert_eq!(grown("chinwag_received_bytes_total"), (UPGRADE.len() + 2 + said + asked) as u64);
    assert_eq!(scrape.get("chinwag_input_bytes"), "unended".len() as u64);
    // Monitors take no place, and what they are sent is no line.
    assert_eq!((world.hub.open_count(), scrape.get("chinwag_connections_starting")), (4, 0));
    let again = world.scrape();
    for series in ["chinwag_lines_sent_total", "chinwag_accepted_total", "chinwag_users"] {
        assert_eq!(again.get(series), scrape.get(series), "{series}");
    }
}

#[test]
fn however_much_there_is_there_are_a_hundred_series_at_most() {
    let mut world = World::new(&small());
    for number in 0..40 {
        drop(world.connect(&format!("odd \\ \" \n {number}")));
    }
    for why in [Refusal::Full, Refusal::Address, Refusal::Banned(Origin::Unix)] {
        world.hub.log_refused(Origin::Unix, why);
    }
    let scrape = world.scrape();
    assert!(scrape.len() > 60, "{} series", scrape.len());
    let other = "chinwag_connections{transport=\"other\",framing=\"other\",listener=\"other\"}";
    assert_eq!(scrape.get(other), 15);
}

#[test]
fn the_time_that_lines_wait_to_be_written_is_measured() {
    let mut world = World::new(&small().with(|it| it.write_budget = 1));
    let clients: Vec<Stream> = (0..3).map(|_| world.connect("native")).collect();
    world.turn();
    let before = world.scrape();
    world.say(&clients[0], "hello\n");
    for _ in 0..3 {
        world.pass(Duration::from_millis(200));
    }
    let first = world.scrape();
    // What is said meanwhile waits for the round to be over, and then for its own.
    world.say(&clients[0], "hello\n");
    world.say(&clients[1], "hello\n");
    for _ in 0..6 {
        world.pass(Duration::from_millis(200));
    }
    let scrape = world.scrape();
    let grown = |series: &str| scrape.get(series) - before.get(series);
    let sum = |scrape: &Scrape| scrape.seconds("chinwag_flush_lag_seconds_sum");
    let (first, second) = (sum(&first) - sum(&before), sum(&scrape) - sum(&first));
    assert!((first - 0.6).abs() < 0.01, "{first}");
    // 0.4 and 0.6 seconds.
    assert!((second - 1.0).abs() < 0.01, "{second}");
    let within = |le: &str| grown(&format!("chinwag_flush_lag_seconds_bucket{{le=\"{le}\"}}"));
    assert_eq!(within("1") - within("0.5"), 2);
    assert!(grown("chinwag_turn_seconds_count") >= 4);
}

#[test]
fn a_monitor_is_told_what_it_may_ask_and_whether_there_is_room() {
    let mut world = World::new(&small());
    let mut status = |request: &str| world.ask(request).0[9..12].to_owned();
    assert_eq!(status("GET /livez"), "200");
    assert_eq!(status("GET /readyz?verbose"), "200");
    assert_eq!(status("GET /"), "404");
    assert_eq!(status("POST /metrics"), "405");
    let (head, body) = world.ask("HEAD /readyz");
    assert!(head.contains("\r\nContent-Length: 6") && body.is_empty(), "{head} {body}");
    let (head, body) = world.ask("HEAD /nothing");
    assert!(head.starts_with("HTTP/1.1 404 ") && body.is_empty(), "{head} {body}");
    world.hub.serve_probes(1);
    let client = world.connect("native");
    assert_eq!(world.ask("GET /readyz").1, "full\n");
    assert_eq!(world.ask("GET /livez").1, "alive\n");
    client.reset();
    world.turn();
    assert_eq!(world.ask("GET /readyz").1, "ready\n");
    world.hub.shutdown();
    assert_eq!(world.ask("GET /readyz").1, "shutting down\n");
}

#[test]
fn monitors_that_say_nothing_hold_neither_the_others_up_nor_a_shutdown() {
    let mut world = World::new(&small());
    let silent: Vec<Stream> = (0..16).map(|_| world.connect("metrics")).collect();
    let one_more = world.connect("metrics");
    assert!(one_more.receive().starts_with(b"HTTP/1.1 503 "));
    world.pass(Duration::from_secs(5));
    assert_eq!(world.ask("GET /livez").1, "alive\n");
    world.connect("metrics");
    assert!(world.hub.is_empty());
    drop(silent);
}

#[test]
fn connections_that_are_handed_over_are_still_told_apart() {
    let mut limits = small();
    limits.listener("json").line_max = 8;
    let mut world = World::new(&limits);
    let clients = [world.connect("native"), world.connect("json"), world.connect("json")];
    let monitor = world.connect("metrics");
    world.say(&monitor, "GET /live");
    let mut packed = Packer::new(world.now);
    world.hub.flush_all();
    world.hub.pack(&mut packed);
    let bytes = packed.finish();
    let (chat, streams) = world.hub.into_parts();
    let mut streams: HashMap<usize, Tls<Stream>> = streams.collect();
    let mut from = Unpacker::new(&bytes, world.now).unwrap();
    let stream = |slot| streams.remove(&slot);
    world.hub = Hub::thaw(chat, &limits, world.now, &mut from, stream).unwrap();
    for (client, is_too_long) in clients.iter().zip([false, true, true]) {
        drop(client.receive());
        world.say(client, "a line of some length\n");
        let written = String::from_utf8(client.receive()).unwrap();
        assert_eq!(written.contains("too long"), is_too_long, "{written}");
    }
    clients[1].end();
    world.say(&monitor, "z HTTP/1.1\r\nHost: here\r\n\r\n");
    assert!(monitor.receive().ends_with(b"\r\n\r\nalive\n"));
    let scrape = world.scrape();
    for listener in ["native", "json"] {
        let labels = format!("{{transport=\"other\",framing=\"lines\",listener=\"{listener}\"}}");
        assert_eq!(scrape.get(&format!("chinwag_connections{labels}")), 1, "{listener}");
    }
}

#[test]
fn an_upgrade_is_no_start() {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_187_848_500);
    let mut world = World::at(Now { monotonic: Instant::now(), wall }, &small());
    let hour = Duration::from_hours(1);
    world.now = Now { monotonic: world.now.monotonic + hour, wall: wall + hour };
    world.hand_over();
    assert_eq!(world.scrape().get("chinwag_start_time_seconds"), 1_795_187_848);
}
