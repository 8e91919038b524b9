//! The book of figures: one JSON file that every bench enters its tables in, so that the
//! plots and the README can be made from all of them.

use super::options::Options;
use super::table::Table;
use super::{machine, plots};
use jiff::Zoned;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// All that was measured so far, by bench.
pub(crate) struct Book {
    path: PathBuf,
    benches: Map<String, Value>,
}

/// Where figures and plots go.
pub(crate) fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.unwrap_or(Path::new("target")).join("bench")
}

impl Book {
    /// Opens the book; quick figures have one of their own, since they are not to be
    /// quoted.
    pub(crate) fn open(quick: bool) -> io::Result<Book> {
        let folder = folder();
        fs::create_dir_all(&folder)?;
        let path = folder.join(if quick { "quick.json" } else { "figures.json" });
        let benches = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Map::new(),
            Err(error) => return Err(error),
        };
        Ok(Book { path, benches })
    }

    /// Enters what a bench has measured. What it measured before goes, unless only some
    /// of it was measured anew.
    pub(crate) fn enter(bench: &str, options: &Options, tables: &[Table]) -> io::Result<()> {
        let mut book = Book::open(options.quick)?;
        let (mut entries, mut commands): (Vec<Value>, Vec<Value>) = Default::default();
        if options.only.is_some() {
            commands = book.list(bench, "commands").cloned().collect();
            let is_new = |old: &Value| {
                tables.iter().any(|new| old["id"] == new.id && old["clients"] == new.clients)
            };
            entries = book.list(bench, "tables").filter(|old| !is_new(old)).cloned().collect();
        }
        entries.extend(tables.iter().map(Table::to_json));
        let arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
        let command = match arguments.join(" ").as_str() {
            "" => format!("cargo bench --bench {bench}"),
            words => format!("cargo bench --bench {bench} -- {words}"),
        };
        commands.retain(|old| *old != command);
        commands.push(command.into());
        let entry = json!({
            "commands": commands,
            "date": Zoned::now().strftime("%Y-%m-%d").to_string(),
            "machine": machine::describe(),
            "tables": entries,
        });
        book.benches.insert(bench.to_owned(), entry);
        let text = serde_json::to_string_pretty(&book.benches).map_err(io::Error::other)?;
        fs::write(&book.path, text + "\n")?;
        println!("\nFigures: {}", book.path.display());
        plots::draw(&book)
    }

    /// Where the charts of these figures go.
    pub(crate) fn charts(&self) -> PathBuf {
        self.path.with_extension("charts")
    }

    /// When a bench was last called, and where.
    pub(crate) fn about(&self, bench: &str, what: &str) -> Option<&str> {
        self.benches.get(bench)?.get(what)?.as_str()
    }

    /// What a bench was called with, for all that there is of it.
    pub(crate) fn commands(&self, bench: &str) -> impl Iterator<Item = &str> {
        self.list(bench, "commands").filter_map(Value::as_str)
    }

    /// The fewest and the most runs behind a table of a bench.
    pub(crate) fn runs(&self, bench: &str) -> Option<(u64, u64)> {
        let runs = || self.list(bench, "tables").map(|table| Page(table).runs());
        Some((runs().min()?, runs().max()?))
    }

    fn list(&self, bench: &str, what: &str) -> impl Iterator<Item = &Value> {
        let list = self.benches.get(bench).and_then(|bench| bench[what].as_array());
        list.into_iter().flatten()
    }

    /// The tables of one kind, by the number of clients.
    pub(crate) fn of_kind(&self, bench: &str, id: &str) -> Vec<Page<'_>> {
        let mut tables: Vec<&Value> = self.list(bench, "tables").collect();
        tables.retain(|table| table["id"] == id);
        tables.sort_by_key(|table| table["clients"].as_u64());
        tables.into_iter().map(Page).collect()
    }
}

/// A table as it stands in the book.
#[derive(Clone, Copy)]
pub(crate) struct Page<'a>(&'a Value);

impl<'a> Page<'a> {
    pub(crate) fn clients(self) -> u64 {
        self.0["clients"].as_u64().unwrap_or(0)
    }

    pub(crate) fn runs(self) -> u64 {
        self.0["runs"].as_u64().unwrap_or(0)
    }

    pub(crate) fn servers(self) -> Vec<&'a str> {
        let rows = self.0["rows"].as_array().into_iter().flatten();
        rows.filter_map(|row| row["server"].as_str()).collect()
    }

    /// The median of a figure.
    pub(crate) fn median(self, server: &str, figure: &str) -> Option<f64> {
        self.figure(server, figure)?["median"].as_f64()
    }

    /// The median of its ratios to another server's, run by run.
    pub(crate) fn ratio(self, server: &str, figure: &str, floor: &str) -> Option<f64> {
        self.figure(server, figure)?[format!("x {floor}")]["median"].as_f64()
    }

    fn figure(self, server: &str, figure: &str) -> Option<&'a Value> {
        let mut rows = self.0["rows"].as_array()?.iter();
        rows.find(|row| row["server"] == server)?["figures"].get(figure)
    }
}
