//! The oracle: from what clients have sent and read, and from the log's events, it says whether
//! everybody was told the truth. It shares nothing with the chat.
//!
//! - What is in the log is read by all who were in its room at the node that is told of it, in that
//!   order, once; unless it was shown there before, while the node was cut off.
//! - What is read by one in a room is read by all who are in it at that node.
//! - A line stands under the name that its client was told to have, at every node.
//! - A number of a room is one line's.
//! - Whoever is cut off is told so, and at the end how many lines the others have not got.
//!
//! `names.rs` has who was called what, and when.

use std::collections::{BTreeMap, BTreeSet};

use chinwag::cluster::{Action, Outcome};

use super::names::Names;
use super::reading::{Kind, Line, Reading};
use super::record::{Cause, Record, Records};

#[derive(Default)]
pub(super) struct Oracle {
    nodes: Vec<View>,
    clients: Vec<Told>,
    /// Who has sent what.
    pub(super) senders: BTreeMap<u64, usize>,
    /// Under which name it was shown, and to whom in private.
    shown: BTreeMap<u64, String>,
    receivers: BTreeMap<u64, usize>,
    /// Which line has which number of which room.
    numbers: BTreeMap<(String, i64, u64), u64>,
    /// Whereby all nodes were asked to end.
    pub(super) endings: BTreeSet<u64>,
    pub(super) names: Names,
    /// Kinds of things that happened.
    pub(super) hits: BTreeMap<&'static str, u64>,
    /// The log has lost something.
    pub(super) is_lossy: bool,
    /// Somebody has asked to ignore another.
    may_ignore: bool,
    /// From now on `/who` is asked for other rooms.
    pub(super) is_ending: bool,
}

/// What a node knows by what it was told.
#[derive(Default)]
struct View {
    /// Records that it was told of, and all before.
    position: usize,
    is_inside: bool,
    is_cut_off: bool,
    was_gone: bool,
    /// What it has appended and was not told of.
    sent: BTreeMap<u64, Option<u64>>,
    /// Lines that were shown there.
    shown: BTreeSet<u64>,
    /// Lines that somebody has read there, or that were told of.
    known: BTreeSet<u64>,
    /// Lines that were shown there while it was cut off, and those of them that are in the log.
    alone: BTreeSet<u64>,
    through: BTreeSet<u64>,
    /// What all its clients are to be told now.
    notice: Option<Reading>,
}

/// What a client was told.
pub(super) struct Told {
    pub(super) node: usize,
    pub(super) room: String,
    pub(super) is_closed: bool,
    /// Whether they ignore somebody. So may somebody whose token they had.
    ignores: bool,
    pub(super) may_be_another: bool,
    /// What they have said, and what they have read.
    sent: Vec<u64>,
    seen: BTreeSet<u64>,
    refused: usize,
}

/// Lines that are new to their readers in one step, by their numbers.
type New = BTreeMap<u64, (Kind, BTreeSet<usize>)>;

impl Oracle {
    pub(super) fn start(&mut self, node: usize) {
        assert_eq!(node, self.nodes.len());
        self.nodes.push(View::default());
    }

    pub(super) fn connect(&mut self, client: usize, node: usize) {
        assert_eq!(client, self.clients.len());
        self.clients.push(Told {
            node,
            room: "lobby".to_owned(),
            is_closed: false,
            ignores: false,
            may_be_another: false,
            sent: Vec::new(),
            seen: BTreeSet::new(),
            refused: 0,
        });
    }

    pub(super) fn sent(&mut self, client: usize, token: Option<u64>, line: &str) {
        self.clients[client].may_be_another |= line.starts_with("/resume ");
        self.may_ignore |= line.starts_with("/ignore ");
        if let Some(token) = token {
            self.senders.insert(token, client);
            self.clients[client].sent.push(token);
        }
    }

    pub(super) fn appended(&mut self, node: usize, number: u64, token: Option<u64>) {
        self.nodes[node].sent.insert(number, token);
    }

    pub(super) fn closed(&mut self, client: usize) {
        let told = &mut self.clients[client];
        told.is_closed = true;
        self.names.end(client, self.nodes[told.node].position);
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.clients
    }

    /// Whether whoever said this may have been another by then, or replaced: of nodes that enter
    /// later not all know, and may keep it under another name, or leave it out.
    pub(super) fn may_be_another(&self, token: u64) -> bool {
        let Some(sender) = self.senders.get(&token) else { return false };
        let is_closed = self.clients[*sender].is_closed;
        let are_others = || self.clients.iter().any(|told| told.may_be_another);
        self.clients[*sender].may_be_another || (is_closed && are_others())
    }

