//! What the machine allows: two cores of our own, and so many descriptors.

use rlimit::Resource;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs, io};

/// Descriptors that a process needs beside those of its clients, with room to spare.
const DESCRIPTORS_ASIDE: usize = 64;

/// With fewer clients nothing is measured: 16 of them may be senders.
pub(crate) const CLIENTS_MIN: usize = 17;

/// Who runs on which core.
///
/// On one core, or wandering between cores, server and generator take each
/// other's caches and time, and the figures swing.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    /// The core of every server, or `None` where nothing could be pinned.
    pub(crate) server: Option<usize>,
}

/// The machine in a few words.
pub(crate) fn describe() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    format!("{cores} cores of {model}, Linux {}", kernel.trim())
}

/// A number of a file such as `/proc/meminfo`, behind the first word that it begins with.
pub(crate) fn number_behind(file: &str, word: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let rest = text.find(word).map(|at| &text[at + word.len()..]);
    let number = rest.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("{file} has no {word}")))
}

/// Memory in which the kernel keeps what it has small: sockets, files, routes. In bytes,
/// for all processes together.
pub(crate) fn kernel_objects() -> io::Result<u64> {
    Ok(1024 * number_behind("/proc/meminfo", "Slab:")?)
}

/// What waits in sockets, at both ends, in bytes.
pub(crate) fn kernel_queues() -> io::Result<u64> {
    const PAGE: u64 = 4096;
    Ok(PAGE * number_behind("/proc/net/sockstat", " mem ")?)
}

/// Where a program is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Pins this process, the generator, to one core, and keeps another for the
/// servers. Prints the line about the machine that belongs to any figures.
pub(crate) fn prepare() -> Cores {
    let allowed = allowed_cores();
    let machine = describe();
    match (allowed.first(), allowed.last()) {
        (Some(&server), Some(&generator)) if server != generator && pin_self(generator) => {
            println!("{machine}; server pinned to core {server}, generator to core {generator}");
            let server = Some(server);
            Cores { server }
        }
        _ => {
            println!(
                "{machine}; NOT PINNED (that takes taskset and two cores): figures will swing"
            );
            Cores { server: None }
        }
    }
}

/// At most `wanted` clients: as many as the descriptor limit leaves room for,
/// said aloud if that is fewer. The limit is not raised.
pub(crate) fn affordable(wanted: usize) -> io::Result<usize> {
    // The soft limit, which the servers inherit.
    let (soft, _) = rlimit::getrlimit(Resource::NOFILE)?;
    let most = usize::try_from(soft).unwrap_or(usize::MAX).saturating_sub(DESCRIPTORS_ASIDE);
    let too_few = format!("the descriptor limit (ulimit -n) allows {most} clients, not {wanted}");
    if most < CLIENTS_MIN {
        return Err(io::Error::other(too_few));
    }
    if most < wanted {
        println!("{too_few}");
    }
    Ok(wanted.min(most))
}

/// The cores that this process may run on, from a list such as `0-3,8`.
fn allowed_cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ranges =
        status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let mut cores = Vec::new();
    for range in ranges.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse()) {
            cores.extend(first..=last);
        }
    }
    cores
}

fn pin_self(core: usize) -> bool {
    Command::new("taskset")
        .args(["-c", "-p", &core.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
