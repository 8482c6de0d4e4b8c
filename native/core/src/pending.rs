//! A half-open handshake: a token has opened, the address is not proven yet.

use crate::history::TokenTag;
use crate::limits::USER_DATA_BYTES;
use crate::path::{PackedAddress, Path};
use crate::seal::PacketKey;
use crate::table::Addressed;
use crate::token::TokenNx;

pub(crate) struct Pending {
    pub receive: PacketKey,
    pub send: PacketKey,
    pub client_id: u64,
    pub user_data: [u8; USER_DATA_BYTES],
    pub token_tag: TokenTag,
    pub nx: TokenNx,
    pub remote: PackedAddress,
    /// Where the last request arrived; the challenge leaves from there.
    pub path: Path,
    /// Clamped.
    pub timeout_s: i32,
    pub challenge_queued: bool,
    pub until_us: u64,
}

impl Addressed for Pending {
    fn remote(&self) -> PackedAddress {
        self.remote
    }
}