    /// What a client has sent that was shown at their node.
    pub(super) fn shown_of(&self, client: usize) -> impl Iterator<Item = u64> {
        let Told { node, sent, .. } = &self.clients[client];
        sent.iter().copied().filter(|token| self.nodes[*node].shown.contains(token))
    }

    /// A node ends once it is told of that, and not otherwise; unless it is cut off.
    pub(super) fn shuts_down(&self, node: usize, ends: bool, cause: &Cause, records: &Records) {
        let token = match cause {
            Cause::Event(index) => records.get(*index).token,
            _ => None,
        };
        let is_due = token.is_some_and(|token| self.endings.contains(&token));
        let is_alone = self.nodes[node].is_cut_off && !self.endings.is_empty();
        assert!(ends == is_due || (ends && is_alone), "node {node} ends: {ends}, by {token:?}");
    }

    /// How far a node was told.
    pub(super) fn position(&self, node: usize) -> usize {
        self.nodes[node].position
    }

    /// A node is about to be told something.
    pub(super) fn before(&mut self, node: usize, cause: &Cause, records: &Records) {
        let view = &mut self.nodes[node];
        match cause {
            Cause::Local | Cause::Past | Cause::NewEra => {}
            Cause::Lost(count) => {
                view.notice = Some(Reading::Lost(*count));
                *self.hits.entry("events are lost").or_default() += 1;
            }
            Cause::CutOff => {
                if view.is_inside && !view.is_cut_off {
                    view.is_cut_off = true;
                    // What is under way is said now, to whoever is there.
                    view.shown.extend(view.sent.values().flatten());
                    view.notice = Some(Reading::CutOff);
                    *self.hits.entry("cut off").or_default() += 1;
                }
            }
            Cause::Event(index) => {
                view.position = view.position.max(index + 1);
                let record = records.get(*index);
                view.event(node, record);
                self.confirm_name(node, record, index + 1);
            }
        }
    }

    /// Something has come into the log. Who has a name no more may not know it yet.
    pub(super) fn logged(&mut self, record: &Record, position: usize) {
        if let (Outcome::Claimed, Some(Action::Claim { name, takes_over: true, .. })) =
            (&record.outcome, &record.action)
        {
            self.names.take_over(name, position);
        }
        if record.outcome == Outcome::Gone {
            self.names.gone(record.node, position);
        }
        let released = match (&record.outcome, &record.action) {
            (Outcome::Gone, _) => None,
            (Outcome::Claimed, Some(Action::Claim { releases: Some(name), .. }))
            | (Outcome::Told, Some(Action::Release { name, .. })) => Some(name.as_str()),
            _ => return,
        };
        for client in self.clients_of(record.node).collect::<Vec<_>>() {
            self.names.cut(client, released, position);
        }
    }

    /// A node has claimed a name again that its client had.
    fn confirm_name(&mut self, node: usize, record: &Record, position: usize) {
        if let (Outcome::Claimed, Some(Action::Claim { name, .. })) =
            (&record.outcome, &record.action)
            && record.node == node
        {
            for client in self.clients_of(node).collect::<Vec<_>>() {
                self.names.confirm(client, name, position);
            }
        }
    }

    /// What has come of it.
    pub(super) fn observe(
        &mut self,
        node: usize,
        cause: &Cause,
        readings: &BTreeMap<usize, Vec<Reading>>,
        closed: &[usize],
        records: &Records,
    ) {
        let (mut new, mut moved) = (New::new(), BTreeSet::new());
        let record = match cause {
            Cause::Event(index) => Some(records.get(*index)),
            _ => None,
        };
        let rooms: Vec<String> = self.clients.iter().map(|told| told.room.clone()).collect();
        let notice = self.nodes[node].notice.take();
        for (client, readings) in readings {
            let mut notices = 0;
            for reading in readings {
                if matches!(reading, Reading::CutOff | Reading::Back(_) | Reading::Lost(_)) {
                    assert!(
                        self.is_right(node, reading, notice.as_ref()),
                        "{reading:?}: {notice:?}"
                    );
                    notices += 1;
                }
                self.read(*client, reading, record, &mut new, &mut moved);
                if *reading == Reading::LeftOut {
                    moved.insert(*client);
                }
            }
            assert!(notices <= 1, "client {client} is told twice: {notice:?}");
        }
        if let Some(notice) = &notice {
            let is_it = |reading: &Reading| self.is_right(node, reading, Some(notice));
            let has_it = |client: usize| {
                readings.get(&client).is_some_and(|readings| readings.iter().any(is_it))
            };
            for client in self.clients_of(node).filter(|client| !closed.contains(client)) {
                assert!(has_it(client), "client {client} is not told: {notice:?}");
            }
        }
        moved.extend(closed);
        self.check_readers(node, record, &new, &rooms, &moved);
        self.nodes[node].shown.extend(new.keys());
        self.nodes[node].known.extend(new.keys());
    }

