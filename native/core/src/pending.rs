//! A half-open handshake: a token has opened, the address is not proven yet.

use crate::history::TokenTag;
use crate::limits::{KEY_BYTES, USER_DATA_BYTES};
use crate::path::{PackedAddress, Path};
use crate::table::Addressed;

pub(crate) struct Pending {
    pub receive_key: [u8; KEY_BYTES],
    pub send_key: [u8; KEY_BYTES],
    pub client_id: u64,
    pub user_data: [u8; USER_DATA_BYTES],
    pub token_tag: TokenTag,
    pub remote: PackedAddress,
    /// Where the last request arrived; the challenge leaves from there.
    pub path: Path,
    /// Clamped.
    pub timeout_s: i32,
    pub challenge_queued: bool,
}

impl Addressed for Pending {
    fn remote(&self) -> PackedAddress {
        self.remote
    }
}
