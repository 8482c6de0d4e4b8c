//! The server end.

mod config;

pub use config::ServerConfig;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::drop_reason::DropReason;
use crate::error::{ConfigError, SealError};
use crate::event::{Event, FlowId, FlowStats, Received, Sealed, Transmit};
use crate::path::Path;

/// How full the server's tables are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerGauges {
    pub flows: usize,
    pub max_flows: usize,
    pub pending: usize,
    pub max_pending: usize,
    /// Of all servers of the process with this private key and protocol id.
    pub token_history: usize,
    pub token_history_capacity: usize,
}

/// A netcode 1.02 server. See the crate's contract.
pub struct Server {
    counters: Counters,
}

impl Server {
    pub fn new(config: ServerConfig, _clock: Clock) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            counters: Counters::default(),
        })
    }

    /// Takes one datagram, opening it in place.
    pub fn handle_datagram(&mut self, _: Clock, _: Path, _: &mut [u8]) -> Received {
        Received::Dropped(DropReason::TooShort)
    }

    /// Seals the payload at `start..start + length` where it lies. Needs `HEADROOM` B before it and
    /// `TAG_BYTES` after it. Send what `poll_transmit` holds before the sealed datagrams: while a
    /// client is unconfirmed, a keep-alive goes ahead of each payload.
    pub fn seal_payload(
        &mut self,
        _clock: Clock,
        _flow: FlowId,
        _buffer: &mut [u8],
        _start: usize,
        _length: usize,
    ) -> Result<Sealed, SealError> {
        Err(SealError::Stale)
    }

    /// Ends a flow: redundant disconnects to the client, then `Closed` with reason `Local`
    /// (`Replaced` after a replacement). A stale id does nothing.
    pub fn close_flow(&mut self, _clock: Clock, _flow: FlowId) {}

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, _clock: Clock) {}

    /// When `handle_timeout` has something to do next, in monotonic µs.
    pub fn deadline_us(&self) -> Option<u64> {
        None
    }

    /// Writes the next waiting datagram; `out` needs `DATAGRAM_BYTES_MAX` B.
    pub fn poll_transmit(&mut self, _clock: Clock, _out: &mut [u8]) -> Option<Transmit> {
        None
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub fn gauges(&self) -> ServerGauges {
        ServerGauges {
            flows: 0,
            max_flows: 0,
            pending: 0,
            max_pending: 0,
            token_history: 0,
            token_history_capacity: 0,
        }
    }

    /// `None` for a stale id.
    pub fn flow_stats(&self, _flow: FlowId) -> Option<FlowStats> {
        None
    }
}
