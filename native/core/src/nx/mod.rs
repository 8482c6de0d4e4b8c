//! NX, our negotiated extension in packet types 7–9: connection ids, new keys, roaming. A peer that
//! does not know it never notices. The wire: docs/wire/nx.md.

mod cid;
pub(crate) mod control;
pub(crate) mod exchange;
pub(crate) mod grease;
pub(crate) mod keys;

pub(crate) use cid::CID_BYTES;
pub use cid::{steer, ConnectionId};

/// What a server does about NX.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ServerNx {
    /// A netcode 1.02 server and nothing else.
    Off,
    /// With clients that offer it.
    #[default]
    Allow,
    /// Payloads pass only after CONFIRM; flows without it end with [`CloseReason::NxRequired`].
    ///
    /// [`CloseReason::NxRequired`]: crate::CloseReason::NxRequired
    Require,
}

/// What a client does about NX.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientNx {
    /// A netcode 1.02 client and nothing else.
    Off,
    /// Offers it; the flow stays plain netcode with servers that do not answer.
    #[default]
    Auto,
    /// Payloads pass only under NX keys.
    Require,
}

/// Why a server that knows NX sends a client away, ahead of the denial or disconnect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// One of the constants here; others may come.
    pub code: u16,
    /// Seconds after which another attempt makes sense; 0: unknown.
    pub retry_after_s: u16,
}

impl Refusal {
    /// All flows are taken.
    pub const FULL: u16 = 1;
    /// The server takes no new clients now.
    pub const BUSY: u16 = 2;
    /// The token requires NX and this server does not speak it.
    pub const NX_REQUIRED: u16 = 3;
    /// A newer connection of the same client id has the flow's place.
    pub const REPLACED: u16 = 4;

    pub(crate) const fn of_replaced() -> Self {
        Self {
            code: Self::REPLACED,
            retry_after_s: 0,
        }
    }
}
