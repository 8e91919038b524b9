//! What a transport costs: the same lines in the same room, plain, encrypted and over WebSocket.
//!
//! `cargo bench --bench transports` measures 1000 clients; `-- --clients N` so many. All speak the
//! native dialect, so that nothing differs but what is around the lines. Beside it stand, where they
//! are installed, haproxy with TLS before the same server, and rooms of the npm package ws (which
//! `node` has to find, perhaps by `NODE_PATH`) and of uWebSockets (the package socketify of the
//! `python3` that comes first).

mod common;

use common::crowd::Crowd;
use common::driver::{self, Case, DISORDERED, Group, LOST, Target, Value};
use common::figures::{COST, GENERATOR, SERVER, Times};
use common::floor::Floor;
use common::front;
use common::hellos;
use common::load::{Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::peers::HAPROXY;
use common::rooms::Rooms;
use common::server::{self, ServerProcess, Subject};
use common::stats;
use common::stream::Over;
use common::table::{Cell, Column};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use std::{io, thread};

const CLIENTS_DEFAULT: usize = 1000;
const CLIENTS_QUICK: usize = 100;
const RUNS: usize = 5;

/// Senders in rounds.
const SENDERS: usize = 16;

/// How long a server gets to have nothing left to do.
const REST: Duration = Duration::from_millis(2500);

const ABOUT: &str = "\
What to make of it: the figure to trust is the ratio to the TCP row of the same run. What a
connect costs holds the handshake, and naming the client; what the first brought in counts for
nobody. Behind haproxy both processes count. A round begins when everybody has all of the last.";

const CONNECT_COST: Column = Column::main("CPU us/connect", 1);
const BYTES: Column = Column::main("B/client", 0);
const WORST: Column = Column::new("worst ms", 2);

/// How clients connect.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Tcp,
    Tls,
    /// With a key that costs more.
    Rsa,
    WebSocket,
    Haproxy,
    /// WebSocket, to other servers.
    Ws,
    Socketify,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Tcp => "TCP",
            Way::Tls => "TLS",
            Way::Rsa => "TLS, RSA",
            Way::WebSocket => "WebSocket",
            Way::Haproxy => HAPROXY,
            Way::Ws => "ws",
            Way::Socketify => "socketify",
        }
    }

    /// Whether the server is another's, or has another's before it.
    fn is_peer(self) -> bool {
        matches!(self, Way::Haproxy | Way::Ws | Way::Socketify)
    }

    /// The others' send lines as they are, as a floor does.
    fn subject(self) -> Subject {
        match self {
            Way::Ws | Way::Socketify => Subject::Floor(Floor::Plain),
            _ => Subject::Chinwag,
        }
    }

    fn over(self) -> Over {
        match self {
            Way::Tcp => Over::Tcp,
            Way::Tls | Way::Rsa | Way::Haproxy => Over::Tls,
            Way::WebSocket | Way::Ws | Way::Socketify => Over::WebSocket,
        }
    }
}

/// A server, and what stands before it.
struct Served {
    server: ServerProcess,
    front: Option<ServerProcess>,
}

impl Served {
    fn processes(&self) -> impl Iterator<Item = &ServerProcess> {
        [Some(&self.server), self.front.as_ref()].into_iter().flatten()
    }

    fn addr(&self) -> SocketAddr {
        self.front.as_ref().unwrap_or(&self.server).addr()
    }

    fn resident(&self) -> io::Result<u64> {
        self.processes().map(ServerProcess::resident).sum()
    }

    fn cpu_microseconds(&self) -> io::Result<f64> {
        self.processes().map(ServerProcess::cpu_microseconds).sum()
    }
}

#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    clients: usize,
    times: Times,
    rest: Duration,
}

