//! What one stranger on one address costs everybody else.
//!
//! `cargo bench --bench stranger` lets a stranger do the worst that they can think of, at full
//! speed, against a server with its default limits, and measures what others notice: how long
//! a bystander's line takes, whether newcomers get in, whether right passwords are accepted
//! and an operator's bans carried out. Then it measures what each command costs that `/help`
//! names. `-- --against PATH` measures another build of the server in the same run;
//! `-- --only WORD` only the rows, or tables, whose name has that word in it.
//!
//! Everybody comes from this machine, the stranger from one of its loopback addresses, so the
//! server is told to count those too (`--limit-loopback`); but not for the prices, where
//! somebody comes again at once after each command that ends a connection. The server has one
//! core, its hashing thread included; everybody else shares the other, where the stranger
//! gives way (`nice`).

#[path = "../common/mod.rs"]
mod common;

mod attack;
mod client;
mod others;
mod price;
mod town;

use attack::{ATTACKS, Attack};
use common::driver::{self, Case, EVERY_ROW, Group, Target, Value};
use common::machine;
use common::options::{self, Options};
use common::stats;
use common::table::{Cell, Column};
use others::Outcome;
use price::Shop;
use std::cell::RefCell;
use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use town::{Site, Size};

const RUNS: usize = 3;

/// What a bystander may notice, and how much of a core the stranger may get the loop to use.
const LATENCY_MAX: f64 = 25.0;
const LOOP_MAX: f64 = 25.0;

const ABOUT: &str = "\
What to make of it: the stranger has one address and as many connections as it may have. Nobody
else should notice: `p99 ms` is how long 99 of 100 lines of bystanders took to come back, `loop %`
the share of a core that the server's loop used, `new %`, `login %` and `ban %` how many of those
who came, gave a right password, or banned an address were served within two seconds. `was` is
the other build, measured in the same run. A command costs what the loop takes for it, with 200
lines of history, everybody in the room and a room each for some; `B out` goes to who typed it.
All is on loopback, with --limit-loopback.";

/// Of this build, and of the one that it is compared with.
const P50: [Column; 2] = [Column::new("p50 ms", 2), Column::new("p50 was", 2)];
const P99: [Column; 2] = [Column::new("p99 ms", 1), Column::new("p99 was", 1)];
const LOOP: [Column; 2] = [Column::new("loop %", 0), Column::new("loop was", 0)];
const NEWCOMERS: [Column; 2] = [Column::new("new %", 0), Column::new("new was", 0)];
const LOGINS: [Column; 2] = [Column::new("login %", 0), Column::new("login was", 0)];
const BANS: [Column; 2] = [Column::new("ban %", 0), Column::new("ban was", 0)];
const CONNECTS: Column = Column::new("connects/s", 0);
const SENT: Column = Column::new("KB/s sent", 0);

const IN: Column = Column::new("B in", 0);
const OUT: [Column; 2] = [Column::new("B out", 0), Column::new("B out was", 0)];
const COST: [Column; 2] = [Column::new("CPU us", 1), Column::new("CPU us was", 1)];

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan<'a> {
    site: &'a Site,
    /// Until a stranger has got going, and how long they are watched then.
    warm_up: Duration,
    duration: Duration,
    /// How long each command is repeated.
    repeat: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // A bench starts itself so, as the stranger.
    if let [option, name, addr, milliseconds] = arguments.as_slice()
        && option == "--attack"
    {
        return attack::main(name, addr, milliseconds);
    }
    options::run("stranger", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let own = PathBuf::from(env!("CARGO_BIN_EXE_chinwag"));
    let programs: Vec<PathBuf> = [own].into_iter().chain(options.against.clone()).collect();
    let size = if options.quick { Size::SMALL } else { Size::LARGE };
    let site = &Site::new(&programs[0], size, cores)?;
    let plan = if options.quick {
        // Two builds take no longer than one.
        let duration = Duration::from_millis(200) / u32::try_from(programs.len()).unwrap_or(1);
        let (warm_up, repeat) = (Duration::from_millis(50), Duration::from_millis(4));
        Plan { site, warm_up, duration, repeat }
    } else {
        let (warm_up, repeat) = (Duration::from_millis(500), Duration::from_millis(100));
        Plan { site, warm_up, duration: Duration::from_secs(3), repeat }
    };
    let shops = programs.iter().map(|program| Shop::open(site, program));
    let shops = RefCell::new(shops.collect::<io::Result<Vec<_>>>()?);
    let groups = vec![strangers(plan, &programs), prices(plan, &shops)];
    driver::run("stranger", ABOUT, options, RUNS, groups)
}

