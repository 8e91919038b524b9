//! Those who have done nothing: bystanders who talk, newcomers, owners of protected names,
//! and an operator. What they notice of the stranger is measured.

use super::client::{Client, PATIENCE};
use super::town::{KEEPERS, PASSWORD, Town};
use crate::common::stats;
use hdrhistogram::Histogram;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

/// So many bystanders take turns, so that none of them speaks faster than anybody may.
const BYSTANDERS: usize = 24;
const PING_EVERY: Duration = Duration::from_millis(5);

const NEWCOMER_EVERY: Duration = Duration::from_millis(40);
/// A right password takes the hashing thread some 20 ms.
const LOGIN_EVERY: Duration = Duration::from_millis(120);
const BAN_EVERY: Duration = Duration::from_millis(150);

/// A bystander, or why they could not come in.
pub(crate) type Bystander = io::Result<Client>;

/// How many have tried, and how many were served.
#[derive(Clone, Copy, Default)]
pub(crate) struct Share {
    tried: u64,
    served: u64,
}

impl Share {
    fn enter(&mut self, is_served: bool) {
        self.tried += 1;
        self.served += u64::from(is_served);
    }

    /// Not a number if nobody has tried.
    pub(crate) fn percent(self) -> f64 {
        100.0 * stats::float(self.served) / stats::float(self.tried)
    }
}

/// What they have met with.
pub(crate) struct Outcome {
    pub(crate) seconds: f64,
    /// Of bystanders' lines, in microseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) newcomers: Share,
    pub(crate) logins: Share,
    pub(crate) bans: Share,
}

/// Has all of them do what they do for so long.
pub(crate) fn watch(
    town: &mut Town,
    bystanders: &mut [Bystander],
    duration: Duration,
) -> io::Result<Outcome> {
    let addr = town.addr();
    let boss = &mut town.boss;
    let start = Instant::now();
    let end = start + duration;
    let mut outcome = thread::scope(|scope| {
        let latency = scope.spawn(move || stand_by(addr, bystanders, end));
        let newcomers =
            scope.spawn(move || every(NEWCOMER_EVERY, end, |number| come(addr, number)));
        let logins = scope.spawn(move || every(LOGIN_EVERY, end, |number| log_in(addr, number)));
        let bans = scope.spawn(move || every(BAN_EVERY, end, |number| ban(boss, number)));
        let panicked = |_| io::Error::other("a client has panicked");
        Ok::<_, io::Error>(Outcome {
            seconds: 0.0,
            latency: latency.join().map_err(panicked)??,
            newcomers: newcomers.join().map_err(panicked)?,
            logins: logins.join().map_err(panicked)?,
            bans: bans.join().map_err(panicked)?,
        })
    })?;
    outcome.seconds = start.elapsed().as_secs_f64();
    Ok(outcome)
}

/// Somebody tries this again and again.
fn every(pause: Duration, end: Instant, mut act: impl FnMut(usize) -> io::Result<()>) -> Share {
    let mut share = Share::default();
    let mut next = Instant::now();
    for number in 0.. {
        if next >= end {
            break;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        share.enter(act(number).is_ok());
        next = (next + pause).max(Instant::now());
    }
    share
}

/// Bystanders say a line each in rooms of their own, and hear it. The time counts from the
/// planned one; who is not heard, or not let in, has waited as long as anybody waits.
fn stand_by(
    addr: SocketAddr,
    bystanders: &mut [Bystander],
    end: Instant,
) -> io::Result<Histogram<u64>> {
    let mut latency = Histogram::new_with_bounds(1, 60_000_000, 3).map_err(io::Error::other)?;
    let mut next = Instant::now();
    for number in 0.. {
        if next >= end {
            break;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let turn = number % BYSTANDERS;
        let ping = format!("ping {number};");
        let heard = match &mut bystanders[turn] {
            Ok(client) => client.ask(&format!("{ping}\n"), &ping).map(|_| next.elapsed()),
            Err(_) => Err(io::ErrorKind::NotConnected.into()),
        };
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Ok(time) = heard {
            latency.saturating_record(micros(time));
            next += PING_EVERY;
            continue;
        }
        // All that should have been said meanwhile has waited as long.
        bystanders[turn] = bystander(addr, turn);
        let missed = next.elapsed().as_micros() / PING_EVERY.as_micros() + 1;
        latency.saturating_record_n(micros(PATIENCE), u64::try_from(missed).unwrap_or(1));
        next = Instant::now();
    }
    Ok(latency)
}

/// All of them, before there is anything to notice.
pub(crate) fn bystanders(addr: SocketAddr) -> Vec<Bystander> {
    (0..BYSTANDERS).map(|number| bystander(addr, number)).collect()
}

fn bystander(addr: SocketAddr, number: usize) -> Bystander {
    let mut client = Client::connect(Ipv4Addr::new(127, 0, 2, 1), addr)?;
    client.ask(&format!("/join quiet-{number}\n"), &format!(" in quiet-{number}: "))?;
    Ok(client)
}

/// Each from an address of their own.
fn come(addr: SocketAddr, number: usize) -> io::Result<()> {
    let host = u8::try_from(number % 250).expect("it is below 250");
    let mut client = Client::connect(Ipv4Addr::new(127, 0, 3, host + 1), addr)?;
    client.ask(&format!("REGISTER newcomer-{number}\n"), "Registered as").map(drop)
}

fn log_in(addr: SocketAddr, number: usize) -> io::Result<()> {
    let host = u8::try_from(number % 250).expect("it is below 250");
    let mut client = Client::connect(Ipv4Addr::new(127, 0, 4, host + 1), addr)?;
    client.send(&format!("REGISTER keeper-{} {PASSWORD}\n", number % KEEPERS))?;
    let answer = client.wait_for(&["Registered as", "Busy", "Too many"])?;
    refuse_unless(answer.contains("Registered as"))
}

fn ban(boss: &mut Client, number: usize) -> io::Result<()> {
    let target = format!("192.0.2.{}", number % 250);
    boss.send(&format!("/ban {target} 1h\n"))?;
    let answer = boss.wait_for(&[&target, "Busy"])?;
    refuse_unless(answer.contains(&target))
}

fn refuse_unless(is_served: bool) -> io::Result<()> {
    if is_served { Ok(()) } else { Err(io::Error::other("refused")) }
}
