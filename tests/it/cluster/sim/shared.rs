//! What the nodes keep beside the log, as Redis has it, and each node's worker that reads and
//! changes it. Of what operators are answered follows who has to be gone in the end.

use std::collections::{BTreeMap, BTreeSet};

use chinwag::ConnId;
use chinwag::chat::{Answer, Ban, Persisted, Request};

use super::acts::NAMES;
use super::reading::Reading;
use super::record::Cause;
use super::world::World;

#[derive(Default)]
pub(super) struct Shared {
    /// By their names.
    pub(super) bans: BTreeMap<String, Ban>,
    /// Up to which event an operator's node had been told when they first asked for a ban.
    asked: BTreeMap<(usize, String), usize>,
    /// Names whose ban was asked for.
    named: BTreeSet<&'static str>,
    /// Who has asked for which name.
    wanted: BTreeSet<(usize, String)>,
    /// Lines that are withdrawn at their senders' nodes.
    withdrawn: BTreeSet<u64>,
    /// Clients that had a name when it was banned.
    banned: BTreeMap<usize, String>,
}

/// What a node's worker does.
pub(super) struct Job {
    pub(super) due: u64,
    asker: Option<ConnId>,
    step: Step,
}

enum Step {
    Asked(Request),
    Done(Answer),
}

impl Shared {
    /// The names that are banned at this time.
    pub(super) fn list(&self, now: u64) -> BTreeSet<String> {
        let now = i64::try_from(now).expect("runs are short");
        let is_over = |ban: &Ban| ban.until.is_some_and(|until| until.as_millisecond() <= now);
        let bans = self.bans.iter().filter(|(_, ban)| !is_over(ban));
        bans.map(|(name, _)| name.clone()).collect()
    }

    /// Clients that are to be gone, unless their names are no longer banned.
    pub(super) fn banned(&self, now: u64) -> impl Iterator<Item = usize> {
        let list = self.list(now);
        self.banned.iter().filter(move |(_, name)| list.contains(*name)).map(|(client, _)| *client)
    }

    pub(super) fn sent(&mut self, client: usize, line: &str) {
        if let Some(("/nick" | "REGISTER", name)) = line.split_once(' ') {
            self.wanted.insert((client, name.to_owned()));
        }
    }

    fn perform(&mut self, request: Request) -> Answer {
        match request {
            Request::Ban { ban, .. } => {
                self.bans.insert(ban.target.to_string(), ban.clone());
                Answer::Banned(ban)
            }
            Request::Unban(target) => {
                self.bans.remove(&target.to_string());
                Answer::Unbanned(target)
            }
            Request::Refresh { put_back } => {
                for ban in put_back.into_iter().flatten() {
                    self.bans.entry(ban.target.to_string()).or_insert(ban);
                }
                let bans = self.bans.values().cloned().collect();
                Answer::Refreshed(Some(Persisted { bans, ..Persisted::default() }))
            }
            _ => panic!("nobody asks for {request:?}"),
        }
    }
}

impl World {
    /// An operator of any node; they connect if there is none.
    fn operator(&mut self) -> Option<usize> {
        let running = self.running();
        let node = *self.more.pick(running.get(..).filter(|nodes| !nodes.is_empty())?);
        let mut clients = self.clients_of(node).into_iter().rev();
        let op = clients.find(|client| self.clients[*client].is_operator);
        op.or_else(|| Some(self.connect(node, "op")))
    }

    /// An operator ends all nodes.
    pub(super) fn end_all(&mut self) {
        if let Some(op) = self.operator() {
            let token = self.token();
            self.oracle.endings.insert(token);
            self.say(op, &format!("/shutdownall <{token}>\n"));
        }
    }

    /// An operator bans somebody, or no longer.
    pub(super) fn ban_somebody(&mut self) {
        let Some(op) = self.operator() else { return };
        let node = self.clients[op].node;
        let name = *self.more.pick(&NAMES);
        let command = *self.more.pick(&["/ban {}", "/ban {} 1m", "/unban {}", "/unban {}"]);
        if command.starts_with("/ban") {
            self.shared.named.insert(name);
            let position = self.oracle.position(node);
            self.shared.asked.entry((op, name.to_owned())).or_insert(position);
        }
        self.say(op, &(command.replace("{}", name) + "\n"));
    }

    /// An operator is told that a name is banned: whoever had it already when they asked for that, as
    /// their node knew, is to be gone. Or somebody is told that they are: what they said is withdrawn
    /// at their node.
    pub(super) fn is_told_of_ban(&mut self, client: usize, line: &Reading) {
        match line {
            Reading::Banned(name) => {
                let Some(asked) = self.shared.asked.remove(&(client, name.clone())) else { return };
                let has_it = |it: &usize| {
                    !self.clients[*it].is_operator && self.oracle.names.is_since(*it, name, asked)
                };
                let banned = self.connected().into_iter().filter(has_it);
                self.shared.banned.extend(banned.map(|it| (it, name.clone())));
            }
            Reading::Expelled if !self.oracle.told()[client].may_be_another => {
                self.shared.withdrawn.extend(self.oracle.shown_of(client));
            }
            _ => {}
        }
    }

    /// Whether all nodes keep a line that a node keeps. Of whoever is banned others may keep more: what
    /// was said before they started, or before its node was gone, is nobody's there. And whoever gets a
    /// name while it is being banned, or is refused it at their own node alone, is banned at some.
    pub(super) fn is_everywhere(&self, node: usize, token: u64) -> bool {
        let sender = self.oracle.senders[&token];
        let told = &self.oracle.told()[sender];
        let is_withdrawn = told.node == node && self.shared.withdrawn.contains(&token);
        assert!(!is_withdrawn, "node {node} still has <{token}> of somebody who was banned");
        let is_wanted = |name: &&str| self.shared.wanted.contains(&(sender, (*name).to_owned()));
        !self.shared.named.iter().any(|name| self.resumes || is_wanted(name))
    }

    /// A node's worker does what is due.
    pub(super) fn serve(&mut self, number: usize) {
        while let Some(node) = self.nodes[number].as_mut().filter(|node| !node.link.is_paused()) {
            let mut delay = *self.more.pick(&[0, 0, 1, 10, 800]);
            let (asker, step) = match node.job.take_if(|job| job.due <= self.now) {
                Some(Job { asker, step: Step::Done(answer), .. }) => {
                    node.network.service().answer(asker, answer);
                    node.network.wake();
                    self.observe(number, Cause::Local);
                    continue;
                }
                // It tries for as long as the link's patience.
                Some(Job { asker, step, .. })
                    if node.link.is_out_of_reach() && !node.link.is_cut_off() =>
                {
                    delay = 100;
                    (asker, step)
                }
                Some(Job { asker, step: Step::Asked(request), .. }) => {
                    let answer = match request {
                        _ if !node.link.is_out_of_reach() => self.shared.perform(request),
                        Request::Refresh { .. } => Answer::NotRefreshed(String::new()),
                        _ => Answer::NotSaved(String::new()),
                    };
                    (asker, Step::Done(answer))
                }
                None if node.job.is_some() => return,
                None => match node.network.service().take_request() {
                    Some((asker, request)) => (asker, Step::Asked(request)),
                    None => return,
                },
            };
            node.job = Some(Job { due: self.now + delay, asker, step });
        }
    }
}
