//! The client end.
//!
//! ```text
//!   requesting ──challenge──▶ responding ──keep-alive──▶ connected ──▶ closed
//!       │ denied, silence          │ denied, silence
//!       └──────────▶ next server of the token, or closed ◀───────┘
//! ```
//! One token, one attempt over its servers, one flow. Sequences never restart under a key: all
//! servers of a token share its keys. `dial` is what the attempt needs, `negotiate` offers NX.

mod dial;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod negotiate;
mod nx_receive;
mod receive;
mod timers;
mod transmit;

use core::net::SocketAddr;
use std::collections::VecDeque;

use dial::Dial;
use negotiate::{Nx, Offer};
use nx_receive::Answers;

use crate::clock::Clock;
use crate::counters::{Counters, Sheet};
use crate::error::{SealError, TokenError};
use crate::event::{CloseReason, Event, FlowId, FlowStats, Received, Sealed, Transmit};
use crate::flow::{clamp_timeout_s, FlowCounts};
use crate::limits::{
    DISCONNECT_REPEATS, NX_PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX, RECEIVE_PAYLOAD_BYTES_MAX,
    SEQUENCE_START_MASK, USER_DATA_BYTES,
};
use crate::nx::{ClientNx, Refusal, CID_BYTES};
use crate::path::Path;
use crate::random::Random;
use crate::replay::ReplayWindow;
use crate::seal::{PacketCipher, PacketKey};
use crate::token::{PublicToken, TokenNx};

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
    cipher: PacketCipher,
    send: PacketKey,
    receive: PacketKey,
    replay: ReplayWindow,
    next_sequence: u64,
    server: SocketAddr,
    state: State,
    /// Clamped.
    timeout_s: i32,
    max_payload_bytes: usize,
    /// Until connected.
    dial: Option<Box<Dial>>,
    nx: Nx,
    nx_mode: ClientNx,
    x25519: bool,
    /// From the first HELLO to the server's first packet under the new keys.
    offer: Option<Box<Offer>>,
    /// Set: what is sent is sent under NX keys.
    cid: Option<[u8; CID_BYTES]>,
    cid_number: u32,
    answers: Answers,
    grease_state: u64,
    grease_queued: bool,
    refusal: Option<Refusal>,
    counts: FlowCounts,
    counters: Sheet,
    events: VecDeque<Event>,
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
        let nx_mode = match (config.nx, token.nx) {
            (ClientNx::Off, TokenNx::Required) | (_, TokenNx::RequiredNewer) => {
                return Err(TokenError::NxRequired)
            }
            (ClientNx::Auto, TokenNx::Required) => ClientNx::Require,
            (mode, _) => mode,
        };
        // Random, as on the server: a restarted client with the same token repeats no nonce.
        let next_sequence = config.random.next_u64() & SEQUENCE_START_MASK;
        Ok(Self {
            cipher: PacketCipher::new(token.protocol_id),
            send: PacketKey::of_token(token.client_to_server_key),
            receive: PacketKey::of_token(token.server_to_client_key),
            replay: ReplayWindow::EMPTY,
            next_sequence,
            server,
            state: State::Requesting,
            timeout_s: clamp_timeout_s(token.timeout_s),
            max_payload_bytes: config.max_payload_bytes.clamp(1, RECEIVE_PAYLOAD_BYTES_MAX),
            nx: Nx::None,
            nx_mode,
            x25519: config.x25519,
            offer: None,
            cid: None,
            cid_number: 0,
            answers: Answers::default(),
            grease_state: config.random.next_u64(),
            grease_queued: false,
            refusal: None,
            counts: FlowCounts::default(),
            counters: Sheet::default(),
            events: VecDeque::new(),
            last_receive_us: clock.mono_us,
            last_send_us: clock.mono_us,
            send_queued: true,
            disconnects_left: 0,
            now_us: clock.mono_us,
            dial: Some(Box::new(Dial::new(token, config.random, clock.mono_us))),
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
        if flow == Self::FLOW && self.state != State::Closed {
            self.say_goodbye(CloseReason::Local);
        }
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
        let event = self.events.pop_front();
        if self.events.is_empty() {
            // Room for the events of a handshake is more than all else that a quiet client holds.
            self.events = VecDeque::new();
        }
        event
    }

    /// Lends the client a sheet to count on, or takes it back: call it before and after each call, so
    /// that many clients have one sheet among them.
    pub fn swap_counters(&mut self, sheet: &mut Option<Box<Counters>>) {
        core::mem::swap(&mut self.counters.0, sheet);
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Largest payload that can be sealed whatever the server turns out to speak. While the flow is
    /// plain netcode, 1200 B pass.
    pub fn max_payload(&self) -> usize {
        match self.nx_mode {
            ClientNx::Off => PAYLOAD_BYTES_MAX,
            ClientNx::Auto | ClientNx::Require => NX_PAYLOAD_BYTES_MAX,
        }
    }

    pub fn flow_stats(&self, flow: FlowId) -> Option<FlowStats> {
        let is_nx = self.nx == Nx::Confirmed;
        (flow == Self::FLOW).then(|| FlowStats {
            nx: is_nx,
            epoch: u8::from(is_nx),
            under_way: self.offer.is_some(),
            ..self.counts.stats(self.path())
        })
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

    /// Payloads pass neither way before the NX keys are in use.
    fn awaits_nx(&self) -> bool {
        self.nx_mode == ClientNx::Require && self.nx != Nx::Confirmed
    }

    fn report_opened(&mut self, client_index: u32, max_flows: u32) {
        self.counters.opened += 1;
        self.events.push_back(Event::Opened {
            flow: Self::FLOW,
            client_id: u64::from(client_index),
            path: self.path(),
            user_data: [0; USER_DATA_BYTES],
            timeout_s: self.timeout_s,
            max_flows,
        });
    }

    /// Closes; a connected server is told.
    fn say_goodbye(&mut self, reason: CloseReason) {
        if self.state == State::Connected {
            self.disconnects_left = DISCONNECT_REPEATS;
        }
        self.close(reason);
    }

    fn close(&mut self, reason: CloseReason) {
        self.state = State::Closed;
        self.send_queued = false;
        self.grease_queued = false;
        self.answers = Answers::default();
        self.dial = None;
        self.offer = None;
        self.counters.closed += 1;
        self.events.push_back(Event::Closed {
            flow: Self::FLOW,
            reason,
            refusal: self.refusal.take(),
        });
    }
}