/// What others notice of each attack.
fn strangers<'a>(plan: Plan<'a>, programs: &'a [PathBuf]) -> Group<'a> {
    let case = |attack: &'static Attack| {
        Case::new(attack.name, move || {
            let mut cell = Cell::new();
            for (at, program) in programs.iter().enumerate() {
                cell.extend(plan.endure(attack, program)?.cell(at));
            }
            Ok(cell)
        })
    };
    let pairs = [P99, LOOP, P50, NEWCOMERS, LOGINS, BANS];
    let columns: Vec<Column> = pairs.into_iter().flatten().chain([CONNECTS, SENT]).collect();
    let title = "one stranger at full speed, against default limits";
    let group = Group::new("strangers", title, 0, ATTACKS.iter().map(case), &columns).with([
        Target::at_most(EVERY_ROW, P99[0], Value::Median, LATENCY_MAX),
        Target::at_most(EVERY_ROW, LOOP[0], Value::Median, LOOP_MAX),
    ]);
    Group { floor: None, ..group }
}

/// What each command costs.
fn prices<'a>(plan: Plan<'a>, shops: &'a RefCell<Vec<Shop>>) -> Group<'a> {
    let commands = shops.borrow()[0].commands().to_vec();
    let cases = commands.into_iter().map(|command| {
        Case::new(command.clone(), move || {
            let mut cell = vec![(IN, stats::size(command.len() + 1))];
            for (at, shop) in shops.borrow_mut().iter_mut().enumerate() {
                let price = shop.price(&command, plan.repeat)?;
                cell.extend([(OUT[at], price.bytes_out), (COST[at], price.micros)]);
            }
            Ok(cell)
        })
    });
    let columns: Vec<Column> = [IN].into_iter().chain(COST).chain(OUT).collect();
    let title = "what a command costs the loop, without a rate limit";
    Group { floor: None, ..Group::new("prices", title, 0, cases, &columns) }
}

impl Plan<'_> {
    /// Has a stranger do their worst to a fresh server, and watches the others.
    fn endure(self, attack: &Attack, program: &Path) -> io::Result<Measured> {
        let mut town = self.site.found(program, &["--limit-loopback"])?;
        let mut bystanders = others::bystanders(town.addr());
        let stranger = attack.begin(town.addr(), self.warm_up + self.duration)?;
        thread::sleep(self.warm_up);
        let before = town.loop_seconds()?;
        let outcome = others::watch(&mut town, &mut bystanders, self.duration)?;
        let busy = (town.loop_seconds()? - before) / outcome.seconds;
        let seconds = (self.duration + self.warm_up).as_secs_f64();
        Ok(Measured { outcome, busy, per_second: stranger.end()?.map(|count| count / seconds) })
    }
}

/// What has come of an attack on one build.
struct Measured {
    outcome: Outcome,
    /// The share of a core that the loop has used.
    busy: f64,
    /// Connections that the stranger opened, and bytes that they got rid of.
    per_second: [f64; 2],
}

impl Measured {
    fn cell(&self, at: usize) -> Cell {
        let Outcome { latency, newcomers, logins, bans, .. } = &self.outcome;
        let quantile = |quantile| stats::float(latency.value_at_quantile(quantile)) / 1e3;
        let mut cell = vec![
            (P50[at], quantile(0.5)),
            (P99[at], quantile(0.99)),
            (LOOP[at], 100.0 * self.busy),
            (NEWCOMERS[at], newcomers.percent()),
            (LOGINS[at], logins.percent()),
            (BANS[at], bans.percent()),
        ];
        if at == 0 {
            let [connects, sent] = self.per_second;
            cell.extend([(CONNECTS, connects), (SENT, sent / 1e3)]);
        }
        cell
    }
}
