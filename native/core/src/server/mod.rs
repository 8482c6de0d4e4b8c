//! The server end.
//!
//! ```text
//!   request ─▶ token opens, is new, names us ─▶ pending ─▶ challenge
//!   response ─▶ pending's key, our challenge ─▶ flow (unconfirmed) ─▶ keep-alive
//!   keep-alive or payload ─▶ flow (open)
//! ```
//! Files: `request` and `response` admit, `places` counts who may come in, `admission` applies the live
//! settings, `receive` takes datagrams, `transmit` makes them, `lifecycle` ends flows and runs timers;
//! of NX, `negotiate` makes new keys, `nx_receive` and `nx_transmit` speak it, `paths` follows a client
//! that moves.
//!
//! Invariants (`check_invariants`): live flows ≤ `max_flows`; an address leads to one flow and one
//! pending handshake at most; the outbox holds at most one entry of a kind per flow or handshake;
//! at most `DENIALS_QUEUED_MAX` denials wait; every datagram is counted once.

mod admission;
mod config;
mod lifecycle;
mod negotiate;
mod nx_receive;
mod nx_transmit;
mod paths;
mod places;
mod receive;
mod request;
mod response;
mod transmit;

use std::collections::VecDeque;

pub use config::ServerConfig;

use crate::admission::{Admission, Rules};
use crate::challenge::Challenger;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::{ConfigError, SealError};
use crate::event::{CloseReason, Event, FlowId, FlowStats, Received, Sealed, Transmit};
use crate::flow::{Flow, Queued};
use crate::hash::HashSeed;
use crate::limits::{
    CHALLENGE_BODY_BYTES, DATAGRAM_BYTES_MAX, DENIALS_QUEUED_MAX, OVERHEAD_BYTES_MAX,
    PAYLOAD_BYTES_MAX, PENDING_CAPACITY,
};
use crate::nx::{Refusal, CID_BYTES};
use crate::path::{canonical_address, Path};
use crate::pending::Pending;
use crate::prefix;
use crate::random::Random;
use crate::registry::{Member, Registry};
use crate::seal::{PacketCipher, PacketKey};
use crate::table::Table;

/// How full the server's tables are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerGauges {
    pub flows: usize,
    /// As the settings say now.
    pub max_flows: usize,
    pub pending: usize,
    pub max_pending: usize,
    /// Of all servers of the process with this private key and protocol id.
    pub token_history: usize,
    pub token_history_capacity: usize,
    pub busy: bool,
}

/// A netcode 1.02 server. See the crate's contract.
pub struct Server {
    config: ServerConfig,
    cipher: PacketCipher,
    random: Random,
    member: Member,
    admission: Admission,
    rules: Rules,
    challenger: Challenger,
    /// Of challenges and denials: in [2^63, 2^63 + 2^62) at the start.
    global_sequence: u64,
    flows: Table<Flow>,
    pending: Table<Pending>,
    live_flows: usize,
    outbox: VecDeque<Outgoing>,
    denials: VecDeque<Denial>,
    events: VecDeque<Event>,
    counters: Counters,
    now_us: u64,
}

/// What waits to be sent; written when it is polled.
#[derive(Clone, Copy)]
enum Outgoing {
    /// To a pending handshake.
    Challenge(FlowId),
    KeepAlive(FlowId),
    Disconnects(FlowId),
    Accept(FlowId),
    /// True: to the candidate; false: to the address that it would replace.
    PathChallenge(FlowId, bool),
    NewCid(FlowId),
    Grease(FlowId),
}

/// A client that finds no room gets this and leaves no other trace.
struct Denial {
    key: PacketKey,
    path: Path,
    /// Sent ahead of it.
    refusal: Option<Refusal>,
}

impl Server {
    pub fn new(mut config: ServerConfig, clock: Clock) -> Result<Self, ConfigError> {
        config.check()?;
        for address in &mut config.server_addresses {
            *address = canonical_address(*address);
        }
        // The configured generator only seeds ours, which leaves it usable for debugging output.
        let mut random = Random::from_seed(config.random.bytes());
        let member = config
            .registry
            .clone()
            .unwrap_or_else(Registry::process)
            .join(
                &config.private_key,
                config.protocol_id,
                config.token_history,
                clock.unix_s,
                &mut random,
            )
            .counted_by(config.shared_flows.clone());
        let admission = config.shared_admission.clone();
        let settings = core::mem::take(&mut config.admission);
        let admission = admission.unwrap_or_else(|| Admission::new(settings, &mut random));
        Ok(Self {
            cipher: PacketCipher::new(config.protocol_id),
            member,
            rules: admission.rules(),
            admission,
            challenger: Challenger::new(random.bytes()),
            global_sequence: 1 << 63 | random.next_u64() >> 2,
            flows: Table::new(
                flow_slots(config.max_flows),
                HashSeed::new(&mut random),
                clock.mono_us,
            ),
            pending: Table::new(PENDING_CAPACITY, HashSeed::new(&mut random), clock.mono_us),
            live_flows: 0,
            outbox: VecDeque::new(),
            denials: VecDeque::with_capacity(DENIALS_QUEUED_MAX),
            events: VecDeque::new(),
            counters: Counters::default(),
            now_us: clock.mono_us,
            random,
            config,
        })
    }

