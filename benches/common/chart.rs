//! Charts: a figure over the number of clients, a line for each server, on logarithmic axes.

use super::book::Book;
use super::stats;
use plotters::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::{fs, io};

const SIZE: (u32, u32) = (800, 460);

/// What is drawn: the file, the title, and which figure of which tables.
const CHARTS: [(&str, &str, [&str; 3]); 5] = [
    ("memory.svg", "Resident bytes an idle client", ["density", "idle", "B/client"]),
    ("reach.svg", "Time until everybody has a line, ms", ["density", "idle", "ms to all"]),
    (
        "cost-one.svg",
        "Server CPU a delivered line, one at a time, us",
        ["fanout", "one", "CPU us/line"],
    ),
    (
        "cost-outstanding.svg",
        "Server CPU a delivered line, 16 x 16 outstanding, us",
        ["fanout", "outstanding", "CPU us/line"],
    ),
    ("latency.svg", "99 of 100 paced lines come within, ms", ["fanout", "paced", "p99 ms"]),
];

/// A colour for each server, the same in every chart, and distinct also to those who see
/// colours differently (Okabe and Ito; the paler ones are shades of theirs).
const COLOURS: [(&str, RGBColor); 13] = [
    ("chinwag", RGBColor(213, 94, 0)),
    ("chinwag, in rooms", RGBColor(230, 159, 0)),
    ("chinwag, connected only", RGBColor(240, 201, 130)),
    ("plain", RGBColor(0, 0, 0)),
    ("coalescing", RGBColor(90, 90, 90)),
    ("rolling", RGBColor(153, 153, 153)),
    ("redis", RGBColor(0, 114, 178)),
    ("valkey", RGBColor(86, 180, 233)),
    ("nats", RGBColor(0, 158, 115)),
    ("ngircd", RGBColor(204, 121, 167)),
    ("inspircd", RGBColor(125, 60, 100)),
    ("tokio", RGBColor(120, 100, 20)),
    ("tokio-buffered", RGBColor(215, 200, 40)),
];

/// Points by server.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

/// Draws all that the book has figures for.
pub(crate) fn draw(book: &Book) -> io::Result<()> {
    for (file, title, [bench, id, heading]) in CHARTS {
        let mut lines = Lines::new();
        for table in book.tables(bench).filter(|table| table["id"] == id) {
            add(&mut lines, table, heading);
        }
        for points in lines.values_mut() {
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        if !lines.is_empty() {
            fs::create_dir_all(book.charts())?;
            let path = book.charts().join(file);
            let mut svg = String::new();
            plot(&mut svg, title, &lines).map_err(|error| io::Error::other(error.to_string()))?;
            fs::write(path, svg)?;
        }
    }
    Ok(())
}

/// Adds the medians of a table. A logarithmic axis has no place for what is not above 0.
fn add(lines: &mut Lines, table: &Value, heading: &str) {
    for row in table["rows"].as_array().into_iter().flatten() {
        let point = (table["clients"].as_f64(), row["figures"][heading]["median"].as_f64());
        if let (Some(name), (Some(clients), Some(value))) = (row["name"].as_str(), point)
            && value > 0.0
        {
            lines.entry(name.to_owned()).or_default().push((clients, value));
        }
    }
}

fn plot(
    svg: &mut String,
    title: &str,
    lines: &Lines,
) -> Result<(), DrawingAreaErrorKind<io::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let (chart_area, legend) = area.split_horizontally(SIZE.0 - 190);
    let points = || lines.values().flatten();
    let [across, up] =
        [decades(points().map(|point| point.0)), decades(points().map(|point| point.1))];
    let mut chart = ChartBuilder::on(&chart_area)
        .margin(12)
        .caption(title, ("sans-serif", 17))
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d((across.0..across.1).log_scale(), (up.0..up.1).log_scale())?;
    let label = |value: &f64| {
        let decimals = usize::from(*value < 1.0) * 3;
        stats::number(*value, decimals)
    };
    chart
        .configure_mesh()
        .x_desc("clients")
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .light_line_style(WHITE)
        .draw()?;
    for (index, (name, points)) in lines.iter().enumerate() {
        let colour =
            COLOURS.iter().find(|(known, _)| known == name).map_or(BLACK, |(_, colour)| *colour);
        chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2)).point_size(3))?;
        let top = 50 + 22 * i32::try_from(index).unwrap_or(0);
        legend.draw(&Rectangle::new([(0, top), (12, top + 12)], colour.filled()))?;
        legend.draw(&Text::new(name.as_str(), (20, top), ("sans-serif", 14)))?;
    }
    area.present()
}

/// The powers of ten around some values.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let from = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let to = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil().max(from + 1.0);
    (10_f64.powf(from), 10_f64.powf(to))
}
