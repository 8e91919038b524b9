//! The arguments of a bench: no more of them than a reader of the figures needs.

use super::floor::Floor;
use super::machine::CLIENTS_MIN;
use super::peers::Peer;
use pico_args::Arguments;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

/// What an argument list asks for.
enum Task {
    /// Measure, and print a table.
    Measure(Options),
    /// Be one of the floors. A bench starts itself so; it is not for people.
    Serve(Floor),
    /// Print the usage.
    Help,
}

/// How much to measure.
#[derive(Default)]
pub(crate) struct Options {
    /// Only a sign of life: one short run. Its figures are not to be quoted.
    pub(crate) quick: bool,
    /// How many runs, if the caller has chosen.
    pub(crate) runs: Option<usize>,
    /// How many clients, if the caller has chosen.
    pub(crate) clients: Option<usize>,
    /// How many rooms, if the caller has chosen.
    pub(crate) rooms: Option<usize>,
    /// Another build of the server, to be measured beside this one.
    pub(crate) against: Option<PathBuf>,
    /// Only the tables whose name has this in it.
    pub(crate) only: Option<String>,
    /// Those that were asked for and are installed.
    pub(crate) peers: Vec<Peer>,
}

impl Options {
    /// Whether a table is asked for.
    pub(crate) fn wants(&self, table: &str) -> bool {
        self.only.as_ref().is_none_or(|only| table.contains(only.as_str()))
    }

    /// The peers that can serve so many.
    pub(crate) fn peers_for(&self, clients: usize) -> impl Iterator<Item = Peer> + '_ {
        self.peers.iter().copied().filter(move |peer| peer.clients_max() >= clients)
    }
}

const USAGE: &str = "\
Options, after `cargo bench --bench NAME --`:
  --clients N    this many clients (17 to 99999)
  --rooms N      spread over this many rooms (1 to 19999; else ten clients a room)
  --runs N       this many runs (1 to 99), of which medians are taken
  --peers LIST   measure these beside it, where they are installed: redis, valkey, nats,
                 ngircd, inspircd, tokio, tokio-buffered; or all
  --against PATH
                 measure this build of the server beside the present one (stranger)
  --only WORD    only the tables whose name has this in it: one, outstanding, paced,
                 stalled, format, private, crowd, rooms, idle, million, arrivals,
                 framing, chat, turn, strangers, prices, hellos, upgrade, reload; or, where rows are not compared
                 with one another, only the rows
  --quick        one short run: a sign of life, not a measurement";

/// The `main` of a bench. `measure` returns whether every line arrived as it should.
pub(crate) fn run(bench: &str, measure: fn(&Options) -> io::Result<bool>) -> ExitCode {
    let task = match parse() {
        Ok(task) => task,
        Err(error) => {
            eprintln!("{bench}: {error}");
            return ExitCode::from(2);
        }
    };
    let result = match task {
        Task::Measure(options) => measure(&options),
        Task::Serve(floor) => floor.serve().map(|()| true),
        Task::Help => {
            println!("{USAGE}");
            Ok(true)
        }
    };
    match result {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => eprintln!("{bench}: lines were lost or out of order"),
        Err(error) => eprintln!("{bench}: {error}"),
    }
    ExitCode::FAILURE
}

/// Reads the arguments of this process; an error is one line for a person.
fn parse() -> Result<Task, String> {
    let mut arguments = Arguments::from_env();
    let task = parse_task(&mut arguments)?;
    match arguments.finish().first() {
        None => Ok(task),
        Some(unknown) => Err(format!("unknown argument {} (see --help)", unknown.display())),
    }
}

fn parse_task(arguments: &mut Arguments) -> Result<Task, String> {
    let floor = arguments.opt_value_from_fn("--serve", Floor::from_name);
    if let Some(floor) = floor.map_err(|error| error.to_string())? {
        return Ok(Task::Serve(floor));
    }
    // `cargo bench` passes `--bench`. `cargo test --all-targets` does not, and
    // wants to know that a bench works, not how fast the server is. It is taken first:
    // whoever asks for help through cargo passes it too.
    let measuring = arguments.contains("--bench");
    if arguments.contains(["-h", "--help"]) {
        return Ok(Task::Help);
    }
    Ok(Task::Measure(Options {
        quick: arguments.contains("--quick") || !measuring,
        runs: number(arguments, "--runs", 1..=99)?,
        clients: number(arguments, "--clients", CLIENTS_MIN..=99_999)?,
        rooms: number(arguments, "--rooms", 1..=19_999)?,
        against: program(text(arguments, "--against")?)?,
        only: text(arguments, "--only")?,
        peers: peers(text(arguments, "--peers")?)?,
    }))
}

/// The path of a program, if there is one.
fn program(path: Option<String>) -> Result<Option<PathBuf>, String> {
    match path.map(PathBuf::from) {
        Some(path) if !path.is_file() => Err(format!("--against {}: no such file", path.display())),
        path => Ok(path),
    }
}

/// The peers of a list; who is not installed is named, and left out.
fn peers(list: Option<String>) -> Result<Vec<Peer>, String> {
    let list = list.unwrap_or_default();
    let wanted = match list.as_str() {
        "all" => Peer::ALL.to_vec(),
        list => list
            .split(',')
            .filter(|name| !name.is_empty())
            .map(|name| Peer::from_name(name).ok_or(format!("--peers: there is no {name}")))
            .collect::<Result<_, _>>()?,
    };
    let is_here = |peer: &Peer| match peer.find() {
        Ok(_) => true,
        Err(why) => {
            println!("{} is left out: {why}", peer.name());
            false
        }
    };
    Ok(wanted.into_iter().filter(is_here).collect())
}

fn text(arguments: &mut Arguments, option: &'static str) -> Result<Option<String>, String> {
    arguments.opt_value_from_str(option).map_err(|error| error.to_string())
}

/// The value of an option that takes a number, if it is given.
pub(crate) fn number(
    arguments: &mut Arguments,
    option: &'static str,
    allowed: RangeInclusive<usize>,
) -> Result<Option<usize>, String> {
    match arguments.opt_value_from_str(option) {
        Ok(None) => Ok(None),
        Ok(Some(number)) if allowed.contains(&number) => Ok(Some(number)),
        _ => {
            let (min, max) = (allowed.start(), allowed.end());
            Err(format!("{option} takes a number from {min} to {max}"))
        }
    }
}