    /// Whether a notice is the one that is due. Of clients that are gone some lines may have been
    /// said that nobody has read there. What is in a log that was lost counts, whoever has read it.
    fn is_right(&self, node: usize, reading: &Reading, due: Option<&Reading>) -> bool {
        let (Reading::Back(count), Some(Reading::Back(least))) = (reading, due) else {
            return Some(reading) == due;
        };
        let gone = self.clients.iter().filter(|told| told.node == node && told.is_closed);
        let sent = gone.flat_map(|told| &told.sent);
        let known = &self.nodes[node].known;
        let unread = sent.filter(|token| !known.contains(token)).count() as u64;
        (*least..=least + unread).contains(count)
    }

    fn clients_of(&self, node: usize) -> impl Iterator<Item = usize> {
        let is_there = move |(_, told): &(usize, &Told)| told.node == node && !told.is_closed;
        self.clients.iter().enumerate().filter(is_there).map(|(client, _)| client)
    }

    fn read(
        &mut self,
        client: usize,
        reading: &Reading,
        record: Option<&Record>,
        new: &mut New,
        moved: &mut BTreeSet<usize>,
    ) {
        let told = &mut self.clients[client];
        let position = self.nodes[told.node].position;
        match reading {
            Reading::Line(line) if line.kind == Kind::Private => self.read_private(client, line),
            Reading::Line(line) => self.read_line(client, line, record, new),
            Reading::Who { room, .. } if !self.is_ending && told.room != *room => {
                told.room.clone_from(room);
                moved.insert(client);
            }
            Reading::Named(name) => {
                // A guest's number may still have to change, by what got through at the cut.
                let may_be = name.starts_with("guest") || told.may_be_another;
                assert!(
                    may_be || self.names.is(client, name) || !self.nodes[told.node].is_cut_off,
                    "client {client} is called {name}, and the log is out of reach"
                );
                let is_claimed = record.is_some_and(|record| record.claims(name));
                self.names.begin(client, name, (told.node, position), is_claimed);
            }
            Reading::Ignoring => told.ignores = true,
            Reading::Refused(_) => told.refused += 1,
            _ => {}
        }
    }

    fn read_line(&mut self, client: usize, line: &Line, record: Option<&Record>, new: &mut New) {
        let told = &self.clients[client];
        let is_due = record.is_some_and(|record| record.token == Some(line.token));
        let is_known = told.seen.contains(&line.token);
        // Programs are shown history as it was.
        let is_past = line.is_past || (line.number.is_some() && (!is_due || is_known));
        let (node, room) = (told.node, line.room.clone().unwrap_or(told.room.clone()));
        if let Some((seq, epoch)) = line.number {
            if is_due
                && let Some(Outcome::Said { seq: own, epoch: since }) = record.map(|it| &it.outcome)
            {
                assert_eq!((seq, epoch), (*own, *since), "<{}> has the log's number", line.token);
            }
            let token = *self.numbers.entry((room, epoch, seq)).or_insert(line.token);
            assert_eq!(token, line.token, "{seq} of {epoch} is the number of two lines");
        }
        self.check_name(client, line);
        if is_past {
            return;
        }
        if !is_due {
            let view = &mut self.nodes[node];
            assert!(view.is_cut_off, "client {client} reads <{}> out of turn", line.token);
            assert_eq!(line.number, None, "what the log does not know has no number");
            if line.kind == Kind::Said {
                view.alone.insert(line.token);
            }
        }
        assert!(
            self.clients[client].seen.insert(line.token),
            "client {client} reads <{}> twice",
            line.token
        );
        new.entry(line.token).or_insert((line.kind, BTreeSet::new())).1.insert(client);
    }

    /// A private message: to one, and perhaps a copy for its sender.
    fn read_private(&mut self, client: usize, line: &Line) {
        self.check_name(client, line);
        let is_theirs = self.clients[client].may_be_another && self.names.is(client, &line.from);
        let is_copy = is_theirs || self.senders.get(&line.token) == Some(&client);
        assert!(self.clients[client].seen.insert(line.token) || is_copy, "<{}> twice", line.token);
        if !is_copy {
            let other = *self.receivers.entry(line.token).or_insert(client);
            // Whose token it was may not know yet that they were taken over.
            let is_another = [other, client].iter().any(|one| self.clients[*one].may_be_another);
            assert!(other == client || is_another, "<{}> is for one", line.token);
            assert!(self.names.is_called(client, &line.to), "client {client} is not {}", line.to);
        }
    }

