//! What a transport costs: the same lines in the same room, plain, encrypted and over WebSocket.
//!
//! `cargo bench --bench transports` measures 1000 clients; `-- --clients N` so many. All speak the
//! native dialect, so that nothing differs but what is around the lines.

mod common;

use common::crowd::Crowd;
use common::driver::{self, Bound, Case, Group, Target, Value};
use common::load::{Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats;
use common::stream::Over;
use common::table::{Cell, Column};
use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

const CLIENTS_DEFAULT: usize = 1000;
const CLIENTS_QUICK: usize = 100;
const RUNS: usize = 5;

/// Senders when lines are outstanding.
const SENDERS: usize = 16;

/// How long a server gets to have nothing left to do.
const REST: Duration = Duration::from_millis(2500);

const ABOUT: &str = "\
What to make of it: the figure to trust is the ratio to the TCP row of the same run. What a
connect costs holds the handshake, and naming the client.";

const COST: Column = Column::main("CPU us/line", 4);
const SERVER: Column = Column::new("server %", 0);
const GENERATOR: Column = Column::new("generator %", 0);
const LOST: Column = Column::new(driver::FAULTS[0], 0);
const DISORDERED: Column = Column::new(driver::FAULTS[1], 0);
const CONNECT_COST: Column = Column::main("CPU us/connect", 1);
const BYTES: Column = Column::main("B/client", 0);

/// A row: how clients connect.
const ROWS: [(&str, Over); 3] =
    [("TCP", Over::Tcp), ("TLS", Over::Tls), ("WebSocket", Over::WebSocket)];

#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    clients: usize,
    warm_up: Duration,
    duration: Duration,
    rest: Duration,
}

fn main() -> ExitCode {
    options::run("transports", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let default = if options.quick { CLIENTS_QUICK } else { CLIENTS_DEFAULT };
    let clients = machine::affordable(options.clients.unwrap_or(default))?;
    let times = if options.quick { [50, 150] } else { [500, 2000] };
    let [warm_up, duration] = times.map(Duration::from_millis);
    let rest = if options.quick { Duration::ZERO } else { REST };
    let plan = Plan { cores: machine::prepare(), clients, warm_up, duration, rest };
    let one = ("one", "one line at a time", Pattern::Waves(1));
    let many = ("outstanding", "16 senders x 16 lines outstanding", Pattern::Outstanding(SENDERS));
    let groups = vec![
        plan.lines(one, [("TLS", 1.2), ("WebSocket", 1.05)]),
        plan.lines(many, [("TLS", 2.0), ("WebSocket", 1.08)]),
        plan.idle(),
    ];
    driver::run("transports", ABOUT, options, RUNS, groups)
}

impl Plan {
    fn lines(
        self,
        (id, title, pattern): (&'static str, &str, Pattern),
        most: [(&'static str, f64); 2],
    ) -> Group<'static> {
        let cases =
            ROWS.map(|(name, over)| Case::new(name, move || self.talk(over, Talk::new(pattern))));
        let target = |(row, most)| {
            let (value, bound) = (Value::Ratio, Bound::AtMost(most));
            Target { row, heading: COST.heading, value, bound }
        };
        let columns = vec![COST, SERVER, GENERATOR, LOST, DISORDERED];
        self.group(id, title, cases, columns, most.map(target).into())
    }

    fn idle(self) -> Group<'static> {
        let cases = ROWS.map(|(name, over)| Case::new(name, move || self.connect(over)));
        let most = |row, most| {
            let (value, bound) = (Value::Median, Bound::AtMost(most));
            Target { row, heading: BYTES.heading, value, bound }
        };
        let targets = vec![most("TLS", 3500.0), most("WebSocket", 190.0)];
        self.group("idle", "who do nothing", cases, vec![CONNECT_COST, BYTES], targets)
    }

    fn group(
        self,
        id: &'static str,
        title: &str,
        cases: [Case<'static>; 3],
        columns: Vec<Column>,
        targets: Vec<Target>,
    ) -> Group<'static> {
        let (title, cases) = (title.to_owned(), cases.into());
        Group { id, title, clients: self.clients, cases, floor: Some(0), columns, targets }
    }

    fn start(self, over: Over) -> io::Result<ServerProcess> {
        let listener = match over {
            Over::Tcp => "127.0.0.1:0",
            Over::Tls => "tls=127.0.0.1:0",
            Over::WebSocket => "web=127.0.0.1:0",
        };
        let command = "-q --max-clients 20000 --rate off -l";
        let mut words = vec![env!("CARGO_BIN_EXE_chinwag").to_owned()];
        words.extend(command.split(' ').map(str::to_owned));
        words.push(listener.to_owned());
        if over == Over::Tls {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
            words.extend(["--tls-cert".to_owned(), format!("{folder}/chat.crt")]);
            words.extend(["--tls-key".to_owned(), format!("{folder}/chat.key")]);
        }
        ServerProcess::start_program(words, self.cores)
    }

    /// Lines to all, from some of them.
    fn talk(self, over: Over, talk: Talk) -> io::Result<Cell> {
        let server = self.start(over)?;
        let crowd = self.crowd(over, &server)?;
        let mut load = Load::new(crowd, Rooms::new(self.clients, 1), Subject::Chinwag, talk)?;
        load.run(self.warm_up)?;
        let before = server.cpu_microseconds()?;
        let outcome = load.run(self.duration)?;
        let cpu = server.cpu_microseconds()? - before;
        Ok(vec![
            (COST.heading, cpu / outcome.delivered),
            (SERVER.heading, cpu / outcome.seconds / 1e4),
            (GENERATOR.heading, 100.0 * outcome.busy),
            (LOST.heading, stats::float(load.lost())),
            (DISORDERED.heading, stats::float(load.disordered())),
        ])
    }

    /// Named clients, and nothing else.
    fn connect(self, over: Over) -> io::Result<Cell> {
        let server = self.start(over)?;
        let (empty, before) = (server.resident()?, server.cpu_microseconds()?);
        let crowd = self.crowd(over, &server)?;
        let cpu = server.cpu_microseconds()? - before;
        thread::sleep(self.rest);
        let (count, full) = (stats::size(crowd.len()), server.resident()?);
        Ok(vec![
            (CONNECT_COST.heading, cpu / count),
            (BYTES.heading, stats::float(full.saturating_sub(empty)) / count),
        ])
    }

    fn crowd(self, over: Over, server: &ServerProcess) -> io::Result<Crowd> {
        let mut crowd = Crowd::over(over)?;
        crowd.connect(server.addr(), self.clients, |id| Subject::Chinwag.enter(id))?;
        server.wait_until_accepted(self.clients)?;
        Ok(crowd)
    }
}