fn main() -> ExitCode {
    options::run("transports", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let clients = machine::affordable(options.clients(CLIENTS_DEFAULT, CLIENTS_QUICK))?;
    let rest = if options.quick { Duration::ZERO } else { REST };
    let plan = Plan { cores: machine::prepare(), clients, times: Times::new(options), rest };
    let one = ("one", "one line at a time", Pattern::Waves(1));
    let many = ("rounds", "16 senders x 16 lines a round", Pattern::Rounds(SENDERS));
    let groups = vec![
        plan.lines(one, [("TLS", 1.2), ("WebSocket", 1.05)], 1.0 / 0.33),
        plan.others(plan.lines(many, [("TLS", 2.0), ("WebSocket", 1.08)], 1.0 / 0.38), many.2),
        plan.idle(),
        plan.hellos(),
    ];
    driver::run("transports", ABOUT, options, RUNS, groups)
}

impl Plan {
    fn lines(
        self,
        (id, title, pattern): (&'static str, &str, Pattern),
        most: [(&'static str, f64); 2],
        haproxy: f64,
    ) -> Group<'static> {
        let talk = move |way| self.talk(way, Talk::new(pattern));
        let cases = [Way::Tcp, Way::Tls, Way::WebSocket, Way::Haproxy].map(|way| case(way, talk));
        let ratio = |(row, most)| Target::at_most(row, COST, Value::Ratio, most);
        let peer = Target::at_least("TLS", COST, Value::BestPeer, haproxy);
        let columns = [COST, SERVER, GENERATOR, LOST, DISORDERED];
        let group = Group::new(id, title, self.clients, cases, &columns);
        group.with(most.map(ratio).into_iter().chain([peer]))
    }

    /// With the rooms of others besides.
    fn others(self, mut group: Group<'static>, pattern: Pattern) -> Group<'static> {
        for (way, least) in [(Way::Ws, 150.0), (Way::Socketify, 40.0)] {
            group.cases.push(case(way, move |way| self.talk(way, Talk::new(pattern))));
            let value = Value::Of(way.name());
            group.targets.push(Target::at_least("WebSocket", COST, value, least));
        }
        group
    }

    fn idle(self) -> Group<'static> {
        let ways = [Way::Tcp, Way::Tls, Way::Rsa, Way::WebSocket, Way::Haproxy];
        let cases = ways.map(|way| case(way, move |way| self.connect(way)));
        Group::new("idle", "who do nothing", self.clients, cases, &[CONNECT_COST, BYTES]).with([
            Target::at_most("TLS", BYTES, Value::Median, 3500.0),
            Target::at_most("WebSocket", BYTES, Value::Median, 190.0),
            Target::at_least("TLS", CONNECT_COST, Value::BestPeer, 1.0 / 0.33),
        ])
    }

    fn hellos(self) -> Group<'static> {
        let cases = [Way::Tls, Way::Rsa].map(|way| case(way, move |way| self.hello(way)));
        let most = |row, most| Target::at_most(row, WORST, Value::Median, most);
        let title = "hellos at once: a plain client's longest round trip meanwhile";
        let group = Group::new("hellos", title, self.clients, cases, &[WORST]);
        Group { floor: None, ..group.with([most("TLS", 5.0), most("TLS, RSA", 20.0)]) }
    }

    fn start(self, way: Way) -> io::Result<Served> {
        let listener = match way {
            Way::Tcp | Way::Haproxy => "127.0.0.1:0",
            Way::Tls | Way::Rsa => "tls=127.0.0.1:0",
            Way::WebSocket => "web=127.0.0.1:0",
            Way::Ws => return self.start_other(["node", "ws.cjs"]),
            Way::Socketify => return self.start_other(["python3", "uwebsockets.py"]),
        };
        let server = self.serve(way, &[listener])?;
        let front = match way {
            Way::Haproxy => {
                let [certificate, key] = files("chat");
                Some(front::start_haproxy(server.addr(), &certificate, &key, self.cores)?)
            }
            _ => None,
        };
        Ok(Served { server, front })
    }

    fn start_other(self, [program, file]: [&str; 2]) -> io::Result<Served> {
        let addr = server::free_addr()?;
        let path = format!("{}/benches/peers/{file}", env!("CARGO_MANIFEST_DIR"));
        let words = vec![program.to_owned(), path, addr.port().to_string()];
        let server = ServerProcess::start_program(words, Some(addr), self.cores)?;
        Ok(Served { server, front: None })
    }

    fn serve(self, way: Way, listeners: &[&str]) -> io::Result<ServerProcess> {
        let command = "-q --max-clients 20000 --rate off";
        let mut words = vec![env!("CARGO_BIN_EXE_chinwag").to_owned()];
        words.extend(command.split(' ').map(str::to_owned));
        words.extend(listeners.iter().flat_map(|listener| ["-l", listener]).map(str::to_owned));
        if matches!(way, Way::Tls | Way::Rsa) {
            let [certificate, key] = files(if way == Way::Rsa { "rsa" } else { "chat" });
            words.extend(["--tls-cert".to_owned(), certificate, "--tls-key".to_owned(), key]);
        }
        ServerProcess::start_program(words, None, self.cores)
    }

    /// Many hellos, and one plain client.
    fn hello(self, way: Way) -> io::Result<Cell> {
        let tls = server::free_addr()?;
        let server = self.serve(way, &["127.0.0.1:0", &format!("tls={tls}")])?;
        let worst = hellos::worst_round_trip(server.addr(), tls, self.clients)?;
        Ok(vec![(WORST, worst)])
    }

    /// Lines to all, from some of them.
    fn talk(self, way: Way, talk: Talk) -> io::Result<Cell> {
        let server = self.start(way)?;
        let mut crowd = Crowd::over(way.over())?;
        enter(&mut crowd, self.clients, way, &server)?;
        let mut load = Load::new(crowd, Rooms::new(self.clients, 1), way.subject(), talk)?;
        Ok(self.times.measure(&mut load, || server.cpu_microseconds())?.1)
    }

    /// Named clients, and nothing else.
    fn connect(self, way: Way) -> io::Result<Cell> {
        let server = self.start(way)?;
        let mut crowd = Crowd::over(way.over())?;
        // The first brings in the program's own pages, which all share.
        enter(&mut crowd, 1, way, &server)?;
        let (empty, before) = (server.resident()?, server.cpu_microseconds()?);
        enter(&mut crowd, self.clients - 1, way, &server)?;
        let cpu = server.cpu_microseconds()? - before;
        thread::sleep(self.rest);
        let (count, full) = (stats::size(self.clients - 1), server.resident()?);
        Ok(vec![
            (CONNECT_COST, cpu / count),
            (BYTES, stats::float(full.saturating_sub(empty)) / count),
        ])
    }
}

/// So many more come, and are named.
fn enter(crowd: &mut Crowd, count: usize, way: Way, served: &Served) -> io::Result<()> {
    crowd.connect(served.addr(), count, |id| way.subject().enter(id))?;
    served.server.wait_until_accepted(crowd.len())
}

/// A certificate, and its key.
fn files(name: &str) -> [String; 2] {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
    ["crt", "key"].map(|kind| format!("{folder}/{name}.{kind}"))
}

/// Another's server may be missing.
fn case(way: Way, measure: impl Fn(Way) -> io::Result<Cell> + 'static) -> Case<'static> {
    let case = Case::new(way.name(), move || measure(way));
    Case { is_peer: way.is_peer(), ..case }
}
