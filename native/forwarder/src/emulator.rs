//! One direction of an impaired link, sans-IO: packets and times go in, packets come out when they are due.
//!
//! ```text
//! offer(now, bytes) → lost? ─ yes → counted
//!                      └ no → due = now + delay (+ jitter, order kept) (+ hold-back: overtaken by later ones)
//!                              → heap by (due, serial) → next_due_us() → poll(now)
//! ```
//! Every offered packet draws the same number of random values whatever happens to it, so the fate of packet n depends
//! on the seed and n only, not on the settings of another impairment or on timing.
//!
//! Invariant: packets = forwarded + dropped + overflowed + queued.

use crate::prng::Prng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Beyond this many queued packets a direction drops: 65,536 × 1,500 B is 94 MiB, more than a second at 500 Mbit/s.
pub const QUEUED_PACKETS_MAX: usize = 65_536;

/// Buffers kept for reuse; a burst above it is given back to the allocator.
const SPARE_BUFFERS_MAX: usize = 1_024;

/// What a direction does to packets. Probabilities are ratios in [0, 1].
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    pub loss: f64,
    pub delay_us: u64,
    /// Added to the delay, uniform in [0, jitter]. Jitter alone never reorders: a packet waits for the one before it.
    pub jitter_us: u64,
    /// Ratio of packets held back by `reorder_us`, so that later ones overtake them.
    pub reorder: f64,
    pub reorder_us: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets offered.
    pub packets: u64,
    /// IP bytes offered.
    pub bytes: u64,
    /// Lost on purpose.
    pub dropped: u64,
    /// Held back on purpose.
    pub reordered: u64,
    /// Lost because the queue was full.
    pub overflowed: u64,
    /// Handed out by `poll`.
    pub forwarded: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Queued { due_us: u64 },
    Dropped,
    Overflowed,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Queued {
    due_us: u64,
    serial: u64,
    bytes: Vec<u8>,
}

pub struct Emulator {
    profile: Profile,
    prng: Prng,
    queue: BinaryHeap<Reverse<Queued>>,
    spare: Vec<Vec<u8>>,
    serial: u64,
    /// Due time of the newest packet that was not held back.
    in_order_due_us: u64,
    counters: Counters,
}

impl Emulator {
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            prng: Prng::new(seed),
            queue: BinaryHeap::new(),
            spare: Vec::new(),
            serial: 0,
            in_order_due_us: 0,
            counters: Counters::default(),
        }
    }

    pub fn offer(&mut self, now_us: u64, packet: &[u8]) -> Verdict {
        self.counters.packets += 1;
        self.counters.bytes += packet.len() as u64;
        let lost = self.prng.ratio() < self.profile.loss;
        let jitter_us = self.prng.up_to(self.profile.jitter_us);
        let held_back = self.prng.ratio() < self.profile.reorder;
        if lost {
            self.counters.dropped += 1;
            return Verdict::Dropped;
        }
        if self.queue.len() >= QUEUED_PACKETS_MAX {
            self.counters.overflowed += 1;
            return Verdict::Overflowed;
        }
        let wanted_us = now_us
            .saturating_add(self.profile.delay_us)
            .saturating_add(jitter_us);
        let mut due_us = wanted_us.max(self.in_order_due_us);
        if held_back {
            due_us = due_us.saturating_add(self.profile.reorder_us);
            self.counters.reordered += 1;
        } else {
            self.in_order_due_us = due_us;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(packet);
        self.queue.push(Reverse(Queued {
            due_us,
            serial: self.serial,
            bytes,
        }));
        self.serial += 1;
        Verdict::Queued { due_us }
    }

    /// When the next packet has to leave; `None` while nothing is queued.
    pub fn next_due_us(&self) -> Option<u64> {
        self.queue.peek().map(|Reverse(queued)| queued.due_us)
    }

    /// The next due packet, in order of due time. Give the buffer back with [`Emulator::recycle`].
    pub fn poll(&mut self, now_us: u64) -> Option<Vec<u8>> {
        if self.next_due_us()? > now_us {
            return None;
        }
        let Reverse(queued) = self.queue.pop()?;
        self.counters.forwarded += 1;
        Some(queued.bytes)
    }

    pub fn recycle(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX {
            self.spare.push(buffer);
        }
    }

    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }
}

#[cfg(test)]
#[path = "emulator_test.rs"]
mod tests;
