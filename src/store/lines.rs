//! A text file with one entry a line. Comments and blank lines stay where they are.

use std::collections::HashMap;

/// The lines of a file.
#[derive(Clone, Debug)]
pub(super) struct Lines<T>(Vec<Line<T>>);

#[derive(Clone, Debug)]
enum Line<T> {
    /// A comment, or a blank line.
    Other(String),
    Entry(T),
}

impl<T> Lines<T> {
    /// Reads a file. No two entries may have the same key.
    ///
    /// # Errors
    ///
    /// The number of the first line that is wrong, and what is wrong with it.
    pub(super) fn parse(
        bytes: &[u8],
        parse: fn(&str) -> Result<T, String>,
        key: fn(&T) -> String,
    ) -> Result<Lines<T>, String> {
        let mut lines = Vec::new();
        let mut seen = HashMap::new();
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if text.is_empty() {
            return Ok(Lines(lines));
        }
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let number = at + 1;
            let wrong = |why: String| format!("line {number}: {why}");
            let line = str::from_utf8(line).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
            let line = line.trim_end();
            if line.chars().any(char::is_control) {
                return Err(wrong("there is a control character in it".to_owned()));
            }
            if line.is_empty() || line.starts_with('#') {
                lines.push(Line::Other(line.to_owned()));
                continue;
            }
            let entry = parse(line).map_err(wrong)?;
            if let Some(first) = seen.insert(key(&entry), number) {
                return Err(wrong(format!("it says the same of the same as line {first}")));
            }
            lines.push(Line::Entry(entry));
        }
        Ok(Lines(lines))
    }

    /// The text of the file.
    pub(super) fn render(&self, render: fn(&T) -> String) -> String {
        let mut text = String::new();
        for line in &self.0 {
            match line {
                Line::Other(line) => text.push_str(line),
                Line::Entry(entry) => text.push_str(&render(entry)),
            }
            text.push('\n');
        }
        text
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|line| match line {
            Line::Entry(entry) => Some(entry),
            Line::Other(_) => None,
        })
    }

    /// Replaces an entry, or adds one at the end.
    pub(super) fn put(&mut self, entry: T, is_replaced: impl Fn(&T) -> bool) {
        let is_it = |line: &&mut Line<T>| matches!(line, Line::Entry(old) if is_replaced(old));
        match self.0.iter_mut().find(is_it) {
            Some(line) => *line = Line::Entry(entry),
            None => self.0.push(Line::Entry(entry)),
        }
    }

    /// Keeps only the entries that match; comments and blank lines stay.
    pub(super) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.0.retain(|line| match line {
            Line::Entry(entry) => keep(entry),
            Line::Other(_) => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Lines<u32>, String> {
        let number = |line: &str| line.parse().map_err(|_| format!("'{line}' is no number"));
        Lines::parse(text.as_bytes(), number, u32::to_string)
    }

    #[test]
    fn comments_and_blank_lines_stay_where_they_are() {
        let text = "# first\n1\n\n  # not first\n2\n# last\n";
        assert_eq!(parse(text).unwrap_err(), "line 4: '  # not first' is no number");
        let mut lines = parse("# first\n1\n\n2\n# last\n").unwrap();
        lines.retain(|number| *number != 1);
        lines.put(3, |_| false);
        lines.put(4, |number| *number == 3);
        assert_eq!(lines.render(u32::to_string), "# first\n\n2\n# last\n4\n");
        assert_eq!(parse("").unwrap().render(u32::to_string), "");
        assert_eq!(parse("1\r\n2").unwrap().render(u32::to_string), "1\n2\n");
    }

    #[test]
    fn faults_are_reported_with_their_line() {
        assert_eq!(parse("1\nx\n").unwrap_err(), "line 2: 'x' is no number");
        assert_eq!(
            parse("# \n1\n01").unwrap_err(),
            "line 3: it says the same of the same as line 2"
        );
        assert!(parse("1\x1b[2J").unwrap_err().starts_with("line 1: there is a control"));
        let bytes = Lines::<u32>::parse(b"\xff", |_| Ok(1), u32::to_string);
        assert_eq!(bytes.unwrap_err(), "line 1: it is not UTF-8");
    }
}
