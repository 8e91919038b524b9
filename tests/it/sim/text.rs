//! The oracle's smaller rules: what a line becomes before it is read, what a name may be,
//! what is another protocol, and how the time is told.

use std::time::{SystemTime, UNIX_EPOCH};

/// Trimmed, also of what does not show before the first word, and made of nothing but what can
/// be read.
pub(super) fn clean(line: &[u8]) -> String {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = line.iter().take_while(|byte| is_blank(byte)).count();
    let end = line[start..].iter().rev().take_while(|byte| is_blank(byte)).count();
    let bare = &line[start..line.len() - end];
    let mut text = String::new();
    let mut marks = 0;
    for c in String::from_utf8_lossy(bare).chars().map(clean_char) {
        let is_mark = MARKS.contains(&c) || (0x300..0x370).contains(&u32::from(c));
        marks = if is_mark { marks + 1 } else { 0 };
        if marks <= 8 {
            text.push(c);
        }
    }
    // An empty braille cell stays: pictures made of such cells begin with it.
    let is_unseen = |c: char| c.is_whitespace() || c == '\u{3164}' || MARKS.contains(&c);
    text.trim_start_matches(is_unseen).to_owned()
}

/// Of what clients send, what has no width.
const MARKS: [char; 4] = ['\u{200b}', '\u{200d}', '\u{e0041}', '\u{feff}'];

/// Whether a clean text is nothing to look at.
pub(super) fn is_blank(text: &str) -> bool {
    let unseen = ['\u{2800}', '\u{3164}'];
    text.chars().all(|c| c.is_whitespace() || unseen.contains(&c) || MARKS.contains(&c))
}

fn clean_char(c: char) -> char {
    let code = u32::from(c);
    match code {
        9 => ' ',
        0..=31 => char::from_u32(0x2400 + code).expect("these are the pictures"),
        127 => '␡',
        _ if is_forbidden(c) => '\u{fffd}',
        _ => c,
    }
}

/// What must never reach anybody, line endings aside.
pub(super) fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || [0x2028, 0x2029].contains(&code) || is_bidi(code)
}

fn is_bidi(code: u32) -> bool {
    (0x202a..=0x202e).contains(&code) || (0x2066..=0x2069).contains(&code)
}

/// Why a name cannot be had, in the server's words.
pub(super) fn name_fault(name: &str) -> Option<String> {
    if let Some(fault) = shape_fault("Username", 3, name) {
        return Some(fault);
    }
    let low = name.to_lowercase().replace(['.', '-', '_'], "");
    let reserved = ["server", "system", "admin", "operator", "op", "root", "all", "everyone"];
    let is_reserved = low.starts_with("guest") || reserved.contains(&low.as_str());
    is_reserved.then(|| format!("Name {name} is reserved."))
}

/// What is wrong with the name of a user or a room by its letters alone.
pub(super) fn shape_fault(what: &str, least: usize, name: &str) -> Option<String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = name.split('.').collect();
    let fault = if let Some(c) = name.chars().find(|c| u32::from(*c) > 127) {
        format!("only contain letters a to z, digits, '-', '_' and '.'; '{c}' is none of them.")
    } else if name.len() < least
        || name.len() > 32
        || !name.starts_with(is_letter)
        || !name.chars().all(|c| is_letter(c) || "-_.".contains(c))
    {
        format!(
            "only contain letters, digits, '-', '_' and '.', start with a letter or digit, and \
             its length must be between {least} and 32 characters."
        )
    } else if parts.len() == 4 && parts.iter().all(|part| is_number(part)) {
        "not look like an address.".to_owned()
    } else if !name.ends_with(is_letter) {
        "end with a letter or digit.".to_owned()
    } else {
        return None;
    };
    Some(format!("{what} must {fault}"))
}

/// `Friday 20th of November 2026 03:17:28 PM`, in UTC, counted day by day.
pub(super) fn time_of_day(wall: SystemTime) -> String {
    const DAYS: [&str; 7] =
        ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    const MONTHS: [(&str, u64); 12] = [
        ("January", 31),
        ("February", 28),
        ("March", 31),
        ("April", 30),
        ("May", 31),
        ("June", 30),
        ("July", 31),
        ("August", 31),
        ("September", 30),
        ("October", 31),
        ("November", 30),
        ("December", 31),
    ];
    let seconds = wall.duration_since(UNIX_EPOCH).expect("it is not that early").as_secs();
    let (minute, hour) = (seconds / 60 % 60, seconds / 3600 % 24);
    let mut day = seconds / 86400;
    let name = DAYS[usize::try_from(day % 7).expect("there are seven")];
    let mut year = 1970;
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    let length = |month: usize| MONTHS[month].1 + u64::from(month == 1 && is_leap(year));
    while day >= length(month) {
        day -= length(month);
        month += 1;
    }
    let day = day + 1;
    let suffix = match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    let half = if hour < 12 { "AM" } else { "PM" };
    let (twelve, month, second) = ((hour + 11) % 12 + 1, MONTHS[month].0, seconds % 60);
    format!("{name} {day}{suffix} of {month} {year} {twelve:02}:{minute:02}:{second:02} {half}")
}
