//! Medians and spreads, and how numbers are shown.

/// The middle and the ends of what several runs gave.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    /// The middle value; of an even number of runs the mean of the middle two.
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let median = f64::midpoint(values[last / 2], values[last.div_ceil(2)]);
        Spread { median, min: values[0], max: values[last] }
    }

    pub(crate) fn range(&self, decimals: usize) -> String {
        format!("({}..{})", number(self.min, decimals), number(self.max, decimals))
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "the counts of a bench stay far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A length or an index, likewise.
pub(crate) fn size(count: usize) -> f64 {
    float(count as u64)
}

/// A number with its thousands set apart, as in `1 234 567`. Empty if it was not measured.
pub(crate) fn number(number: f64, decimals: usize) -> String {
    if number.is_nan() {
        return String::new();
    }
    let digits = format!("{number:.decimals$}");
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        let is_third = index < whole && index > 0 && (whole - index).is_multiple_of(3);
        if is_third && text.ends_with(|before: char| before.is_ascii_digit()) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
