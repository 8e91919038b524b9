//! What others do about it: a proxy in front of the chat is reloaded, and its clients talk on.

use crate::SILENCE;
use crate::common::ask;
use crate::common::book;
use crate::common::driver::{Case, Group, LOST};
use crate::common::machine::{self, Cores};
use crate::common::server::{self, ServerProcess, Subject};
use crate::common::stats;
use crate::common::table::{Cell, Column};
use crate::talker::Talker;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use std::{fs, io, process};

/// Few, since it makes no difference.
const CLIENTS: usize = 200;

const KEPT: Column = Column::new("kept by the old processes", 0);

#[derive(Clone, Copy)]
enum Proxy {
    Haproxy,
    Nginx,
}

impl Proxy {
    fn name(self) -> &'static str {
        match self {
            Proxy::Haproxy => "haproxy",
            Proxy::Nginx => "nginx",
        }
    }

    /// What it is told, and the arguments with which it reads that.
    fn config(self, at: SocketAddr, to: SocketAddr, file: &str) -> (String, String) {
        match self {
            Proxy::Haproxy => (
                format!(
                    "global\n maxconn 5000\ndefaults\n mode tcp\n timeout connect 5s\n \
                     timeout client 1h\n timeout server 1h\nlisten chat\n bind {at}\n server a {to}\n"
                ),
                format!("-W -db -f {file}"),
            ),
            Proxy::Nginx => {
                let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
                let load = if module.is_file() {
                    format!("load_module {};\n", module.display())
                } else {
                    String::new()
                };
                (
                    format!(
                        "{load}daemon off;\npid {file}.pid;\nerror_log {file}.log;\n\
                         worker_processes 1;\nevents {{ worker_connections 5000; }}\n\
                         stream {{ server {{ listen {at}; proxy_pass {to}; proxy_timeout 1h; }} }}\n"
                    ),
                    format!("-c {file}"),
                )
            }
        }
    }

    fn reload_signal(self) -> &'static str {
        match self {
            Proxy::Haproxy => "USR2",
            Proxy::Nginx => "HUP",
        }
    }
}

pub(crate) fn group(cores: Cores, afterwards: Duration) -> Group<'static> {
    let here = |proxy: &Proxy| {
        let is_here = machine::find(proxy.name()).is_some();
        if !is_here {
            println!("{}: not installed", proxy.name());
        }
        is_here
    };
    let cases = [Proxy::Haproxy, Proxy::Nginx].into_iter().filter(here).map(|proxy| {
        let measure = move || reload(proxy, cores, afterwards);
        Case { is_peer: true, ..Case::new(proxy.name(), measure) }
    });
    let columns = [SILENCE, KEPT, LOST];
    let title = "through a proxy that is reloaded";
    Group { floor: None, ..Group::new("reload", title, CLIENTS, cases, &columns) }
}

fn reload(proxy: Proxy, cores: Cores, afterwards: Duration) -> io::Result<Cell> {
    let chat = ServerProcess::start(Subject::Chinwag, &[], cores)?;
    let addr = server::free_addr()?;
    let folder = book::folder().join(format!("{}-{}", proxy.name(), process::id()));
    fs::create_dir_all(&folder)?;
    let file = folder.join("config").display().to_string();
    let (text, arguments) = proxy.config(addr, chat.addr(), &file);
    fs::write(&file, text)?;
    let program = machine::find(proxy.name()).unwrap_or_default().display().to_string();
    let words = [program].into_iter().chain(arguments.split(' ').map(str::to_owned));
    let front = ServerProcess::start_program(words.collect(), Some(addr), cores)?;
    let mut talker = Talker::new(front.addr(), CLIENTS, ask::name)?;
    talker.go_aside()?;
    talker.talk_for(afterwards)?;
    talker.forget_silence();
    let before = front.children()?;
    front.signal(proxy.reload_signal())?;
    talker.talk_for(afterwards)?;
    let silence = talker.finish()?;
    // Those that were there before have the connections still: a client and the chat for each.
    let held = before.iter().map(|id| server::descriptors_of(*id).unwrap_or(0)).sum::<u64>();
    let kept = stats::float(held / 2).min(stats::size(talker.clients()));
    let lost = stats::float(talker.lost());
    drop(front);
    let _ = fs::remove_dir_all(&folder);
    Ok(vec![(SILENCE, 1000.0 * silence.as_secs_f64()), (KEPT, kept), (LOST, lost)])
}
