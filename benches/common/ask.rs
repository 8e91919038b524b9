//! What clients ask of the chat before anything is measured, and what it must answer.

use super::rooms::{self, Rooms};
use std::collections::{BTreeMap, VecDeque};

/// A line, and what must stand in the line that answers it.
pub(crate) struct Ask {
    pub(crate) line: String,
    answer: String,
    /// Other lines may come before the answer.
    is_disabled: bool,
}

impl Ask {
    pub(crate) fn new(line: impl Into<String>, answer: impl Into<String>) -> Ask {
        Ask { line: line.into(), answer: answer.into(), is_disabled: false }
    }

    /// A line that is answered some time, after whatever else there is to tell.
    pub(crate) fn until(line: impl Into<String>, answer: impl Into<String>) -> Ask {
        Ask { line: line.into(), answer: answer.into(), is_disabled: true }
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
    /// One that was not as it should be.
    wrong: Option<String>,
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

    pub(crate) fn wrong(&self) -> Option<&str> {
        self.wrong.as_deref()
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
            let is_answer = memchr::memmem::find(&line, ask.answer.as_bytes()).is_some();
            if !is_answer && ask.is_disabled {
                continue;
            }
            asks.pop_front();
            if !is_answer {
                self.wrong = Some(String::from_utf8_lossy(&line).into_owned());
            }
        }
        if asks.is_empty() {
            self.awaited.remove(&id);
        }
    }
}
