//! Charts as SVG, by hand: lines over two logarithmic axes, and bars along one.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 180.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 56.0;
const BAR: f64 = 26.0;

/// Distinct also to those who see colours differently (Okabe and Ito).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"];

/// One line of a chart.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A logarithmic axis from one power of ten to another.
struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// One that shows all values; those that are not above 0 have no place on it.
    fn over(values: impl Iterator<Item = f64> + Clone) -> Axis {
        let logarithms = values.filter(|value| *value > 0.0).map(f64::log10);
        let from = logarithms.clone().fold(f64::INFINITY, f64::min).floor();
        let to = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil();
        if from.is_finite() {
            Axis { from, to: to.max(from + 1.0) }
        } else {
            Axis { from: 0.0, to: 1.0 }
        }
    }

    /// Where a value is, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - self.from) / (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        let (from, to) = (self.from, self.to);
        (0..20)
            .map(move |step| from + f64::from(step))
            .take_while(move |at| *at <= to)
            .map(|at| 10_f64.powf(at))
    }
}

/// Lines, one for each series.
pub(crate) fn lines(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|series| series.points.iter().copied());
    let across = Axis::over(points().map(|(x, _)| x));
    let up = Axis::over(points().map(|(_, y)| y));
    let x = |value: f64| LEFT + across.place(value) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - up.place(value) * (HEIGHT - TOP - BOTTOM);
    let mut svg = begin(title, HEIGHT);
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for tick in across.ticks() {
        grid(&mut svg, [x(tick), TOP, x(tick), bottom]);
        text(&mut svg, x(tick), bottom + 18.0, "middle", &number(tick));
    }
    for tick in up.ticks() {
        grid(&mut svg, [LEFT, y(tick), right, y(tick)]);
        text(&mut svg, LEFT - 8.0, y(tick) + 4.0, "end", &number(tick));
    }
    text(&mut svg, f64::midpoint(LEFT, right), HEIGHT - 14.0, "middle", x_label);
    text(&mut svg, LEFT, TOP - 8.0, "middle", y_label);
    for (index, Series { name, points }) in series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let shown = points.iter().filter(|(_, value)| *value > 0.0);
        let places: Vec<_> = shown.map(|(at, value)| (x(*at), y(*value))).collect();
        let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        put(
            &mut svg,
            &format!(
                "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            ),
        );
        for (x, y) in places {
            put(
                &mut svg,
                &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"),
            );
        }
        let at = TOP + 20.0 * float(index);
        put(
            &mut svg,
            &format!(
                "<rect x=\"{:.1}\" y=\"{at:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
                right + 14.0
            ),
        );
        text(&mut svg, right + 32.0, at + 10.0, "start", name);
    }
    svg + "</svg>\n"
}

/// Bars from left to right, each with its value.
pub(crate) fn bars(title: &str, bars: &[(String, f64)]) -> String {
    let axis = Axis::over(bars.iter().map(|(_, value)| *value));
    let height = TOP + BAR * float(bars.len()) + 12.0;
    let mut svg = begin(title, height);
    for (index, (name, value)) in bars.iter().enumerate() {
        let colour = if name == "chinwag" { COLOURS[1] } else { COLOURS[0] };
        let top = TOP + BAR * float(index);
        let width = axis.place(value.max(f64::MIN_POSITIVE)).max(0.0) * (WIDTH - 2.0 * LEFT - 80.0);
        text(&mut svg, LEFT + 32.0, top + 15.0, "end", name);
        put(
            &mut svg,
            &format!(
                "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>",
                LEFT + 40.0,
                BAR - 6.0
            ),
        );
        text(&mut svg, LEFT + 46.0 + width, top + 15.0, "start", &number(*value));
    }
    svg + "</svg>\n"
}

fn begin(title: &str, height: f64) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    put(&mut svg, &format!("<text x=\"16\" y=\"20\" font-size=\"15\">{}</text>", escaped(title)));
    svg
}

fn grid(svg: &mut String, [x1, y1, x2, y2]: [f64; 4]) {
    put(
        svg,
        &format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#dddddd\"/>"
        ),
    );
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = escaped(text);
    put(svg, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
}

fn put(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a String takes everything");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A number as short as it can be read.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        100.0.. => super::stats::grouped(value),
        10.0.. => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        1.0.. => format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        size => {
            // Three digits, wherever they begin.
            let decimals = (0..9).find(|decimals| size * 10_f64.powi(*decimals) >= 1.0);
            let decimals = usize::try_from(decimals.unwrap_or(9)).unwrap_or(9) + 1;
            format!("{value:.decimals$}").trim_end_matches('0').to_owned()
        }
    }
}

/// A small count to draw with.
fn float(count: usize) -> f64 {
    super::stats::float(count as u64)
}
