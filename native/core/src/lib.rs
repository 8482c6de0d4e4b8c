//! netcode 1.02, both ends, without IO.
//!
//! The one contract, the same for [`Server`] and [`Client`]:
//!
//! 1. mutate once (`handle_datagram`, `seal_payload`, `close_flow` or `handle_timeout`);
//! 2. drain `poll_transmit` (datagrams to send) and `poll_event` (what happened);
//! 3. sleep until `deadline_us()` or the next datagram.
//!
//! Time arrives as a [`Clock`] argument and randomness as a [`Random`]; nothing here opens a
//! socket, starts a thread or reads a clock. Bytes off the wire never panic: each refused datagram
//! has a [`DropReason`] with a name and a counter. The wire itself: docs/wire/netcode.md.

#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod admission;
mod bytes;
mod challenge;
mod client;
mod clock;
mod counters;
mod drop_reason;
mod error;
mod event;
mod flow;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod history;
mod limits;
mod nx;
mod path;
mod pending;
mod prefix;
mod random;
mod registry;
mod replay;
mod seal;
mod server;
mod side;
mod slab;
mod table;
pub mod token;
#[cfg(test)]
mod vectors;
mod wheel;

pub use admission::{
    Admission, AdmissionError, AdmissionGauges, AdmissionSettings, Cidr, CidrError, Rate,
};
pub use client::{Client, ClientConfig};
pub use clock::Clock;
pub use counters::{Counters, COUNTER_COUNT, COUNTER_NAMES};
pub use drop_reason::DropReason;
pub use error::{ConfigError, RandomError, SealError, TokenError};
pub use event::{CloseReason, Event, FlowId, FlowStats, Received, Sealed, Transmit};
pub use limits::{
    DATAGRAM_BYTES_MAX, DISCONNECT_REPEATS, HEADROOM, KEY_BYTES, NX_PAYLOAD_BYTES_MAX,
    PAYLOAD_BYTES_MAX, RECEIVE_PAYLOAD_BYTES_MAX, REQUEST_BYTES, TAG_BYTES, TOKEN_BYTES,
    TOKEN_PRIVATE_BYTES, USER_DATA_BYTES,
};
pub use nx::{steer, ClientNx, ConnectionId, Refusal, ServerNx};
pub use path::{canonical_address, canonical_ip, Path};
pub use random::Random;
pub use registry::Registry;
// For the many clients of one process; no interface for others.
#[doc(hidden)]
pub use hash::HashSeed;
pub use server::{Server, ServerConfig, ServerGauges};
#[doc(hidden)]
pub use wheel::Wheel;
