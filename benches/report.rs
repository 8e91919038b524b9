//! All figures at once, to be quoted in `docs/figures.md`, and as charts.
//!
//! `cargo bench --bench report -- --measure --runs 5 --peers all` measures everything anew;
//! without `--measure` the figures are those of the book, `target/bench/figures.json`.
//! With `--measure`, all other options go to each bench.

mod common;

use common::book::Book;
use common::{chart, driver};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, ExitCode};
use std::{env, io};

const BENCHES: [&str; 5] = ["fanout", "density", "micro", "transports", "stranger"];

/// Those that `--measure` calls.
const MEASURED: usize = 4;

const INTRODUCTION: &str = "\
# Figures

What the benches measured last; each table says with which command. Server and load generator
are two processes, each with a core to itself. Only ratios of one run count: a machine's own
speed drifts more than servers differ.
";

const USAGE: &str = "\
Options, after `cargo bench --bench report --`:
  --quick       show the figures of quick runs, which are not to be quoted
  --measure     measure these but stranger anew; all other options then go to each,
                as `cargo bench --bench density -- --help` lists them";

fn main() -> ExitCode {
    match report(env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("report: {error}");
            ExitCode::FAILURE
        }
    }
}

fn report(mut arguments: Vec<String>) -> io::Result<()> {
    let mut take = |option: &str| {
        let before = arguments.len();
        arguments.retain(|argument| argument != option);
        arguments.len() < before
    };
    // Without `--bench` this is a test run, which wants a sign of life.
    let quick = !take("--bench") | take("--quick");
    let measures = take("--measure");
    if take("--help") | take("-h") {
        println!("{USAGE}");
        return Ok(());
    }
    if measures {
        arguments.extend(quick.then(|| "--quick".to_owned()));
        BENCHES[..MEASURED].iter().try_for_each(|bench| run(bench, &arguments))?;
    } else if let Some(unknown) = arguments.first() {
        return Err(io::Error::other(format!("unknown argument {unknown} (see --help)")));
    }
    let book = Book::open(quick)?;
    chart::draw(&book)?;
    println!("{}", page(&book));
    println!("Figures: {}\nCharts: {}", book.path().display(), book.charts().display());
    Ok(())
}

fn page(book: &Book) -> String {
    let mut text = INTRODUCTION.to_owned();
    let names: BTreeSet<&str> = BENCHES
        .iter()
        .flat_map(|bench| book.tables(bench))
        .flat_map(|table| table["rows"].as_array().into_iter().flatten())
        .filter_map(|row| row["name"].as_str())
        .collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    text += "\n";
    text += &driver::legend(&names);
    for bench in BENCHES {
        let tables: Vec<&Value> = book.tables(bench).collect();
        if !tables.is_empty() {
            text += &format!("\n## {bench}\n");
        }
        tables.into_iter().for_each(|table| text += &section(table));
    }
    text
}

fn section(table: &Value) -> String {
    let text = |key: &str| table[key].as_str().unwrap_or_default();
    let verdicts = table["verdicts"].as_array().into_iter().flatten();
    let verdicts: String =
        verdicts.filter_map(Value::as_str).map(|verdict| format!("{verdict}\n")).collect();
    format!(
        "\n### {}\n\n`{}`, {}, {}\n\n{}\n{verdicts}",
        text("heading"),
        text("command"),
        text("date"),
        text("machine"),
        text("text"),
    )
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
