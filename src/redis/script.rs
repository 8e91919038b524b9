//! The log, as Redis keeps it: what the script is asked and answers, and how events are read.

use std::time::{Duration, Instant};

use super::connection::{Breaker, Connection, Failure, Frame};
use super::dialer::Dialer;
use super::keys::Keys;
use crate::cluster::{Action, Entry, Event, NodeId, Outcome};
use crate::pack::impl_pack;

const SCRIPT: &str = include_str!("script.lua");

/// The most entries that one call appends.
pub(super) const BATCH_ENTRIES: usize = 256;

/// The most bytes of entries that one call appends, if it is more than one entry.
pub(super) const BATCH_BYTES: usize = 64 << 10;

/// The most batches that one call reads.
const PAGE: &str = "64";

/// Numbers in headers are below this: the script writes every digit of them.
const NUMBER_MAX: u64 = 100_000_000_000_000;

/// A place in the log: after this event, or before the first of an era.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Eras only grow.
    pub(super) era: u64,
    pub(super) id: u64,
    /// The event's header, by which it is known again. Empty if it is not known.
    pub(super) header: String,
}

impl Place {
    /// Of the entry whose last event this is.
    pub(super) fn key(&self) -> String {
        format!("{}-{}", self.era, self.id)
    }

    pub(super) fn is_behind(&self, other: &Place) -> bool {
        (self.era, self.id) > (other.era, other.id)
    }
}

impl_pack! {
    struct Place { era, id, header }
}

/// What a node tells the script of itself with each call.
pub(super) struct Caller<'a> {
    pub(super) node: NodeId,
    pub(super) epoch: u64,
    pub(super) lease: Duration,
    /// How far it has read.
    pub(super) place: &'a Place,
    /// The newest id of that era that it knows of.
    pub(super) newest: u64,
}

/// What the script answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is done, with these numbers.
    Done(Vec<u64>),
    /// The node's epoch is over: it has to enter.
    Fenced,
    /// It is another era now.
    Era {
        era: u64,
        /// Whether the log still has what the node has read, and what follows it.
        is_intact: bool,
    },
}

/// What was read of a stream.
#[derive(Default)]
pub(super) struct Page {
    pub(super) found: Vec<Found>,
    /// The key of the last entry, to read on from: its era and the id of its last event.
    pub(super) last: Option<Place>,
    /// The keys of entries that a stranger has written.
    pub(super) foreign: Vec<Place>,
}

/// An event, and where it is.
pub(super) struct Found {
    pub(super) place: Place,
    /// `None` if it cannot be understood.
    pub(super) event: Option<Event>,
    /// The epoch of a node that has entered.
    pub(super) epoch: u64,
}

/// A connection that can be asked for the log.
pub(super) struct Log {
    connection: Connection,
    keys: Keys,
    /// The hash by which Redis knows the script.
    sha: Vec<u8>,
}

impl Log {
    /// `watch` is given what ends the waiting.
    pub(super) fn open(
        dialer: &mut Dialer,
        cluster: &str,
        by: Instant,
        watch: impl Fn(Breaker),
    ) -> Result<Log, Failure> {
        let connection = dialer.dial(by, watch)?;
        let mut log = Log { connection, keys: Keys::new(cluster), sha: Vec::new() };
        log.load(by)?;
        Ok(log)
    }

    pub(super) fn breaker(&self) -> std::io::Result<Breaker> {
        self.connection.breaker()
    }

    /// What `INFO` says, or why not.
    pub(super) fn info(&mut self, by: Instant) -> Result<String, Failure> {
        let answer = self.connection.call(&[b"INFO"], by)?;
        Ok(String::from_utf8_lossy(&bytes(answer)?).into_owned())
    }

    /// Takes the node's name. It answers with the era, the id before the node's own event, and the
    /// epoch.
    pub(super) fn enter(
        &mut self,
        caller: &Caller<'_>,
        name: &str,
        by: Instant,
    ) -> Result<Answer, Failure> {
        self.run("enter", caller, vec![name.as_bytes().to_vec()], by)
    }

    /// Whether the log is what the node knows. It answers with the newest id.
    pub(super) fn check(&mut self, caller: &Caller<'_>, by: Instant) -> Result<Answer, Failure> {
        self.run("check", caller, Vec::new(), by)
    }

    /// Appends entries, in their order, those that have not been appended before, and renews the
    /// lease. A beat looks for nodes that are gone. It answers with the newest id, and the era and
    /// the id up to which lines may be trimmed if so many are to be kept.
    pub(super) fn append(
        &mut self,
        caller: &Caller<'_>,
        is_beat: bool,
        said_max: usize,
        entries: &[Entry],
        by: Instant,
    ) -> Result<Answer, Failure> {
        let mut words = vec![vec![b'0' + u8::from(is_beat)], said_max.to_string().into_bytes()];
        for entry in entries {
            push_entry(entry, &mut words);
        }
        self.run("append", caller, words, by)
    }

