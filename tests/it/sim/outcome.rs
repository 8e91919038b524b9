//! Notes what came of a client, for the list of what is to happen at least once.

use chinwag::{CloseReason, Ending};

use super::check::Case;
use super::journal::{Entry, Fact, Journal};
use super::model::{Sent, Sort};

/// Looks at one client's case, which has been checked.
pub(super) fn cover(case: &Case<'_>, sent: &[Sent], whole: usize, journal: &Journal) {
    for (index, fact) in case.own() {
        if let Some(kind) = of_fact(fact, case.entries.get(index + 1)) {
            journal.hit(kind);
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

fn of_fact(fact: &Fact, next: Option<&Entry>) -> Option<&'static str> {
    let kind = match fact {
        Fact::Ending(Ending::Lf) => "ends lines with LF",
        Fact::Ending(Ending::CrLf) => "ends lines with CR LF",
        Fact::Ending(Ending::Nul) => "ends lines with NUL",
        Fact::TooLong => "line too long",
        Fact::Asked => "asks whether anybody is there",
        Fact::Skipped(_) => "skipped",
        Fact::EndRead => match next.map(|next| &next.fact) {
            Some(Fact::Line(_)) => "last line without ending",
            _ => return None,
        },
        Fact::Closed(CloseReason::Refused) => "closed: another protocol",
        Fact::Closed(CloseReason::Asked) => "closed: asked",
        Fact::Closed(CloseReason::EndOfInput) => "closed: end of input",
        Fact::Closed(CloseReason::Endless) => "closed: endless",
        Fact::Closed(CloseReason::TooSlow) => "closed: too slow",
        Fact::Closed(CloseReason::Stalled) => "closed: stalled",
        Fact::Closed(CloseReason::Broken) => "closed: broken",
        Fact::Closed(CloseReason::Idle) => "closed: idle",
        Fact::Closed(CloseReason::Shutdown) => "closed: shutdown",
        _ => return None,
    };
    Some(kind)
}
