//! Every limit of the loop, by name.

use std::io;
use std::time::Duration;

/// What the loop allows, and how much it does in one go. Sizes are in bytes.
///
/// [`Limits::check`] says what has to hold between them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest line that is accepted, its ending not counted. 4096.
    pub line_max: usize,
    /// The shed threshold (a high watermark): while a connection's socket is full and more than
    /// this waits behind it, lines to many are shed for it (load shedding), until it has read all
    /// that waits (the low watermark). 64 KiB.
    pub queue_soft: usize,
    /// The pause-reading threshold: a connection that leaves more than this unread is not read from
    /// until it leaves less. Lines to many that are still in a shared log do not count. 128 KiB.
    pub queue_park: usize,
    /// The disconnect threshold: a connection whose socket is full, and that leaves more than this
    /// unread, is disconnected when something more is queued for it alone. 1 MiB.
    pub queue_max: usize,
    /// Backpressure: while the shared logs hold more than this, flushing comes before reading.
    /// 128 KiB.
    pub log_max: usize,
    /// Backpressure likewise, while more than this waits in the flush queue for single
    /// connections. 512 KiB.
    pub fresh_max: usize,
    /// The most that one read takes. One such buffer serves all connections. 16 KiB.
    pub chunk: usize,
    /// What waits for all connections together, shared logs not counted. Past it the connection
    /// with the most is disconnected. 256 MiB.
    pub queue_total: usize,
    /// The write stall timeout: a connection that takes nothing for so long, while something
    /// waits for it, is disconnected. 60 s.
    pub stall_time: Duration,
    /// The rate limit of a connection: lines a second, twice as many at once. A line counts once,
    /// and once more for each full KiB. Lines that come too fast are delayed, never dropped.
    /// `None`, the default, is no limit; the binary's is 10.
    pub rate: Option<u32>,
    /// What all connections of one address may send together: so many times `rate`, connections
    /// that have closed since included. 32, the same as `per_ip_max`, so that open connections
    /// alone never reach it.
    pub per_ip_rate: u32,
    /// The rate limit of connects from one address: so many a second, twice as many at once.
    /// `None` is no limit. 32.
    pub connect_rate: Option<u32>,
    /// Refused connects from one address that are told why: so many a second, twice as many at once.
    /// Others are dropped with a reset, which is cheap however fast they come. `None` tells all. 16.
    pub refusal_rate: Option<u32>,
    /// Input backpressure: once more than this has been read from all connections together and
    /// waits, for its rate or an answer, a read takes at most 256 bytes, and the rest waits in
    /// the kernel. 32 MiB.
    pub input_total: usize,
    /// The idle timeout: a client that sends nothing for so long is asked whether it is there, and
    /// closed if it sends nothing for as long again. `None`, the default, is no timeout.
    pub idle_time: Option<Duration>,
    /// A WebSocket to which nothing was sent for so long, or up to twice as long, is sent a ping:
    /// proxies close connections that are silent for a minute. 25 s.
    pub ping_time: Duration,
    /// Open connections from one IPv4 address, or one IPv6 /64. 32.
    pub per_ip_max: usize,
    /// Whether the limits of an address apply to this machine's own addresses, too. No.
    pub limit_loopback: bool,
    /// How long a handshake of the transport may take, where there is one. 10 s.
    pub handshake_time: Duration,
    /// Handshakes that are worked on in one turn: each holds up everybody else for a fifth of a
    /// millisecond, or for a whole one with an RSA key. One address has at most `per_ip_max` under
    /// way, as with all connections. 8.
    pub handshake_budget: usize,
    /// Reads from one connection in one turn. 4.
    pub read_budget: usize,
    /// Lines from one connection in one turn. A client that pipelines more waits behind all others
    /// after that. 128.
    pub line_budget: usize,
    /// Deliveries (lines times readers) that are queued in one turn; what else has been read waits
    /// for the next turn. So a thousand clients that speak to ten thousand at once do not hold up
    /// writing for longer than some milliseconds. 1 000 000.
    pub delivery_budget: u64,
    /// Calls of [`Service::on_tick`](crate::Service::on_tick) in one turn, if it has as much
    /// to do. 128.
    pub tick_budget: usize,
    /// Connections that are written to in one turn. 128.
    pub write_budget: usize,
    /// Connections that are accepted in one turn, from each listener. 256.
    pub accept_budget: usize,
    /// How long a draining connection may take to read its last lines and to close its side. 5 s.
    pub drain_time: Duration,
    /// The part of that time for which it may be silent once it has been sent everything: what is
    /// still on the way arrives even after the close. 1 s.
    pub linger_time: Duration,
    /// How long lines that wait for their rate are still taken once their sender has gone. 60 s.
    pub last_words_time: Duration,
    /// Connections that drain, or whose last lines wait for their rate, at the same time. One more,
    /// and the oldest is closed at once. Each keeps its place until it is closed. 256.
    pub draining_max: usize,
    /// Refused connections that are closed politely at the same time; further ones
    /// are written to and closed at once. 16.
    pub refused_max: usize,
    /// Connections of monitors at the same time; further ones are refused. 16.
    pub probes_max: usize,
    /// By label.
    pub(crate) listeners: Vec<(String, ListenerLimits)>,
}

