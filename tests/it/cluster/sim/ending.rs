//! The end of a run: everything is mended and quiet, and all nodes say the same.

use std::collections::BTreeSet;

use super::acts::ROOMS;
use super::reading::{Reading, understand};
use super::world::World;

/// So long everything is quiet in the end.
const QUIET: u64 = 30_000;

impl World {
    pub(super) fn end(&mut self) {
        self.settle();
        for client in self.connected() {
            let text = format!("<{}>\n", self.token());
            self.say(client, &text);
        }
        self.settle();
        self.compare();
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
        let is_used = |line: &String| !line.contains(" 0\"");
        let rooms = probes.iter().map(|probe| self.ask(*probe, "/rooms"));
        let rooms: Vec<Vec<String>> =
            rooms.map(|rooms| rooms.into_iter().filter(is_used).collect()).collect();
        assert!(rooms.iter().all(|one| one == &rooms[0]), "{rooms:?}");
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

    /// What a probe is answered, without the time.
    fn ask(&mut self, probe: usize, line: &str) -> Vec<String> {
        self.heard = Some((probe, Vec::new()));
        self.say(probe, &format!("{line}\n"));
        self.settle();
        let (_, heard) = self.heard.take().expect("it is there");
        heard.into_iter().map(|line| without_time(&line)).collect()
    }
}

/// A json line without what it begins with.
fn without_time(line: &str) -> String {
    line.split_once(",\"type\"").map_or(line, |(_, rest)| rest).replacen(':', "{\"type\":", 1)
}
