//! Metrics as text: Prometheus' exposition format, version 0.0.4.

use std::fmt::{Display, Write};

/// Writes metrics. For each name there is one call, so that its samples stand together.
///
/// ```
/// # use chinwag::{Exposition, Outbox, Service};
/// struct Dice(u64);
///
/// impl Service for Dice {
///     # fn on_line(&mut self, _: chinwag::ConnId, _: &[u8], _: &mut Outbox) {}
///     fn on_scrape(&self, metrics: &mut Exposition) {
///         metrics.counter("dice_thrown_total", "Dice that were thrown.", self.0);
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Exposition(String);

impl Exposition {
    /// Writes a value that rises and falls. The help is one line.
    pub fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// Writes a value that only rises, whose name ends in `_total`. The help is one line.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value);
    }

    /// What has been written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Begins a name, whose samples follow.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        let mut before = '{';
        for (label, text) in labels {
            self.write(format_args!("{before}{label}=\""));
            self.escape(text);
            self.0.push('"');
            before = ',';
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{after} {value}\n"));
    }

    fn escape(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str(r"\\"),
                '"' => self.0.push_str(r#"\""#),
                '\n' => self.0.push_str(r"\n"),
                c => self.0.push(c),
            }
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a String takes everything");
    }
}
