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
    let heard = case.heard();
    let answers = &case.answers[..];
    let mut walk =
        Walk { case, heard, left: accepted, answers, last: None, asked: None, in_gap: false };
    let mut whole = 0;
    for sent in &mut *sent {
        match walk.look_for(sent) {
            Fate::Received => {}
            Fate::Skipped => sent.skipped = true,
            Fate::Lost => break,
        }
        whole += 1;
    }
    walk.pass_answers();
    walk.finish(sent.get(whole));
    whole
}

impl Walk<'_> {
    fn look_for(&mut self, sent: &Sent) -> Fate {
        self.pass_answers();
        if sent.skipped || (self.in_gap && sent.sort == Sort::Room) {
            return Fate::Skipped;
        }
        if let Some(rest) = sent.taken_from(self.left) {
            let is_behind = Some(sent.entry) > self.asked;
            assert!(is_behind, "#{} got telnet's answer too early", self.case.who);
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
            assert!(is_before, "#{} got telnet's answer too late", self.case.who);
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
    fn finish(&self, next: Option<&Sent>) {
        let left = self.left;
        let is_start = next.is_some_and(|next| next.may_begin(left));
        let is_answer = self.answers.first().is_some_and(|next| next.bytes.starts_with(left));
        assert!(
            left.is_empty() || (self.case.is_cut && (is_start || is_answer)),
            "#{} got {:?} where {:?} was to come{}",
            self.case.who,
            left.escape_ascii().to_string(),
            next.map(|next| next.bytes.escape_ascii().to_string()),
            if self.in_gap { ", after lines that are missing" } else { "" },
        );
        if self.case.is_cut {
            return;
        }
        let is_last = |answer: &Answer| answer.after >= self.heard.len();
        let was_heard = matches!(self.case.why, CloseReason::EndOfInput | CloseReason::Endless);
        let is_answered = self.answers.iter().all(|answer| !was_heard && is_last(answer));
        assert!(is_answered, "#{} got no answer to telnet", self.case.who);
        let is_done = next.is_none_or(|next| self.is_end(next));
        assert!(is_done, "#{} never got {next:?}", self.case.who);
    }
}

impl Sent {
    /// Whether these bytes may be its beginning.
    fn may_begin(&self, bytes: &[u8]) -> bool {
        match self.sort {
            Sort::Names => bytes.len() < self.bytes.len(),
            Sort::Room | Sort::Own => self.bytes.starts_with(bytes),
        }
    }

    /// What is behind it, if the bytes start with it.
    fn taken_from<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (mine, rest) = bytes.split_at_checked(self.bytes.len())?;
        let is_it = match self.sort {
            Sort::Names => words(mine) == words(&self.bytes),
            Sort::Room | Sort::Own => mine == self.bytes,
        };
        is_it.then_some(rest)
    }
}

/// The words of a list of names, in an order of their own.
fn words(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list).replace(", ", " ");
    let bare = text.trim_end_matches(['\n', '\r', '\0']);
    let mut words: Vec<String> = bare.split(' ').map(str::to_owned).collect();
    words.sort();
    words
}
