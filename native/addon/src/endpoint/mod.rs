//! The endpoint: datagrams in, rx ring out; tx ring in, datagrams out. Everything happens in `drain`,
//! `flush` and `service`, on the thread that calls them; nothing here calls JavaScript.
//!
//! ```text
//! drain:  due netcode timers → receive batches → open in place (scratch) → rx ring
//! flush:  tx ring → seal in place (arena) → send batches; netcode's own datagrams behind them
//! ```
//! Invariant: `queue` holds sealed datagrams in order; a tx descriptor is given back when every
//! datagram up to it was taken by the kernel or dropped with a counter.

mod admission;
mod receive;
mod transmit;

use std::sync::Arc;

use ggscale_transport_core::{Clock, CloseReason, FlowId, FlowStats, COUNTER_COUNT};

use crate::counters::{Counter, Counters, COUNT};
use crate::io::{boxed_buffers, Io, Now, Queue, Scratch, DATAGRAM_BYTES, SEND_BATCH};
use crate::layout as l;
use crate::pace::Waiting;
use crate::peer::Peer;
use crate::published::{Published, Publisher};
use crate::ring::{Geometry, Memory, RxRing, TxRing};
use crate::slots::Slots;
use transmit::Sealed;

/// Datagrams of one drain. With about 0.5 µs each the turn stays well under a millisecond.
const DRAIN_DATAGRAMS_MAX: usize = 1024;
/// Handshakes of one drain (wire.md §1, rule 9).
const HANDSHAKES_MAX: usize = 64;
/// Netcode's timers are trusted to run without a turn while the last drain is younger than this.
const UNDRAINED_US_MAX: u64 = 250_000;

/// What a drain found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Monotonic time at its start; no arrival is later.
    pub now_ns: u64,
    /// Datagrams taken off the sockets.
    pub datagrams: u32,
    /// Descriptors waiting in the rx ring.
    pub waiting: u32,
}

#[derive(Clone, Copy, Debug)]
pub struct EndpointOptions {
    /// Added to the monotonic clock; lets a test begin near a wrap.
    pub clock_offset_us: u64,
    pub max_payload_bytes: usize,
    pub slots: Slots,
}

pub struct Endpoint<I: Io> {
    pub io: I,
    pub peer: Peer,
    memory: Memory,
    rx: RxRing,
    tx: TxRing,
    scratch: Scratch,
    out: Box<[[u8; DATAGRAM_BYTES]; SEND_BATCH]>,
    queue: Vec<Sealed>,
    sent: usize,
    counters: Counters,
    options: EndpointOptions,
    last_drain_us: u64,
    /// Events that found no room in the rx ring wait in the core, and no datagram is taken before.
    events_waiting: bool,
    more: bool,
    blocked: bool,
    /// Something found no room in the rx ring, and JavaScript has released nothing since.
    stalled: bool,
    /// NEWS_* for JavaScript, published and not yet told.
    news: i32,
    /// Once somebody reads the counters from outside.
    publisher: Option<Publisher<COUNT>>,
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
            scratch: Scratch::with_bytes(io.scratch_bytes()),
            out: boxed_buffers(),
            queue: Vec::with_capacity(SEND_BATCH),
            sent: 0,
            counters: Counters::default(),
            last_drain_us: now.mono_ns / 1000 + options.clock_offset_us,
            options,
            events_waiting: false,
            more: false,
            blocked: false,
            stalled: false,
            news: 0,
            publisher: None,
            io,
            peer,
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// All counters, in the order of `counters::all_names`.
    pub fn all_counters(&self) -> [u64; COUNT] {
        let mut core = [0u64; COUNTER_COUNT];
        self.peer.add_counters(&mut core);
        let mut all = [0; COUNT];
        let values = core.iter().chain(self.counters.values());
        for (slot, value) in all.iter_mut().zip(values) {
            *slot = *value;
        }
        all
    }

    /// The counters as other threads can read them: up to date at the end of each piece of work.
    pub fn publish_counters(&mut self) -> Arc<Published<COUNT>> {
        let publisher = self.publisher.get_or_insert_with(Publisher::default);
        let published = Arc::clone(publisher.published());
        self.tell_counters();
        published
    }

    fn tell_counters(&mut self) {
        let Some(mut publisher) = self.publisher.take() else {
            return;
        };
        publisher.publish(&self.all_counters());
        self.publisher = Some(publisher);
    }

    /// Figures of a flow as JavaScript names it.
    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        self.peer.flow_stats(self.options.slots.inner(flow))
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

