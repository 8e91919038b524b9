//! One client: what it has asked, what it has heard, and whether that can be true.

use crate::form::{self, Form};
use crate::plan::{self, LOBBY, Plan};
use crate::said::Said;
use crate::tally::Tally;
use mio::net::TcpStream;
use std::collections::VecDeque;
use std::time::Instant;

/// How far a client has got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Not connected; it will be.
    Away,
    /// Connected, and silent until it is greeted.
    Hesitating,
    /// It has said who it is.
    Arriving,
    In,
    /// It has said that it goes, and reads until the end.
    Leaving,
    /// It never reads.
    Stalled,
}

/// What a client waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Asked {
    Name,
    Room,
    Message,
    Token,
    Notices,
    Done,
}

/// What a client wants to do after what it has heard.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wish {
    /// It has been greeted, and says who it is.
    Arrive,
    /// It is still there under its old connection, and tries again.
    TryAgain,
    /// It has a token, and may try it out.
    UseToken,
}

pub(crate) struct Client {
    pub(crate) stream: Option<TcpStream>,
    pub(crate) stage: Stage,
    /// Since when it waits for an answer, for the end, or to be poked.
    pub(crate) since: Instant,
    pub(crate) asked: VecDeque<Asked>,
    /// To come back with.
    pub(crate) token: Option<String>,
    /// How often its name was still taken.
    pub(crate) tries: u32,
    /// What it has said and not heard yet.
    pub(crate) echoes: VecDeque<u64>,
    name: String,
    /// Whether the name is this connection's. Until then it may be that of the one
    /// before, whose last line then comes to this one as to everybody in the lobby.
    is_named: bool,
    unfinished: Vec<u8>,
    /// The room that it is told it is in; `None` for one where nobody speaks.
    here: Option<usize>,
    /// The last line that it heard there, if the next is to follow it.
    heard: Option<u64>,
    /// Whether it is being told again what was said before.
    is_told_again: bool,
}

/// What a client hears in the light of.
pub(crate) struct Around<'a> {
    pub(crate) home: usize,
    pub(crate) plan: &'a Plan,
    pub(crate) rooms: &'a mut [Said],
    pub(crate) tally: &'a mut Tally,
}

impl Client {
    pub(crate) fn new(id: usize, now: Instant) -> Client {
        Client {
            stream: None,
            stage: Stage::Away,
            since: now,
            asked: VecDeque::new(),
            token: None,
            tries: 0,
            echoes: VecDeque::new(),
            name: plan::client_name(id),
            is_named: false,
            unfinished: Vec::new(),
            here: Some(LOBBY),
            heard: None,
            is_told_again: false,
        }
    }

    /// Forgets all that belonged to its last connection.
    pub(crate) fn connected(&mut self, stream: TcpStream, now: Instant) {
        self.stream = Some(stream);
        self.since = now;
        self.asked.clear();
        self.echoes.clear();
        self.is_named = false;
        self.unfinished.clear();
        self.here = Some(LOBBY);
        self.heard = None;
        self.is_told_again = false;
    }

    /// Whether it is in its room, and all that it has asked for has come.
    pub(crate) fn is_free(&self) -> bool {
        self.stage == Stage::In && self.asked.is_empty()
    }

