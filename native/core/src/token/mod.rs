//! Connect tokens: the public API of a backend that admits clients.
//!
//! A token is 2048 B: public fields, keys for the client, and a private part of 1024 B that only
//! holders of the private key can open.

mod addresses;
mod capability;
mod private;
mod public;

use core::net::SocketAddr;

use ring::rand::{SecureRandom, SystemRandom};

pub use addresses::AddressList;
pub use capability::TokenNx;
pub use private::PrivateToken;
pub use public::PublicToken;

use crate::error::{RandomError, TokenError};
use crate::limits::{KEY_BYTES, TOKEN_BYTES, TOKEN_NONCE_BYTES, USER_DATA_BYTES};
use crate::random::Random;

/// What a backend decides about a token; nonce and keys are drawn.
#[derive(Clone, Debug)]
pub struct ConnectTokenOptions<'a> {
    pub protocol_id: u64,
    /// Shared by the backend and its game servers.
    pub private_key: &'a [u8; KEY_BYTES],
    pub client_id: u64,
    /// Addresses that a server compares with its own. Name one unless the client may choose: every
    /// server that is named shares the keys of this token.
    pub server_addresses: &'a [SocketAddr],
    /// Addresses that the client dials, where they differ (NAT, load balancer).
    pub public_addresses: Option<&'a [SocketAddr]>,
    /// Now, in seconds since 1970.
    pub create_timestamp: u64,
    /// Lifetime: how long the client may take to connect.
    pub expire_seconds: u64,
    /// Seconds without a packet before a connection is over; negative: never (development).
    pub timeout_s: i32,
    pub user_data: &'a [u8; USER_DATA_BYTES],
    pub nx: TokenNx,
}

/// Every field of a token given: for golden vectors and foreign backends.
#[derive(Clone, Debug)]
pub struct ConnectTokenFields<'a> {
    pub protocol_id: u64,
    pub private_key: &'a [u8; KEY_BYTES],
    pub client_id: u64,
    pub server_addresses: &'a [SocketAddr],
    pub public_addresses: Option<&'a [SocketAddr]>,
    pub create_timestamp: u64,
    pub expire_timestamp: u64,
    pub timeout_s: i32,
    pub user_data: &'a [u8; USER_DATA_BYTES],
    pub nx: TokenNx,
    /// Never use one twice under the same private key.
    pub nonce: &'a [u8; TOKEN_NONCE_BYTES],
    pub client_to_server_key: &'a [u8; KEY_BYTES],
    pub server_to_client_key: &'a [u8; KEY_BYTES],
}

/// 32 random bytes from the operating system.
pub fn generate_key() -> Result<[u8; KEY_BYTES], RandomError> {
    let mut key = [0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| RandomError)?;
    Ok(key)
}

/// Makes a token with fresh keys and nonce.
pub fn create_connect_token(
    options: &ConnectTokenOptions,
    random: &mut Random,
) -> Result<[u8; TOKEN_BYTES], TokenError> {
    let expire_timestamp = options
        .create_timestamp
        .checked_add(options.expire_seconds)
        .ok_or(TokenError::Times)?;
    seal_connect_token(&ConnectTokenFields {
        protocol_id: options.protocol_id,
        private_key: options.private_key,
        client_id: options.client_id,
        server_addresses: options.server_addresses,
        public_addresses: options.public_addresses,
        create_timestamp: options.create_timestamp,
        expire_timestamp,
        timeout_s: options.timeout_s,
        user_data: options.user_data,
        nx: options.nx,
        nonce: &random.bytes(),
        client_to_server_key: &random.bytes(),
        server_to_client_key: &random.bytes(),
    })
}

/// Makes a token from given fields.
pub fn seal_connect_token(fields: &ConnectTokenFields) -> Result<[u8; TOKEN_BYTES], TokenError> {
    let private = PrivateToken {
        client_id: fields.client_id,
        timeout_s: fields.timeout_s,
        server_addresses: AddressList::new(fields.server_addresses)?,
        client_to_server_key: *fields.client_to_server_key,
        server_to_client_key: *fields.server_to_client_key,
        user_data: *fields.user_data,
        nx: fields.nx,
    };
    PublicToken {
        protocol_id: fields.protocol_id,
        create_timestamp: fields.create_timestamp,
        expire_timestamp: fields.expire_timestamp,
        nonce: *fields.nonce,
        private_data: private.seal(
            fields.protocol_id,
            fields.expire_timestamp,
            fields.nonce,
            fields.private_key,
        )?,
        timeout_s: fields.timeout_s,
        server_addresses: AddressList::new(
            fields.public_addresses.unwrap_or(fields.server_addresses),
        )?,
        client_to_server_key: *fields.client_to_server_key,
        server_to_client_key: *fields.server_to_client_key,
        nx: fields.nx,
    }
    .write()
}
