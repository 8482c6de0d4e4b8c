//! The way in: datagrams and events become entries of the rx ring.

use std::hint::black_box;
use std::net::IpAddr;

use ggscale_transport_core::{Clock, Event, FlowId, Path, Received};

use super::Endpoint;
use crate::counters::Counter;
use crate::io::{Io, Now, Queue, BATCH};
use crate::layout as l;
use crate::ring::RxEntry;

/// One datagram leads to at most this many descriptors: replaced, opened, a payload and one spare.
const DESCRIPTORS_PER_DATAGRAM: u32 = 4;
/// Arena bytes reserved for each of them. Together they hold the largest payload (1,300), an opened
/// event (292) and what the end of the arena may cost (under 1,304).
const BYTES_PER_DESCRIPTOR: u32 = 768;
/// A turn's time in the kernel: a burst of handshakes must not starve the game's tick.
const RECEIVE_NS_MAX: u64 = 2_000_000;
/// A socket that answers every call with an error must not hold the turn.
const ERRORS_PER_TURN_MAX: usize = 64;

impl<I: Io> Endpoint<I> {
    /// Receives at most `budget` datagrams into the rx ring.
    pub(super) fn receive(&mut self, queue: Queue, budget: usize, start: Now, clock: Clock) {
        let mut left = budget;
        let mut errors = 0;
        while left > 0 {
            let room = self.datagrams_with_room(left.min(BATCH));
            if room == 0 {
                self.counters.add(Counter::RxRingFull, 1);
                self.stalled = true;
                self.more = true;
                return;
            }
            self.counters.add(Counter::ReceiveCalls, 1);
            let count = match self.io.receive(queue, room, &mut self.scratch) {
                Ok(0) => return,
                Ok(count) => count.min(room),
                Err(libc::EINTR) => continue,
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
            self.touch_flows(count);
            for index in 0..count {
                self.handle_datagram(index, start, clock);
            }
            left -= count;
            if count < room && !self.io.has_unread() {
                return;
            }
            if self.io.now().mono_ns.saturating_sub(start.mono_ns) > RECEIVE_NS_MAX {
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
            if self.rx.has_room(descriptors, BYTES_PER_DESCRIPTOR) {
                return count;
            }
            count /= 2;
        }
        0
    }

    /// Flows that have not been heard of for a while are not in the caches: fetches those of a whole
    /// batch at a time. A batch of one has nothing to fetch beside.
    fn touch_flows(&self, count: usize) {
        if count > 1 {
            let arrivals = self.scratch.arrivals.iter().take(count);
            let touched = arrivals.map(|arrival| self.peer.touch(self.scratch.bytes(arrival)));
            black_box(touched.fold(0, |sum, touched| sum ^ touched));
        }
    }

    fn handle_datagram(&mut self, index: usize, start: Now, clock: Clock) {
        let Some(&arrival) = self.scratch.arrivals.get(index) else {
            return;
        };
        self.counters.add(Counter::DatagramsIn, 1);
        self.counters.add(Counter::BytesIn, arrival.length as u64);
        if arrival.truncated {
            self.counters.add(Counter::RxTruncated, 1);
            return;
        }
        let datagram = self.scratch.bytes_mut(&arrival);
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
            flow: self.options.slots.outer(flow),
            arrival_us: self.arrival_us(arrival.stamp_ns, start, clock),
            aux0: sequence as i32,
            aux1: 0,
        };
        let opened = self.scratch.bytes(&arrival);
        let payload = opened.get(at..at.saturating_add(length));
        if !payload.is_some_and(|payload| self.rx.push(entry, payload)) {
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
    pub(super) fn take_events(&mut self, clock: Clock) {
        while self.rx.has_room(1, l::OPENED_BYTES as u32) {
            let Some(event) = self.peer.poll_event() else {
                self.events_waiting = false;
                return;
            };
            self.push_event(&event, clock.mono_us as i32);
        }
        // Full. Whether the core has more cannot be seen without taking it: assume so.
        self.events_waiting = true;
        self.stalled = true;
    }

    fn push_event(&mut self, event: &Event, arrival_us: i32) {
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
        let opened;
        let mut bytes: &[u8] = &[];
        match event {
            Event::Opened { flow, .. } => {
                entry.kind = l::RX_OPENED;
                entry.flow = *flow;
                opened = opened_bytes(event);
                bytes = &opened;
            }
            Event::Replaced { flow, by } => {
                entry.kind = l::RX_REPLACED;
                let by = self.options.slots.outer(*by);
                entry.flow = *flow;
                entry.aux0 = by.slot as i32;
                entry.aux1 = by.generation as i32;
            }
            Event::Migrated {
                flow, port_only, ..
            } => {
                entry.kind = l::RX_MIGRATED;
                entry.flow = *flow;
                entry.aux0 = i32::from(*port_only);
            }
            Event::Closed {
                flow,
                reason,
                refusal,
            } => {
                entry.flow = *flow;
                entry.aux0 = *reason as i32;
                entry.aux1 = refusal.map_or(0, |refusal| {
                    i32::from(refusal.code as i16) & 0xffff | i32::from(refusal.retry_after_s) << 16
                });
            }
        }
        entry.flow = self.options.slots.outer(entry.flow);
        if !self.rx.push(entry, bytes) {
            self.counters.add(Counter::RxError, 1);
        }
    }
}

/// See `OPENED_BYTES` for the layout; zeros for every other event.
fn opened_bytes(event: &Event) -> [u8; l::OPENED_BYTES] {
    let mut out = [0; l::OPENED_BYTES];
    let Event::Opened {
        client_id,
        path: Path { remote, .. },
        user_data,
        timeout_s,
        max_flows,
        ..
    } = event
    else {
        return out;
    };
    let (family, address) = match remote.ip() {
        IpAddr::V4(ip) => {
            let mut address = [0; 16];
            let (front, _) = address.split_at_mut(4);
            front.copy_from_slice(&ip.octets());
            (4u8, address)
        }
        IpAddr::V6(ip) => (6, ip.octets()),
    };
    let parts: [&[u8]; 7] = [
        &client_id.to_le_bytes(),
        &[family, 0],
        &remote.port().to_le_bytes(),
        &address,
        &timeout_s.to_le_bytes(),
        &max_flows.to_le_bytes(),
        user_data,
    ];
    for (slot, byte) in out.iter_mut().zip(parts.into_iter().flatten()) {
        *slot = *byte;
    }
    out
}
