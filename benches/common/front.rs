//! What may stand before a server: haproxy, which takes TLS off and hands on what is inside.

use super::book;
use super::machine::Cores;
use super::peers::HAPROXY;
use super::server::{ServerProcess, free_addr};
use std::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

/// Where Debian has it, and others.
const PLACES: [&str; 3] = ["/usr/sbin/haproxy", "/usr/bin/haproxy", "/usr/local/sbin/haproxy"];

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
    let program = PLACES.iter().find(|place| Path::new(place).exists());
    let program = program.ok_or_else(|| io::Error::other("not installed"))?;
    let addr = free_addr()?;
    let folder = book::folder().join(HAPROXY);
    fs::create_dir_all(&folder)?;
    let (config, both) = (folder.join("config"), folder.join("pem"));
    fs::write(&both, [fs::read(certificate)?, fs::read(key)?].concat())?;
    let text = CONFIG.replace("FRONT", &addr.to_string()).replace("BACK", &back.to_string());
    fs::write(&config, text.replace("CERTIFICATE", &both.display().to_string()))?;
    let words = [program, "-db", "-q", "-f"].map(str::to_owned);
    let words = words.into_iter().chain([config.display().to_string()]).collect();
    ServerProcess::start_at(words, addr, cores)
}