    /// Takes bytes from the server. An error is what is wrong with one of the lines.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        mut around: Around<'_>,
        mut wishes: impl FnMut(Wish),
    ) -> Result<(), String> {
        let mut rest = bytes;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..newline], &rest[newline + 1..]);
            let mut whole = std::mem::take(&mut self.unfinished);
            let line = if whole.is_empty() {
                line
            } else {
                whole.extend_from_slice(line);
                &whole
            };
            rest = after;
            let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
            let wish = self
                .hear(text, &mut around)
                .map_err(|why| format!("{}, {:?}: {why}: {text:?}", self.name, self.stage))?;
            wish.map(&mut wishes);
        }
        self.unfinished.extend_from_slice(rest);
        Ok(())
    }

    fn hear(&mut self, line: &str, around: &mut Around<'_>) -> Result<Option<Wish>, String> {
        let form = form::read(line).ok_or("no known form")?;
        let heard = match form {
            Form::Said { name, text, is_past } => self.hear_said(name, text, is_past, around),
            Form::Private { from, to } => self.hear_private(from, to, around.tally),
            Form::Named(name) => self.hear_name(name, around.home),
            Form::Room(room) => self.hear_room(room, around),
            Form::Greeted if self.stage == Stage::Hesitating => {
                self.is_told_again = false;
                return Ok(Some(Wish::Arrive));
            }
            Form::Bye if self.stage == Stage::Leaving => Ok(()),
            Form::Greeted | Form::Bye => Err("out of place".to_owned()),
            Form::Skipped => {
                around.tally.skips += 1;
                self.heard = None;
                Ok(())
            }
            Form::Notice => Ok(()),
            answer => return self.hear_answer(&answer, around.tally),
        };
        heard.map(|()| None)
    }

    fn hear_answer(
        &mut self,
        answer: &Form<'_>,
        tally: &mut Tally,
    ) -> Result<Option<Wish>, String> {
        let (asked, wish) = match answer {
            Form::NameTaken => (Asked::Name, Some(Wish::TryAgain)),
            Form::Token(token) => {
                self.token = Some((*token).to_owned());
                (Asked::Token, Some(Wish::UseToken))
            }
            Form::Undelivered => {
                tally.undelivered += 1;
                (Asked::Message, None)
            }
            Form::NoticesOn => (Asked::Notices, None),
            _ => {
                self.is_told_again = false;
                (Asked::Done, None)
            }
        };
        self.take(asked).map(|()| wish)
    }

    fn hear_name(&mut self, name: &str, home: usize) -> Result<(), String> {
        self.take(Asked::Name)?;
        if name != self.name {
            return Err("that is another's name".to_owned());
        }
        self.is_named = true;
        // Who comes back with a token is at once where it was.
        if self.asked.front() != Some(&Asked::Room) {
            self.enter(Some(home));
        }
        Ok(())
    }

    fn hear_room(&mut self, room: &str, around: &Around<'_>) -> Result<(), String> {
        if self.stage != Stage::Hesitating {
            self.take(Asked::Room)?;
        }
        let is_it = |at: &usize| around.plan.places[*at].name == room;
        self.enter([LOBBY, around.home].into_iter().find(is_it));
        Ok(())
    }

    fn hear_said(
        &mut self,
        name: &str,
        text: &str,
        is_past: bool,
        around: &mut Around<'_>,
    ) -> Result<(), String> {
        let here = self.here.ok_or("nobody speaks here")?;
        // What is told again begins somewhere before, and ends where it began.
        if is_past && !self.is_told_again {
            self.heard = None;
        }
        self.is_told_again = is_past;
        let number = around.rooms[here].hear(self.heard, text)?;
        self.heard = Some(number);
        if is_past {
            around.tally.told_again += 1;
            return Ok(());
        }
        around.tally.heard += 1;
        if self.is_named && name == self.name {
            let said = self.echoes.pop_front();
            if said != Some(number) {
                return Err(format!("its own line, but {said:?} comes first"));
            }
        }
        Ok(())
    }

    fn hear_private(&mut self, from: &str, to: &str, tally: &mut Tally) -> Result<(), String> {
        if from == self.name {
            return self.take(Asked::Message);
        }
        if to != self.name {
            return Err("it is for another".to_owned());
        }
        tally.private += 1;
        Ok(())
    }

    /// In another room nothing follows what was heard in the last, and what was said
    /// before comes first.
    fn enter(&mut self, room: Option<usize>) {
        self.here = room;
        self.heard = None;
        self.is_told_again = true;
    }

    /// Answers come in the order of what they answer.
    fn take(&mut self, asked: Asked) -> Result<(), String> {
        match self.asked.pop_front() {
            Some(first) if first == asked => Ok(()),
            other => Err(format!("an answer to {asked:?}, but {other:?} comes first")),
        }
    }
}
