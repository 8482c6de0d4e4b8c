//! The client end.

use crate::clock::Clock;
use crate::counters::Counters;
use crate::drop_reason::DropReason;
use crate::error::{SealError, TokenError};
use crate::event::{Event, FlowId, FlowStats, Received, Sealed, Transmit};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::path::Path;
use crate::random::Random;
use crate::token::PublicToken;

#[derive(Debug)]
pub struct ClientConfig {
    /// Largest payload accepted, 1..=1300 (clamped). At most 1200 B are ever sent.
    pub max_payload_bytes: usize,
    pub random: Random,
}

impl ClientConfig {
    pub fn new(random: Random) -> Self {
        Self {
            max_payload_bytes: PAYLOAD_BYTES_MAX,
            random,
        }
    }
}

/// A netcode 1.02 client: one connection attempt over the servers of its token, then one flow. See
/// the crate's contract.
pub struct Client {
    counters: Counters,
}

impl Client {
    /// The flow of every client.
    pub const FLOW: FlowId = FlowId {
        slot: 0,
        generation: 1,
    };

    /// Starts with a request to the first server of the token (in `poll_transmit`).
    pub fn new(_: ClientConfig, connect_token: &[u8], _: Clock) -> Result<Self, TokenError> {
        PublicToken::read(connect_token)?;
        Ok(Self {
            counters: Counters::default(),
        })
    }

    pub fn handle_datagram(&mut self, _: Clock, _: Path, _: &mut [u8]) -> Received {
        Received::Dropped(DropReason::TooShort)
    }

    pub fn seal_payload(
        &mut self,
        _clock: Clock,
        _flow: FlowId,
        _buffer: &mut [u8],
        _start: usize,
        _length: usize,
    ) -> Result<Sealed, SealError> {
        Err(SealError::NotConnected)
    }

    pub fn close_flow(&mut self, _clock: Clock, _flow: FlowId) {}

    pub fn handle_timeout(&mut self, _clock: Clock) {}

    pub fn deadline_us(&self) -> Option<u64> {
        None
    }

    pub fn poll_transmit(&mut self, _clock: Clock, _out: &mut [u8]) -> Option<Transmit> {
        None
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub fn flow_stats(&self, _flow: FlowId) -> Option<FlowStats> {
        None
    }

    /// Nothing more will happen: `Closed` has been reported.
    pub fn is_closed(&self) -> bool {
        false
    }
}
