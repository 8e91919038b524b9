//! Who was called what, and from which event to which, by what clients were told.

use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Names {
    now: BTreeMap<usize, (String, usize)>,
    /// For each name, when who had it.
    all: BTreeMap<String, Vec<Term>>,
}

#[derive(Debug)]
struct Term {
    client: usize,
    from: usize,
    to: usize,
}

impl Names {
    /// A client is told that they have this name.
    pub(super) fn begin(&mut self, client: usize, name: &str, position: usize) {
        if !self.is(client, name) {
            self.end(client, position);
            self.now.insert(client, (name.to_owned(), position));
        }
    }

    /// They have it no more.
    pub(super) fn end(&mut self, client: usize, to: usize) {
        if let Some((name, from)) = self.now.remove(&client) {
            self.all.entry(name).or_default().push(Term { client, from, to });
        }
    }

    /// Whether a client was told that they have this name.
    pub(super) fn is(&self, client: usize, name: &str) -> bool {
        self.now.get(&client).is_some_and(|(own, _)| own == name)
    }

    /// The same; guests are not told.
    pub(super) fn is_called(&self, client: usize, name: &str) -> bool {
        self.now.get(&client).map_or(name.starts_with("guest"), |(own, _)| own == name)
    }

    /// No two have one name at one time.
    pub(super) fn check(&self) {
        let mut all: BTreeMap<&str, Vec<(usize, usize, usize)>> = BTreeMap::new();
        for (name, terms) in &self.all {
            let terms = terms.iter().map(|term| (term.from, term.to, term.client));
            all.entry(name).or_default().extend(terms);
        }
        for (client, (name, from)) in &self.now {
            all.entry(name).or_default().push((*from, usize::MAX, *client));
        }
        for (name, mut terms) in all {
            terms.sort_unstable();
            for pair in terms.windows(2) {
                assert!(pair[0].1 <= pair[1].0, "{name} is two clients' name: {pair:?}");
            }
        }
    }
}
