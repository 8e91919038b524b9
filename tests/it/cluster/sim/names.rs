//! Who was called what, and from which event to which, by what clients were told.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Names {
    now: BTreeMap<usize, Term>,
    past: Vec<Term>,
    /// When the log has lost something.
    resets: Vec<usize>,
    /// Of which nodes the log has had no names any more, and when.
    gone: Vec<(usize, usize)>,
    /// Names that were claimed from whoever had them, and when.
    taken_over: Vec<(String, usize)>,
}

struct Term {
    client: usize,
    node: usize,
    name: String,
    /// When they got it, and when they got it again.
    from: Vec<usize>,
    /// When the log has it no more for them, whatever they know.
    cuts: Vec<usize>,
    /// How much of the log their node was told of when they were told.
    since: usize,
    to: usize,
}

impl Names {
    /// A client is told that they have this name, at a node that is told of what is in the log up
    /// to there. If it was not claimed they have come back as somebody of that node, for whom the log
    /// may have the name no more.
    pub(super) fn begin(
        &mut self,
        client: usize,
        name: &str,
        (node, position): (usize, usize),
        is_claimed: bool,
    ) {
        if self.is(client, name) {
            return;
        }
        let had = self.past.iter().chain(self.now.values());
        let mut had = had.filter(|term| term.node == node && term.name == name);
        let is_held =
            |term: &Term| term.to >= position && self.held(term).any(|(_, to)| to > position);
        let had = had.find(|term| is_held(term)).filter(|_| !is_claimed);
        let gone = self.gone.iter().filter(|(gone, _)| *gone == node).map(|(_, at)| *at);
        let cuts = gone.chain(had.iter().flat_map(|term| term.cuts.clone())).collect();
        let from = if is_claimed || had.is_some() { vec![position] } else { Vec::new() };
        let name = name.to_owned();
        self.end(client, position);
        self.now.insert(
            client,
            Term { client, node, name, from, cuts, since: position, to: usize::MAX },
        );
    }

    /// The log says again that this name is whose it was.
    pub(super) fn confirm(&mut self, client: usize, name: &str, position: usize) {
        if let Some(term) = self.now.get_mut(&client).filter(|term| term.name == name) {
            term.from.push(position);
        }
    }

    /// The log has a client's name no more for them: this name, or whichever it is.
    pub(super) fn cut(&mut self, client: usize, name: Option<&str>, position: usize) {
        if let Some(term) = self.now.get_mut(&client)
            && name.is_none_or(|name| term.name == name)
        {
            term.cuts.push(position);
        }
    }

    /// A node is gone: the log has no names for its clients any more.
    pub(super) fn gone(&mut self, node: usize, position: usize) {
        self.gone.push((node, position));
    }

    /// From now on a name is whose claim this was.
    pub(super) fn take_over(&mut self, name: &str, position: usize) {
        self.taken_over.push((name.to_owned(), position));
    }

    /// They have it no more.
    pub(super) fn end(&mut self, client: usize, to: usize) {
        if let Some(term) = self.now.remove(&client) {
            self.past.push(Term { to, ..term });
        }
    }

    /// The log knows no names any more, until they are claimed again.
    pub(super) fn reset(&mut self, position: usize) {
        self.resets.push(position);
    }

    /// Whether a client was told that they have this name.
    pub(super) fn is(&self, client: usize, name: &str) -> bool {
        self.now.get(&client).is_some_and(|term| term.name == name)
    }

    /// The same, by that event already.
    pub(super) fn is_since(&self, client: usize, name: &str, event: usize) -> bool {
        self.now.get(&client).is_some_and(|term| term.name == name && term.since <= event)
    }

    /// The same; guests are not told.
    pub(super) fn is_called(&self, client: usize, name: &str) -> bool {
        self.now.get(&client).map_or(name.starts_with("guest"), |term| term.name == name)
    }

    /// No two have one name at one time.
    pub(super) fn check(&self) {
        let mut all: BTreeMap<&str, Vec<(usize, usize, usize)>> = BTreeMap::new();
        for term in self.past.iter().chain(self.now.values()) {
            let spans = all.entry(&term.name).or_default();
            spans.extend(self.spans(term).map(|(from, to)| (from, to, term.client)));
        }
        // Guests of two nodes may share a number until one of them gets another.
        for (name, mut spans) in all.into_iter().filter(|(name, _)| !name.starts_with("guest")) {
            spans.sort_unstable();
            for pair in spans.windows(2) {
                let is_one = pair[0].2 == pair[1].2;
                assert!(is_one || pair[0].1 <= pair[1].0, "{name} is two clients': {pair:?}");
            }
        }
    }

    /// From when to when the log had the name for a client, while they had it.
    fn spans(&self, term: &Term) -> impl Iterator<Item = (usize, usize)> {
        self.held(term).map(|(from, to)| (from, to.min(term.to)))
    }

    /// The same, whether they still had it or not.
    fn held(&self, term: &Term) -> impl Iterator<Item = (usize, usize)> {
        let ends = |from: usize| {
            let taken =
                self.taken_over.iter().filter(|(name, at)| *name == term.name && *at > from);
            let cuts = self.resets.iter().chain(&term.cuts).filter(|cut| **cut >= from);
            cuts.chain(taken.map(|(_, at)| at)).min().copied().unwrap_or(usize::MAX)
        };
        term.from.iter().map(move |from| (*from, ends(*from)))
    }
}
