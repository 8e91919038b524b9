//! What a user might run instead: how each peer is started, how a client gets to hear
//! what the others say there, and how it says something.
//!
//! Each is at its defaults but for how many may come, how fast they may speak, what it
//! would write to disk, and looking up who they are.

use super::ask::Ask;
use super::crowd;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// A server that can be measured beside this one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Peer {
    Redis,
    Valkey,
    Nats,
    Ngircd,
    Inspircd,
    Ncat,
    /// One task and one channel a client; built from `benches/peers/tokio`.
    Tokio,
    /// The same, and all that waits in a channel is written in one go.
    TokioBuffered,
}

impl Peer {
    pub(crate) const ALL: [Peer; 8] = [
        Peer::Redis,
        Peer::Valkey,
        Peer::Nats,
        Peer::Ngircd,
        Peer::Inspircd,
        Peer::Ncat,
        Peer::Tokio,
        Peer::TokioBuffered,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Redis => "redis",
            Peer::Valkey => "valkey",
            Peer::Nats => "nats",
            Peer::Ngircd => "ngircd",
            Peer::Inspircd => "inspircd",
            Peer::Ncat => "ncat",
            Peer::Tokio => "tokio",
            Peer::TokioBuffered => "tokio-buffered",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// Whether it is written for this bench, and no server that anybody runs.
    pub(crate) fn is_fixture(self) -> bool {
        matches!(self, Peer::Tokio | Peer::TokioBuffered)
    }

    fn program(self) -> &'static str {
        match self {
            Peer::Redis => "redis-server",
            Peer::Valkey => "valkey-server",
            Peer::Nats => "nats-server",
            Peer::Ngircd => "ngircd",
            Peer::Inspircd => "inspircd",
            Peer::Ncat => "ncat",
            Peer::Tokio | Peer::TokioBuffered => "chinwag-peer-tokio",
        }
    }

    /// More are not put on it. IRC tells each who comes of all that come after, and
    /// ncat waits with `select`.
    pub(crate) fn clients_max(self) -> usize {
        match self {
            Peer::Ngircd | Peer::Inspircd => 2000,
            Peer::Ncat => 1000,
            _ => usize::MAX,
        }
    }

    /// Where its program is; the fixture is built first.
    pub(crate) fn find(self) -> Result<PathBuf, String> {
        if self.is_fixture() {
            return build_fixture();
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
        let mut files = folders.map(|folder| folder.join(self.program()));
        files.find(|file| file.is_file()).ok_or_else(|| format!("no {} here", self.program()))
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
                fs::write(&config, ngircd_config(&port))?;
                format!("-n -f {config}")
            }
            Peer::Inspircd => {
                fs::write(&config, inspircd_config(&port, &place))?;
                format!("--nofork --runasroot --config={config}")
            }
            Peer::Ncat => format!("-l --broker -m 1000 127.0.0.1 {port}"),
            Peer::Tokio => port,
            Peer::TokioBuffered => format!("{port} buffered"),
        };
        let arguments = arguments.split(' ').map(str::to_owned);
        Ok([program].into_iter().chain(arguments).collect())
    }

    /// What a client asks for when it connects.
    pub(crate) fn enter(self, id: usize) -> Vec<Ask> {
        let name = crowd::name(id);
        match self {
            // With the third version of their protocol one connection may hear and say.
            Peer::Redis | Peer::Valkey => vec![Ask::until("HELLO 3\r\nSUBSCRIBE r\r", "subscribe")],
            Peer::Nats => {
                let connect = "CONNECT {\"verbose\":false,\"pedantic\":false}";
                vec![Ask::until(format!("{connect}\r\nSUB r 1\r\nPING\r"), "PONG")]
            }
            Peer::Ngircd | Peer::Inspircd => {
                vec![Ask::until(format!("NICK {name}\r\nUSER {name} 0 * :{name}\r"), " 001 ")]
            }
            Peer::Ncat | Peer::Tokio | Peer::TokioBuffered => Vec::new(),
        }
    }

    /// What it then asks for to hear what is said: IRC has no room that all are in.
    pub(crate) fn join(self) -> Vec<Ask> {
        match self {
            Peer::Ngircd | Peer::Inspircd => vec![Ask::until("JOIN #r\r", " 366 ")],
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
            Peer::Ncat | Peer::Tokio | Peer::TokioBuffered => format!("{text}\n"),
        };
        packet.push_str(&bytes);
    }

    /// How many may be waiting to be accepted.
    pub(crate) fn backlog(self) -> usize {
        if self == Peer::Ncat { 8 } else { usize::MAX }
    }

    /// Whether what a client says comes back to it.
    pub(crate) fn echoes(self) -> bool {
        !matches!(self, Peer::Ngircd | Peer::Inspircd | Peer::Ncat)
    }
}

/// Builds the tokio chat, in a target folder of its own, and tells where it is.
fn build_fixture() -> Result<PathBuf, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/tokio/Cargo.toml");
    let target = super::book::folder().join("peers");
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

fn ngircd_config(port: &str) -> String {
    format!(
        "[Global]\n\
         Name = irc.bench\n\
         Info = bench\n\
         Listen = 127.0.0.1\n\
         Ports = {port}\n\
         MotdPhrase = bench\n\
         [Limits]\n\
         MaxConnections = 0\n\
         MaxConnectionsIP = 0\n\
         MaxPenaltyTime = 0\n\
         PingTimeout = 3600\n\
         [Options]\n\
         DNS = no\n\
         Ident = no\n\
         PAM = no\n"
    )
}

fn inspircd_config(port: &str, place: &str) -> String {
    format!(
        "<server name=\"irc.bench\" description=\"bench\" network=\"bench\" id=\"001\">\n\
         <admin name=\"bench\" nick=\"bench\" email=\"bench@irc.bench\">\n\
         <bind address=\"127.0.0.1\" port=\"{port}\" type=\"clients\">\n\
         <connect name=\"all\" allow=\"*\" timeout=\"60\" pingfreq=\"3600\" threshold=\"1000000\"\n\
         commandrate=\"1000000000\" fakelag=\"off\" recvq=\"1M\" softsendq=\"4M\" hardsendq=\"4M\"\n\
         localmax=\"20000\" globalmax=\"20000\" resolvehostnames=\"no\" useident=\"no\"\n\
         maxconnwarn=\"no\" limit=\"20000\">\n\
         <performance softlimit=\"20000\" somaxconn=\"4096\" quietbursts=\"yes\">\n\
         <path datadir=\"{place}\" logdir=\"{place}\" runtimedir=\"{place}\">\n\
         <pid file=\"{place}/pid\">\n"
    )
}
