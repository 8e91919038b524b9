//! What every bench does: measure some cases in turn, several times, and show what came of it.

use super::book::Book;
use super::options::Options;
use super::stats;
use super::table::{Cell, Cells, Column, Row, Table};
use super::{chart, floor, peers};
use std::io;
use std::time::Instant;

/// Fewer runs are too few for a verdict: the machine's own speed drifts by a fifth.
const VERDICT_RUNS: usize = 3;

/// As the row of a target: it is one of the worst of all rows.
pub(crate) const EVERY_ROW: &str = "every row";

/// Figures that must be 0: a server that loses lines is not fast.
pub(crate) const LOST: Column = Column::new("lost", 0);
pub(crate) const DISORDERED: Column = Column::new("disordered", 0);

/// Cases that are compared with one another, and make one table.
pub(crate) struct Group<'a> {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// 0 where it makes no difference.
    pub(crate) clients: usize,
    pub(crate) cases: Vec<Case<'a>>,
    /// The case that the others are compared with.
    pub(crate) floor: Option<usize>,
    pub(crate) columns: Vec<Column>,
    pub(crate) targets: Vec<Target>,
}

/// One row: a server, and what it has to do.
pub(crate) struct Case<'a> {
    pub(crate) name: String,
    /// Whether it may fail: another server, that is as it is.
    pub(crate) is_peer: bool,
    pub(crate) measure: Box<dyn FnMut() -> io::Result<Cell> + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        name: impl Into<String>,
        measure: impl FnMut() -> io::Result<Cell> + 'a,
    ) -> Case<'a> {
        Case { name: name.into(), is_peer: false, measure: Box::new(measure) }
    }
}

/// What a figure of a row is to be.
pub(crate) struct Target {
    row: &'static str,
    heading: &'static str,
    value: Value,
    bound: Bound,
}

#[derive(Clone, Copy)]
pub(crate) enum Value {
    Median,
    /// Its ratio to the floor.
    Ratio,
    /// How often it goes into that of the best peer.
    BestPeer,
    /// How often it goes into that of this row.
    Of(&'static str),
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub(crate) fn at_most(row: &'static str, column: Column, value: Value, most: f64) -> Target {
        Target { row, heading: column.heading, value, bound: Bound::AtMost(most) }
    }

    pub(crate) fn at_least(row: &'static str, column: Column, value: Value, least: f64) -> Target {
        Target { row, heading: column.heading, value, bound: Bound::AtLeast(least) }
    }
}

/// Measures all groups that are asked for, prints each table when it is done, and ends with
/// what to make of them. Returns whether every line arrived in order.
pub(crate) fn run(
    bench: &str,
    about: &str,
    options: &Options,
    runs: usize,
    mut groups: Vec<Group<'_>>,
) -> io::Result<bool> {
    groups.retain_mut(|group| group.narrow(options));
    let runs = options.runs.unwrap_or(if options.quick { 1 } else { runs });
    let cells = groups.iter().map(|group| group.cases.len() * runs).sum();
    let mut progress = Progress { done: 0, all: cells, start: Instant::now() };
    let mut book = Book::open(options.quick)?;
    let (mut is_right, mut names) = (true, Vec::new());
    for mut group in groups {
        let table = group.measure(runs, &mut progress)?;
        is_right &= group.has_no_fault(&table);
        println!("\n{}\n\n{}", table.heading(), table.text());
        let is_firm = runs >= VERDICT_RUNS && !options.quick;
        let verdicts: Vec<String> =
            group.targets.iter().filter_map(|target| target.verdict(&table, is_firm)).collect();
        for verdict in &verdicts {
            println!("{verdict}");
        }
        book.add(bench, &table, &verdicts);
        names.extend(table.rows.into_iter().map(|row| row.name));
    }
    book.save()?;
    chart::draw(&book)?;
    println!("\n{}", legend(&names));
    println!("{about}");
    if options.quick {
        println!("A quick run is a sign of life: none of its figures is to be quoted.");
    }
    println!("Figures: {}\nCharts: {}", book.path().display(), book.charts().display());
    Ok(is_right)
}

/// What the names of the rows stand for, where that is not plain.
pub(crate) fn legend(names: &[String]) -> String {
    let mut text = String::new();
    for (name, what) in floor::ABOUT.into_iter().chain(peers::ABOUT) {
        if names.iter().any(|each| each == name) {
            text.extend(["- `", name, "`: ", what, "\n"]);
        }
    }
    text
}

impl<'a> Group<'a> {
    /// The first case is the floor, and there are no targets.
    pub(crate) fn new(
        id: &'static str,
        title: impl Into<String>,
        clients: usize,
        cases: impl IntoIterator<Item = Case<'a>>,
        columns: &[Column],
    ) -> Group<'a> {
        Group {
            id,
            title: title.into(),
            clients,
            cases: cases.into_iter().collect(),
            floor: Some(0),
            columns: columns.to_vec(),
            targets: Vec::new(),
        }
    }

