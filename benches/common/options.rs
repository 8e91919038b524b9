//! The arguments of a bench: no more of them than a reader of the figures needs.

use super::floor::Floor;
use super::machine::CLIENTS_MIN;
use super::peers::Peer;
use pico_args::Arguments;
use std::error::Error;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

/// How much to measure.
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
    /// Be one of the floors instead. A bench starts itself so; it is not for people.
    serve: Option<Floor>,
}

impl Options {
    /// Whether a table is asked for.
    pub(crate) fn wants(&self, table: &str) -> bool {
        self.only.as_ref().is_none_or(|only| table.contains(only.as_str()))
    }

    /// How many clients: as many as the caller wants, or by default.
    pub(crate) fn clients(&self, default: usize, quick: usize) -> usize {
        self.clients.unwrap_or(if self.quick { quick } else { default })
    }

    /// The same of a bench that measures several numbers.
    pub(crate) fn sizes(&self, default: &[usize], quick: usize) -> Vec<usize> {
        match self.clients {
            Some(clients) => vec![clients],
            None if self.quick => vec![quick],
            None => default.to_vec(),
        }
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
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let result = match parse(arguments) {
        Ok(Options { serve: Some(floor), .. }) => floor.serve().map(|()| true),
        Ok(options) => measure(&options),
        Err(error) => {
            eprintln!("{bench}: {error}");
            return ExitCode::from(2);
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
fn parse(mut arguments: Arguments) -> Result<Options, Box<dyn Error>> {
    // `cargo bench` passes `--bench`. `cargo test --all-targets` does not, and
    // wants to know that a bench works, not how fast the server is.
    let is_measuring = arguments.contains("--bench");
    let list: Option<String> = arguments.opt_value_from_str("--peers")?;
    let options = Options {
        quick: arguments.contains("--quick") || !is_measuring,
        runs: number(&mut arguments, "--runs", 1..=99)?,
        clients: number(&mut arguments, "--clients", CLIENTS_MIN..=99_999)?,
        rooms: number(&mut arguments, "--rooms", 1..=19_999)?,
        against: arguments.opt_value_from_str("--against")?,
        only: arguments.opt_value_from_str("--only")?,
        peers: peers(list.as_deref().unwrap_or_default())?,
        serve: arguments.opt_value_from_fn("--serve", Floor::from_name)?,
    };
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!("unknown argument {} (see --help)", unknown.display()).into());
    }
    match &options.against {
        Some(path) if !path.is_file() => {
            Err(format!("--against {}: no such file", path.display()).into())
        }
        _ => Ok(options),
    }
}

/// The peers of a list; who is not installed is named, and left out.
fn peers(list: &str) -> Result<Vec<Peer>, String> {
    let wanted = match list {
        "" => Vec::new(),
        "all" => Peer::ALL.to_vec(),
        list => {
            let named = |name| Peer::from_name(name).ok_or(format!("--peers: there is no {name}"));
            list.split(',').map(named).collect::<Result<_, _>>()?
        }
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

/// The value of an option that takes a number, if it is given.
fn number(
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
