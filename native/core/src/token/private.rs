//! The private part of a connect token: only the backend and the game servers can read it.

use core::net::SocketAddr;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use zeroize::Zeroize;

use super::addresses::AddressList;
use super::capability::TokenNx;
use crate::bytes::{Reader, Writer};
use crate::error::TokenError;
use crate::limits::{
    KEY_BYTES, TAG_BYTES, TOKEN_NONCE_BYTES, TOKEN_PRIVATE_BYTES, USER_DATA_BYTES, VERSION,
};

const OPEN_BYTES: usize = TOKEN_PRIVATE_BYTES - TAG_BYTES;
const ASSOCIATED_BYTES: usize = 13 + 8 + 8;

/// What a game server learns about a client that shows its token.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateToken {
    pub client_id: u64,
    /// Seconds without a packet before the connection is over; negative: never (development).
    pub timeout_s: i32,
    pub server_addresses: AddressList,
    pub client_to_server_key: [u8; KEY_BYTES],
    pub server_to_client_key: [u8; KEY_BYTES],
    pub user_data: [u8; USER_DATA_BYTES],
    pub nx: TokenNx,
}

impl PrivateToken {
    /// XChaCha20-Poly1305 under the key that backend and servers share; the associated data is
    /// VERSION ‖ protocol id ‖ expiry. The nonce must never be used twice under one key.
    pub fn seal(
        &self,
        protocol_id: u64,
        expire_timestamp: u64,
        nonce: &[u8; TOKEN_NONCE_BYTES],
        private_key: &[u8; KEY_BYTES],
    ) -> Result<[u8; TOKEN_PRIVATE_BYTES], TokenError> {
        let mut sealed = [0; TOKEN_PRIVATE_BYTES];
        let (body, tag) = sealed.split_at_mut(OPEN_BYTES);
        self.write(&mut Writer::new(body))
            .ok_or(TokenError::Length)?;
        let made = XChaCha20Poly1305::new(&(*private_key).into())
            .encrypt_inout_detached(
                &(*nonce).into(),
                &associated_data(protocol_id, expire_timestamp),
                body.into(),
            )
            .map_err(|_| TokenError::Length)?;
        tag.copy_from_slice(&made);
        Ok(sealed)
    }

    /// Opens in place (`sealed` holds the plain private part afterwards) and reads.
    pub fn open(
        sealed: &mut [u8; TOKEN_PRIVATE_BYTES],
        protocol_id: u64,
        expire_timestamp: u64,
        nonce: &[u8; TOKEN_NONCE_BYTES],
        private_key: &[u8; KEY_BYTES],
    ) -> Result<Self, TokenError> {
        let (body, tag) = sealed.split_at_mut(OPEN_BYTES);
        let tag: &[u8; TAG_BYTES] = tag.first_chunk().ok_or(TokenError::Length)?;
        XChaCha20Poly1305::new(&(*private_key).into())
            .decrypt_inout_detached(
                &(*nonce).into(),
                &associated_data(protocol_id, expire_timestamp),
                body.into(),
                &(*tag).into(),
            )
            .map_err(|_| TokenError::Open)?;
        Self::read(body)
    }

    /// Reads the opened 1008 B. Of the padding, only what it says about NX.
    pub fn read(opened: &[u8]) -> Result<Self, TokenError> {
        if opened.len() != OPEN_BYTES {
            return Err(TokenError::Length);
        }
        let mut reader = Reader::new(opened);
        let client_id = reader.u64().ok_or(TokenError::Length)?;
        let timeout_s = reader.i32().ok_or(TokenError::Length)?;
        let server_addresses = AddressList::read(&mut reader)?;
        let client_to_server_key = *reader.array().ok_or(TokenError::Length)?;
        let server_to_client_key = *reader.array().ok_or(TokenError::Length)?;
        let user_data = *reader.array().ok_or(TokenError::Length)?;
        Ok(Self {
            client_id,
            timeout_s,
            server_addresses,
            client_to_server_key,
            server_to_client_key,
            user_data,
            nx: TokenNx::read(&mut reader),
        })
    }

    pub fn names(&self, address: SocketAddr) -> bool {
        self.server_addresses.as_slice().contains(&address)
    }

    fn write(&self, writer: &mut Writer) -> Option<()> {
        writer.u64(self.client_id)?;
        writer.i32(self.timeout_s)?;
        self.server_addresses.write(writer)?;
        writer.bytes(&self.client_to_server_key)?;
        writer.bytes(&self.server_to_client_key)?;
        writer.bytes(&self.user_data)?;
        self.nx.write(writer)
    }
}

impl Drop for PrivateToken {
    fn drop(&mut self) {
        self.client_to_server_key.zeroize();
        self.server_to_client_key.zeroize();
    }
}

fn associated_data(protocol_id: u64, expire_timestamp: u64) -> [u8; ASSOCIATED_BYTES] {
    let mut data = [0; ASSOCIATED_BYTES];
    let mut writer = Writer::new(&mut data);
    let written = writer
        .bytes(&VERSION)
        .and_then(|()| writer.u64(protocol_id))
        .and_then(|()| writer.u64(expire_timestamp));
    debug_assert!(written.is_some());
    data
}
