//! What happens in a run: clients come, talk and go, time passes, and things break.

use super::world::World;

pub(super) const NAMES: [&str; 4] = ["ann", "bob", "cat", "dan"];
pub(super) const ROOMS: [&str; 3] = ["lobby", "tea", "den"];

const NODES_MAX: usize = 3;
const CLIENTS_MAX: usize = 5;

/// What may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The log is out of reach of a node.
    Cut,
    /// A node is paused.
    Pause,
    /// A node is killed, or shut down.
    Kill,
    /// The log is emptied, or rolled back.
    Reset,
    /// The log is trimmed.
    Trim,
}

impl Fault {
    /// What may break in a run.
    pub(super) fn some(world: &mut World) -> Vec<Fault> {
        let all = [
            (Fault::Cut, 2),
            (Fault::Pause, 3),
            (Fault::Kill, 3),
            (Fault::Reset, 4),
            (Fault::Trim, 4),
        ];
        let some = all.into_iter().filter(|(_, chance)| world.rng.one_in(*chance));
        some.map(|(fault, _)| fault).collect()
    }
}

impl World {
    pub(super) fn act(&mut self, faults: &[Fault]) {
        if self.with.bans && self.more.one_in(8) {
            return self.ban_somebody();
        }
        if self.with.shutdowns && self.more.one_in(100) {
            return self.end_all();
        }
        match self.rng.below(20) {
            0..12 => self.client_acts(),
            12..18 => {
                let time = *self.rng.pick(&[1, 10, 10, 100, 300, 1000, 4000]);
                self.pass(time);
            }
            _ => self.something_breaks(faults),
        }
        self.pass(0);
    }

    fn client_acts(&mut self) {
        let running = self.running();
        if running.is_empty() {
            return self.pass(100);
        }
        let node = *self.rng.pick(&running);
        let clients = self.clients_of(node);
        if clients.is_empty() || (clients.len() < CLIENTS_MAX && self.rng.one_in(5)) {
            let label = *self.rng.pick(&["native", "native", "native", "json", "json", "op"]);
            self.connect(node, label);
            return;
        }
        let client = *self.rng.pick(&clients);
        if self.rng.one_in(30) {
            let is_reset = self.rng.one_in(2);
            return self.hang_up(client, is_reset);
        }
        let mut text = String::new();
        for _ in 0..*self.rng.pick(&[1, 1, 1, 2, 5]) {
            text.push_str(&self.line(client));
            text.push('\n');
        }
        self.say(client, &text);
    }

    /// A line of a client.
    fn line(&mut self, client: usize) -> String {
        let name = *self.rng.pick(&NAMES);
        let room = *self.rng.pick(&ROOMS);
        if self.clients[client].is_operator && self.rng.one_in(3) {
            return match self.rng.below(5) {
                0 => format!("/kick {name} <{}>", self.token()),
                1 => format!("/mute {name} 5s"),
                2 => format!("/unmute {name}"),
                _ => format!("/announce <{}>", self.token()),
            };
        }
        match self.rng.below(37) {
            0..14 => format!("<{}>", self.token()),
            14 => format!("/me <{}>", self.token()),
            15 => format!("/topic <{}>", self.token()),
            16 => format!("/nick {name}"),
            17 => format!("REGISTER {name}"),
            18..21 => format!("/join {room}"),
            21..24 => format!("/msg {name} <{}>", self.token()),
            24 => format!("/reply <{}>", self.token()),
            25 => "/away for tea".to_owned(),
            26 => "/away".to_owned(),
            27 => match self.rng.below(3) {
                0 => format!("/ignore {name}"),
                _ => format!("/unignore {name}"),
            },
            28 => "/who".to_owned(),
            29 => "/history".to_owned(),
            30 if self.rng.one_in(3) => "quit".to_owned(),
            31 | 32 if self.resumes => "/resume".to_owned(),
            33..36 if self.resumes => self.come_back(),
            36 => (*self.rng.pick(&["/notices on", "/notices off"])).to_owned(),
            _ => "/rooms".to_owned(),
        }
    }

    /// Somebody comes back with a token of whomever. The server does not say where they are then.
    fn come_back(&mut self) -> String {
        let tokens: Vec<&String> =
            self.clients.iter().filter_map(|client| client.token.as_ref()).collect();
        if tokens.is_empty() {
            return "/resume".to_owned();
        }
        let (token, seq) = (*self.rng.pick(&tokens), *self.rng.pick(&["", "", " 0"]));
        format!("/resume {token}{seq}\n/who")
    }

    pub(super) fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn something_breaks(&mut self, faults: &[Fault]) {
        let alive: Vec<usize> = self.alive().map(|(number, _)| number).collect();
        if alive.is_empty() || (alive.len() < NODES_MAX && self.rng.one_in(2)) {
            return self.start();
        }
        let number = *self.rng.pick(&alive);
        let is_whole = self.node(number).mended.is_none();
        let Some(fault) = (!faults.is_empty()).then(|| *self.rng.pick(faults)) else { return };
        match fault {
            Fault::Cut | Fault::Pause if is_whole => self.break_off(number, fault),
            Fault::Kill if self.rng.one_in(2) => self.kill(number),
            Fault::Kill if is_whole && self.node(number).is_open => self.shut_down(number),
            Fault::Cut | Fault::Pause | Fault::Kill => {}
            Fault::Reset => self.reset(),
            Fault::Trim => {
                self.trace(|| "the log is trimmed".to_owned());
                let keep = self.rng.below(5);
                self.log.trim(keep);
                self.oracle.is_lossy = true;
            }
        }
    }

    fn break_off(&mut self, number: usize, fault: Fault) {
        let now = self.now;
        let mended = now + *self.rng.pick(&[500, 2000, 2900, 3500, 6000, 9000]);
        self.trace(|| format!("node {number}: {fault:?} until {mended}"));
        let node = self.node(number);
        node.mended = Some(mended);
        match fault {
            Fault::Pause => node.link.pause(now),
            _ => node.link.cut(now),
        }
    }

    /// The log loses what it knew, or some of it.
    fn reset(&mut self) {
        if self.rng.one_in(2) {
            self.trace(|| "the log is emptied".to_owned());
            self.log.empty();
            self.shared.bans.clear();
        } else {
            let most = self.rng.between(1, 10);
            let count = self.log.roll_back(most);
            self.trace(|| format!("{count} events are rolled back"));
        }
        self.oracle.is_lossy = true;
        self.oracle.names.reset(self.records.count());
        self.pass(1);
    }
}
