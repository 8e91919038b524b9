//! Which charts there are.

use super::book::{Book, Page};
use super::chart::{self, Series};
use std::collections::BTreeMap;
use std::{fs, io};

/// Draws all that the book has figures for.
pub(crate) fn draw(book: &Book) -> io::Result<()> {
    let idle = book.of_kind("density", "idle");
    let paced = book.of_kind("fanout", "paced");
    let over = [
        ("memory", "Resident memory of an idle client", "bytes", &idle, "bytes a client"),
        ("reach", "Time for a line to reach everybody", "ms", &idle, "ms to all"),
        ("latency", "99 of 100 lines come within", "ms", &paced, "p99 ms"),
    ];
    for (file, title, unit, pages, figure) in over {
        let series = series(pages, figure);
        if !series.is_empty() {
            save(book, file, &chart::lines(title, "clients", unit, &series))?;
        }
    }
    let costs = [("one", "one line at a time"), ("outstanding", "16 x 16 lines outstanding")];
    for (id, what) in costs {
        for page in book.of_kind("fanout", id) {
            let clients = page.clients();
            let title = format!("CPU us a delivered line, {clients} receivers, {what}");
            let bars = bars(page, "CPU us a line");
            save(book, &format!("cost-{id}-{clients}"), &chart::bars(&title, &bars))?;
        }
    }
    Ok(())
}

/// A line for each server, over the number of clients.
fn series(pages: &[Page<'_>], figure: &str) -> Vec<Series> {
    let mut points: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for page in pages {
        for server in page.servers() {
            if let Some(value) = page.median(server, figure) {
                let clients = super::stats::float(page.clients());
                points.entry(server).or_default().push((clients, value));
            }
        }
    }
    points.into_iter().map(|(name, points)| Series { name: name.to_owned(), points }).collect()
}

/// A bar for each server, the shortest first.
fn bars(page: Page<'_>, figure: &str) -> Vec<(String, f64)> {
    let bar = |server: &str| Some((server.to_owned(), page.median(server, figure)?));
    let mut bars: Vec<_> = page.servers().into_iter().filter_map(bar).collect();
    bars.sort_by(|one, other| one.1.total_cmp(&other.1));
    bars
}

fn save(book: &Book, name: &str, svg: &str) -> io::Result<()> {
    let folder = book.charts();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("{name}.svg")), svg)
}
