//! The endpoint: datagrams in, rx ring out; tx ring in, datagrams out. Everything happens in `drain`,
//! `flush` and `service`, on the thread that calls them; nothing here calls JavaScript.
//!
//! ```text
//! drain:  due netcode timers → receive batches → open in place (scratch) → rx ring
//! flush:  tx ring → seal in place (arena) → send batches; netcode's own datagrams behind them
//! ```
//! Invariant: `queue` holds sealed datagrams in order; a tx descriptor is given back when every
//! datagram up to it was taken by the kernel or dropped with a counter.

use ggscale_transport_core::{Clock, CloseReason, Event, FlowId, Path, Received, SealError};

use crate::counters::{Counter, Counters};
use crate::io::{boxed_buffers, Io, Now, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES};
use crate::layout as l;
use crate::peer::Peer;
use crate::ring::{Geometry, Memory, RxEntry, RxRing, TxEntry, TxRing};
use crate::ticks::Ticks;

/// Datagrams of one drain. With about 0.5 µs each the turn stays well under a millisecond.
const DRAIN_DATAGRAMS_MAX: usize = 1024;
/// And its time: a slow machine or a burst of handshakes must not starve the game's tick.
const DRAIN_NS_MAX: u64 = 2_000_000;
/// Handshakes of one drain (wire.md §1, rule 9).
const HANDSHAKES_MAX: usize = 64;
/// One datagram leads to at most this many descriptors: replaced, opened and a payload, and one spare.
const DESCRIPTORS_PER_DATAGRAM: u32 = 4;
/// A socket that answers every call with an error must not hold the turn.
const ERRORS_PER_TURN_MAX: usize = 64;

/// Why the endpoint wants to run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    pub at_ns: u64,
    /// The wake reasons for JavaScript; 0 when the endpoint can serve it alone.
    pub reasons: u32,
}

pub struct EndpointOptions {
    /// `tick` driver: the socket is not watched, so what is left in it needs a timer.
    pub tick_driver: bool,
    pub tick_interval_us: f64,
    /// Added to the monotonic clock; lets a test begin near a wrap.
    pub clock_offset_us: u64,
    pub max_payload_bytes: usize,
}

enum Source {
    Ring(usize),
    Scratch(usize),
}

struct Sealed {
    source: Source,
    length: usize,
    path: Path,
    /// The tx descriptors before this position are done once this datagram is.
    release: u32,
}

pub struct Endpoint<I: Io> {
    pub io: I,
    pub peer: Peer,
    memory: Memory,
    rx: RxRing,
    tx: TxRing,
    scratch: Scratch,
    out: Box<[[u8; DATAGRAM_BYTES]; BATCH]>,
    queue: Vec<Sealed>,
    sent: usize,
    counters: Counters,
    ticks: Ticks,
    options: EndpointOptions,
    last_drain_us: u64,
    /// Events that found no room in the rx ring wait in the core, and no datagram is taken before.
    events_waiting: bool,
    more: bool,
    blocked: bool,
}

