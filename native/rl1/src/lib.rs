//! A receiver of RL1, written from `docs/wire/rl1.md` and nothing else.
//!
//! It exists to be compared: with the golden vectors in `test/vectors/rl1`, and, packet by packet, with
//! `src/protocol` under the fuzzer (`test/fuzz`). Where the two disagree one of three is wrong, and the
//! document decides which. Therefore it shares no code and no design with `src/protocol`, copies freely
//! and prefers the obvious to the fast. It answers bytes only: no timers, no sending.
//!
//! ```text
//! payload ─▶ Receiver::handle ─▶ params | header ─▶ Received (number) ─▶ frames, all of them
//!                                         ─▶ Sent (ack block) ─▶ rule (messages and state)
//!            at any step so far: Err(Reason), and nothing has changed
//!                                         ─▶ Delivery, frame by frame ─▶ events
//! ```
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

pub mod delivery;
pub mod event;
pub mod frame;
pub mod header;
pub mod lane;
pub mod loose;
pub mod mirror;
pub mod params;
pub mod pieces;
pub mod reader;
pub mod reason;
pub mod received;
pub mod receiver;
pub mod rule;
pub mod script;
pub mod sent;

pub use event::Event;
pub use params::{Limits, Params, Side};
pub use reason::Reason;
pub use receiver::Receiver;

/// Signed distance of two serial numbers: a is newer than b when it is above 0 (rl1.md, Conventions).
#[must_use]
pub fn distance(a: u16, b: u16) -> i16 {
    i16::from_le_bytes(a.wrapping_sub(b).to_le_bytes())
}
