//! What a receiver tells the application.

use crate::frame::Mode;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The peer's PARAMS are known.
    Ready,
    /// A payload of a raw flow.
    Raw(Vec<u8>),
    /// `id` is 0 for a whole unreliable message, which has none.
    Message {
        channel: u8,
        mode: Mode,
        id: u16,
        data: Vec<u8>,
    },
    /// The peer closed.
    Closed { code: u16, reason: String },
    /// This side closed with 1002 and this reason.
    Violation(&'static str),
}
