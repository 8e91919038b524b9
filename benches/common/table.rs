//! Figures in rows and columns: for people as text, for programs as JSON.

use super::stats::{self, Spread};
use serde_json::{Map, Value, json};

/// One thing that was measured in each cell.
pub(crate) struct Column<T> {
    pub(crate) heading: &'static str,
    pub(crate) decimals: usize,
    pub(crate) value: fn(&T) -> f64,
    /// What matters: shown with its spread, and as a ratio to the floor.
    pub(crate) is_main: bool,
}

impl<T> Column<T> {
    pub(crate) const fn new(
        heading: &'static str,
        decimals: usize,
        value: fn(&T) -> f64,
    ) -> Column<T> {
        Column { heading, decimals, value, is_main: false }
    }

    pub(crate) const fn main(
        heading: &'static str,
        decimals: usize,
        value: fn(&T) -> f64,
    ) -> Column<T> {
        Column { heading, decimals, value, is_main: true }
    }
}

/// What was measured of several servers in turn.
pub(crate) struct Table {
    /// By which programs find it.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) clients: usize,
    runs: usize,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    figures: Vec<Figure>,
}

struct Figure {
    heading: &'static str,
    decimals: usize,
    spread: Spread,
    /// To the floor, run by run.
    ratio: Option<(String, Spread)>,
}

impl Table {
    /// `rows` are the cells of each server, one a run; `floor` is the row of the floor.
    pub(crate) fn new<T>(
        id: &'static str,
        title: String,
        clients: usize,
        floor: Option<usize>,
        rows: &[(String, Vec<T>)],
        columns: &[Column<T>],
    ) -> Table {
        let row = |(name, cells): &(String, Vec<T>)| {
            let figures = columns.iter().map(|column| {
                let ratio = floor.filter(|_| column.is_main).map(|floor| {
                    let (name, floor) = &rows[floor];
                    (name.clone(), Spread::of_ratios(cells, floor, column.value))
                });
                Figure {
                    heading: column.heading,
                    decimals: column.decimals,
                    spread: Spread::of(cells, column.value),
                    ratio,
                }
            });
            Row { name: name.clone(), figures: figures.collect() }
        };
        let runs = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        Table { id, title, clients, runs, rows: rows.iter().map(row).collect() }
    }

    pub(crate) fn print(&self) {
        let clients = stats::grouped(stats::float(self.clients as u64));
        let runs = if self.runs == 1 { "1 run".to_owned() } else { format!("{} runs", self.runs) };
        println!("\n{clients} clients, {} ({runs})", self.title);
        let Some(first) = self.rows.first() else { return };
        let mut headings = vec!["server".to_owned()];
        for figure in &first.figures {
            headings.push(figure.heading.to_owned());
            if let Some((floor, _)) = &figure.ratio {
                headings.extend(self.with_spread("spread".to_owned()));
                headings.push(format!("x {floor}"));
                headings.extend(self.with_spread("spread".to_owned()));
            }
        }
        let rows = self.rows.iter().map(|row| self.texts(row)).collect::<Vec<_>>();
        stats::print_table(&headings, &rows);
    }

    pub(crate) fn to_json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let figures = row.figures.iter().map(|figure| {
                let mut value = of_spread(&figure.spread);
                if let Some((floor, ratio)) = &figure.ratio {
                    value.insert(format!("x {floor}"), Value::Object(of_spread(ratio)));
                }
                (figure.heading.to_owned(), Value::Object(value))
            });
            json!({ "server": row.name, "figures": figures.collect::<Map<_, _>>() })
        });
        json!({
            "id": self.id,
            "title": self.title,
            "clients": self.clients,
            "runs": self.runs,
            "rows": rows.collect::<Vec<_>>(),
        })
    }
}

impl Table {
    /// One run has no spread.
    fn with_spread(&self, text: String) -> Option<String> {
        Some(text).filter(|_| self.runs > 1)
    }

    fn texts(&self, row: &Row) -> Vec<String> {
        let mut texts = vec![row.name.clone()];
        for figure in &row.figures {
            let (spread, decimals) = (&figure.spread, figure.decimals);
            texts.push(match decimals {
                _ if spread.median.is_nan() => String::new(),
                0 => stats::grouped(spread.median),
                _ => format!("{:.decimals$}", spread.median),
            });
            if let Some((_, ratio)) = &figure.ratio {
                texts.extend(self.with_spread(spread.range(decimals)));
                texts.push(format!("{:.2}", ratio.median));
                texts.extend(self.with_spread(ratio.range(2)));
            }
        }
        texts
    }
}

fn of_spread(spread: &Spread) -> Map<String, Value> {
    let parts = [("median", spread.median), ("min", spread.min), ("max", spread.max)];
    parts.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}