    /// The same, with what its figures are to be.
    pub(crate) fn with(self, targets: impl IntoIterator<Item = Target>) -> Group<'a> {
        Group { targets: targets.into_iter().collect(), ..self }
    }

    /// Leaves what is asked for: the whole table, or some of the rows, if nothing compares them
    /// with one that may be missing. False if nothing is left.
    fn narrow(&mut self, options: &Options) -> bool {
        if !options.wants(self.id) {
            self.cases.retain(|case| self.floor.is_none() && options.wants(&case.name));
        }
        !self.cases.is_empty()
    }

    fn measure(&mut self, runs: usize, progress: &mut Progress) -> io::Result<Table> {
        let mut cells: Vec<Cells> = self.cases.iter().map(|_| Vec::new()).collect();
        for run in 0..runs {
            let mut order: Vec<usize> = (0..self.cases.len()).collect();
            // Every other run goes backwards, so that a drift of the machine does not favour
            // whoever comes first.
            if run % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let case = &mut self.cases[index];
                progress.next(&format!("{}: {}", self.id, case.name));
                match (case.measure)() {
                    Ok(cell) => cells[index].push(cell),
                    Err(error) if case.is_peer => {
                        println!("{} is left out of a run: {error}", case.name);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let floor = self.floor.map(|floor| &cells[floor]);
        // A peer that failed once is no pair to the floor any more.
        let rows = self.cases.iter().zip(&cells).filter(|(_, cells)| cells.len() == runs);
        let rows = rows.map(|(case, cells)| Row::new(&case.name, cells, floor, &self.columns));
        Ok(Table {
            id: self.id,
            title: self.title.clone(),
            clients: self.clients,
            runs,
            floor: self.floor.map(|floor| self.cases[floor].name.clone()),
            rows: rows.collect(),
            columns: self.columns.clone(),
        })
    }

    /// Whether no line was lost or out of order. Of a peer it is only shown.
    fn has_no_fault(&self, table: &Table) -> bool {
        let own = self.cases.iter().filter(|case| !case.is_peer);
        own.flat_map(|case| [LOST, DISORDERED].map(|it| table.figure(&case.name, it.heading)))
            .flatten()
            .all(|figure| figure.spread.max.is_nan() || figure.spread.max < 0.5)
    }
}

impl Target {
    /// Beside what was measured, and whether it holds if the figures are firm enough for
    /// that; `None` if it was not measured.
    fn verdict(&self, table: &Table, is_firm: bool) -> Option<String> {
        let row = if self.row == EVERY_ROW { self.worst(table)? } else { self.row };
        let figure = table.figure(row, self.heading)?;
        let median = figure.spread.median;
        let (value, what) = match self.value {
            Value::Median => (median, String::new()),
            Value::Ratio => (figure.ratio?.median, format!(" x {}", table.floor.as_ref()?)),
            Value::BestPeer => {
                let peers = table.rows.iter().filter(|row| peers::is_server(&row.name));
                let of = |row: &Row| Some(table.figure(&row.name, self.heading)?.spread.median);
                (peers.filter_map(of).reduce(f64::min)? / median, ", best peer x ours".to_owned())
            }
            Value::Of(other) => {
                let theirs = table.figure(other, self.heading)?.spread.median;
                (theirs / median, format!(", {other} x ours"))
            }
        };
        let (sign, bound, holds) = match self.bound {
            Bound::AtMost(most) => ("<=", most, value <= most),
            Bound::AtLeast(least) => (">=", least, value >= least),
        };
        let verdict = match holds {
            _ if !is_firm => "too few runs for a verdict",
            true => "holds",
            false => "DOES NOT HOLD",
        };
        let heading = self.heading;
        let row = if row == self.row { row } else { &format!("every row ({row})") };
        let [value, bound] = [value, bound].map(|value| stats::number(value, decimals(value)));
        Some(format!(
            "- target: {row}, {heading}{what} {sign} {bound}; measured {value}: {verdict}"
        ))
    }
}

impl Target {
    /// The row whose figure is the farthest from what it is to be.
    fn worst<'a>(&self, table: &'a Table) -> Option<&'a str> {
        let badness = |row: &Row| {
            let median =
                table.figure(&row.name, self.heading).map_or(f64::NAN, |it| it.spread.median);
            if matches!(self.bound, Bound::AtMost(_)) { median } else { -median }
        };
        let rows = table.rows.iter().filter(|row| !badness(row).is_nan());
        let worst = rows.max_by(|one, other| badness(one).total_cmp(&badness(other)));
        worst.map(|row| row.name.as_str())
    }
}

/// Three digits are enough.
fn decimals(value: f64) -> usize {
    match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    }
}

/// What a bench says while it works: a line a cell.
struct Progress {
    done: usize,
    all: usize,
    start: Instant,
}

impl Progress {
    fn next(&mut self, what: &str) {
        self.done += 1;
        let seconds = self.start.elapsed().as_secs();
        eprintln!("[{}/{}, {seconds} s] {what}", self.done, self.all);
    }
}
