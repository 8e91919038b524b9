//! Values of options: numbers and times, and the errors for texts that are neither.

use std::time::Duration;

/// A whole number, perhaps with K, M or G for 2 to the 10th, 20th, 30th.
pub(super) fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let shift = match text.to_ascii_uppercase().chars().last() {
        Some('K') => 10,
        Some('M') => 20,
        Some('G') => 30,
        _ => 0,
    };
    let digits = &text[..text.len() - usize::from(shift > 0)];
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.parse::<usize>().ok().filter(|_| is_number);
    value
        .and_then(|value| value.checked_mul(1 << shift))
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("a number from {least} to {most} is wanted, K, M and G allowed"))
}

/// A duration of no more than a day: seconds, or with a unit.
fn duration(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let lower = text.to_ascii_lowercase();
    let unit = units.iter().find_map(|(unit, worth)| Some((lower.strip_suffix(unit)?, *worth)));
    let (digits, worth) = unit.unwrap_or((&lower, 1.0));
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds = digits.parse::<f64>().ok().filter(|_| is_number)? * worth;
    (0.0..=24.0 * 3600.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A duration, or none.
pub(super) fn time_or_off(text: &str) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let why = || "a time from 0 to 24h, or off, is wanted; ms, s, m and h allowed".to_owned();
    duration(text).map(Some).ok_or_else(why)
}

/// A duration above zero.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    let why = || "a time above 0, at most 24h, is wanted; ms, s, m and h allowed".to_owned();
    duration(text).filter(|time| !time.is_zero()).ok_or_else(why)
}

pub(super) fn some_time_or_off(text: &str) -> Result<Option<Duration>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    some_time(text).map(Some).map_err(|why| format!("{why}; or off"))
}

/// A number of lines a second, or none.
pub(super) fn rate_or_off(text: &str) -> Result<Option<u32>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let rate = number(text, 1, 1_000_000).map_err(|why| format!("{why}; or off"))?;
    Ok(u32::try_from(rate).ok())
}
