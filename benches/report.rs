//! All figures at once: as tables for the README, and as charts.
//!
//! `cargo bench --bench report -- --measure --readme --runs 5 --peers all` measures
//! everything anew and writes the README's figures; without `--measure` they are those of
//! the book, `target/bench/figures.json`, and without `--readme` they are only shown.
//! What else stands behind `--measure` goes to each bench.

mod common;

use common::book::Book;
use common::{machine, plots, readme, targets};
use std::env;
use std::io;
use std::process::{Command, ExitCode};

const BENCHES: [&str; 3] = ["density", "fanout", "micro"];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    // Without `--bench` this is a test run, which wants a sign of life.
    let is_bench = take(&mut arguments, "--bench");
    let (measures, writes) = (take(&mut arguments, "--measure"), take(&mut arguments, "--readme"));
    let quick = !is_bench || arguments.iter().any(|argument| argument == "--quick");
    match report(measures.then_some(&arguments), writes, quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn take(arguments: &mut Vec<String>, option: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != option);
    arguments.len() < before
}

fn report(measure: Option<&Vec<String>>, writes: bool, quick: bool) -> io::Result<()> {
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
