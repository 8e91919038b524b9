//! The end of a run: everything is mended and quiet, and all nodes say the same.

use std::collections::{BTreeMap, BTreeSet};

use super::acts::{NAMES, ROOMS};
use super::member::ROOMS_MAX;
use super::reading::{Line, Reading, understand};
use super::world::World;

/// So long everything is quiet in the end.
const QUIET: u64 = 20_000;

impl World {
    pub(super) fn end(&mut self) {
        self.settle();
        for client in self.connected() {
            let text = format!("<{}>\n", self.token());
            self.say(client, &text);
        }
        self.settle();
        self.compare();
        if self.with.bans {
            self.compare_bans();
        }
        self.oracle.finish();
    }

    /// Everything is mended, and all that is under way arrives.
    fn settle(&mut self) {
        if self.alive().next().is_none() {
            self.start();
        }
        for number in 0..self.nodes.len() {
            if let Some(node) = &mut self.nodes[number] {
                node.mended = node.mended.map(|_| self.now);
                node.link.calm();
            }
        }
        self.pass(QUIET);
        for (number, node) in self.alive() {
            assert!(node.is_open && node.link.is_quiet(&self.log), "node {number} is not quiet");
        }
    }

    /// All nodes know the same.
    fn compare(&mut self) {
        let nodes: Vec<usize> = self.alive().map(|(number, _)| number).collect();
        let probes: Vec<usize> = nodes.iter().map(|node| self.connect(*node, "json")).collect();
        for probe in &probes {
            let text = format!("<{}>\n", self.token());
            self.say(*probe, &text);
        }
        self.settle();
        self.oracle.is_ending = true;
        for room in ROOMS {
            let lists: Vec<_> = probes.iter().map(|probe| self.who(*probe, room)).collect();
            let told = self.oracle.told().iter();
            let there = told.filter(|told| !told.is_closed && told.room == room).count();
            for (list, node) in lists.iter().zip(&nodes) {
                assert_eq!(list, &lists[0], "in {room}, by nodes {node} and {}", nodes[0]);
                assert_eq!(list.1, there, "in {room}");
            }
        }
        // Of those where nobody is some remember more than others.
        let is_used = |line: &str| !line.contains(" 0\"");
        let rooms = probes.iter().map(|probe| self.ask(*probe, "/rooms"));
        let rooms: Vec<Vec<String>> = rooms
            .map(|rooms| {
                rooms.iter().filter(|line| is_used(line)).map(|line| text_of(line)).collect()
            })
            .collect();
        assert!(rooms.iter().all(|one| one == &rooms[0]), "{rooms:?}");
        self.oracle.is_ending = false;
        if self.with.few_rooms {
            for probe in &probes {
                self.make_room(*probe);
            }
        }
        for room in ROOMS {
            let pasts: Vec<_> = probes.iter().map(|probe| self.past(*probe, room)).collect();
            self.compare_pasts(room, &pasts);
        }
        let probe = *self.rng.pick(&probes);
        self.claim_names(probe);
    }

    /// One more room can be made if there may be more than those that somebody is in, and the lobby.
    fn make_room(&mut self, probe: usize) {
        let told = self.oracle.told().iter().filter(|told| !told.is_closed);
        let mut rooms: BTreeSet<&str> = told.map(|told| told.room.as_str()).collect();
        rooms.insert("lobby");
        let is_full = rooms.len() >= ROOMS_MAX;
        let heard = self.ask(probe, &format!("/join room-{probe}"));
        assert_eq!(heard.iter().any(|line| line.contains("rooms_full")), is_full, "{heard:?}");
        self.pass(QUIET);
    }

    /// The lines of a room that a probe's node keeps: their numbers, and what else was sent.
    fn past(&mut self, probe: usize, room: &str) -> BTreeMap<(i64, u64), String> {
        self.say(probe, &format!("/join {room}\n"));
        self.pass(QUIET);
        let lines = self.ask(probe, "/history 200").into_iter();
        let lines = lines.filter_map(|line| match understand(&line) {
            Reading::Line(Line { number: Some((seq, epoch)), token, room: Some(of), .. })
                if of == room
                    && !self.oracle.may_be_another(token)
                    && self.is_everywhere(self.clients[probe].node, token) =>
            {
                Some(((epoch, seq), line))
            }
            _ => None,
        });
        lines.collect()
    }

