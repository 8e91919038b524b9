//! Compares what a client received with what it was sent: in order, nothing lost and
//! nothing twice; cut or thinned out only where the protocol says so.

use chinwag::CloseReason;

use super::check::{Answer, Case};
use super::model::{Sent, Sort};

/// A walk along what one client received.
struct Walk<'a> {
    case: &'a Case<'a>,
    /// The entries with which the service heard something from this client.
    heard: Vec<usize>,
    /// What has not been explained yet.
    left: &'a [u8],
    answers: &'a [Answer],
    /// The entry of the last thing found, and the one that the last answer is behind.
    last: Option<usize>,
    asked: Option<usize>,
    /// It closed before it could be told of what it had missed.
    in_gap: bool,
    /// What is wrong.
    fault: Option<String>,
}

/// How one thing that was sent fared.
enum Fate {
    Received,
    Skipped,
    /// Here the client's connection ended.
    Lost,
}

/// Looks for everything that was sent among the bytes that the client's socket took, and
/// marks what was skipped without a notice. Returns how many things are accounted for:
/// all, unless the connection was cut.
pub(super) fn compare(case: &Case<'_>, sent: &mut [Sent], accepted: &[u8]) -> usize {
    let mut walk = Walk::new(case, accepted);
    let way = walk.walk(sent);
    if let Some(fault) = walk.fault {
        panic!("{fault}");
    }
    for (sent, was_missed) in sent.iter_mut().zip(&way) {
        sent.skipped = *was_missed;
    }
    way.len()
}

impl<'a> Walk<'a> {
    fn new(case: &'a Case<'a>, left: &'a [u8]) -> Walk<'a> {
        let (heard, answers) = (case.heard(), &case.answers[..]);
        let in_gap = false;
        Walk { case, heard, left, answers, last: None, asked: None, in_gap, fault: None }
    }

    /// Goes through everything that was sent. Returns whether it missed each thing that is
    /// accounted for.
    fn walk(&mut self, sent: &[Sent]) -> Vec<bool> {
        let mut way = Vec::new();
        for sent in sent {
            match self.look_for(sent) {
                Fate::Received => way.push(false),
                Fate::Skipped => way.push(true),
                Fate::Lost => break,
            }
        }
        self.pass_answers();
        self.finish(sent.get(way.len()));
        way
    }

    /// Notes what must not be, unless something was wrong before that.
    fn demand(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.fault.is_none() {
            self.fault = Some(format!("#{} {}", self.case.who, what()));
        }
    }

    fn look_for(&mut self, sent: &Sent) -> Fate {
        self.pass_answers();
        if sent.skipped || (self.in_gap && sent.sort == Sort::Room) {
            return Fate::Skipped;
        }
        if let Some(rest) = sent.taken_from(self.left) {
            let is_behind = Some(sent.entry) > self.asked;
            self.demand(is_behind, || "got telnet's answer too early".to_owned());
            self.last = Some(sent.entry);
            self.left = rest;
            return Fate::Received;
        }
        if self.is_end(sent) || sent.sort != Sort::Room {
            return Fate::Lost;
        }
        self.in_gap = true;
        Fate::Skipped
    }

    /// Telnet is answered between what was sent for the line before and for the line
    /// behind.
    fn pass_answers(&mut self) {
        while let Some((answer, others)) = self.answers.split_first()
            && let Some(rest) = self.left.strip_prefix(&answer.bytes[..])
        {
            let behind = self.heard.get(answer.after);
            let is_before = behind.is_none_or(|behind| self.last < Some(*behind));
            self.demand(is_before, || "got telnet's answer too late".to_owned());
            self.asked = answer.after.checked_sub(1).map(|before| self.heard[before]);
            self.answers = others;
            self.left = rest;
        }
    }

    /// Whether nothing needs to follow, this included.
    fn is_end(&self, sent: &Sent) -> bool {
        let is_start = sent.may_begin(self.left) || self.left.starts_with(&[255]);
        // When exactly one without an end was silenced only the hub knows.
        let is_endless = self.case.why == CloseReason::Endless;
        let is_silent = is_endless && self.heard.last() < Some(&sent.entry);
        (self.case.is_cut && is_start) || (is_silent && self.left.is_empty())
    }

    /// All that is accounted for has been looked for; `next` is not.
    fn finish(&mut self, next: Option<&Sent>) {
        let (left, in_gap, is_cut) = (self.left, self.in_gap, self.case.is_cut);
        let is_start = next.is_some_and(|next| next.may_begin(left));
        let is_answer = self.answers.first().is_some_and(|next| next.bytes.starts_with(left));
        let is_explained = left.is_empty() || (is_cut && (is_start || is_answer));
        self.demand(is_explained, || {
            let got = left[..left.len().min(300)].escape_ascii();
            let next = next.map(|next| next.bytes.escape_ascii().to_string());
            let gap = if in_gap { ", after lines that are missing" } else { "" };
            format!("got {got} where {next:?} was to come{gap}")
        });
        if is_cut {
            return;
        }
        let is_last = |answer: &Answer| answer.after >= self.heard.len();
        let was_heard = matches!(self.case.why, CloseReason::EndOfInput | CloseReason::Endless);
        let is_answered = self.answers.iter().all(|answer| !was_heard && is_last(answer));
        self.demand(is_answered, || "got no answer to telnet".to_owned());
        let is_done = next.is_none_or(|next| self.is_end(next));
        self.demand(is_done, || format!("never got {next:?}"));
    }
}

impl Sent {
    /// Whether these bytes may be its beginning.
    fn may_begin(&self, bytes: &[u8]) -> bool {
        self.sort == Sort::Line || self.bytes.starts_with(bytes)
    }

    /// What is behind it, if the bytes start with it.
    fn taken_from<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        if self.sort != Sort::Line {
            return bytes.strip_prefix(&self.bytes[..]);
        }
        let start = bytes.windows(self.bytes.len()).position(|end| end == self.bytes)?;
        Some(&bytes[start + self.bytes.len()..])
    }
}
