//! What goes in and out of an endpoint, apart from configuration.

use crate::drop_reason::DropReason;
use crate::limits::USER_DATA_BYTES;
use crate::nx::Refusal;
use crate::path::Path;

/// One connection. The generation (≥ 1) changes when the slot is freed, so a stale id never names
/// another player's flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowId {
    pub slot: u32,
    pub generation: u32,
}

impl FlowId {
    /// A flow of another endpoint of this process (see [`Event::Replaced`]).
    pub const ELSEWHERE: FlowId = FlowId {
        slot: u32::MAX,
        generation: 0,
    };
}

/// Why a flow ended. 5–8 occur on the client only, 10 on the server only.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    PeerDisconnect = 1,
    Timeout = 2,
    Local = 3,
    Replaced = 4,
    Denied = 5,
    TokenExpired = 6,
    RequestTimeout = 7,
    ResponseTimeout = 8,
    /// NX is required and was not agreed within three seconds.
    NxRequired = 9,
    /// Its source was put on the block list.
    Blocked = 10,
    /// An NX control that must not be overlooked is not known here.
    NxViolation = 11,
}

/// What became of a datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// The payload lies opened at `start..start + length` of the given datagram.
    Payload {
        flow: FlowId,
        start: usize,
        length: usize,
        sequence: u64,
    },
    /// Authentic and used up here; answers and events may be waiting.
    Consumed,
    /// Refused, counted under its reason, without any other effect.
    Dropped(DropReason),
}

/// What happened to flows, in order. `Closed` is the last event of a flow.
// `Opened` is large and rare; boxing it would cost a heap block for each connect and win nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Server: a client proved its address and token. Client: the server accepted us; there
    /// `client_id` is the client index that the server assigned and `user_data` is zero.
    Opened {
        flow: FlowId,
        client_id: u64,
        path: Path,
        user_data: [u8; USER_DATA_BYTES],
        /// Seconds without a packet after which the flow is closed; negative: never.
        timeout_s: i32,
        /// Server: its own `max_flows`. Client: what the server told.
        max_flows: u32,
    },
    /// The same client id connected anew. The old flow is served for one second more, so that a
    /// goodbye can be said on it, then it closes itself; `close_flow` closes it at once.
    /// `by` is [`FlowId::ELSEWHERE`] when the newer flow belongs to another endpoint.
    Replaced { flow: FlowId, by: FlowId },
    /// Server: an NX client proved that it receives at another address; what is sealed from now on
    /// goes there.
    Migrated {
        flow: FlowId,
        path: Path,
        /// Same host, another port, as when a NAT forgets: RTT and rate still hold.
        port_only: bool,
    },
    Closed {
        flow: FlowId,
        reason: CloseReason,
        /// Client: what the server said before it denied or disconnected, if it did.
        refusal: Option<Refusal>,
    },
}

/// A datagram written to the front of the buffer given to `poll_transmit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmit {
    pub length: usize,
    pub path: Path,
}

/// A sealed payload: the datagram is `start..start + length` of the caller's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sealed {
    pub start: usize,
    pub length: usize,
    pub path: Path,
}

/// Per-flow figures since it opened. Bytes are UDP payload bytes, headers and tags included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowStats {
    pub packets_in: u64,
    pub bytes_in: u64,
    pub packets_out: u64,
    pub bytes_out: u64,
    /// Gaps in the peer's netcode sequences, which never skip: lost, or still on the way.
    pub lost: u64,
    /// Datagrams at this flow that did not open under its key.
    pub failed_opens: u64,
    pub path: Path,
    /// NX keys are in use.
    pub nx: bool,
    /// NX keys that the flow has had; 0: those of its token.
    pub epoch: u8,
    /// Server: changes of the client's address.
    pub migrations: u32,
    /// A negotiation or a change of address is under way, or just was: the flow holds more memory.
    pub under_way: bool,
}
