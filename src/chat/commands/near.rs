//! Which command an unknown one was meant to be.

use super::table::Row;

/// The command most like an unknown one: the first that begins with it, or else the one with the
/// fewest edits.
pub(super) fn near(
    name: &str,
    rows: impl Iterator<Item = &'static Row> + Clone,
) -> Option<&'static str> {
    let name = name.to_lowercase();
    // In a short word two edits make another word. A word twice as long as a command is not
    // compared: it would take long.
    let most = if name.chars().count() < 4 { 1 } else { 2 };
    let names = rows
        .filter(|row| row.has_slash() && row.name.len() > 1)
        .map(|row| row.name)
        .filter(|other| !name.is_empty() && name.len() <= 2 * other.len());
    let begun = names.clone().find(|other| name.len() > 1 && other.starts_with(&*name));
    let nearest = || {
        names
            .map(|other| (strsim::damerau_levenshtein(&name, other), other))
            .filter(|(distance, _)| *distance <= most)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, other)| other)
    };
    begun.or_else(nearest)
}
