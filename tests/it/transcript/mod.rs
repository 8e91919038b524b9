//! What the chat says, as chats: `ann> hello` is typed, `ann< [ann] hello` is read, and
//! `ann.` is the end of ann's connection.
//!
//! A bare [`Outbox`] is the whole network. Everybody mentioned is there from the start
//! and bears the name that stands at the line's start; `g1`, `g2` … are guests. Time
//! stands still, but for `+500` milliseconds. All that each client reads between one
//! typed line and the next is compared, no more, no less. After each step another chat takes over
//! what this one has packed, as at an upgrade; a whole script of its own runs without that, too.

mod accounts;
mod bans;
mod budgets;
mod dialects;
mod epochs;
mod hand_over;
mod ignored;
mod mutes;
mod names;
mod operators;
mod presence;
mod resumed;
mod rooms;
mod secrets;
mod silent;
mod speech;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::{Account, Answer, Ban, Dialect, Motd, Password, Persisted, Request, Settings};
use chinwag::{
    Chat, CloseReason, ConnId, HandOver, Limits, Now, Origin, Outbox, Packer, Peer, Service,
    Unpacker, testing,
};

/// 2026-11-20 15:17:28 UTC, a Friday.
const FRIDAY: u64 = 1_795_187_848;

struct Network {
    chat: Chat,
    settings: Settings,
    /// Whether the chat is handed over after each step.
    is_handed_over: bool,
    motd: Motd,
    out: Outbox,
    now: Now,
    clients: BTreeMap<String, ConnId>,
    connected: usize,
    worker: Worker,
    vault: Vault,
}

/// What becomes of the chat's requests.
#[derive(Clone, Copy)]
enum Worker {
    Keeps,
    Fails(&'static str),
}

impl Network {
    fn new() -> Network {
        Network::with(Settings::default())
    }

    fn settings_motd(&mut self, text: &[u8]) {
        self.motd.set(text);
    }

    fn with(settings: Settings) -> Network {
        let motd = settings.motd.clone();
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(FRIDAY);
        let now = Now { monotonic: Instant::now(), wall };
        let out = Outbox::new(&Limits::default(), now);
        let chat = Chat::new(settings.clone());
        Network {
            chat,
            settings,
            is_handed_over: true,
            motd,
            out,
            now,
            clients: BTreeMap::new(),
            connected: 0,
            worker: Worker::Keeps,
            vault: Vault::default(),
        }
    }

    /// A chat with listeners of every dialect.
    fn with_all_dialects() -> Network {
        Network::with(Settings { dialects: Dialect::ALL.into(), ..Settings::default() })
    }

    /// Connects a client, and has it named unless it is to be a guest.
    fn connect(&mut self, client: &str, listener: &str) -> ConnId {
        let id = self.arrive(client, listener);
        let is_guest = client.starts_with('g') && client[1..].parse::<u8>().is_ok();
        if !is_guest {
            self.line(client, format!("REGISTER {client}").as_bytes());
            for client in self.clients.clone().into_keys() {
                self.read(&client);
            }
        }
        id
    }

    /// Connects a client, and no more. Its port is 4001 and on.
    fn arrive(&mut self, client: &str, listener: &str) -> ConnId {
        let port = 4001 + u16::try_from(self.connected).unwrap();
        self.arrive_from(client, listener, SocketAddr::from(([127, 0, 0, 1], port)).into())
    }

    fn arrive_from(&mut self, client: &str, listener: &str, origin: Origin) -> ConnId {
        let id = testing::open(&mut self.out, self.connected);
        self.connected += 1;
        self.clients.insert(client.to_owned(), id);
        self.chat.on_open(id, &Peer::new(origin, listener), &mut self.out);
        id
    }

    /// Time passes.
    fn wait(&mut self, millis: u64) {
        let end = self.now.monotonic + Duration::from_millis(millis);
        while let Some(due) = self.chat.next_tick().filter(|due| *due <= end) {
            self.set_time(due);
            self.chat.on_tick(&mut self.out);
        }
        self.set_time(end);
    }

    fn set_time(&mut self, monotonic: Instant) {
        self.now.wall += monotonic.saturating_duration_since(self.now.monotonic);
        self.now.monotonic = monotonic.max(self.now.monotonic);
        testing::pass(&mut self.out, self.now);
    }

    /// The connection ends, as it does without `/exit`.
    fn cut_off(&mut self, client: &str) {
        let id = self.clients[client];
        self.out.close(id);
        self.chat.on_close(id, CloseReason::Broken, &mut self.out);
        self.clients.remove(client);
    }

    fn line(&mut self, client: &str, line: &[u8]) {
        let id = self.clients[client];
        self.chat.on_line(id, line, &mut self.out);
        self.carry();
        self.close_the_closing();
    }

    /// What the worker does.
    fn carry(&mut self) {
        if self.chat.takes_shutdown() {
            self.chat.on_shutdown(&mut self.out);
            // Nobody takes over then.
            self.is_handed_over = false;
        }
        while let Some((id, request)) = self.chat.next_request() {
            let answer = match (self.worker, request) {
                (Worker::Fails(why), Request::Reload) => Answer::NotReloaded(why.to_owned()),
                (Worker::Fails(why), _) => Answer::NotSaved(why.to_owned()),
                (Worker::Keeps, request) => self.vault.perform(request),
            };
            self.chat.answer(id, answer, &mut self.out);
        }
    }

