//! What an upgrade in place costs those who are connected: how long nobody is served, beside what
//! it would take all of them to connect again.
//!
//! `cargo bench --bench upgrade` measures 10 000 clients; `-- --clients N` so many. One client
//! says a line each millisecond in a room of its own, and one hears it: the longest time between
//! two lines that it hears is the silence.

#[path = "../common/mod.rs"]
mod common;

mod reloads;
mod talker;

use common::driver::{self, Case, DISORDERED, Group, LOST, Target, Value};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::server::ServerProcess;
use common::stats;
use common::table::{Cell, Column};
use common::{ask, book};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};
use std::{fs, io};
use talker::Talker;

const CLIENTS_DEFAULT: usize = 10_000;
const CLIENTS_QUICK: usize = 200;
const RUNS: usize = 5;

/// How long an upgrade may take, the check by the new program included.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long is listened to after it, and for one that fails.
const AFTERWARDS: Duration = Duration::from_millis(1500);
const AFTERWARDS_QUICK: Duration = Duration::from_millis(500);

const ABOUT: &str = "\
What to make of it: all clients have a name. `reconnect` is what it took them to connect and to be
named before, without the start of a program, and without the time in which they do not know yet
that they have to. Of `refused` the new program says no; of `not executed` it says yes, and is gone
then. A reload of haproxy or nginx leaves connections to the old processes, which run the old
program until the last of them ends.";

const SILENCE: Column = Column::main("silence ms", 1);
const RECONNECT: Column = Column::new("reconnect ms", 0);
const SHARE: Column = Column::new("silence / reconnect", 2);
const PACKED: Column = Column::new("B/client packed", 1);

/// What becomes of the upgrade.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    /// Nobody asks for one: so long does nobody hear anything anyway.
    NotAsked,
    Upgraded,
    Refused,
    NotExecuted,
}

const ROWS: [(&str, Outcome); 4] = [
    ("no upgrade", Outcome::NotAsked),
    ("upgrade", Outcome::Upgraded),
    ("refused", Outcome::Refused),
    ("not executed", Outcome::NotExecuted),
];

#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    clients: usize,
    afterwards: Duration,
}

fn main() -> ExitCode {
    options::run("upgrade", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let clients = machine::affordable(options.clients(CLIENTS_DEFAULT, CLIENTS_QUICK))?;
    let afterwards = if options.quick { AFTERWARDS_QUICK } else { AFTERWARDS };
    let plan = Plan { cores: machine::prepare(), clients, afterwards };
    let groups = vec![plan.group(), reloads::group(plan.cores, afterwards)];
    driver::run("upgrade", ABOUT, options, RUNS, groups)
}

impl Plan {
    fn group(self) -> Group<'static> {
        let cases = ROWS.map(|(name, outcome)| Case::new(name, move || self.run(outcome)));
        let columns = [SILENCE, RECONNECT, SHARE, PACKED, LOST, DISORDERED];
        let title = "one hears another all the time";
        let group = Group::new("upgrade", title, self.clients, cases, &columns).with([
            Target::at_most("upgrade", SILENCE, Value::Median, 100.0),
            Target::at_most("upgrade", SHARE, Value::Median, 0.25),
            Target::at_most("refused", SILENCE, Value::Median, 5.0),
            Target::at_most("not executed", SILENCE, Value::Median, 5.0),
            Target::at_most("refused", PACKED, Value::Median, 100.0),
        ]);
        Group { floor: None, ..group }
    }

    fn run(self, outcome: Outcome) -> io::Result<Cell> {
        let place = Place::new()?;
        let arguments = "-q -l 127.0.0.1:0 --max-clients 20000 --rate off".split(' ');
        let words = [place.program()].into_iter().chain(arguments.map(str::to_owned));
        let server = ServerProcess::start_program(words.collect(), None, self.cores)?;
        let start = Instant::now();
        let mut talker = Talker::new(server.addr(), self.clients, ask::name)?;
        let reconnect = start.elapsed();
        talker.go_aside()?;
        place.prepare(outcome)?;
        // What the crowd has left to do is done.
        talker.talk_for(self.afterwards)?;
        talker.forget_silence();
        if outcome != Outcome::NotAsked {
            server.signal("USR2")?;
        }
        let asked = Instant::now();
        while !place.is_over(outcome, &server)? {
            talker.talk_for(Duration::from_millis(20))?;
            if asked.elapsed() > PATIENCE {
                return Err(io::Error::other("nothing came of the upgrade"));
            }
        }
        talker.talk_for(self.afterwards)?;
        let silence = talker.finish()?;
        let millis = |time: Duration| 1000.0 * time.as_secs_f64();
        let mut cell = vec![
            (SILENCE, millis(silence)),
            (LOST, stats::float(talker.lost())),
            (DISORDERED, stats::float(talker.disordered())),
        ];
        match outcome {
            Outcome::Upgraded => cell.extend([
                (RECONNECT, millis(reconnect)),
                (SHARE, millis(silence) / millis(reconnect)),
            ]),
            Outcome::Refused => {
                let packed = stats::float(fs::metadata(place.file("state"))?.len());
                cell.push((PACKED, packed / stats::size(self.clients)));
            }
            Outcome::NotAsked | Outcome::NotExecuted => {}
        }
        Ok(cell)
    }
}

/// Where the program is installed, and replaced.
struct Place(PathBuf);

impl Place {
    fn new() -> io::Result<Place> {
        let place = Place(book::folder().join(format!("installed-{}", process::id())));
        fs::create_dir_all(&place.0)?;
        for file in ["state", "shell"] {
            let _ = fs::remove_file(place.file(file));
        }
        fs::copy(env!("CARGO_BIN_EXE_chinwag"), place.file("new"))?;
        fs::rename(place.file("new"), place.program())?;
        Ok(place)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn program(&self) -> String {
        self.file("chinwag")
    }

    /// Installs what has the upgrade end so.
    fn prepare(&self, outcome: Outcome) -> io::Result<()> {
        let (state, shell) = (self.file("state"), self.file("shell"));
        let text = match outcome {
            Outcome::NotAsked | Outcome::Upgraded => return Ok(()),
            // Only what is there whole is there.
            Outcome::Refused => {
                format!("#!/bin/sh\ncat > '{state}.part'; mv '{state}.part' '{state}'; exit 1\n")
            }
            Outcome::NotExecuted => {
                symlink("/bin/sh", &shell)?;
                let real = env!("CARGO_BIN_EXE_chinwag");
                format!("#!{shell}\nrm '{shell}'; exec '{real}' \"$@\"\n")
            }
        };
        let new = self.file("new");
        fs::write(&new, text)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
        fs::rename(new, self.program())
    }

    fn is_over(&self, outcome: Outcome, server: &ServerProcess) -> io::Result<bool> {
        Ok(match outcome {
            Outcome::NotAsked => true,
            Outcome::Upgraded => server.has_taken_over(),
            Outcome::Refused => fs::exists(self.file("state"))?,
            Outcome::NotExecuted => !fs::exists(self.file("shell"))?,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