    /// Takes one datagram, opening it in place.
    pub fn handle_datagram(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
        self.advance(clock);
        let bytes = datagram.len();
        let received = self.receive(clock, path.canonical(), datagram);
        self.counters.count_datagram(bytes, &received);
        received
    }

    /// Seals the payload at `start..start + length` where it lies. Needs `HEADROOM` B before it and
    /// `TAG_BYTES` after it. Send what `poll_transmit` holds before the sealed datagrams: while a
    /// client is unconfirmed, a keep-alive goes ahead of each payload.
    pub fn seal_payload(
        &mut self,
        clock: Clock,
        flow: FlowId,
        buffer: &mut [u8],
        start: usize,
        length: usize,
    ) -> Result<Sealed, SealError> {
        self.advance(clock);
        let sealed = self.seal(flow, buffer, start, length);
        self.counters.count_seal(&sealed);
        sealed
    }

    /// Ends a flow: redundant disconnects to the client, then `Closed` with reason `Local`
    /// (`Replaced` after a replacement). A stale id does nothing.
    pub fn close_flow(&mut self, clock: Clock, flow: FlowId) {
        self.advance(clock);
        self.close_locally(flow, CloseReason::Local);
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, clock: Clock) {
        self.advance(clock);
        self.run_timers();
    }

    /// When `handle_timeout` has something to do next, in monotonic µs.
    pub fn deadline_us(&self) -> Option<u64> {
        match (self.flows.deadline_us(), self.pending.deadline_us()) {
            (Some(flows), Some(pending)) => Some(flows.min(pending)),
            (flows, pending) => flows.or(pending),
        }
    }

    /// Writes the next waiting datagram to the front of `out`, which needs `DATAGRAM_BYTES_MAX` B.
    pub fn poll_transmit(&mut self, clock: Clock, out: &mut [u8]) -> Option<Transmit> {
        self.advance(clock);
        let transmit = self.next_transmit(out)?;
        self.counters.count_out(transmit.length);
        Some(transmit)
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub fn gauges(&self) -> ServerGauges {
        let (token_history, token_history_capacity) = self.member.history_use();
        ServerGauges {
            flows: self.live_flows,
            max_flows: self.max_flows() as usize,
            pending: self.pending.len(),
            max_pending: self.rules.max_pending as usize,
            token_history,
            token_history_capacity,
            busy: self.rules.busy,
        }
    }

    /// Largest payload that can be sealed.
    pub fn max_payload(&self) -> usize {
        PAYLOAD_BYTES_MAX
    }

    /// `None` for a stale id.
    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        self.flows.get(flow).map(Flow::stats)
    }

    /// Asserts what the top of this file promises. For tests and simulations: linear.
    pub fn check_invariants(&self) {
        let live = self.flows.values().filter(|flow| flow.is_live()).count();
        assert_eq!(live, self.live_flows);
        let shared = self.config.shared_flows.is_some();
        assert!(shared || live <= self.config.max_flows as usize);
        assert!(self.pending.len() <= PENDING_CAPACITY as usize);
        let kinds = Queued::KINDS + 1;
        assert!(self.outbox.len() <= kinds * self.flows.len() + self.pending.len());
        assert!(self.denials.len() <= DENIALS_QUEUED_MAX);
        let counters = &self.counters;
        let seen = counters.payloads_in + counters.consumed + counters.dropped_total();
        assert_eq!(counters.datagrams_in, seen);
        assert!(self.flows.values().all(|flow| flow.next_sequence < 1 << 63));
    }

    /// Time never runs backwards here, whatever the caller says.
    #[inline]
    fn advance(&mut self, clock: Clock) {
        self.now_us = self.now_us.max(clock.mono_us);
        if self.member.has_replaced() || self.admission.is_newer_than(&self.rules) {
            self.hear_others();
        }
    }

    /// What other servers of the process did: replaced flows, new settings.
    #[cold]
    fn hear_others(&mut self) {
        for flow in self.member.take_replaced() {
            self.replace(flow, FlowId::ELSEWHERE);
        }
        if self.admission.is_newer_than(&self.rules) {
            self.take_rules();
        }
    }

    /// Puts something in the outbox, once.
    fn queue(&mut self, id: FlowId, kind: u8, outgoing: Outgoing) {
        if let Some(flow) = self.flows.get_mut(id) {
            if flow.queued.set(kind) {
                self.outbox.push_back(outgoing);
            }
        }
    }

    /// After its next due time may have come nearer.
    fn arm_flow(&mut self, id: FlowId) {
        if let Some(due_us) = self.flows.get(id).map(Flow::due_us) {
            self.flows.arm(id, due_us);
        }
    }

    /// Of payloads, and of what else a client sends: its response is the longest of it.
    fn datagram_bytes_max(&self, datagram: &[u8]) -> usize {
        let has_cid = datagram.first().is_some_and(|it| prefix::has_cid(it & 15));
        let payload_bytes = self.config.max_payload_bytes + if has_cid { CID_BYTES } else { 0 };
        (payload_bytes.max(CHALLENGE_BODY_BYTES) + OVERHEAD_BYTES_MAX).min(DATAGRAM_BYTES_MAX)
    }
}

/// Slots for live flows, and some for flows that end (replaced, or with disconnects to send).
fn flow_slots(max_flows: u32) -> u32 {
    max_flows + max_flows / 4 + 64
}
