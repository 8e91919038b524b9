//! What an upgrade hands over of all connections, to the process that replaces this one.
//!
//! Counts are not packed, but rebuilt; nor are lists that are empty once all queues are flushed, nor
//! when something was last logged: then it is logged once more.

use std::mem;

use super::admission::reject;
use super::conn::Output;
use super::{Conn, Hub, Input, Phase};
use crate::net::codec::Kind;
use crate::net::codec::websocket::{self, code};
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::limits::{Class, Limits};
use crate::net::service::{HandOver, Service};
use crate::net::timeouts::Now;
use crate::net::transport::Transport;
use crate::pack::{Damaged, Packer, Unpacker, impl_pack};

impl<T: Transport, S: Service> Hub<T, S> {
    /// Flushes all queues until nothing waits, or the socket is full. Then what
    /// [`Hub::take_closed`] has is to be dropped, and [`Hub::pack`] may follow.
    pub fn flush_all(&mut self) {
        while self.outbox.is_behind() {
            self.write_ready();
        }
        self.refused_log.log_waiting();
    }

    /// Has the service say goodbye to connections that cannot be handed over. Nothing of that is
    /// queued: what comes back is what each would be sent last, by slot.
    pub fn say_goodbye(&mut self) -> Vec<(usize, Vec<u8>)>
    where
        S: HandOver,
    {
        self.flush_all();
        let stays = |conn: &Conn<T>| conn.codec == Kind::Own || !conn.stream.can_be_handed_over();
        let slots = self.conns.iter().filter(|(_, conn)| stays(conn)).map(|(slot, _)| slot);
        let all: Vec<ConnId> = slots.filter_map(|slot| self.outbox.id(slot)).collect();
        let mut goodbyes = Vec::with_capacity(all.len());
        for id in all {
            let mut goodbye = Vec::new();
            if self.outbox.is_open(id) && !self.prefaces.contains_key(&id) {
                let waiting = self.outbox.waiting(id).len();
                self.service.on_left_behind(id, &mut self.outbox);
                goodbye = self.outbox.take_back(id, waiting);
                if self.is_web_socket(id) {
                    goodbye.extend(websocket::close(code::SERVICE_RESTART, ""));
                }
            }
            goodbyes.push((id.slot(), goodbye));
        }
        // The goodbyes may have queued notices for others.
        self.flush_all();
        goodbyes
    }

    /// The bytes that end these connections: what waits for each, its goodbye, and whatever its
    /// transport ends with; none where the transport fails. Nothing can be written to any of them
    /// after that, so a copy of the process does this.
    pub fn seal(&mut self, mut goodbyes: Vec<(usize, Vec<u8>)>) -> Vec<(usize, Vec<u8>)> {
        for (slot, bytes) in &mut goodbyes {
            let Some(id) = self.outbox.id(*slot) else { continue };
            let all = [self.outbox.waiting(id), mem::take(bytes)].concat();
            *bytes = self.conns[*slot].stream.seal(&all).unwrap_or_default();
        }
        goodbyes
    }

    /// Begins to close the connections that another process had to leave behind, and sends each
    /// what that one has sealed for it. What they still send is dropped. Returns how many of them
    /// were open.
    pub fn leave_behind(&mut self, sealed: Vec<(usize, Vec<u8>)>) -> usize {
        let mut left = 0;
        if !sealed.is_empty() {
            self.spared_until = Some(self.outbox.now().monotonic + self.limits.drain_time);
        }
        for (slot, bytes) in sealed {
            let Some(id) = self.outbox.id(slot) else { continue };
            left += usize::from(self.outbox.is_open(id));
            // Nothing here can read what the client sends.
            self.conns[slot].codec = Kind::Telnet;
            drop(self.take_input(id));
            if self.prefaces.contains_key(&id) {
                reject(&mut self.conns[slot].stream, &bytes, &mut self.chunk);
                self.outbox.kill(id, CloseReason::Broken);
            } else {
                self.outbox.replace(id, &bytes);
                // Lines in there cannot be counted.
                self.accepted_log.begin_messages(id, bytes.len());
                self.outbox.drain(id, CloseReason::Upgrade);
            }
        }
        self.announce_closing();
        left
    }

    /// What each connection runs over, by slot.
    pub fn streams(&self) -> impl Iterator<Item = (usize, &T)> {
        self.conns.iter().map(|(slot, conn)| (slot, &conn.stream))
    }

    /// Packs all that is known of the connections, but neither their sockets nor the service.
    /// Afterwards this hub can still go on as before.
    pub fn pack(&self, to: &mut Packer) {
        let Hub {
            service: _,
            conns: _,
            outbox,
            limits: _,
            ready,
            chunk: _,
            input_held: _,
            lines_left: _,
            inputs: _,
            spare: _,
            drains,
            lingers,
            last_words,
            rate,
            prefaces,
            web: _,
            pings,
            addresses,
            handshakes_left: _,
            timers,
            slow_consumers,
            last_activity,
            trim: _,
            refused_log: _,
            accepted_log,
            behind_proxy,
            told_of_proxy: _,
            closed: _,
            counts: _,
            spared_until,
            metrics,
            exposition: _,
            clients_max: _,
            is_stopping: _,
            woken,
        } = self;
        outbox.pack(to);
        self.pack_conns(to);
        to.put(ready).put(timers).put(prefaces).put(slow_consumers).put(last_activity);
        to.put(accepted_log).put(behind_proxy).put(spared_until).put(woken);
        for timeouts in [drains, lingers, last_words, pings] {
            timeouts.pack(to);
        }
        rate.pack(to);
        addresses.pack(to);
        metrics.pack(to);
    }