/// What the connections of one listener are allowed, where that is not what all are
/// ([`Limits::listener`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerLimits {
    /// As [`Limits::line_max`].
    pub line_max: usize,
    /// As [`Limits::rate`]. A connection takes of what its address may send as much as it takes of
    /// its own; without a limit, nothing.
    pub rate: Option<u32>,
    /// As [`Limits::idle_time`].
    pub idle_time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            line_max: 4096,
            queue_soft: 64 << 10,
            queue_park: 128 << 10,
            queue_max: 1 << 20,
            log_max: 128 << 10,
            fresh_max: 512 << 10,
            queue_total: 256 << 20,
            stall_time: Duration::from_mins(1),
            rate: None,
            per_ip_rate: 32,
            connect_rate: Some(32),
            refusal_rate: Some(16),
            input_total: 32 << 20,
            idle_time: None,
            ping_time: Duration::from_secs(25),
            per_ip_max: 32,
            limit_loopback: false,
            handshake_time: Duration::from_secs(10),
            handshake_budget: 8,
            chunk: 16 << 10,
            read_budget: 4,
            line_budget: 128,
            delivery_budget: 1_000_000,
            tick_budget: 128,
            write_budget: 128,
            accept_budget: 256,
            drain_time: Duration::from_secs(5),
            linger_time: Duration::from_secs(1),
            last_words_time: Duration::from_mins(1),
            draining_max: 256,
            refused_max: 16,
            probes_max: 16,
            listeners: Vec::new(),
        }
    }
}

impl Limits {
    /// The same, with some of them changed:
    ///
    /// ```
    /// # use chinwag::Limits;
    /// let limits = Limits::default().with(|limits| limits.rate = Some(10));
    /// ```
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Limits)) -> Limits {
        change(&mut self);
        self
    }

    /// The limits of listeners with this label, to be changed. They begin as a copy of the limits
    /// of all, as these are set so far. A browser's connection has the label that it asks for
    /// ([`Peer::label`](crate::Peer::label)).
    pub fn listener(&mut self, label: &str) -> &mut ListenerLimits {
        let at = self.listeners.iter().position(|(of, _)| of == label).unwrap_or_else(|| {
            self.listeners.push((label.to_owned(), self.of_all()));
            self.listeners.len() - 1
        });
        &mut self.listeners[at].1
    }

    /// Which limits are those of connections with this label.
    pub(crate) fn class(&self, label: &str) -> Class {
        let at = self.listeners.iter().position(|(of, _)| of == label);
        at.map_or(Class::default(), |at| Class(u8::try_from(at + 1).expect("it was checked")))
    }

    pub(crate) fn of_class(&self, class: Class) -> ListenerLimits {
        match class.0.checked_sub(1) {
            Some(at) => self.listeners[usize::from(at)].1,
            None => self.of_all(),
        }
    }

    fn of_all(&self) -> ListenerLimits {
        let Limits { line_max, rate, idle_time, .. } = *self;
        ListenerLimits { line_max, rate, idle_time }
    }

    /// Whether the limits can work together.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, naming the limit, its value and what is allowed.
    pub fn check(&self) -> io::Result<()> {
        let positive = [
            ("log_max", self.log_max),
            ("fresh_max", self.fresh_max),
            ("per_ip_max", self.per_ip_max),
            ("handshake_budget", self.handshake_budget),
            ("per_ip_rate", self.per_ip_rate as usize),
            ("connect_rate", self.connect_rate.map_or(1, |rate| rate as usize)),
            ("refusal_rate", self.refusal_rate.map_or(1, |rate| rate as usize)),
            ("chunk", self.chunk),
            ("read_budget", self.read_budget),
            ("line_budget", self.line_budget),
            ("delivery_budget", usize::try_from(self.delivery_budget).unwrap_or(usize::MAX)),
            ("tick_budget", self.tick_budget),
            ("write_budget", self.write_budget),
            ("accept_budget", self.accept_budget),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(invalid(format!("{name} is 0; at least 1 is needed")));
        }
        if self.stall_time.is_zero() {
            return Err(invalid("stall_time is 0; everybody would be cut off".to_owned()));
        }
        if self.listeners.len() > usize::from(u8::MAX) {
            let count = self.listeners.len();
            return Err(invalid(format!("limits of {count} listeners; at most 255 are allowed")));
        }
        self.of_all().check("")?;
        for (label, limits) in &self.listeners {
            limits.check(&format!("listener '{label}': "))?;
        }
        let (soft, park, max) = (self.queue_soft, self.queue_park, self.queue_max);
        if soft > park || park > max {
            return Err(invalid(format!(
                "queue_soft is {soft}, queue_park {park}, queue_max {max}; \
                 none may be larger than the next"
            )));
        }
        Ok(())
    }
}

impl ListenerLimits {
    fn check(&self, whose: &str) -> io::Result<()> {
        let (line_max, most) = (self.line_max, u32::MAX as usize / 16);
        if line_max == 0 || self.rate == Some(0) {
            let name = if line_max == 0 { "line_max" } else { "rate" };
            return Err(invalid(format!("{whose}{name} is 0; at least 1 is needed")));
        }
        if line_max > most {
            let why = format!("{whose}line_max is {line_max}; at most {most} is allowed");
            return Err(invalid(why));
        }
        Ok(())
    }
}

/// Which limits are a connection's: those of all, or of one listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class(u8);

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
