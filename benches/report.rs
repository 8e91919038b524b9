//! All figures at once: as tables for the README, and as charts.
//!
//! `cargo bench --bench report -- --measure --readme --runs 5 --peers all` measures
//! everything anew and writes the README's figures; without `--measure` they are those of
//! the book, `target/bench/figures.json`, and without `--readme` they are only shown.
//! With `--measure`, all other options go to each bench.

mod common;

use common::book::Book;
use common::{machine, plots, readme, targets};
use std::env;
use std::io;
use std::process::{Command, ExitCode};

const BENCHES: [&str; 3] = ["density", "fanout", "micro"];

const USAGE: &str = "\
Options, after `cargo bench --bench report --`:
  --readme      write the figures into README.md as well
  --quick       show the figures of quick runs, which are not to be quoted
  --measure     measure everything anew; all other options then go to each bench, as
                `cargo bench --bench density -- --help` lists them";

/// What is to be reported.
struct Options {
    quick: bool,
    /// With what to measure before, if that is wanted.
    measure: Option<Vec<String>>,
    writes: bool,
}

fn main() -> ExitCode {
    let options = match parse(env::args().skip(1).collect()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("report: {error}");
            return ExitCode::from(2);
        }
    };
    match report(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the arguments; `None` asks for the usage.
fn parse(mut arguments: Vec<String>) -> Result<Option<Options>, String> {
    // Without `--bench` this is a test run, which wants a sign of life.
    let is_bench = take(&mut arguments, "--bench");
    if arguments.iter().any(|argument| ["-h", "--help"].contains(&argument.as_str())) {
        return Ok(None);
    }
    let (measures, writes) = (take(&mut arguments, "--measure"), take(&mut arguments, "--readme"));
    let is_quick = |argument: &String| argument == "--quick";
    let quick = !is_bench || arguments.iter().any(is_quick);
    // Each bench says itself what it does not know.
    if let (false, Some(unknown)) = (measures, arguments.iter().find(|each| !is_quick(each))) {
        return Err(format!("unknown argument {unknown} (see --help)"));
    }
    Ok(Some(Options { quick, measure: measures.then_some(arguments), writes }))
}

fn take(arguments: &mut Vec<String>, option: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != option);
    arguments.len() < before
}

fn report(options: &Options) -> io::Result<()> {
    let &Options { quick, ref measure, writes } = options;
    if let Some(arguments) = measure {
        for bench in BENCHES {
            run(bench, arguments)?;
        }
    }
    let book = Book::open(quick)?;
    plots::draw(&book)?;
    let section = readme::section(&book);
    println!("{section}");
    targets::print(&book);
    if !writes {
        return Ok(());
    }
    if quick {
        return Err(io::Error::other("quick figures are not to be quoted"));
    }
    println!("\nREADME.md has these figures now, of {}.", machine::describe());
    readme::write(&section)
}

/// Runs another bench, as if it had been called with these arguments.
fn run(bench: &str, arguments: &[String]) -> io::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["bench", "--quiet", "--bench", bench, "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{bench} has failed"))) }
}
