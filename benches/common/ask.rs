//! What clients ask of the chat before anything is measured, and what it must answer.

use super::rooms::{self, Rooms};
use std::collections::{BTreeMap, VecDeque};

/// A line, and what must stand in the line that answers it, after whatever else there is to tell.
pub(crate) struct Ask {
    pub(crate) line: String,
    answer: String,
}

impl Ask {
    pub(crate) fn new(line: impl Into<String>, answer: impl Into<String>) -> Ask {
        Ask { line: line.into(), answer: answer.into() }
    }

    pub(crate) fn join(room: &str) -> Ask {
        Ask::new(format!("/join {room}"), format!(" in {room}: "))
    }
}

/// The name of a client; always six characters, so that all lines can be equally long.
pub(crate) fn client_name(id: usize) -> String {
    format!("u{id:05}")
}

/// To be named.
pub(crate) fn name(id: usize) -> Vec<Ask> {
    let name = client_name(id);
    vec![Ask::new(format!("REGISTER {name}"), format!("Registered as {name}"))]
}

/// To be in one of these rooms.
pub(crate) fn room(id: usize, rooms: Rooms) -> Vec<Ask> {
    vec![Ask::join(&rooms::name(rooms.of(id)))]
}

/// The answers that have not come yet, or not wholly.
#[derive(Default)]
pub(crate) struct Answers {
    awaited: BTreeMap<usize, Awaited>,
    /// The last line that was no answer: if none comes, it may say why.
    other: Option<String>,
}

struct Awaited {
    asks: VecDeque<Ask>,
    unfinished: Vec<u8>,
}

impl Answers {
    /// How many clients wait.
    pub(crate) fn len(&self) -> usize {
        self.awaited.len()
    }

    pub(crate) fn other(&self) -> Option<&str> {
        self.other.as_deref()
    }

    pub(crate) fn await_for(&mut self, id: usize, asks: Vec<Ask>) {
        let awaited = Awaited { asks: asks.into(), unfinished: Vec::new() };
        self.awaited.insert(id, awaited);
    }

    /// Takes what a client has been told. What one is told who waits for nothing are
    /// notices.
    pub(crate) fn enter(&mut self, id: usize, bytes: &[u8]) {
        let Some(Awaited { asks, unfinished }) = self.awaited.get_mut(&id) else { return };
        unfinished.extend_from_slice(bytes);
        while let Some(newline) = memchr::memchr(b'\n', unfinished) {
            let line: Vec<u8> = unfinished.drain(..=newline).collect();
            let Some(ask) = asks.front() else { break };
            if memchr::memmem::find(&line, ask.answer.as_bytes()).is_some() {
                asks.pop_front();
            } else {
                self.other = Some(String::from_utf8_lossy(&line).into_owned());
            }
        }
        if asks.is_empty() {
            self.awaited.remove(&id);
        }
    }
}
