//! What may stand before a server: haproxy, which takes TLS off and hands on what is inside.

use super::book;
use super::machine::{self, Cores};
use super::peers::HAPROXY;
use super::server::{ServerProcess, free_addr};
use std::net::SocketAddr;
use std::{fs, io};

/// One thread, as the server has. As many may connect as it has descriptors for.
const CONFIG: &str = "\
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend front
    bind FRONT ssl crt CERTIFICATE
    default_backend back
backend back
    server server BACK
";

/// Starts it before a server. `certificate` and its key are PEM files.
pub(crate) fn start_haproxy(
    back: SocketAddr,
    certificate: &str,
    key: &str,
    cores: Cores,
) -> io::Result<ServerProcess> {
    let program = machine::find(HAPROXY).ok_or_else(|| io::Error::other("not installed"))?;
    let addr = free_addr()?;
    let folder = book::folder().join(HAPROXY);
    fs::create_dir_all(&folder)?;
    let (config, both) = (folder.join("config"), folder.join("pem"));
    fs::write(&both, [fs::read(certificate)?, fs::read(key)?].concat())?;
    let text = CONFIG.replace("FRONT", &addr.to_string()).replace("BACK", &back.to_string());
    fs::write(&config, text.replace("CERTIFICATE", &both.display().to_string()))?;
    let words = [program.as_path(), "-db".as_ref(), "-q".as_ref(), "-f".as_ref(), &config];
    let words = words.iter().map(|word| word.display().to_string()).collect();
    ServerProcess::start_program(words, Some(addr), cores)
}