    /// Everybody sees it under one name: the one that its sender was told to have.
    fn check_name(&mut self, client: usize, line: &Line) {
        let shown = self.shown.entry(line.token).or_insert_with(|| line.from.clone());
        // A guest may have got another number before what was lost was appended again.
        let are_guests = shown.starts_with("guest") && line.from.starts_with("guest");
        let are_others = self.clients.iter().any(|told| told.may_be_another);
        let may_change = are_guests && (self.is_lossy || are_others);
        let sender = self.senders[&line.token];
        // Of who is another by now it is said as that one where the log is out of reach, and as the
        // one they were where that is not known yet. What is private or announced comes from whoever
        // has come back as them.
        let told = &self.clients[sender];
        let is_taken_over = told.is_closed || line.kind != Kind::Said;
        let is_another = told.may_be_another || (is_taken_over && are_others);
        let is_same = *shown == line.from || may_change || is_another;
        assert!(is_same, "<{}> is shown under two names: {shown}, {}", line.token, line.from);
        let is_here = self.clients[sender].node == self.clients[client].node;
        if is_here && !self.clients[sender].is_closed && !line.is_past && line.number.is_none() {
            let name = &line.from;
            let may_be = line.kind == Kind::Announced || self.clients[sender].may_be_another;
            assert!(
                may_be || self.names.is_called(sender, name),
                "<{}> is client {sender}'s, and not {name}'s",
                line.token
            );
        }
    }

    /// Whoever is to read the lines of a step has read them, and nobody else.
    fn check_readers(
        &self,
        node: usize,
        record: Option<&Record>,
        new: &New,
        rooms: &[String],
        moved: &BTreeSet<usize>,
    ) {
        for (token, (kind, readers)) in new {
            let reader = readers.iter().find(|reader| !moved.contains(reader));
            match (kind, reader) {
                (Kind::Announced, _) => {
                    self.check_line(node, *token, None, (readers, moved), rooms);
                }
                (_, Some(reader)) => {
                    self.check_line(node, *token, Some(&rooms[*reader]), (readers, moved), rooms);
                }
                (_, None) => {}
            }
        }
        if let Some(record) = record
            && let (Some(token), Some(Action::Say { room })) = (&record.token, &record.action)
            // What is appended again was lost to its node, and perhaps to others.
            && (!record.is_again || record.node == node)
            && !self.nodes[node].shown.contains(token)
        {
            let none = BTreeSet::new();
            let readers = new.get(token).map_or(&none, |(_, readers)| readers);
            self.check_line(node, *token, Some(room), (readers, moved), rooms);
        }
    }

    /// A line is read by all in its room, or in all rooms.
    fn check_line(
        &self,
        node: usize,
        token: u64,
        room: Option<&str>,
        (readers, moved): (&BTreeSet<usize>, &BTreeSet<usize>),
        rooms: &[String],
    ) {
        for client in self.clients_of(node).filter(|client| !moved.contains(client)) {
            let is_there = room.is_none_or(|room| rooms[client] == room);
            let reads = readers.contains(&client);
            let may_miss = self.may_miss(client);
            assert!(!reads || is_there, "client {client} reads <{token}> of {room:?}");
            assert!(reads || !is_there || may_miss, "client {client} does not read <{token}>");
        }
    }

    fn may_miss(&self, client: usize) -> bool {
        let told = &self.clients[client];
        told.ignores || (told.may_be_another && self.may_ignore)
    }

    /// When all is over: whoever is still there has an answer to everything.
    pub(super) fn finish(&self) {
        for (client, told) in self.clients.iter().enumerate().filter(|(_, told)| !told.is_closed) {
            let unseen: Vec<&u64> =
                told.sent.iter().filter(|token| !told.seen.contains(token)).collect();
            let refused = told.refused;
            assert!(unseen.len() <= refused, "client {client}: no answer to {unseen:?}, {refused}");
        }
        self.names.check();
    }
}

impl View {
    fn event(&mut self, node: usize, record: &Record) {
        if record.node != node {
            return;
        }
        match record.outcome {
            Outcome::Gone => self.was_gone = true,
            Outcome::Entered => {
                if self.is_cut_off || self.was_gone {
                    let unheard = self.alone.difference(&self.through).count();
                    self.notice = Some(Reading::Back(unheard as u64));
                }
                self.alone.clear();
                self.through.clear();
                self.sent.clear();
                self.is_inside = true;
                (self.is_cut_off, self.was_gone) = (false, false);
            }
            _ => {
                self.sent.remove(&record.number);
                self.known.extend(record.token);
                self.through.extend(record.token.filter(|token| self.alone.contains(token)));
            }
        }
    }
}
