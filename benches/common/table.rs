//! Figures in rows and columns: as text that is Markdown too, and as JSON for programs.

use super::stats::{self, Spread};
use serde_json::{Map, Value, json};

/// Columns that would make a row longer than this, in characters, follow in a second table.
const WIDTH_MAX: usize = 120;

/// What one run of one case has given.
pub(crate) type Cell = Vec<(Column, f64)>;

/// A figure that every row has.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) decimals: usize,
    /// Shown with its spread, and as a ratio to the floor.
    pub(crate) is_main: bool,
}

impl Column {
    pub(crate) const fn new(heading: &'static str, decimals: usize) -> Column {
        Column { heading, decimals, is_main: false }
    }

    pub(crate) const fn main(heading: &'static str, decimals: usize) -> Column {
        Column { heading, decimals, is_main: true }
    }
}

/// What was measured of several servers in turn.
pub(crate) struct Table {
    /// By which programs find it.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) clients: usize,
    pub(crate) runs: usize,
    pub(crate) floor: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) name: String,
    /// One for each column.
    figures: Vec<Figure>,
}

pub(crate) struct Figure {
    pub(crate) spread: Spread,
    /// To the floor, run by run.
    pub(crate) ratio: Option<Spread>,
}

/// The cells of a row, one a run.
pub(crate) type Cells = Vec<Cell>;

impl Row {
    /// `floor` has the cells of what main columns are compared with.
    pub(crate) fn new(name: &str, cells: &Cells, floor: Option<&Cells>, columns: &[Column]) -> Row {
        let figure = |column: &Column| {
            let of = |cell: &Cell| {
                let found = cell.iter().find(|(each, _)| each.heading == column.heading);
                found.map_or(f64::NAN, |(_, value)| *value)
            };
            let ratio = floor.filter(|_| column.is_main).map(|floor| {
                let pairs = cells.iter().zip(floor);
                Spread::of(pairs.map(|(cell, floor)| of(cell) / of(floor)).collect())
            });
            Figure { spread: Spread::of(cells.iter().map(of).collect()), ratio }
        };
        Row { name: name.to_owned(), figures: columns.iter().map(figure).collect() }
    }
}

impl Table {
    /// A figure of a row.
    pub(crate) fn figure(&self, row: &str, heading: &str) -> Option<&Figure> {
        let column = self.columns.iter().position(|column| column.heading == heading)?;
        self.rows.iter().find(|each| each.name == row)?.figures.get(column)
    }

    pub(crate) fn heading(&self) -> String {
        let runs = if self.runs == 1 { "1 run" } else { &format!("{} runs", self.runs) };
        let clients = match self.clients {
            0 => String::new(),
            clients => format!("{} clients, ", stats::number(stats::size(clients), 0)),
        };
        format!("{}: {clients}{} ({runs})", self.id, self.title)
    }

    /// Rows of at most `WIDTH_MAX` characters, which are Markdown as well.
    pub(crate) fn text(&self) -> String {
        let names = self.rows.iter().map(|row| row.name.clone());
        let names: Vec<String> = [String::new()].into_iter().chain(names).collect();
        let mut blocks: Vec<Vec<Vec<String>>> = Vec::new();
        let mut room = 0;
        for column in self.column_texts() {
            let width = width(&column) + 3;
            if blocks.is_empty() || width > room {
                room = WIDTH_MAX - self::width(&names) - 4;
                blocks.push(vec![names.clone()]);
            }
            room -= width;
            blocks.last_mut().expect("there is one").push(column);
        }
        blocks.iter().map(|block| render(block)).collect::<Vec<_>>().join("\n")
    }

    /// All columns but the first, each from its heading down.
    fn column_texts(&self) -> Vec<Vec<String>> {
        let mut texts = Vec::new();
        for (index, Column { heading, decimals, is_main }) in self.columns.iter().enumerate() {
            let figures = || self.rows.iter().map(|row| &row.figures[index]);
            if figures().all(|figure| figure.spread.median.is_nan()) {
                continue;
            }
            let has_spread = self.runs > 1 && *is_main;
            let with_spread = |spread: &Spread, decimals, has_spread| {
                let median = stats::number(spread.median, decimals);
                if has_spread && !spread.median.is_nan() {
                    return format!("{median} {}", spread.range(decimals));
                }
                median
            };
            let value = |figure: &Figure| {
                with_spread(&figure.spread, *decimals, has_spread && figure.ratio.is_none())
            };
            texts.push([(*heading).to_owned()].into_iter().chain(figures().map(value)).collect());
            if let Some(floor) = self.floor.as_ref().filter(|_| *is_main) {
                let ratios = figures().filter_map(|figure| figure.ratio.as_ref());
                let ratios = ratios.map(|ratio| with_spread(ratio, 2, has_spread));
                texts.push([format!("x {floor}")].into_iter().chain(ratios).collect());
            }
        }
        texts
    }

    pub(crate) fn to_json(&self) -> Value {
        let of = |spread: &Spread| json!({ "median": spread.median, "min": spread.min, "max": spread.max });
        let rows = self.rows.iter().map(|row| {
            let figures = self.columns.iter().zip(&row.figures).map(|(column, figure)| {
                let mut value = of(&figure.spread);
                if let (Some(ratio), Some(floor)) = (&figure.ratio, &self.floor) {
                    value[format!("x {floor}")] = of(ratio);
                }
                (column.heading.to_owned(), value)
            });
            json!({ "name": row.name, "figures": figures.collect::<Map<_, _>>() })
        });
        json!({
            "id": self.id,
            "heading": self.heading(),
            "clients": self.clients,
            "rows": rows.collect::<Vec<_>>(),
            "text": self.text(),
        })
    }
}

fn width(column: &[String]) -> usize {
    column.iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

/// Columns side by side: names to the left, numbers to the right.
fn render(columns: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in 0..columns[0].len() {
        let cell = |(index, column): (usize, &Vec<String>)| {
            let width = width(column);
            if index == 0 {
                format!("| {:<width$} ", column[row])
            } else {
                format!("| {:>width$} ", column[row])
            }
        };
        text.extend(columns.iter().enumerate().map(cell));
        text.push_str("|\n");
        if row == 0 {
            let rule = |(index, column): (usize, &Vec<String>)| {
                let dashes = "-".repeat(width(column).max(1));
                if index == 0 { format!("| {dashes} ") } else { format!("| {}: ", &dashes[1..]) }
            };
            text.extend(columns.iter().enumerate().map(rule));
            text.push_str("|\n");
        }
    }
    text
}
