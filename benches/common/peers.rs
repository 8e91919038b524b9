//! What a user might run instead: how each peer is started, how a client gets to hear
//! what the others say there, and how it says something.
//!
//! Each is at its defaults but for how many may come, how fast they may speak, what it
//! would write to disk, and looking up who they are.

use super::ask::{self, Ask};
use super::book;
use super::machine;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// What each of them is, for readers of figures, in the order of the enum.
pub(crate) const ABOUT: [(&str, &str); 7] = [
    ("redis", "redis-server, publish and subscribe"),
    ("valkey", "valkey-server, publish and subscribe"),
    ("nats", "nats-server, one subject"),
    ("ngircd", "an IRC server, one channel"),
    ("inspircd", "an IRC server, one channel"),
    ("tokio", "a chat as tutorials write it: a task and a channel a client, a write a line"),
    ("tokio-buffered", "the same; all that waits in a channel is written at once"),
];

/// A server that can be measured beside this one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peer {
    Redis,
    Valkey,
    Nats,
    Ngircd,
    Inspircd,
    /// One task and one channel a client; built from `benches/peers/tokio`.
    Tokio,
    /// The same, and all that waits in a channel is written in one go.
    TokioBuffered,
}

impl Peer {
    pub(crate) const ALL: [Peer; 7] = [
        Peer::Redis,
        Peer::Valkey,
        Peer::Nats,
        Peer::Ngircd,
        Peer::Inspircd,
        Peer::Tokio,
        Peer::TokioBuffered,
    ];

    pub(crate) fn name(self) -> &'static str {
        ABOUT[self as usize].0
    }

    pub(crate) fn from_name(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// Whether it is written for this bench, and no server that anybody runs.
    fn is_fixture(self) -> bool {
        matches!(self, Peer::Tokio | Peer::TokioBuffered)
    }

    fn program(self) -> &'static str {
        match self {
            Peer::Redis => "redis-server",
            Peer::Valkey => "valkey-server",
            Peer::Nats => "nats-server",
            Peer::Ngircd => "ngircd",
            Peer::Inspircd => "inspircd",
            Peer::Tokio | Peer::TokioBuffered => "chinwag-peer-tokio",
        }
    }

    /// More are not put on it. IRC tells each who comes of all that come after.
    pub(crate) fn clients_max(self) -> usize {
        match self {
            Peer::Ngircd | Peer::Inspircd => 2000,
            _ => usize::MAX,
        }
    }

    /// Where its program is; the fixture is built first.
    pub(crate) fn find(self) -> Result<PathBuf, String> {
        if self.is_fixture() {
            return build_fixture();
        }
        machine::find(self.program()).ok_or_else(|| format!("no {} here", self.program()))
    }

    /// The command that serves at this address; what files it needs go into the folder.
    pub(crate) fn command(self, addr: SocketAddr, folder: &Path) -> io::Result<Vec<String>> {
        let program = self.find().map_err(io::Error::other)?.display().to_string();
        let (port, place) = (addr.port().to_string(), folder.display().to_string());
        let config = folder.join("config").display().to_string();
        let arguments = match self {
            Peer::Redis | Peer::Valkey => format!(
                "--bind 127.0.0.1 --port {port} --dir {place} --save  --appendonly no \
                 --maxclients 19968 --tcp-backlog 4096 --protected-mode no"
            ),
            Peer::Nats => format!("-a 127.0.0.1 -p {port}"),
            Peer::Ngircd => {
                let text = include_str!("../peers/ngircd.conf");
                fs::write(&config, text.replace("PORT", &port))?;
                format!("-n -f {config}")
            }
            Peer::Inspircd => {
                let text = include_str!("../peers/inspircd.conf");
                fs::write(&config, text.replace("PORT", &port).replace("FOLDER", &place))?;
                format!("--nofork --runasroot --config={config}")
            }
            Peer::Tokio => port,
            Peer::TokioBuffered => format!("{port} buffered"),
        };
        let arguments = arguments.split(' ').map(str::to_owned);
        Ok([program].into_iter().chain(arguments).collect())
    }

    /// What a client asks for when it connects.
    pub(crate) fn enter(self, id: usize) -> Vec<Ask> {
        let name = ask::client_name(id);
        match self {
            // With the third version of their protocol one connection may hear and say.
            Peer::Redis | Peer::Valkey => vec![Ask::new("HELLO 3\r\nSUBSCRIBE r\r", "subscribe")],
            Peer::Nats => {
                let connect = "CONNECT {\"verbose\":false,\"pedantic\":false}";
                vec![Ask::new(format!("{connect}\r\nSUB r 1\r\nPING\r"), "PONG")]
            }
            Peer::Ngircd | Peer::Inspircd => {
                vec![Ask::new(format!("NICK {name}\r\nUSER {name} 0 * :{name}\r"), " 001 ")]
            }
            Peer::Tokio | Peer::TokioBuffered => Vec::new(),
        }
    }

    /// What it then asks for to hear what is said: IRC has no room that all are in.
    pub(crate) fn join(self) -> Vec<Ask> {
        match self {
            Peer::Ngircd | Peer::Inspircd => vec![Ask::new("JOIN #r\r", " 366 ")],
            _ => Vec::new(),
        }
    }

    /// The bytes that say a text to all.
    pub(crate) fn say(self, text: &str, packet: &mut String) {
        let length = text.len();
        let bytes = match self {
            Peer::Redis | Peer::Valkey => {
                format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\nr\r\n${length}\r\n{text}\r\n")
            }
            Peer::Nats => format!("PUB r {length}\r\n{text}\r\n"),
            Peer::Ngircd | Peer::Inspircd => format!("PRIVMSG #r :{text}\r\n"),
            Peer::Tokio | Peer::TokioBuffered => format!("{text}\n"),
        };
        packet.push_str(&bytes);
    }

    /// Whether what a client says comes back to it.
    pub(crate) fn echoes(self) -> bool {
        !matches!(self, Peer::Ngircd | Peer::Inspircd)
    }
}

/// A row of a server behind it.
pub(crate) const HAPROXY: &str = "haproxy";

/// Whether a row is of a server that people run.
pub(crate) fn is_server(name: &str) -> bool {
    name == HAPROXY || Peer::from_name(name).is_some_and(|peer| !peer.is_fixture())
}

/// Builds the tokio chat, in a target folder of its own, and tells where it is.
fn build_fixture() -> Result<PathBuf, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/tokio/Cargo.toml");
    let target = book::folder().join("peers");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--locked", "--manifest-path", manifest])
        .arg("--target-dir")
        .arg(&target)
        .stdin(Stdio::null())
        .status();
    match built {
        Ok(status) if status.success() => Ok(target.join("release").join(Peer::Tokio.program())),
        _ => Err("benches/peers/tokio could not be built".to_owned()),
    }
}