    /// Has the node be gone.
    pub(super) fn leave(&mut self, caller: &Caller<'_>, by: Instant) -> Result<Answer, Failure> {
        self.run("leave", caller, Vec::new(), by)
    }

    /// Has Redis forget what came before these places, or about that. Commands of their own, which
    /// need no memory.
    pub(super) fn trim(&mut self, log: &Place, said: &Place, by: Instant) -> Result<(), Failure> {
        for (stream, from) in [(self.keys.log(), log), (self.keys.said(), said)] {
            if from.id > 0 {
                let call = ["XTRIM", stream, "MINID", "~", &from.key()];
                self.connection.call_text(&call, by)?;
            }
        }
        Ok(())
    }

    /// The next events, of entries after this key. Waits for as long as `block` if there is none.
    pub(super) fn read(
        &mut self,
        after: &Place,
        block: Duration,
        by: Instant,
    ) -> Result<Page, Failure> {
        let (block, key) = (block.as_millis().to_string(), after.key());
        let command = ["XREAD", "COUNT", PAGE, "BLOCK", &block, "STREAMS", self.keys.log(), &key];
        let answer = self.connection.call_text(&command, by);
        match answer.map_err(|failure| self.keys.explain(&mut self.connection, failure, by))? {
            Frame::Null => Ok(Page::default()),
            // Of the one stream, its name and what is in it.
            Frame::Array(streams) => match streams.into_iter().next() {
                Some(Frame::Array(stream)) => page(stream.into_iter().nth(1)),
                _ => Err(strange()),
            },
            _ => Err(strange()),
        }
    }

    /// The next lines of rooms, of entries after this key, up to and with the other.
    pub(super) fn past(
        &mut self,
        after: &Place,
        until: &Place,
        by: Instant,
    ) -> Result<Page, Failure> {
        let (key, until) = (format!("({}", after.key()), until.key());
        let command = ["XRANGE", self.keys.said(), &key, &until, "COUNT", PAGE];
        let answer = self.connection.call_text(&command, by);
        page(Some(answer.map_err(|failure| self.keys.explain(&mut self.connection, failure, by))?))
    }

    fn load(&mut self, by: Instant) -> Result<(), Failure> {
        self.sha = bytes(self.connection.call_text(&["SCRIPT", "LOAD", SCRIPT], by)?)?;
        Ok(())
    }

    fn run(
        &mut self,
        command: &str,
        caller: &Caller<'_>,
        words: Vec<Vec<u8>>,
        by: Instant,
    ) -> Result<Answer, Failure> {
        let Caller { node, epoch, lease, place, newest } = caller;
        let numbers =
            [*epoch, lease.as_millis().try_into().unwrap_or(u64::MAX), place.era, *newest];
        let mut all = vec![command.as_bytes().to_vec(), node.to_string().into_bytes()];
        all.extend(numbers.iter().chain([&place.id]).map(|it| it.to_string().into_bytes()));
        all.push(place.header.clone().into_bytes());
        all.extend(words);
        loop {
            let count = self.keys.all().len().to_string();
            let mut call: Vec<&[u8]> = vec![b"EVALSHA", &self.sha, count.as_bytes()];
            call.extend(self.keys.all().iter().map(String::as_bytes));
            call.extend(all.iter().map(Vec::as_slice));
            match self.connection.call(&call, by) {
                // Redis has been started anew, or another has taken its place.
                Err(Failure::Refused(why)) if why.starts_with("NOSCRIPT") => self.load(by)?,
                answer => {
                    let answer = answer.and_then(read_answer);
                    return answer
                        .map_err(|failure| self.keys.explain(&mut self.connection, failure, by));
                }
            }
        }
    }
}

fn read_answer(answer: Frame) -> Result<Answer, Failure> {
    let Frame::Array(words) = answer else { return Err(strange()) };
    let words: Result<Vec<String>, Failure> = words.into_iter().map(text).collect();
    let words = words?;
    let numbers = words.iter().skip(1).map(|word| word.parse());
    match (words.first().map(String::as_str), words.get(1)) {
        (Some("OK"), _) => {
            Ok(Answer::Done(numbers.collect::<Result<_, _>>().map_err(|_| strange())?))
        }
        (Some("FENCED"), _) => Ok(Answer::Fenced),
        (Some("ERA"), Some(era)) => {
            let is_intact = words.get(2).is_some_and(|word| word == "1");
            Ok(Answer::Era { era: era.parse().map_err(|_| strange())?, is_intact })
        }
        (Some("ERROR"), Some(why)) => Err(Failure::refused(why)),
        _ => Err(strange()),
    }
}

/// About how many bytes an entry takes in a call.
pub(super) fn size(entry: &Entry) -> usize {
    let rest = match &entry.action {
        Action::KeepGuests { blocks } => blocks.len() * 4,
        _ => 64,
    };
    entry.payload.len() + rest
}

