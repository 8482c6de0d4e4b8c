//! Many client flows on one socket, each a core `Client` of its own.
//!
//! ```text
//! slots:    [ client │ free │ client │ … ]      generation + 1 when a slot is freed
//! by_path:  hash of (server, local address) → slot      whom a datagram is for; keys in the slots
//! to_send, to_tell: slots that may have datagrams, or events, waiting; each at most once
//! timers:   a wheel, one timer per slot
//! ```
//! Invariant: a live slot whose client has a deadline has a timer that is not later; it may be
//! earlier, because packets only put deadlines off and the timer then finds nothing to do. A slot is
//! in `by_path` under the path it last sent to. Two flows of one socket to the same server need
//! different local addresses: the server tells flows apart by address.

#[cfg(test)]
mod clients_test;
mod paths;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use ggscale_transport_core::{
    Client, ClientConfig, ClientNx, Clock, Counters, DropReason, Event, FlowId, FlowStats,
    HashSeed, Path, Random, Received, SealError, Sealed, TokenError, Transmit, Wheel,
    COUNTER_COUNT, COUNTER_NAMES,
};
use hashbrown::HashTable;

/// No timer.
const NEVER_US: u64 = u64::MAX;

struct Entry {
    client: Option<Box<Client>>,
    generation: u32,
    /// The address to send from; None leaves the choice to the kernel.
    local: Option<IpAddr>,
    /// The server it last sent to; with `local` its key in `by_path`.
    remote: Option<SocketAddr>,
    /// When its timer fires, or `NEVER_US`.
    timer_us: u64,
    in_to_send: bool,
    in_to_tell: bool,
    /// Its last event was told; the slot is freed when its last datagram is out.
    ended: bool,
}

pub struct Clients {
    slots: Vec<Entry>,
    free: Vec<u32>,
    max_flows: u32,
    max_payload_bytes: usize,
    nx: ClientNx,
    x25519: bool,
    random: Random,
    seed: HashSeed,
    by_path: HashTable<u32>,
    timers: Wheel,
    /// Slots whose timers fired, kept for its room.
    due: Vec<u32>,
    to_send: VecDeque<u32>,
    to_tell: VecDeque<u32>,
    /// What all clients count on, those that are gone included; lent to each for its calls.
    counters: Option<Box<Counters>>,
    /// Datagrams from addresses that no flow talks to.
    unknown_path: u64,
}

/// Why a connection cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    Token(TokenError),
    Full,
}

