//! What every foreign peer program shares: the command line, the pattern of the payloads, the JSON
//! lines on standard output and the loop that steps a poll-driven netcode implementation.
//!
//! ```text
//! stdin  ── drive N SEED MAX, stream N SEED MAX, send N SEED MAX, disconnect ──►  loop  ──►  Peer (foreign crate)
//! stdout ◄── ready, connected, driven, streamed, sent, mismatch, disconnected, error ──┘
//! ```
//!
//! Every payload that is not an answer to `drive` or `stream` is echoed. End of standard input ends the program
//! without a word to the other side, so a peer never outlives the test that started it.

mod arguments;
mod drive;
mod json;
mod peer;

pub use arguments::{parse_hex, to_hex, Arguments};
pub use drive::{fill_payload, payload_length, Drive, Stream};
pub use json::Line;
pub use peer::{end, run, Event, Peer, Role};