    /// Runs what is due and moves datagrams into the rx ring.
    pub fn drain(&mut self) -> Drained {
        let now = self.io.now();
        let clock = self.clock_at(now);
        self.counters.add(Counter::Turns, 1);
        self.refresh_rx();
        self.count_bad_positions();
        self.take_events(clock);
        self.more = false;
        let before = self.counters.get(Counter::DatagramsIn);
        self.receive(Queue::Flows, DRAIN_DATAGRAMS_MAX, now, clock);
        let is_emptied = !self.more;
        self.receive(Queue::Handshakes, HANDSHAKES_MAX, now, clock);
        // Timers come after the datagrams, and only once the kernel has no more of them: a process
        // that was stopped for seconds must not time out peers whose packets were waiting for it.
        let is_due = self
            .peer
            .deadline_us()
            .is_some_and(|at| at <= clock.mono_us);
        if is_due && is_emptied {
            self.peer.handle_timeout(clock);
            self.take_events(clock);
        }
        self.count_tally();
        self.more |= self.events_waiting;
        self.last_drain_us = clock.mono_us;
        self.memory.store(l::I_MORE, i32::from(self.more));
        self.publish();
        Drained {
            now_ns: now.mono_ns,
            datagrams: (self.counters.get(Counter::DatagramsIn) - before) as u32,
            waiting: self.rx.waiting(),
        }
    }

    /// Seals and sends the tx ring, then netcode's own datagrams. Returns the descriptors left.
    pub fn flush(&mut self) -> u32 {
        let now = self.io.now();
        self.flush_at(now)
    }

    /// As `flush`, which begins at `now`.
    pub fn flush_at(&mut self, now: Now) -> u32 {
        let clock = self.clock_at(now);
        self.tx.refresh();
        self.count_bad_positions();
        self.send_all(clock, true);
        self.count_tally();
        // A disconnect of this flush ends its flow: JavaScript hears of it in the next turn.
        self.refresh_rx();
        self.take_events(clock);
        self.publish();
        self.tx.waiting()
    }

    /// The timer fired for netcode alone: keep-alives and timeouts without waking JavaScript.
    /// Returns whether something now waits for it after all.
    pub fn service(&mut self) -> bool {
        let clock = self.clock();
        if self.more || clock.mono_us.saturating_sub(self.last_drain_us) > UNDRAINED_US_MAX {
            return true; // what is in the socket must be seen before anything times out
        }
        self.peer.handle_timeout(clock);
        self.refresh_rx();
        self.take_events(clock);
        self.send_all(clock, false);
        self.publish();
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
        self.tell_counters();
    }

    fn publish(&mut self) {
        if self.rx.publish() {
            self.news |= l::NEWS_ENTRIES;
        }
        if self.tx.publish() {
            self.news |= l::NEWS_ROOM;
        }
        self.tell_counters();
    }

    /// What was published since the last call and may interest JavaScript if it sleeps (NEWS_*).
    pub fn take_news(&mut self) -> i32 {
        std::mem::take(&mut self.news)
    }

    /// The rx ring holds everything up until JavaScript releases some of it. Looks whether it has.
    pub fn is_stalled(&mut self) -> bool {
        if self.stalled {
            self.refresh_rx();
        }
        self.stalled
    }

    /// Takes back what JavaScript released.
    fn refresh_rx(&mut self) {
        let before = self.rx.waiting();
        self.rx.refresh();
        self.stalled &= self.rx.waiting() >= before;
    }

    /// Whether JavaScript committed entries that were not worked on yet.
    pub fn tx_committed(&mut self) -> bool {
        self.tx.refresh();
        self.tx.has_more()
    }

    fn count_bad_positions(&mut self) {
        let bad = self.rx.take_bad_positions() + self.tx.take_bad_positions();
        self.counters.add(Counter::RingBadPosition, bad);
    }

    /// What its driver has to wait for.
    pub fn waiting(&self) -> Waiting {
        let netcode_us = self.peer.deadline_us();
        Waiting {
            entries: self.rx.waiting() > 0 || self.events_waiting,
            more: self.more,
            unread: self.more && self.io.has_unread(),
            netcode_ns: netcode_us
                .map(|at_us| at_us.saturating_sub(self.options.clock_offset_us) * 1000),
        }
    }

    /// Position of the next rx entry, and of the next tx entry to take.
    #[cfg(test)]
    pub fn positions(&self) -> (u32, u32) {
        (self.rx.pushed(), self.tx.taken())
    }

    pub fn check_invariants(&self) {
        self.rx.check_invariants();
        self.tx.check_invariants();
        assert!(self.sent <= self.queue.len() && self.queue.len() <= SEND_BATCH);
    }
}

// The wire between here and `layout.ts` names close reasons by number.
const _: () =
    assert!(CloseReason::PeerDisconnect as u8 == 1 && CloseReason::NxViolation as u8 == 11);