impl<I: Io> Endpoint<I> {
    pub fn new(
        mut io: I,
        peer: Peer,
        memory: Memory,
        geometry: &Geometry,
        options: EndpointOptions,
    ) -> Self {
        let now = io.now();
        Self {
            memory,
            rx: RxRing::new(memory, geometry),
            tx: TxRing::new(memory, geometry),
            scratch: Scratch::new(),
            out: boxed_buffers(),
            queue: Vec::with_capacity(BATCH),
            sent: 0,
            counters: Counters::default(),
            ticks: Ticks::new(now.mono_ns, options.tick_interval_us),
            last_drain_us: now.mono_ns / 1000 + options.clock_offset_us,
            options,
            events_waiting: false,
            more: false,
            blocked: false,
            io,
            peer,
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The kernel refused a datagram for now; the host watches for room in the socket.
    pub fn blocked(&self) -> bool {
        self.blocked
    }

    pub fn clock(&mut self) -> Clock {
        let now = self.io.now();
        self.clock_at(now)
    }

    fn clock_at(&self, now: Now) -> Clock {
        Clock {
            mono_us: now.mono_ns / 1000 + self.options.clock_offset_us,
            unix_s: now.real_ns / 1_000_000_000,
        }
    }

    pub fn mono_ns(&mut self) -> u64 {
        self.io.now().mono_ns
    }

    pub fn set_tick_interval_us(&mut self, interval_us: f64) {
        let now = self.io.now();
        self.options.tick_interval_us = interval_us;
        self.ticks = Ticks::new(now.mono_ns, interval_us);
    }

    /// Runs what is due and moves datagrams into the rx ring. Returns the descriptors waiting there.
    pub fn drain(&mut self) -> u32 {
        let now = self.io.now();
        let clock = self.clock_at(now);
        self.counters.add(Counter::Turns, 1);
        self.rx.refresh();
        if self
            .peer
            .deadline_us()
            .is_some_and(|at| at <= clock.mono_us)
        {
            self.peer.handle_timeout(clock);
        }
        self.take_events(clock);
        self.more = false;
        self.receive(Queue::Flows, DRAIN_DATAGRAMS_MAX, now, clock);
        self.receive(Queue::Handshakes, HANDSHAKES_MAX, now, clock);
        let overflowed = self.io.take_overflowed();
        self.counters.add(Counter::RxOverflow, overflowed);
        self.more |= self.events_waiting;
        self.last_drain_us = clock.mono_us;
        let ticks = self.ticks.take_due(now.mono_ns);
        self.memory.store(l::I_NOW_US, clock.mono_us as i32);
        self.memory.store(l::I_MORE, i32::from(self.more));
        self.memory
            .store(l::I_TICKS_DUE, ticks.min(i32::MAX as u32) as i32);
        self.rx.publish();
        self.rx.waiting()
    }

    /// Seals and sends the tx ring, then netcode's own datagrams. Returns the descriptors left.
    pub fn flush(&mut self) -> u32 {
        let clock = self.clock();
        self.tx.refresh();
        self.send_all(clock, true);
        self.tx.publish();
        // A disconnect of this flush ends its flow: JavaScript hears of it in the next turn.
        self.rx.refresh();
        self.take_events(clock);
        self.rx.publish();
        self.tx.waiting()
    }

    /// The timer fired for netcode alone: keep-alives and timeouts without waking JavaScript.
    /// Returns whether something now waits for it after all.
    pub fn service(&mut self) -> bool {
        let clock = self.clock();
        self.peer.handle_timeout(clock);
        self.rx.refresh();
        self.take_events(clock);
        self.send_all(clock, false);
        self.tx.publish();
        self.rx.publish();
        self.rx.waiting() > 0 || self.events_waiting
    }

    /// Everything that is queued goes out once, with a goodbye to every flow; used by close.
    pub fn finish(&mut self) {
        let clock = self.clock();
        self.tx.refresh();
        self.send_all(clock, true);
        self.peer.close_all(clock);
        self.send_all(clock, false);
        self.tx.publish();
    }

    /// When to run again, if nothing arrives before.
    pub fn next_wake(&mut self) -> Option<Wake> {
        let now = self.io.now();
        let mut best: Option<Wake> = None;
        let mut consider = |at_ns: u64, reasons: u32| match &mut best {
            Some(wake) if wake.at_ns < at_ns => {}
            Some(wake) if wake.at_ns == at_ns => wake.reasons |= reasons,
            _ => best = Some(Wake { at_ns, reasons }),
        };
        if self.rx.waiting() > 0 || self.events_waiting {
            consider(now.mono_ns, l::WAKE_DEADLINE);
        }
        if self.more && self.options.tick_driver {
            consider(now.mono_ns, l::WAKE_READABLE);
        }
        if let Some(at_ns) = self.ticks.next_ns() {
            consider(at_ns, l::WAKE_TICK);
        }
        if self.memory.load(l::I_DEADLINE_ARMED) != 0 {
            consider(self.deadline_ns(now), l::WAKE_DEADLINE);
        }
        if let Some(at_us) = self.peer.deadline_us() {
            consider(at_us.saturating_sub(self.options.clock_offset_us) * 1000, 0);
        }
        best
    }

    /// The wake reasons that are due now: what a fired timer means for JavaScript. 0: netcode only.
    pub fn due_reasons(&mut self) -> u32 {
        let now = self.io.now();
        let mut reasons = 0;
        if self.ticks.next_ns().is_some_and(|at| at <= now.mono_ns) {
            reasons |= l::WAKE_TICK;
        }
        let armed = self.memory.load(l::I_DEADLINE_ARMED) != 0;
        if armed && self.deadline_ns(now) <= now.mono_ns {
            reasons |= l::WAKE_DEADLINE;
        }
        if self.rx.waiting() > 0 || self.events_waiting {
            reasons |= l::WAKE_DEADLINE;
        }
        if self.more && self.options.tick_driver {
            reasons |= l::WAKE_READABLE;
        }
        reasons
    }

    /// JavaScript's deadline is the low 32 bits of a time within ±2^31 µs of now.
    fn deadline_ns(&self, now: Now) -> u64 {
        let now_us = now.mono_ns / 1000 + self.options.clock_offset_us;
        let ahead = self
            .memory
            .load(l::I_DEADLINE_US)
            .wrapping_sub(now_us as i32);
        let at_us = now_us.saturating_add_signed(i64::from(ahead));
        at_us.saturating_sub(self.options.clock_offset_us) * 1000
    }

    fn receive(&mut self, queue: Queue, budget: usize, start: Now, clock: Clock) {
        let mut left = budget;
        let mut errors = 0;
        while left > 0 {
            let room = self.datagrams_with_room(left.min(BATCH));
            if room == 0 {
                self.counters.add(Counter::RxRingFull, 1);
                self.more = true;
                return;
            }
            self.counters.add(Counter::ReceiveCalls, 1);
            let count = match self.io.receive(queue, room, &mut self.scratch) {
                Ok(0) => return,
                Ok(count) => count.min(room),
                // An ICMP error of an earlier send: reading it cleared it.
                Err(_) if errors < ERRORS_PER_TURN_MAX => {
                    self.counters.add(Counter::RxError, 1);
                    errors += 1;
                    continue;
                }
                Err(_) => {
                    self.more = true;
                    return;
                }
            };
            for index in 0..count {
                self.handle_datagram(index, start, clock);
            }
            left -= count;
            if count < room {
                return;
            }
            if self.io.now().mono_ns.saturating_sub(start.mono_ns) > DRAIN_NS_MAX {
                break;
            }
        }
        self.more = true;
    }

    /// How many datagrams may be taken so that whatever they lead to fits the rx ring.
    fn datagrams_with_room(&self, wanted: usize) -> usize {
        if self.events_waiting {
            return 0;
        }
        let mut count = wanted;
        while count > 0 {
            let descriptors = count as u32 * DESCRIPTORS_PER_DATAGRAM;
            // Events are small; one datagram of bytes and its events stay under this each.
            let bytes = (DATAGRAM_BYTES / DESCRIPTORS_PER_DATAGRAM as usize) as u32;
            if self.rx.has_room(descriptors, bytes) {
                return count;
            }
            count /= 2;
        }
        0
    }

    fn handle_datagram(&mut self, index: usize, start: Now, clock: Clock) {
        let arrival = self.scratch.arrivals[index];
        self.counters.add(Counter::DatagramsIn, 1);
        self.counters.add(Counter::BytesIn, arrival.length as u64);
        if arrival.truncated {
            self.counters.add(Counter::RxTruncated, 1);
            return;
        }
        let datagram = &mut self.scratch.buffers[index][..arrival.length.min(DATAGRAM_BYTES)];
        let received = self.peer.handle_datagram(clock, arrival.path, datagram);
        // An opened flow comes before its first payload: they share one ordered ring.
        self.take_events(clock);
        let Received::Payload {
            flow,
            start: at,
            length,
            sequence,
        } = received
        else {
            return;
        };
        let entry = RxEntry {
            kind: l::RX_PAYLOAD,
            flow,
            arrival_us: self.arrival_us(arrival.stamp_ns, start, clock),
            aux0: sequence as i32,
            aux1: 0,
        };
        let bytes = &self.scratch.buffers[index][at..at + length];
        if !self.rx.push(entry, bytes) {
            // Room was reserved, so this is unreachable; a counter tells if that is ever wrong.
            self.counters.add(Counter::RxError, 1);
        }
    }

    /// Kernel stamps are wall time: `arrival = mono − (real − stamp)`, both clocks read at the start
    /// of the drain, clamped to [previous drain, now].
    fn arrival_us(&self, stamp_ns: Option<u64>, start: Now, clock: Clock) -> i32 {
        let age_us = stamp_ns.map_or(0, |stamp| start.real_ns.saturating_sub(stamp) / 1000);
        let arrival = clock.mono_us.saturating_sub(age_us);
        arrival.max(self.last_drain_us).min(clock.mono_us) as i32
    }

    /// Moves events of the core into the rx ring while they fit.
    fn take_events(&mut self, clock: Clock) {
        while self.rx.has_room(1, l::OPENED_BYTES as u32) {
            let Some(event) = self.peer.poll_event() else {
                self.events_waiting = false;
                return;
            };
            self.push_event(event, clock.mono_us as i32);
        }
        // Full. Whether the core has more cannot be seen without taking it: assume so.
        self.events_waiting = true;
    }

    fn push_event(&mut self, event: Event, arrival_us: i32) {
        let mut opened = [0u8; l::OPENED_BYTES];
        let mut entry = RxEntry {
            kind: l::RX_CLOSED,
            flow: FlowId {
                slot: 0,
                generation: 0,
            },
            arrival_us,
            aux0: 0,
            aux1: 0,
        };
        let bytes: &[u8] = match event {
            Event::Opened {
                flow,
                client_id,
                path,
                user_data,
                timeout_s,
                max_flows,
            } => {
                entry.kind = l::RX_OPENED;
                entry.flow = flow;
                write_opened(
                    &mut opened,
                    client_id,
                    path,
                    &user_data,
                    timeout_s,
                    max_flows,
                );
                &opened
            }
            Event::Replaced { flow, by } => {
                entry.kind = l::RX_REPLACED;
                entry.flow = flow;
                entry.aux0 = by.slot as i32;
                entry.aux1 = by.generation as i32;
                &[]
            }
            Event::Closed { flow, reason } => {
                entry.flow = flow;
                entry.aux0 = reason as i32;
                &[]
            }
        };
        if !self.rx.push(entry, bytes) {
            self.counters.add(Counter::RxError, 1);
        }
    }

    /// Fills batches of sealed datagrams and hands them over until everything is out or the kernel
    /// says no. `ring` false leaves the tx ring alone.
    fn send_all(&mut self, clock: Clock, ring: bool) {
        self.blocked = false;
        loop {
            self.fill(clock, ring);
            if self.sent == self.queue.len() {
                self.queue.clear();
                self.sent = 0;
                if ring {
                    self.tx.release_to(self.tx.taken());
                }
                return;
            }
            if !self.send_queue() {
                self.blocked = true;
                self.counters.add(Counter::TxBlocked, 1);
                return;
            }
        }
    }

    /// Tops the batch up: the tx ring first, so that a goodbye stays behind the payloads before it.
    fn fill(&mut self, clock: Clock, ring: bool) {
        if self.sent == self.queue.len() {
            self.queue.clear();
            self.sent = 0;
        }
        while ring && self.queue.len() < BATCH {
            let Some((entry, release)) = self.tx.take() else {
                break;
            };
            self.seal(clock, &entry, release);
        }
        self.fill_from_core(clock, BATCH);
    }

    /// Netcode's own datagrams, while the batch holds fewer than `limit`.
    fn fill_from_core(&mut self, clock: Clock, limit: usize) {
        while self.queue.len() < limit {
            let index = self.queue.len();
            let Some(transmit) = self.peer.poll_transmit(clock, &mut self.out[index]) else {
                break;
            };
            let length = transmit.length.min(DATAGRAM_BYTES);
            // Nothing of the tx ring depends on it; the position before stays the one to release.
            let release = self
                .queue
                .last()
                .map_or(self.tx.released(), |last| last.release);
            let source = Source::Scratch(index);
            self.queue.push(Sealed {
                source,
                length,
                path: transmit.path,
                release,
            });
        }
    }

    fn seal(&mut self, clock: Clock, entry: &TxEntry, release: u32) {
        if entry.kind == l::TX_DISCONNECT {
            self.peer.close_flow(clock, entry.flow);
            return;
        }
        let length = usize::try_from(entry.length).unwrap_or(0);
        let fits = length > 0 && length <= self.options.max_payload_bytes;
        let window = if fits && entry.kind == l::TX_PAYLOAD {
            self.tx.window(entry)
        } else {
            None
        };
        let Some((window, offset)) = window else {
            self.counters.add(Counter::TxBadDescriptor, 1);
            return;
        };
        match self
            .peer
            .seal_payload(clock, entry.flow, window, l::HEADROOM_BYTES, length)
        {
            Ok(sealed) => {
                // A keep-alive goes ahead of the payloads of a client that is not confirmed yet.
                self.fill_from_core(clock, BATCH - 1);
                self.queue.push(Sealed {
                    source: Source::Ring(offset + sealed.start),
                    length: sealed.length,
                    path: sealed.path,
                    release,
                });
            }
            Err(SealError::Stale) => self.counters.add(Counter::TxStale, 1),
            Err(_) => self.counters.add(Counter::TxSealRefused, 1),
        }
    }

    /// Sends the queue; false when the kernel wants to be asked again later.
    fn send_queue(&mut self) -> bool {
        let mut retried = false;
        while self.sent < self.queue.len() {
            let mut batch = [Outgoing {
                bytes: &[],
                path: self.queue[self.sent].path,
            }; BATCH];
            let mut count = 0;
            for (slot, sealed) in batch.iter_mut().zip(&self.queue[self.sent..]) {
                let bytes = match sealed.source {
                    Source::Ring(offset) => self.tx.bytes(offset, sealed.length),
                    Source::Scratch(index) => &self.out[index][..sealed.length],
                };
                *slot = Outgoing {
                    bytes,
                    path: sealed.path,
                };
                count += 1;
            }
            self.counters.add(Counter::SendCalls, 1);
            match self.io.send(&batch[..count]) {
                Ok(taken) => {
                    let taken = taken.clamp(1, count);
                    let bytes: usize = batch[..taken].iter().map(|out| out.bytes.len()).sum();
                    self.counters.add(Counter::DatagramsOut, taken as u64);
                    self.counters.add(Counter::BytesOut, bytes as u64);
                    self.advance(taken);
                    retried = false;
                }
                Err(libc::EAGAIN) => return false,
                Err(libc::EINTR) => {}
                // The error of an earlier datagram (ICMP), told now: this one was not tried yet.
                Err(libc::ECONNREFUSED) if !retried => retried = true,
                Err(errno) => {
                    self.counters.add(drop_counter(errno), 1);
                    self.advance(1);
                    retried = false;
                }
            }
        }
        true
    }

    fn advance(&mut self, count: usize) {
        self.sent += count;
        if let Some(last) = self.queue[..self.sent].last() {
            self.tx.release_to(last.release);
        }
    }

    pub fn check_invariants(&self) {
        self.rx.check_invariants();
        self.tx.check_invariants();
        assert!(self.sent <= self.queue.len() && self.queue.len() <= BATCH);
    }
}

/// Which counter tells of a datagram that the kernel would not take.
fn drop_counter(errno: i32) -> Counter {
    match errno {
        libc::EMSGSIZE => Counter::TxTooLarge,
        libc::ENOBUFS | libc::ENOMEM => Counter::TxNoBuffers,
        libc::ECONNREFUSED
        | libc::EHOSTUNREACH
        | libc::ENETUNREACH
        | libc::EHOSTDOWN
        | libc::ENETDOWN
        | libc::EPERM
        | libc::EACCES
        | libc::EADDRNOTAVAIL
        | libc::EAFNOSUPPORT
        | libc::EINVAL => Counter::TxUnreachable,
        _ => Counter::TxError,
    }
}

fn write_opened(
    out: &mut [u8; l::OPENED_BYTES],
    client_id: u64,
    path: Path,
    user_data: &[u8; 256],
    timeout_s: i32,
    max_flows: u32,
) {
    out[0..8].copy_from_slice(&client_id.to_le_bytes());
    match path.remote.ip() {
        std::net::IpAddr::V4(ip) => {
            out[8] = 4;
            out[12..16].copy_from_slice(&ip.octets());
        }
        std::net::IpAddr::V6(ip) => {
            out[8] = 6;
            out[12..28].copy_from_slice(&ip.octets());
        }
    }
    out[10..12].copy_from_slice(&path.remote.port().to_le_bytes());
    out[28..32].copy_from_slice(&timeout_s.to_le_bytes());
    out[32..36].copy_from_slice(&max_flows.to_le_bytes());
    out[36..292].copy_from_slice(user_data);
}

const _: () =
    assert!(CloseReason::PeerDisconnect as u8 == 1 && CloseReason::ResponseTimeout as u8 == 8);
