//! Notes what came of a client, for the list of what is to happen at least once.

use super::check::Case;
use super::journal::{Entry, Fact, Journal};
use super::model::{Sent, Sort};

/// Looks at one client's case, which has been checked.
pub(super) fn cover(case: &Case<'_>, sent: &[Sent], whole: usize, journal: &Journal) {
    for (index, fact) in case.own() {
        if let Some(kind) = of_fact(fact, case.entries.get(index + 1)) {
            journal.hit(&kind);
        }
    }
    for sent in &sent[..whole] {
        let text = String::from_utf8_lossy(&sent.bytes);
        if let Some((_, kind)) = OF_TEXT.iter().find(|(part, _)| text.contains(part)) {
            journal.hit(kind);
        }
    }
    let is_skipped = |sent: &&Sent| sent.skipped;
    let last_gap = sent.iter().rev().find(is_skipped).map(|sent| sent.entry);
    let notices = |(_, fact): &(usize, &Fact)| matches!(fact, Fact::Skipped(_));
    if last_gap > case.own().filter(notices).last().map(|(index, _)| index) {
        journal.hit("closed before it was told of what was skipped");
    }
    if !case.answers.is_empty() {
        journal.hit("telnet answer");
    }
    if whole < sent.len() && sent[whole].sort == Sort::Room {
        journal.hit("cut off before a line of the room");
    }
}

const OF_TEXT: [(&str, &str); 5] = [
    ("is not reading; not delivered.", "not reading"),
    ("No one is called", "line to nobody"),
    (" is taken.", "taken name"),
    ("not a web server.", "web browser"),
    (" → ", "private line"),
];

fn of_fact(fact: &Fact, next: Option<&Entry>) -> Option<String> {
    let kind = match fact {
        Fact::TooLong => "line too long",
        Fact::Asked => "asks whether anybody is there",
        Fact::Skipped(_) => "skipped",
        Fact::EndRead if matches!(next?.fact, Fact::Line(_)) => "last line without ending",
        Fact::Ending(ending) => return Some(format!("ends lines with {ending:?}")),
        Fact::Closed(why) => return Some(format!("closed: {why:?}")),
        _ => return None,
    };
    Some(kind.to_owned())
}