    /// Each with the input that was read of it and waits.
    fn pack_conns(&self, to: &mut Packer) {
        to.put(&self.conns.len());
        for (slot, conn) in &self.conns {
            to.put(&slot);
            match self.outbox.id(slot).and_then(|id| self.inputs.get(&id)) {
                // No other process has a service's own codec: those are left behind.
                Some(input) if conn.codec != Kind::Own => to.tag(1).put(input),
                _ => to.tag(0),
            };
            conn.pack(to);
        }
    }

    /// A hub with the connections that another has packed. `stream` gives the stream of each slot.
    /// Edges that came meanwhile are to be marked afterwards.
    ///
    /// # Errors
    ///
    /// If what comes next is no hub, a stream is missing, or a connection has a codec of the
    /// service's own.
    pub fn thaw(
        service: S,
        limits: &Limits,
        now: Now,
        from: &mut Unpacker<'_>,
        mut stream: impl FnMut(usize) -> Option<T>,
    ) -> Result<Hub<T, S>, Damaged> {
        let mut hub = Hub::unstarted(service, limits, now);
        hub.outbox.restore(from)?;
        let mut conns = Vec::new();
        for _ in 0..from.get::<usize>()? {
            let slot = from.get()?;
            let id = hub.outbox.id(slot).ok_or_else(|| from.wrong("queue of a connection"))?;
            if let Some(input) = from.get::<Option<Box<Input>>>()? {
                hub.keep_input(id, input);
            }
            let stream = stream(slot).ok_or_else(|| from.wrong("stream of a connection"))?;
            conns.push((slot, Conn::unpack(stream, from)?));
        }
        hub.conns = conns.into_iter().collect();
        hub.ready = from.get()?;
        hub.timers = from.get()?;
        hub.prefaces = from.get()?;
        hub.slow_consumers = from.get()?;
        hub.last_activity = from.get()?;
        hub.accepted_log = from.get()?;
        hub.behind_proxy = from.get()?;
        hub.spared_until = from.get()?;
        hub.woken = from.get()?;
        let timeouts = [&mut hub.drains, &mut hub.lingers, &mut hub.last_words, &mut hub.pings];
        for timeouts in timeouts {
            timeouts.restore(from)?;
        }
        hub.rate.restore(from)?;
        hub.addresses.restore(from)?;
        hub.metrics.restore(from)?;
        hub.rebuild(from)?;
        Ok(hub)
    }

    /// Rebuilds what is not packed: counts, classes, and the marks of connections that are listed.
    fn rebuild(&mut self, from: &Unpacker<'_>) -> Result<(), Damaged> {
        let outbox = &self.outbox;
        self.ready.retain(|id| !matches!(outbox.state(*id), State::Vacant | State::Dead));
        for id in &self.ready {
            let conn = self.conns.get_mut(id.slot()).filter(|conn| !conn.listed);
            conn.ok_or_else(|| from.wrong("connection that is ready"))?.listed = true;
        }
        for (slot, conn) in &mut self.conns {
            let id = self.outbox.id(slot).ok_or_else(|| from.wrong("queue of a connection"))?;
            conn.class = self.limits.class(self.metrics.label(conn.kind));
            conn.unreachable = self.outbox.state(id) == State::Unreachable;
            self.counts.unreachable += usize::from(conn.unreachable);
            match (conn.phase, self.outbox.state(id)) {
                (Phase::Refused, _) => self.counts.refused += 1,
                (Phase::Probe, _) => {
                    self.counts.probes += 1;
                    self.counts.probes_asking += usize::from(self.prefaces.contains_key(&id));
                }
                (_, State::Draining) => self.counts.draining += 1,
                _ if self.prefaces.contains_key(&id) => {}
                _ if self.metrics.recount(conn.kind) => self.counts.open += 1,
                _ => return Err(from.wrong("kind of a connection")),
            }
        }
        self.counts.handshakes =
            self.prefaces.values().filter(|preface| preface.is_handshake()).count();
        Ok(())
    }

    /// The service, and what each connection runs over, by slot.
    pub fn into_parts(self) -> (S, impl Iterator<Item = (usize, T)>) {
        let streams = self.conns.into_iter().map(|(slot, conn)| (slot, conn.stream));
        (self.service, streams)
    }
}

impl<T: Transport> Conn<T> {
    fn pack(&self, to: &mut Packer) {
        let Conn { stream, codec, listed: _, ended, unreachable: _, output, phase, class: _, kind } =
            self;
        stream.pack(to);
        to.put(codec).put(ended).put(output).put(phase).put(kind);
    }

    fn unpack(mut stream: T, from: &mut Unpacker<'_>) -> Result<Conn<T>, Damaged> {
        stream.restore(from)?;
        Ok(Conn {
            stream,
            codec: from.get()?,
            listed: false,
            ended: from.get()?,
            unreachable: false,
            output: from.get()?,
            phase: from.get()?,
            class: Class::default(),
            kind: from.get()?,
        })
    }
}

impl_pack! {
    enum Phase { 0 => Refused, 1 => Unknown, 2 => Lines, 3 => Probe }
    else "phase of a connection"
}

impl_pack! {
    enum Output { 0 => Quiet, 1 => Sent }
    else "mark of output"
}
