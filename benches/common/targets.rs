//! What is aimed for, and whether it holds.

use super::book::{Book, Page};
use super::chart::number;
use super::peers::Peer;
use super::stats;

/// One aim: what is looked at, what it is, and what it may be at most or at least.
struct Aim {
    what: String,
    value: Option<f64>,
    bound: Bound,
}

enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// Prints every aim beside its figure.
pub(crate) fn print(book: &Book) {
    let mut rows = Vec::new();
    for Aim { what, value, bound } in aims(book) {
        let (bound, holds) = match bound {
            Bound::AtMost(most) => {
                (format!("<= {}", number(most)), value.map(|value| value <= most))
            }
            Bound::AtLeast(least) => {
                (format!(">= {}", number(least)), value.map(|value| value >= least))
            }
        };
        let verdict = match holds {
            None => "not measured",
            Some(true) => "holds",
            Some(false) => "DOES NOT HOLD",
        };
        let value = value.map_or_else(String::new, number);
        rows.push(vec![what, value, bound, verdict.to_owned()]);
    }
    println!();
    stats::print_table(&["target", "measured", "aim", ""].map(str::to_owned), &rows);
}

fn aims(book: &Book) -> Vec<Aim> {
    let mut aims = Vec::new();
    let mut aim = |what: String, value, bound| aims.push(Aim { what, value, bound });
    let of = |id| book.of_kind("fanout", id).into_iter().filter(|page| page.clients() >= 1000);
    let ratio = |page: Page<'_>, server, figure, floor| page.ratio(server, figure, floor);
    let cost = "CPU us a line";
    let at = |page: Page<'_>, what: &str| {
        format!("{} clients, {what}", stats::grouped(stats::float(page.clients())))
    };
    for page in of("one") {
        let value = ratio(page, "chinwag", cost, "plain");
        aim(at(page, "one at a time, x plain"), value, Bound::AtMost(1.05));
    }
    for page in of("outstanding") {
        let value = ratio(page, "chinwag", cost, "rolling");
        aim(at(page, "16 x 16, x rolling"), value, Bound::AtMost(1.2));
        let ours = page.median("chinwag", cost);
        let is_peer = |name: &&str| Peer::from_name(name).is_some_and(|peer| !peer.is_fixture());
        let peers = page.servers().into_iter().filter(is_peer);
        let best = peers.filter_map(|peer| page.median(peer, cost)).reduce(f64::min);
        let value = best.zip(ours).map(|(best, ours)| best / ours);
        aim(at(page, "16 x 16, the best peer x ours"), value, Bound::AtLeast(8.0));
    }
    for page in of("wording") {
        for half in ["half end with CR LF", "half in another dialect"] {
            let value = ratio(page, half, cost, "one wording");
            aim(at(page, &format!("{half}, x alike")), value, Bound::AtMost(1.3));
        }
    }
    for page in of("private") {
        let value = ratio(page, "with private lines", cost, "without");
        aim(at(page, "a private line to each two, x without"), value, Bound::AtMost(1.2));
    }
    for page in of("rooms").filter(|page| page.clients() >= 10_000) {
        for (rooms, most) in [("100 rooms", 0.25), ("10 rooms", 0.16)] {
            aim(
                at(page, &format!("{rooms}, us a line")),
                page.median(rooms, cost),
                Bound::AtMost(most),
            );
        }
    }
    for page in of("paced") {
        let most = if page.clients() < 10_000 { 1.05 } else { 1.08 };
        let value = ratio(page, "chinwag", "p99 ms", "plain");
        aim(at(page, "paced p99, x plain"), value, Bound::AtMost(most));
    }
    for page in of("crowd").filter(|page| page.clients() >= 10_000) {
        let value = page.median("chinwag", "peak KiB over idle");
        aim(at(page, "1 000 x 16, peak KiB over idle"), value, Bound::AtMost(16_384.0));
    }
    if let Some(page) = book.of_kind("fanout", "stalled").pop() {
        let value = ratio(page, "chinwag", "lines/s a reader", "chinwag, all read");
        aim(
            at(page, "one in ten stalled, lines/s a reader x without"),
            value,
            Bound::AtLeast(0.95),
        );
        let value = page.median("chinwag", "peak KiB over idle");
        // 8 MB, and what may wait for twenty.
        let limits = 20.0 * 64.0;
        aim(at(page, "the same, peak KiB"), value, Bound::AtMost(8192.0 + limits));
    }
    if let Some(page) = book.of_kind("fanout", "beside-stalled").pop() {
        let value = ratio(page, "chinwag", "p99 ms", "chinwag, all read");
        aim(at(page, "paced p99 beside one stalled, x without"), value, Bound::AtMost(1.2));
    }
    aims.extend(density_aims(book));
    aims
}

fn density_aims(book: &Book) -> Vec<Aim> {
    let mut aims = Vec::new();
    let mut aim = |what: String, value, bound| aims.push(Aim { what, value, bound });
    let at = |page: Page<'_>, what: &str| {
        format!("{} clients, {what}", stats::grouped(stats::float(page.clients())))
    };
    let idle = book.of_kind("density", "idle").into_iter().filter(|page| page.clients() >= 10_000);
    for page in idle {
        let (named, silent) = ("chinwag", "chinwag, connected only");
        let rooms = "chinwag, in rooms";
        for who in [named, rooms] {
            let value = page.median(who, "bytes a client");
            aim(at(page, &format!("{who}, bytes a client")), value, Bound::AtMost(200.0));
        }
        for (who, most) in [(silent, 1.2), (named, 1.8)] {
            let value = page.ratio(who, "CPU us a connect", "plain");
            aim(at(page, &format!("{who}, CPU a connect x plain")), value, Bound::AtMost(most));
            let value = page.ratio(who, "connects/s", "plain");
            aim(at(page, &format!("{who}, connects/s x plain")), value, Bound::AtLeast(0.65));
        }
        let value = page.median(named, "idle CPU us/s");
        aim(at(page, "idle CPU us/s"), value, Bound::AtMost(0.0));
        for figure in ["KiB more after a spike", "KiB more when all have left"] {
            // The rest of the aim, 20 % of what was resident before, is on the safe side.
            aim(at(page, figure), page.median(named, figure), Bound::AtMost(4096.0));
        }
    }
    for page in book.of_kind("density", "million") {
        let value = page.median("named", "heap bytes a connection");
        aim(at(page, "in memory, heap bytes each"), value, Bound::AtMost(200.0));
    }
    aims
}