impl Clients {
    pub fn new(max_flows: u32, max_payload_bytes: usize, mut random: Random) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            max_flows,
            max_payload_bytes,
            nx: ClientNx::default(),
            x25519: false,
            seed: HashSeed::new(&mut random),
            random,
            by_path: HashTable::new(),
            timers: Wheel::new(0),
            due: Vec::new(),
            to_send: VecDeque::new(),
            to_tell: VecDeque::new(),
            counters: None,
            unknown_path: 0,
        }
    }

    /// What later connections do about NX.
    pub fn set_nx(&mut self, nx: ClientNx, x25519: bool) {
        self.nx = nx;
        self.x25519 = x25519;
    }

    pub fn connect(
        &mut self,
        clock: Clock,
        token: &[u8],
        local: Option<IpAddr>,
    ) -> Result<FlowId, ConnectError> {
        if self.free.is_empty() && self.slots.len() >= self.max_flows as usize {
            return Err(ConnectError::Full);
        }
        let mut config = ClientConfig::new(Random::from_seed(self.random.bytes()));
        config.max_payload_bytes = self.max_payload_bytes;
        config.nx = self.nx;
        config.x25519 = self.x25519;
        let client = Client::new(config, token, clock).map_err(ConnectError::Token)?;
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(Entry {
                    client: None,
                    generation: 1,
                    local: None,
                    remote: None,
                    timer_us: NEVER_US,
                    in_to_send: false,
                    in_to_tell: false,
                    ended: false,
                });
                self.slots.len() as u32 - 1
            }
        };
        let generation = match self.slots.get_mut(slot as usize) {
            Some(entry) => {
                entry.client = Some(Box::new(client));
                entry.local = local.map(|address| address.to_canonical());
                entry.generation
            }
            None => return Err(ConnectError::Full),
        };
        self.touch(slot);
        Ok(FlowId { slot, generation })
    }

    pub fn handle_datagram(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
        let exact = self.find(path.remote, path.local);
        let found = exact.or_else(|| self.find(path.remote, None));
        let received = found.and_then(|slot| {
            self.with(slot, |client, flow| {
                (flow, client.handle_datagram(clock, path, datagram))
            })
        });
        let Some((flow, received)) = received else {
            self.unknown_path += 1;
            return Received::Dropped(DropReason::UnknownAddress);
        };
        self.touch(flow.slot);
        match received {
            Received::Payload {
                start,
                length,
                sequence,
                ..
            } => Received::Payload {
                flow,
                start,
                length,
                sequence,
            },
            other => other,
        }
    }

    pub fn seal_payload(
        &mut self,
        clock: Clock,
        flow: FlowId,
        window: &mut [u8],
        start: usize,
        length: usize,
    ) -> Result<Sealed, SealError> {
        let sealed = self.with_flow(flow, |client| {
            client.seal_payload(clock, Client::FLOW, window, start, length)
        });
        let mut sealed = sealed.ok_or(SealError::Stale)??;
        self.touch(flow.slot);
        sealed.path = self.route(flow.slot, sealed.path);
        Ok(sealed)
    }

    pub fn close_flow(&mut self, clock: Clock, flow: FlowId) {
        let closed = self.with_flow(flow, |client| client.close_flow(clock, Client::FLOW));
        if closed.is_some() {
            self.touch(flow.slot);
        }
    }

    pub fn close_all(&mut self, clock: Clock) {
        for slot in 0..self.slots.len() as u32 {
            let closed = self.with(slot, |client, _| client.close_flow(clock, Client::FLOW));
            if closed.is_some() {
                self.touch(slot);
            }
        }
    }

    pub fn handle_timeout(&mut self, clock: Clock) {
        // All of them first: a client that wants the same moment again waits for the next call.
        let mut due = std::mem::take(&mut self.due);
        while let Some(slot) = self.timers.poll(clock.mono_us) {
            due.push(slot);
        }
        for slot in due.drain(..) {
            if let Some(entry) = self.slots.get_mut(slot as usize) {
                entry.timer_us = NEVER_US;
            }
            let was_due = self.with(slot, |client, _| {
                let is_due = client.deadline_us().is_some_and(|at| at <= clock.mono_us);
                if is_due {
                    client.handle_timeout(clock);
                }
                is_due
            });
            match was_due {
                Some(true) => self.touch(slot),
                _ => self.update_timer(slot),
            }
        }
        self.due = due;
    }

    /// May be too early, never too late by more than a tick of the wheel (1,024 µs).
    pub fn deadline_us(&self) -> Option<u64> {
        self.timers.deadline_us()
    }

    pub fn poll_transmit(&mut self, clock: Clock, out: &mut [u8]) -> Option<Transmit> {
        while let Some(&slot) = self.to_send.front() {
            let transmit = self.with(slot, |client, _| client.poll_transmit(clock, out));
            if let Some(mut transmit) = transmit.flatten() {
                transmit.path = self.route(slot, transmit.path);
                self.update_timer(slot);
                return Some(transmit);
            }
            self.to_send.pop_front();
            if let Some(entry) = self.slots.get_mut(slot as usize) {
                entry.in_to_send = false;
                if entry.ended {
                    self.free_slot(slot);
                }
            }
        }
        None
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(&slot) = self.to_tell.front() {
            let told = self.with(slot, |client, flow| {
                client.poll_event().map(|event| (event, flow))
            });
            if let Some((event, flow)) = told.flatten() {
                return Some(self.on_event(slot, flow, event));
            }
            self.to_tell.pop_front();
            if let Some(entry) = self.slots.get_mut(slot as usize) {
                entry.in_to_tell = false;
            }
        }
        None
    }

    pub fn add_counters(&self, out: &mut [u64; COUNTER_COUNT]) {
        let counted = self.counters.iter().flat_map(|counters| counters.values());
        for (sum, value) in out.iter_mut().zip(counted) {
            *sum += value;
        }
        // The datagrams that met no flow were seen here, not by any client.
        for name in ["datagrams-in", DropReason::UnknownAddress.name()] {
            let index = COUNTER_NAMES.iter().position(|other| *other == name);
            if let Some(sum) = index.and_then(|index| out.get_mut(index)) {
                *sum += self.unknown_path;
            }
        }
    }

    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        let entry = self.slots.get(flow.slot as usize)?;
        let client = entry
            .client
            .as_ref()
            .filter(|_| entry.generation == flow.generation)?;
        client.flow_stats(Client::FLOW)
    }

    /// Runs `work` on the client of a slot, which counts on the common sheet meanwhile.
    fn with<R>(&mut self, slot: u32, work: impl FnOnce(&mut Client, FlowId) -> R) -> Option<R> {
        let entry = self.slots.get_mut(slot as usize)?;
        let flow = FlowId {
            slot,
            generation: entry.generation,
        };
        let client = entry.client.as_deref_mut()?;
        client.swap_counters(&mut self.counters);
        let result = work(client, flow);
        client.swap_counters(&mut self.counters);
        Some(result)
    }

    /// The same, for a flow that may be gone.
    fn with_flow<R>(&mut self, flow: FlowId, work: impl FnOnce(&mut Client) -> R) -> Option<R> {
        let entry = self.slots.get(flow.slot as usize)?;
        if entry.generation != flow.generation {
            return None;
        }
        self.with(flow.slot, |client, _| work(client))
    }

    /// After anything that may have changed a client: its timer, and a look at its queues.
    fn touch(&mut self, slot: u32) {
        self.update_timer(slot);
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        if !entry.in_to_send {
            entry.in_to_send = true;
            self.to_send.push_back(slot);
        }
        if !entry.in_to_tell {
            entry.in_to_tell = true;
            self.to_tell.push_back(slot);
        }
    }

    /// Only ever sets the timer earlier; one that fires too early is set anew then.
    fn update_timer(&mut self, slot: u32) {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let client = entry.client.as_ref();
        match client.and_then(|client| client.deadline_us()) {
            Some(at_us) if at_us < entry.timer_us => {
                self.timers.arm(slot, at_us);
                entry.timer_us = at_us;
            }
            None if entry.timer_us != NEVER_US => {
                self.timers.cancel(slot);
                entry.timer_us = NEVER_US;
            }
            _ => {}
        }
    }

    /// The path that a datagram of this flow takes; answers from there find the slot again.
    fn route(&mut self, slot: u32, path: Path) -> Path {
        let Some(entry) = self.slots.get(slot as usize) else {
            return path;
        };
        let local = entry.local;
        if entry.remote != Some(path.remote) {
            self.unmap(slot);
            self.map(slot, path.remote);
        }
        Path {
            remote: path.remote,
            local,
        }
    }

    fn on_event(&mut self, slot: u32, flow: FlowId, event: Event) -> Event {
        match event {
            Event::Opened {
                client_id,
                path,
                user_data,
                timeout_s,
                max_flows,
                ..
            } => Event::Opened {
                flow,
                client_id,
                path,
                user_data,
                timeout_s,
                max_flows,
            },
            Event::Replaced { by, .. } => Event::Replaced { flow, by },
            Event::Migrated {
                path, port_only, ..
            } => Event::Migrated {
                flow,
                path,
                port_only,
            },
            Event::Closed {
                reason, refusal, ..
            } => {
                if let Some(entry) = self.slots.get_mut(slot as usize) {
                    entry.ended = true;
                }
                // So that the slot is freed even if nothing is left to send.
                self.touch(slot);
                Event::Closed {
                    flow,
                    reason,
                    refusal,
                }
            }
        }
    }

    fn free_slot(&mut self, slot: u32) {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        entry.client = None;
        entry.ended = false;
        entry.generation = entry.generation.wrapping_add(1).max(1);
        self.unmap(slot);
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.local = None;
        }
        self.update_timer(slot);
        self.free.push(slot);
    }
}
