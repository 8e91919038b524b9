//! Connect floods: while an address connects far too often, the kernel drops its connects. Accepting
//! one only to reset it costs 10 us; a dropped one costs the loop nothing, and the client's system
//! tries again by itself after a second, then two.
//!
//! It is a socket filter of Linux (a classic BPF program, `SO_ATTACH_FILTER` in `socket(7)`), which
//! sees each TCP packet to the listener. Elsewhere no filter can be attached.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use log::warn;
use mio::net::TcpListener;

/// So many connects of an address that are reset within [`PERIOD`] are a flood.
pub(super) const MANY: u32 = 256;

/// How long resets are counted for, and how long connects are dropped then. A client's system
/// tries a second time after a second: then there is no filter any more.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// So many addresses are counted at a time. The program is at most five instructions for each.
const ADDRESSES: usize = 64;

/// A listener that drops connects says so at most this often.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Where connects are reset, and from where they are dropped.
#[derive(Default)]
pub(super) struct Flood {
    sources: Vec<Source>,
    logged_at: Option<Instant>,
}

/// An IPv4 address, or the /64 that an IPv6 one is in.
struct Source {
    addr: IpAddr,
    resets: u32,
    until: Instant,
}

impl Source {
    fn is_dropped(&self) -> bool {
        self.resets >= MANY
    }
}

impl Flood {
    /// A connect was reset. Returns whether the kernel drops further ones from there.
    pub(super) fn count(&mut self, socket: &TcpListener, addr: IpAddr, now: Instant) -> bool {
        self.end(socket, now);
        let addr = network(addr);
        let known = self.sources.iter().position(|source| source.addr == addr);
        let at = known.unwrap_or(self.sources.len());
        if at == ADDRESSES {
            return false;
        }
        if known.is_none() {
            self.sources.push(Source { addr, resets: 0, until: now + PERIOD });
        }
        let source = &mut self.sources[at];
        source.resets += 1;
        // What is counted beyond that had connected before there was a filter.
        if source.resets == MANY {
            source.until = now + PERIOD;
            let filtered = self.filter(socket);
            self.log(now, addr, filtered.as_ref().err());
            if filtered.is_err() {
                self.sources.remove(at);
                return false;
            }
        }
        self.sources[at].is_dropped()
    }

    /// Lets those connect again whose time is over.
    pub(super) fn end(&mut self, socket: &TcpListener, now: Instant) {
        let is_over = |source: &Source| source.until <= now;
        let is_changed = self.sources.iter().any(|source| is_over(source) && source.is_dropped());
        self.sources.retain(|source| !is_over(source));
        if is_changed && self.filter(socket).is_err() {
            drop_none(socket);
        }
    }

    /// When the first dropped source may connect again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.sources.iter().filter(|source| source.is_dropped()).map(|source| source.until).min()
    }

    fn log(&mut self, now: Instant, addr: IpAddr, error: Option<&io::Error>) {
        if self.logged_at.is_some_and(|at| now < at + LOG_EVERY) {
            return;
        }
        self.logged_at = Some(now);
        match error {
            Some(error) => warn!(addr:%, error:%; "connects_not_dropped"),
            None => warn!(addr:%; "connects_dropped"),
        }
    }

    #[cfg(target_os = "linux")]
    fn filter(&self, socket: &TcpListener) -> io::Result<()> {
        let dropped = self.sources.iter().filter(|source| source.is_dropped());
        let addrs: Vec<IpAddr> = dropped.map(|source| source.addr).collect();
        if addrs.is_empty() { linux::detach(socket) } else { linux::attach(socket, &addrs) }
    }

    #[cfg(not(target_os = "linux"))]
    fn filter(&self, _: &TcpListener) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn network(addr: IpAddr) -> IpAddr {
    match addr {
        IpAddr::V6(addr) => Ipv6Addr::from_bits(addr.to_bits() >> 64 << 64).into(),
        IpAddr::V4(_) => addr,
    }
}

/// Has the kernel drop no connects any more, whichever process had it drop some.
pub(super) fn drop_none(socket: &TcpListener) {
    // Without a filter that is an error.
    #[cfg(target_os = "linux")]
    let _ = linux::detach(socket);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use mio::net::TcpListener;
    use socket2::{SockFilter, SockRef};

    /// Instructions, as `linux/filter.h` numbers them: load a byte or a word, `and`, compare and
    /// skip as many, end.
    const LOAD_BYTE: u16 = 0x30;
    const LOAD_WORD: u16 = 0x20;
    const AND: u16 = 0x54;
    const SKIP_IF: u16 = 0x15;
    const END: u16 = 0x06;

    /// Offsets are those of the TCP header; from here on, of the IP header.
    const IP: u32 = 0xfff0_0000;
    const TCP_FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;

    const DROP: SockFilter = SockFilter::new(END, 0, 0, 0);
    const PASS: SockFilter = SockFilter::new(END, 0, 0, u32::MAX);

    pub(super) fn attach(socket: &TcpListener, addrs: &[IpAddr]) -> io::Result<()> {
        SockRef::from(socket).attach_filter(&program(addrs))
    }

    pub(super) fn detach(socket: &TcpListener) -> io::Result<()> {
        SockRef::from(socket).detach_filter()
    }

    /// Drops the first packet of connects from there, of an IPv6 address those of its /64.
    /// Accepted connections have the filter, too, but never such a packet.
    fn program(addrs: &[IpAddr]) -> Vec<SockFilter> {
        let of_v4 = addrs.iter().filter_map(|addr| match addr {
            IpAddr::V4(addr) => Some(match_v4(*addr)),
            IpAddr::V6(_) => None,
        });
        let of_v6 = addrs.iter().filter_map(|addr| match addr {
            IpAddr::V6(addr) => Some(match_v6(*addr)),
            IpAddr::V4(_) => None,
        });
        let of_v4: Vec<SockFilter> = of_v4.flatten().collect();
        let behind_v4 = u8::try_from(of_v4.len() + 2).expect("there are 64 addresses at most");
        let mut program = vec![
            SockFilter::new(LOAD_BYTE, 0, 0, TCP_FLAGS),
            SockFilter::new(AND, 0, 0, SYN | ACK),
            SockFilter::new(SKIP_IF, 1, 0, SYN),
            PASS,
            SockFilter::new(LOAD_BYTE, 0, 0, IP),
            SockFilter::new(AND, 0, 0, 0xf0),
            SockFilter::new(SKIP_IF, 0, behind_v4, 0x40),
            SockFilter::new(LOAD_WORD, 0, 0, IP + 12),
        ];
        program.extend(of_v4);
        program.push(PASS);
        program.extend(of_v6.flatten());
        program.push(PASS);
        program
    }

    fn match_v4(addr: Ipv4Addr) -> [SockFilter; 2] {
        [SockFilter::new(SKIP_IF, 0, 1, addr.to_bits()), DROP]
    }

    fn match_v6(addr: Ipv6Addr) -> [SockFilter; 5] {
        let [a, b, c, d, ..] = addr.segments().map(u32::from);
        [
            SockFilter::new(LOAD_WORD, 0, 0, IP + 8),
            SockFilter::new(SKIP_IF, 0, 3, a << 16 | b),
            SockFilter::new(LOAD_WORD, 0, 0, IP + 12),
            SockFilter::new(SKIP_IF, 0, 1, c << 16 | d),
            DROP,
        ]
    }
}