    /// What two nodes keep of one time is the same, and all know the last line; unless something
    /// was lost.
    fn compare_pasts(&self, room: &str, pasts: &[BTreeMap<(i64, u64), String>]) {
        if self.oracle.is_lossy {
            return;
        }
        for (one, other) in pasts.iter().zip(&pasts[1..]) {
            let Some((from, to)) = shared(one, other) else { continue };
            let one: Vec<_> = one.range(from..=to).collect();
            let other: Vec<_> = other.range(from..=to).collect();
            assert_eq!(one, other, "what two nodes know of {room}");
        }
        let last = |past: &BTreeMap<(i64, u64), String>| past.keys().next_back().copied();
        let mut lasts: Vec<_> = pasts.iter().filter_map(last).collect();
        lasts.dedup();
        assert!(lasts.len() <= 1, "the last lines of {room}: {lasts:?}");
    }

    /// Names are whose they are, and all others are free.
    fn claim_names(&mut self, probe: usize) {
        for name in NAMES {
            let is_banned = self.shared.list(self.now).contains(name);
            let is_taken = self.connected().iter().any(|one| self.oracle.names.is(*one, name));
            self.heard = Some((probe, Vec::new()));
            self.say(probe, &format!("/nick {name}\n"));
            self.pass(100);
            let (_, heard) = self.heard.take().expect("it is there");
            let is_given = heard.iter().any(|line| line.contains("You are now"));
            assert_eq!(is_given, !is_taken && !is_banned, "{name}: {heard:?}");
        }
    }

    /// All nodes know the bans that there are, and whoever was banned is gone.
    fn compare_bans(&mut self) {
        let nodes: Vec<usize> = self.alive().map(|(number, _)| number).collect();
        let ops: Vec<usize> = nodes.iter().map(|node| self.connect(*node, "op")).collect();
        self.settle();
        for op in ops {
            let lines = self.ask(op, "/bans");
            let lines = lines.iter().filter(|line| *line != "There are no bans.");
            let names = lines.filter_map(|line| line.split(' ').next());
            let listed: BTreeSet<String> = names.map(str::to_owned).collect();
            let node = self.clients[op].node;
            assert_eq!(listed, self.shared.list(self.now), "the bans that node {node} lists");
        }
        for client in self.shared.banned(self.now) {
            let is_gone = self.clients[client].is_closed || self.oracle.is_lossy;
            assert!(is_gone, "client {client} is banned, and still there");
        }
    }

    /// Who is in a room, and how many those are with the silent ones.
    fn who(&mut self, probe: usize, room: &str) -> (BTreeSet<String>, usize) {
        let answer = self.ask(probe, &format!("/who {room}"));
        let Some(Reading::Who { list, .. }) = answer.first().map(|line| understand(line)) else {
            return (BTreeSet::new(), 0);
        };
        let (list, silent) = match list.split_once(" (and ") {
            Some((list, silent)) => (list, silent.split(' ').next().unwrap_or("").parse().unwrap()),
            None => (&*list, 0),
        };
        let names = list.split_once(": ").map_or("", |(_, names)| names);
        let names: BTreeSet<String> =
            names.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let count = names.len() + silent;
        (names, count)
    }

    /// What a probe is answered.
    fn ask(&mut self, probe: usize, line: &str) -> Vec<String> {
        self.heard = Some((probe, Vec::new()));
        self.say(probe, &format!("{line}\n"));
        let (_, heard) = self.heard.take().expect("it is there");
        heard
    }
}

/// From where to where both keep lines, if they do.
fn shared(
    one: &BTreeMap<(i64, u64), String>,
    other: &BTreeMap<(i64, u64), String>,
) -> Option<((i64, u64), (i64, u64))> {
    let from = one.keys().next()?.max(other.keys().next()?);
    let to = one.keys().next_back()?.min(other.keys().next_back()?);
    (from <= to).then_some((*from, *to))
}

/// What a json line says, whenever that was.
fn text_of(line: &str) -> String {
    line.split_once("\"text\":").map_or(line, |(_, text)| text).to_owned()
}