/// Number, action, payload, and what it is about: as `script.lua` has it.
fn push_entry(entry: &Entry, words: &mut Vec<Vec<u8>>) {
    let (action, about) = match &entry.action {
        Action::Tell => ("T", vec![]),
        Action::Say { room } => ("S", vec![room.clone()]),
        Action::Claim { name, user, releases, takes_over } => {
            let releases = releases.clone().unwrap_or_default();
            let action = if *takes_over { "O" } else { "C" };
            (action, vec![name.clone(), user.to_string(), releases])
        }
        Action::Release { name, user, heir } => {
            let (node, its_user) = heir.map(|(node, user)| (node.to_string(), user)).unzip();
            let its_user = its_user.map_or(String::new(), |user| user.to_string());
            ("R", vec![name.clone(), user.to_string(), node.unwrap_or_default(), its_user])
        }
        Action::Raise { room, seq } => ("A", vec![room.clone(), seq.to_string()]),
        Action::LeaseGuests => ("L", vec![]),
        Action::KeepGuests { blocks } => {
            let blocks: Vec<String> = blocks.iter().map(u32::to_string).collect();
            ("K", vec![blocks.join(" ")])
        }
    };
    words.push(entry.number.to_string().into_bytes());
    words.push(action.as_bytes().to_vec());
    words.push(entry.payload.clone());
    words.extend(about.into_iter().map(String::into_bytes));
}

/// Entries of a stream, each with its key and its fields.
fn page(entries: Option<Frame>) -> Result<Page, Failure> {
    let Some(Frame::Array(entries)) = entries else { return Err(strange()) };
    let mut page = Page::default();
    for entry in entries {
        let Frame::Array(entry) = entry else { return Err(strange()) };
        let [key, fields]: [Frame; 2] = entry.try_into().map_err(|_| strange())?;
        let Frame::Array(fields) = fields else { return Err(strange()) };
        let key = text(key)?;
        let (era, id) = key.split_once('-').ok_or_else(strange)?;
        let (Ok(era), Ok(id)) = (era.parse(), id.parse()) else { return Err(strange()) };
        let key = Place { era, id, header: String::new() };
        match events(&key, fields) {
            Some(events) => page.found.extend(events),
            None => page.foreign.push(key.clone()),
        }
        page.last = Some(key);
    }
    Ok(page)
}

/// The headers and payloads of the events in an entry. `None` if no node has written it: the ids
/// grow up to that of the entry.
fn events(key: &Place, fields: Vec<Frame>) -> Option<Vec<Found>> {
    let mut fields = fields.into_iter();
    let (mut all, mut last) = (Vec::new(), 0);
    while let (Some(header), Some(payload)) = (fields.next(), fields.next()) {
        let (header, payload) = (text(header).ok()?, bytes(payload).ok()?);
        let id = next(&mut header.split(' ')).filter(|id| (last + 1..=key.id).contains(id))?;
        let (event, epoch) = event(id, &header, payload).unzip();
        let place = Place { era: key.era, id, header };
        all.push(Found { place, event, epoch: epoch.unwrap_or(0) });
        last = id;
    }
    Some(all)
}

/// From its header: id, node, number, time, what was decided.
fn event(id: u64, header: &str, payload: Vec<u8>) -> Option<(Event, u64)> {
    let mut words = header.split(' ').skip(1);
    let node = NodeId(u64::from_str_radix(words.next()?, 16).ok()?);
    let (number, at) = (next(&mut words)?, next(&mut words)?.cast_signed());
    let mut epoch = 0;
    let outcome = match words.next()? {
        "T" => Outcome::Told,
        "S" => Outcome::Said { seq: next(&mut words)?, epoch: next(&mut words)?.cast_signed() },
        "C" => Outcome::Claimed,
        "X" => Outcome::Taken,
        "B" => Outcome::Block(next(&mut words)?.try_into().ok()?),
        "K" => Outcome::Kept(words.by_ref().map(|it| it.parse().ok()).collect::<Option<_>>()?),
        "E" => {
            epoch = next(&mut words)?;
            Outcome::Entered
        }
        "G" => Outcome::Gone,
        _ => return None,
    };
    let event = Event { id, at, node, number, outcome, payload };
    words.next().is_none().then_some((event, epoch))
}

fn next<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<u64> {
    words.next()?.parse().ok().filter(|number| *number < NUMBER_MAX)
}

fn text(frame: Frame) -> Result<String, Failure> {
    String::from_utf8(bytes(frame)?).map_err(|_| strange())
}

fn bytes(frame: Frame) -> Result<Vec<u8>, Failure> {
    match frame {
        Frame::BulkString(bytes) | Frame::SimpleString(bytes) => Ok(bytes),
        Frame::Integer(number) => Ok(number.to_string().into_bytes()),
        _ => Err(strange()),
    }
}

pub(super) fn strange() -> Failure {
    Failure::Refused("it answers otherwise than Redis does".to_owned())
}
