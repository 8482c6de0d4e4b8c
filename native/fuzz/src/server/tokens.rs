//! The tokens that every run hands out, made once, with keys that the forger knows.

use std::net::SocketAddr;
use std::sync::OnceLock;

use ggscale_transport_core::token::{seal_connect_token, ConnectTokenFields, TokenNx};

pub const PROTOCOL_ID: u64 = 0x6767_7363_616c_6531;
pub const PRIVATE_KEY: [u8; 32] = [0x5a; 32];
pub const UNIX_S: u64 = 1_800_000_000;
pub const EXPIRE_S: u64 = UNIX_S + 30;
pub const COUNT: usize = 4;

/// The third token is of the first one's player; the last requires NX.
const CLIENT_IDS: [u64; COUNT] = [1, 2, 1, 4];

pub fn server_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 40_000))
}

pub fn client_to_server_key(index: usize) -> [u8; 32] {
    [0x10 + index as u8; 32]
}

pub fn nonce(index: usize) -> [u8; 24] {
    [0x30 + index as u8; 24]
}

pub fn token(index: usize) -> &'static [u8; 2048] {
    static TOKENS: OnceLock<[[u8; 2048]; COUNT]> = OnceLock::new();
    &TOKENS.get_or_init(|| [0, 1, 2, 3].map(make))[index % COUNT]
}

fn make(index: usize) -> [u8; 2048] {
    seal_connect_token(&ConnectTokenFields {
        protocol_id: PROTOCOL_ID,
        private_key: &PRIVATE_KEY,
        client_id: CLIENT_IDS[index],
        server_addresses: &[server_address()],
        public_addresses: None,
        create_timestamp: UNIX_S,
        expire_timestamp: EXPIRE_S,
        timeout_s: 5,
        user_data: &[index as u8; 256],
        nx: [
            TokenNx::Known,
            TokenNx::Known,
            TokenNx::Silent,
            TokenNx::Required,
        ][index],
        nonce: &nonce(index),
        client_to_server_key: &client_to_server_key(index),
        server_to_client_key: &[0x20 + index as u8; 32],
    })
    .expect("a token")
}