    /// These are the accounts in the file now, and it is read again. Who is new has no password.
    fn reload(&mut self, accounts: Vec<Account>) {
        let mut before = std::mem::take(&mut self.vault.accounts);
        for account in accounts {
            let name = account.name.to_lowercase();
            let (_, password) = before.remove(&name).unwrap_or((account.clone(), Vec::new()));
            self.vault.accounts.insert(name, (account, password));
        }
        let kept = self.vault.persisted();
        self.chat.answer(None, Answer::Reloaded(Some(kept)), &mut self.out);
    }

    /// Another chat takes over.
    fn hand_over(&mut self) {
        let mut packer = Packer::new(self.now);
        self.chat.pack(&mut packer);
        let bytes = packer.finish();
        let mut from = Unpacker::new(&bytes, self.now).expect("it is packed here");
        self.chat = Chat::unpack(self.settings.clone(), &mut from).expect("it is packed here");
        from.finish().expect("all of it is unpacked");
        if self.settings.accounts {
            self.chat.restore(self.vault.persisted());
        }
    }

    /// What the loop does with whoever has been closed.
    fn close_the_closing(&mut self) {
        for id in self.clients.clone().into_values() {
            if !self.out.is_open(id) {
                self.chat.on_close(id, CloseReason::Asked, &mut self.out);
            }
        }
    }

    fn read(&mut self, client: &str) -> String {
        let bytes = testing::take(&mut self.out, self.clients[client]);
        String::from_utf8(bytes).expect("all that is sent is UTF-8")
    }

    /// What everybody has read, in the script's notation; each one's lines in order.
    fn read_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        for client in self.clients.keys().cloned().collect::<Vec<_>>() {
            let text = self.read(&client);
            assert!(text.is_empty() || text.ends_with('\n'), "{client} read half a line: {text}");
            all.extend(text.lines().map(|line| format!("{client}< {line}")));
            let id = self.clients[&client];
            if !self.out.is_open(id) {
                all.push(format!("{client}."));
                self.clients.remove(&client);
            }
        }
        all
    }
}

/// Bans, and accounts with their passwords, as a worker keeps them, but for the hashes.
#[derive(Default)]
struct Vault {
    bans: Vec<Ban>,
    accounts: BTreeMap<String, (Account, Vec<u8>)>,
}

impl Vault {
    fn is_right(&self, name: &str, password: &Password) -> bool {
        self.accounts.get(&name.to_lowercase()).is_some_and(|(_, own)| own == password.as_bytes())
    }

    /// What the next program reads.
    fn persisted(&self) -> Persisted {
        Persisted {
            bans: self.bans.iter().cloned().collect(),
            accounts: self.accounts.values().map(|(account, _)| account.clone()).collect(),
            new_passwords: Vec::new(),
        }
    }

    fn perform(&mut self, request: Request) -> Answer {
        match request {
            Request::Ban { ban, .. } => {
                self.bans.push(ban.clone());
                Answer::Banned(ban)
            }
            Request::Unban(target) => {
                self.bans.retain(|ban| ban.target != target);
                Answer::Unbanned(target)
            }
            Request::Reload => Answer::Reloaded(None),
            Request::Refresh { .. } => Answer::Refreshed(None),
            Request::Register { account, .. }
                if self.accounts.contains_key(&account.name.to_lowercase()) =>
            {
                Answer::Exists(account.name)
            }
            Request::Register { account, password, .. } => {
                let (name, password) = (account.name.to_lowercase(), password.as_bytes().to_vec());
                self.accounts.insert(name, (account.clone(), password));
                Answer::Registered(account)
            }
            Request::LogIn { name, password, by } if self.is_right(&name, &password) => {
                if let Some((account, _)) = self.accounts.get_mut(&name.to_lowercase()) {
                    account.unused_until = None;
                }
                Answer::LoggedIn(name, by)
            }
            Request::Passwd { name, password } => {
                if let Some((_, own)) = self.accounts.get_mut(&name.to_lowercase()) {
                    *own = password.as_bytes().to_vec();
                }
                Answer::PasswordSet
            }
            Request::Unregister { name, password } if self.is_right(&name, &password) => {
                self.accounts.remove(&name.to_lowercase());
                Answer::Unregistered(name)
            }
            _ => Answer::Wrong,
        }
    }
}

#[track_caller]
fn check(script: &str) {
    check_in(&mut Network::new(), script);
    check_in(&mut Network { is_handed_over: false, ..Network::new() }, script);
}

#[track_caller]
fn check_in(network: &mut Network, script: &str) {
    let lines: Vec<&str> = script.lines().map(str::trim_start).collect();
    for line in &lines {
        let client = line.split(['>', '<', '.', '+']).next().expect("a split has a first part");
        if !client.is_empty() && !network.clients.contains_key(client) {
            network.connect(client, "native");
        }
    }
    let mut at = 0;
    while at < lines.len() {
        let step = lines[at];
        if let Some(millis) = step.strip_prefix('+') {
            network.wait(millis.parse().expect("milliseconds"));
        } else {
            let (client, typed) = step.split_once('>').expect("somebody types, or time passes");
            network.line(client, typed.strip_prefix(' ').unwrap_or(typed).as_bytes());
        }
        let is_step = |line: &str| {
            line.starts_with('+')
                || line.split(['<', '.']).next().is_some_and(|who| who.contains('>'))
        };
        let mut expected: Vec<&str> =
            lines[at + 1..].iter().take_while(|line| !is_step(line)).copied().collect();
        at += 1 + expected.len();
        // Each client's lines stay in order; in which order clients come says nothing.
        expected.sort_by_key(|line| line.split(['<', '.']).next());
        assert_eq!(network.read_all(), expected, "after {step}");
        if network.is_handed_over {
            network.hand_over();
        }
    }
}
