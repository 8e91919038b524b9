//! Medians, spreads, and the table that shows them.

/// The middle and the ends of what several runs gave.
pub(crate) struct Spread {
    /// The middle value; of an even number of runs the mean of the middle two.
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of one value of each cell. There must be at least one cell.
    pub(crate) fn of<T>(cells: &[T], value: impl Fn(&T) -> f64) -> Spread {
        Spread::of_values(cells.iter().map(value).collect())
    }

    /// The spread of the ratios of each cell to the floor's cell of the same run,
    /// which stood next to it in time.
    pub(crate) fn of_ratios<T>(cells: &[T], floor: &[T], value: impl Fn(&T) -> f64) -> Spread {
        let pairs = cells.iter().zip(floor);
        Spread::of_values(pairs.map(|(cell, floor)| value(cell) / value(floor)).collect())
    }

    fn of_values(mut sorted: Vec<f64>) -> Spread {
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len() - 1;
        Spread {
            median: f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)]),
            min: sorted[0],
            max: sorted[last],
        }
    }

    /// `min..max`, with as many decimals as asked for.
    pub(crate) fn range(&self, decimals: usize) -> String {
        format!("{:.decimals$}..{:.decimals$}", self.min, self.max)
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "the counts of a bench stay far below 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A whole number with its thousands set apart, as in `1 234 567`.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Prints rows under their headings: the first column to the left, the others
/// to the right.
pub(crate) fn print_table(headings: &[String], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.fold(headings[column].chars().count(), usize::max)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    print_row(headings, &widths);
    for row in rows {
        print_row(row, &widths);
    }
}

fn print_row(cells: &[String], widths: &[usize]) {
    print!("  {:<width$}", cells[0], width = widths[0]);
    for (cell, width) in cells.iter().zip(widths).skip(1) {
        print!("   {cell:>width$}");
    }
    println!();
}
