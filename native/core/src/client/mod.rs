//! The client end.
//!
//! ```text
//!   requesting ──challenge──▶ responding ──keep-alive──▶ connected ──▶ closed
//!       │ denied, silence          │ denied, silence
//!       └──────────▶ next server of the token, or closed ◀───────┘
//! ```
//! One token, one attempt over its servers, one flow. Sequences never restart within it: all
//! servers of a token share its keys.

mod receive;
mod timers;
mod transmit;

use core::net::SocketAddr;
use std::collections::VecDeque;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::{SealError, TokenError};
use crate::event::{CloseReason, Event, FlowId, FlowStats, Received, Sealed, Transmit};
use crate::flow::{clamp_timeout_s, FlowCounts};
use crate::limits::{
    CHALLENGE_BODY_BYTES, DISCONNECT_REPEATS, PAYLOAD_BYTES_MAX, RECEIVE_PAYLOAD_BYTES_MAX,
    SEQUENCE_START_MASK,
};
use crate::nx::ClientNx;
use crate::path::Path;
use crate::random::Random;
use crate::replay::ReplayWindow;
use crate::seal::PacketCipher;
use crate::token::PublicToken;

#[derive(Debug)]
pub struct ClientConfig {
    /// Largest payload accepted, 1..=1300 (clamped). At most 1200 B are ever sent.
    pub max_payload_bytes: usize,
    pub nx: ClientNx,
    /// Offer X25519 with the new keys: what was recorded stays secret when the token leaks later.
    /// Costs both ends about 0.1 ms.
    pub x25519: bool,
    pub random: Random,
}

impl ClientConfig {
    pub fn new(random: Random) -> Self {
        Self {
            max_payload_bytes: PAYLOAD_BYTES_MAX,
            nx: ClientNx::default(),
            x25519: false,
            random,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Requesting,
    Responding,
    Connected,
    Closed,
}

/// A netcode 1.02 client: one connection attempt over the servers of its token, then one flow. See
/// the crate's contract.
pub struct Client {
    token: PublicToken,
    cipher: PacketCipher,
    state: State,
    server_index: usize,
    server: SocketAddr,
    /// Clamped.
    timeout_s: i32,
    max_payload_bytes: usize,
    next_sequence: u64,
    replay: ReplayWindow,
    challenge: [u8; CHALLENGE_BODY_BYTES],
    counts: FlowCounts,
    counters: Counters,
    events: VecDeque<Event>,
    started_us: u64,
    /// The last authentic packet that meant life, or when this stage began.
    last_receive_us: u64,
    last_send_us: u64,
    /// A handshake packet or keep-alive waits to be polled.
    send_queued: bool,
    disconnects_left: u8,
    now_us: u64,
}

impl Client {
    /// The flow of every client.
    pub const FLOW: FlowId = FlowId {
        slot: 0,
        generation: 1,
    };

    /// Starts with a request to the first server of the token (in `poll_transmit`).
    pub fn new(
        mut config: ClientConfig,
        connect_token: &[u8],
        clock: Clock,
    ) -> Result<Self, TokenError> {
        let token = PublicToken::read(connect_token)?;
        let server = *token
            .server_addresses
            .as_slice()
            .first()
            .ok_or(TokenError::AddressCount)?;
        Ok(Self {
            cipher: PacketCipher::new(token.protocol_id),
            state: State::Requesting,
            server_index: 0,
            server,
            timeout_s: clamp_timeout_s(token.timeout_s),
            max_payload_bytes: config.max_payload_bytes.clamp(1, RECEIVE_PAYLOAD_BYTES_MAX),
            // Random, as on the server: a restarted client with the same token repeats no nonce.
            next_sequence: config.random.next_u64() & SEQUENCE_START_MASK,
            replay: ReplayWindow::EMPTY,
            challenge: [0; CHALLENGE_BODY_BYTES],
            counts: FlowCounts::default(),
            counters: Counters::default(),
            events: VecDeque::new(),
            started_us: clock.mono_us,
            last_receive_us: clock.mono_us,
            last_send_us: clock.mono_us,
            send_queued: true,
            disconnects_left: 0,
            now_us: clock.mono_us,
            token,
        })
    }

    /// Takes one datagram, opening it in place.
    pub fn handle_datagram(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
        self.advance(clock);
        let bytes = datagram.len();
        let received = self.receive(path.canonical(), datagram);
        self.counters.count_datagram(bytes, &received);
        received
    }

    /// Seals the payload at `start..start + length` where it lies. Needs `HEADROOM` B before it and
    /// `TAG_BYTES` after it.
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

    /// Ends the attempt or the flow: redundant disconnects when connected, then `Closed`.
    pub fn close_flow(&mut self, clock: Clock, flow: FlowId) {
        self.advance(clock);
        if flow != Self::FLOW || self.state == State::Closed {
            return;
        }
        if self.state == State::Connected {
            self.disconnects_left = DISCONNECT_REPEATS;
        }
        self.close(CloseReason::Local);
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, clock: Clock) {
        self.advance(clock);
        self.run_timers();
    }

    /// When `handle_timeout` has something to do next, in monotonic µs.
    pub fn deadline_us(&self) -> Option<u64> {
        self.next_timer_us()
    }

    /// Writes the next waiting datagram to the front of `out`, which needs `DATAGRAM_BYTES_MAX` B.
    pub fn poll_transmit(&mut self, clock: Clock, out: &mut [u8]) -> Option<Transmit> {
        self.advance(clock);
        let length = self.next_transmit(out)?;
        self.counters.count_out(length);
        self.counts.sent(length);
        Some(Transmit {
            length,
            path: self.path(),
        })
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        (flow == Self::FLOW).then(|| self.counts.stats(&self.replay, self.path()))
    }

    /// `Closed` has been reported; only disconnects may still wait to be sent.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    fn path(&self) -> Path {
        Path {
            remote: self.server,
            local: None,
        }
    }

    fn advance(&mut self, clock: Clock) {
        self.now_us = self.now_us.max(clock.mono_us);
    }

    fn close(&mut self, reason: CloseReason) {
        self.state = State::Closed;
        self.send_queued = false;
        self.counters.closed += 1;
        self.events.push_back(Event::Closed {
            flow: Self::FLOW,
            reason,
            refusal: None,
        });
    }
}
