//! The figures as the README has them, between two marks.

use super::book::{Book, Page};
use super::chart;
use super::stats;
use std::fmt::Write;
use std::{fs, io};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "<!-- figures: written by `cargo bench --bench report` -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// A column of figures: its heading, where they stand, and under which name.
type Column<'a> = (String, Page<'a>, &'static str);

/// Puts the section into the README.
pub(crate) fn write(section: &str) -> io::Result<()> {
    let readme = fs::read_to_string(PATH)?;
    let parts = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        return Err(io::Error::other("README.md has lost the marks around its figures"));
    };
    fs::write(PATH, format!("{before}{BEGIN}{section}{END}{after}"))
}

/// All that is to be said of the figures in the book.
pub(crate) fn section(book: &Book) -> String {
    let mut text = String::new();
    about(book, &mut text);
    let fanout = |id| book.of_kind("fanout", id);
    let mut costs: Vec<Column<'_>> = Vec::new();
    for (id, what) in [("one", "one at a time"), ("outstanding", "16 × 16")] {
        costs.extend(
            fanout(id).into_iter().map(|page| {
                (format!("{} receivers, {what}", clients(page)), page, "CPU us a line")
            }),
        );
    }
    matrix("CPU µs a delivered line", &costs, &mut text);
    let paced = fanout("paced").into_iter().flat_map(|page| {
        ["p50 ms", "p99 ms", "p99.9 ms"]
            .map(|figure| (format!("{} clients, {figure}", clients(page)), page, figure))
    });
    matrix("Lines at a steady pace", &paced.collect::<Vec<_>>(), &mut text);
    if let Some(page) = book.of_kind("density", "idle").pop() {
        let figures = [
            ("connects/s", "connects/s"),
            ("CPU µs a connect", "CPU us a connect"),
            ("resident bytes a client", "bytes a client"),
            ("idle CPU, µs/s", "idle CPU us/s"),
            ("ms until all have a line", "ms to all"),
        ];
        let columns = figures.map(|(heading, figure)| (heading.to_owned(), page, figure));
        matrix(&format!("{} idle clients", clients(page)), &columns, &mut text);
    }
    if let Some(page) = fanout("stalled").pop() {
        let figures = [
            ("lines/s to each reader", "lines/s a reader"),
            ("peak KiB over idle", "peak KiB over idle"),
            ("KiB in sockets for each stalled, both ends", "KiB in sockets each, both ends"),
        ];
        let columns = figures.map(|(heading, figure)| (heading.to_owned(), page, figure));
        let heading = format!("{} members, one in ten never reads", clients(page));
        matrix(&heading, &columns, &mut text);
    }
    million(book, &mut text);
    text
}

/// When, where, how, and how often.
fn about(book: &Book, text: &mut String) {
    let (date, machine) = (book.about("fanout", "date"), book.about("fanout", "machine"));
    let runs = match book.runs("fanout") {
        Some((fewest, most)) if fewest < most => format!("{fewest} to {most}"),
        Some((runs, _)) => runs.to_string(),
        None => "no".to_owned(),
    };
    let (date, machine) = (date.unwrap_or("never"), machine.unwrap_or("nowhere"));
    let said = writeln!(
        text,
        "\nMedians of {runs} runs on {date}, on {machine};\n\
         the server has one core to itself, the clients another. `plain`, `coalescing` and\n\
         `rolling` are the floors: the smallest programs that do the same kernel work.\n"
    );
    said.expect("a String takes everything");
    for bench in ["fanout", "density"] {
        for command in book.commands(bench) {
            writeln!(text, "- `{command}`").expect("a String takes everything");
        }
    }
}

/// A table with a row for each server that has any of the figures.
fn matrix(corner: &str, columns: &[Column<'_>], text: &mut String) {
    let mut servers: Vec<&str> = Vec::new();
    for server in columns.iter().flat_map(|(_, page, _)| page.servers()) {
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        return;
    }
    // Ours comes first.
    servers.sort_by_key(|server| !server.starts_with("chinwag"));
    let headings: Vec<&str> = columns.iter().map(|(heading, ..)| heading.as_str()).collect();
    let mut rows = vec![format!("\n| {corner} | {} |", headings.join(" | "))];
    rows.push(format!("| --- |{}", " ---: |".repeat(columns.len())));
    for server in servers {
        let cell = |(_, page, figure): &Column<'_>| {
            page.median(server, figure).map_or_else(String::new, chart::number)
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        rows.push(format!("| {server} | {} |", cells.join(" | ")));
    }
    text.push_str(&rows.join("\n"));
    text.push('\n');
}

fn million(book: &Book, text: &mut String) {
    let Some(page) = book.of_kind("density", "million").pop() else { return };
    let Some(bytes) = page.median("named", "heap bytes a connection") else { return };
    let said = writeln!(
        text,
        "\n{} connections in memory, named and in one room, take {} bytes of the heap each.",
        clients(page),
        chart::number(bytes)
    );
    said.expect("a String takes everything");
}

fn clients(page: Page<'_>) -> String {
    stats::grouped(stats::float(page.clients()))
}
