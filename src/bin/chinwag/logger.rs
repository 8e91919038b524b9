//! The log: a line an event, in fields of the form `key=value`, that programs can rely on
//! whatever users have chosen to be in the values.

use std::env;
use std::fmt::Write;
use std::io;
use std::time::SystemTime;

use env_filter::{Builder, Filter};
use jiff::Timestamp;
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use log::{LevelFilter, Log, Metadata, Record, warn};

use crate::output::Output;

struct Logger {
    filter: Filter,
    stderr: Output,
    /// Whether the reader of the log notes the time itself (the journal).
    has_clock: bool,
}

/// Starts the log. What `RUST_LOG` says counts, if it can be read, else the level.
pub(crate) fn init(level: LevelFilter, stderr: Output) {
    let mut filter = Builder::new();
    filter.filter_level(level);
    let mut wrong = None;
    if let Ok(text) = env::var("RUST_LOG") {
        let mut wanted = Builder::new();
        match wanted.try_parse(&text) {
            Ok(_) => filter = wanted,
            Err(error) => wrong = Some(error.to_string()),
        }
    }
    let logger = Logger { filter: filter.build(), stderr, has_clock: has_clock() };
    let max = logger.filter.filter();
    // It fails only if there is a log already.
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(max);
    }
    if let Some(error) = wrong {
        warn!(error; "rust_log_ignored");
    }
}

/// Whether stderr goes to the journal: systemd sets a variable that says so.
#[cfg(unix)]
fn has_clock() -> bool {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    let Ok(stream) = env::var("JOURNAL_STREAM") else { return false };
    let stderr = io::stderr().as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
    stderr.is_ok_and(|file| stream == format!("{}:{}", file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn has_clock() -> bool {
    false
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.filter.matches(record) {
            let time = (!self.has_clock).then(SystemTime::now);
            self.stderr.line(&line(record, time));
        }
    }

    fn flush(&self) {}
}

/// `2026-11-20T15:17:28.000000Z level=warn event=refused addr=192.0.2.7 …`
fn line(record: &Record<'_>, time: Option<SystemTime>) -> String {
    let mut fields = Fields(String::new());
    if let Some(time) = time {
        // The calendar ends with the year 9999; no clock makes this fail.
        let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
        write!(fields.0, "{time:.6} ").expect("a String takes everything");
    }
    write!(fields.0, "level={}", record.level().as_str().to_ascii_lowercase())
        .expect("a String takes everything");
    fields.push("event", &record.args().to_string());
    record.key_values().visit(&mut fields).expect("a String takes everything");
    fields.0
}

struct Fields(String);

impl Fields {
    /// A field without a value is left out.
    fn push(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.0.push(' ');
            self.0.push_str(key);
            self.0.push('=');
            push_value(&mut self.0, value);
        }
    }
}

/// Writes a value as it is where it is unambiguous, else in quotation marks. There what would end
/// the line or the value is escaped, and so is `=`: even
/// a search for `key=value` anywhere in a line finds no field that a user has forged.
fn push_value(line: &mut String, value: &str) {
    if value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\')) {
        return line.push_str(value);
    }
    line.push('"');
    for c in value.chars() {
        match c {
            '=' => line.extend(c.escape_unicode()),
            '\'' => line.push(c),
            c => line.extend(c.escape_debug()),
        }
    }
    line.push('"');
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut text = Text(String::new());
        value.visit(&mut text)?;
        self.push(key.as_str(), &text.0);
        Ok(())
    }
}

/// A value as text; none at all is an empty one.
struct Text(String);

impl VisitValue<'_> for Text {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        Ok(write!(self.0, "{value}")?)
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use log::Level;

    use super::*;

    fn logged(event: &str, fields: &[(&str, Value<'_>)], time: Option<SystemTime>) -> String {
        let mut record = Record::builder();
        record.level(Level::Warn).key_values(&fields);
        line(&record.args(format_args!("{event}")).build(), time)
    }

    #[test]
    fn a_line_has_the_time_in_utc_and_fields() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_795_187_848, 123_456_789);
        let fields = [("conn", Value::from(7)), ("name", Value::null())];
        assert_eq!(
            logged("accepted", &fields, Some(time)),
            "2026-11-20T15:17:28.123456Z level=warn event=accepted conn=7"
        );
        assert_eq!(logged("accepted", &fields, None), "level=warn event=accepted conn=7");
    }

    #[test]
    fn no_clock_is_too_far_off() {
        for seconds in [253_402_207_201, 253_402_300_800, 400_000_000_000, 1 << 62] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            let line = logged("x", &[], Some(time));
            assert!(line.starts_with("9999-12-30T22:00:00.999999Z level="), "{line}");
        }
        let time = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert!(logged("x", &[], Some(time)).starts_with("1969-12-31T23:59:59.000000Z level="));
    }

    #[test]
    fn no_value_makes_up_a_field_or_a_line() {
        let cases = [
            ("alice", "alice"),
            ("[::1]:7", "[::1]:7"),
            ("two words", "\"two words\""),
            ("x addr=192.0.2.1", "\"x addr\\u{3d}192.0.2.1\""),
            ("x\" addr=y", "\"x\\\" addr\\u{3d}y\""),
            ("a\nlevel=error\r\t\0", "\"a\\nlevel\\u{3d}error\\r\\t\\0\""),
            ("back\\slash", "\"back\\\\slash\""),
            ("it's añn", "\"it's añn\""),
            ("\u{1b}[31m\u{2028}\u{202e}\u{200b}", "\"\\u{1b}[31m\\u{2028}\\u{202e}\\u{200b}\""),
        ];
        for (value, written) in cases {
            let line = logged("x", &[("name", Value::from(value))], None);
            assert_eq!(line, format!("level=warn event=x name={written}"));
        }
    }
}
