//! The oracle of slips: which command somebody may have meant who typed one that there
//! is not.

/// Every command that starts with a slash, in the order of the protocol's page, but for
/// the one of a single letter, which is near to everything short.
pub(super) const COMMANDS: [&str; 25] = [
    "nick", "msg", "reply", "me", "say", "join", "leave", "who", "rooms", "topic", "history",
    "away", "ignore", "unignore", "notices", "echo", "dialect", "resume", "time", "up", "down",
    "stats", "help", "exit", "quit",
];

/// The first command that begins so; or else the nearest, if it is near enough: one change
/// away from a short word, two from a longer one.
pub(super) fn meant(word: &str) -> Option<&'static str> {
    let begins = |command: &&str| word.len() > 1 && command.starts_with(word);
    if let Some(command) = COMMANDS.into_iter().find(begins) {
        return Some(command);
    }
    let word: Vec<char> = word.chars().collect();
    let most = if word.len() < 4 { 1 } else { 2 };
    let is_near =
        |command: &str, changes| are_within(changes, &word, &command.chars().collect::<Vec<_>>());
    let nearest = |changes| COMMANDS.into_iter().find(|command| is_near(command, changes));
    (0..=most).find_map(nearest).filter(|_| !word.is_empty())
}

/// Whether so many letters put in, taken out, changed or swapped with their neighbours
/// make one word the other: found by trying.
fn are_within(changes: usize, one: &[char], other: &[char]) -> bool {
    let ([one_rest @ .., one_last], [other_rest @ .., other_last]) = (one, other) else {
        return one.len() + other.len() <= changes;
    };
    if one_last == other_last && are_within(changes, one_rest, other_rest) {
        return true;
    }
    let Some(left) = changes.checked_sub(1) else { return false };
    let swapped = match (one_rest, other_rest) {
        ([one_start @ .., one_before], [other_start @ .., other_before]) => {
            (one_before, one_last) == (other_last, other_before)
                && are_within(left, one_start, other_start)
        }
        _ => false,
    };
    swapped
        || are_within(left, one_rest, other_rest)
        || are_within(left, one_rest, other)
        || are_within(left, one, other_rest)
}
