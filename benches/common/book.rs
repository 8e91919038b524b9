//! All figures so far, in one JSON file that every bench adds its tables to, so that a
//! report can be made of all of them.

use super::machine;
use super::table::Table;
use jiff::Zoned;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Tables by bench.
pub(crate) struct Book {
    path: PathBuf,
    benches: Map<String, Value>,
}

/// Where figures and charts go.
pub(crate) fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.unwrap_or(Path::new("target")).join("bench")
}

impl Book {
    /// Opens the book; quick figures have one of their own, since they are not to be quoted.
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

    /// Adds a table, with what was found of its targets. One of the same kind and as many
    /// clients goes.
    pub(crate) fn add(&mut self, bench: &str, table: &Table, verdicts: &[String]) {
        let mut new = table.to_json();
        new["verdicts"] = verdicts.into();
        new["command"] = command(bench).into();
        new["date"] = Zoned::now().strftime("%Y-%m-%d").to_string().into();
        new["machine"] = machine::describe().into();
        let mut tables: Vec<Value> = self.tables(bench).cloned().collect();
        tables.retain(|old| old["id"] != new["id"] || old["clients"] != new["clients"]);
        tables.push(new);
        self.benches.insert(bench.to_owned(), tables.into());
    }

    pub(crate) fn save(&self) -> io::Result<()> {
        fs::write(&self.path, serde_json::to_string_pretty(&self.benches)? + "\n")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the charts of these figures go.
    pub(crate) fn charts(&self) -> PathBuf {
        self.path.with_extension("charts")
    }

    /// The tables of a bench as they are kept, in the order that they were measured in.
    pub(crate) fn tables(&self, bench: &str) -> impl Iterator<Item = &Value> {
        self.benches.get(bench).and_then(Value::as_array).into_iter().flatten()
    }
}

/// How a bench was called.
fn command(bench: &str) -> String {
    let arguments: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.join(" ").as_str() {
        "" => format!("cargo bench --bench {bench}"),
        words => format!("cargo bench --bench {bench} -- {words}"),
    }
}
