//! The whole connect token, as the backend hands it to a client over HTTPS.

use zeroize::Zeroize;

use super::addresses::AddressList;
use super::capability::TokenNx;
use crate::bytes::{Reader, Writer};
use crate::error::TokenError;
use crate::limits::{KEY_BYTES, TOKEN_BYTES, TOKEN_NONCE_BYTES, TOKEN_PRIVATE_BYTES, VERSION};

/// What a client reads of its token; the private part stays sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicToken {
    pub protocol_id: u64,
    /// Seconds since 1970.
    pub create_timestamp: u64,
    /// Seconds since 1970; at this second the token is over.
    pub expire_timestamp: u64,
    pub nonce: [u8; TOKEN_NONCE_BYTES],
    pub private_data: [u8; TOKEN_PRIVATE_BYTES],
    pub timeout_s: i32,
    pub server_addresses: AddressList,
    pub client_to_server_key: [u8; KEY_BYTES],
    pub server_to_client_key: [u8; KEY_BYTES],
    pub nx: TokenNx,
}

impl PublicToken {
    /// Reads 2048 B. Of the padding, only what it says about NX.
    pub fn read(token: &[u8]) -> Result<Self, TokenError> {
        if token.len() != TOKEN_BYTES {
            return Err(TokenError::Length);
        }
        let mut reader = Reader::new(token);
        let version: &[u8; VERSION.len()] = reader.array().ok_or(TokenError::Length)?;
        if *version != VERSION {
            return Err(TokenError::Version);
        }
        let protocol_id = reader.u64().ok_or(TokenError::Length)?;
        let create_timestamp = reader.u64().ok_or(TokenError::Length)?;
        let expire_timestamp = reader.u64().ok_or(TokenError::Length)?;
        if create_timestamp > expire_timestamp {
            return Err(TokenError::Times);
        }
        let nonce = *reader.array().ok_or(TokenError::Length)?;
        let private_data = *reader.array().ok_or(TokenError::Length)?;
        let timeout_s = reader.i32().ok_or(TokenError::Length)?;
        let server_addresses = AddressList::read(&mut reader)?;
        let client_to_server_key = *reader.array().ok_or(TokenError::Length)?;
        let server_to_client_key = *reader.array().ok_or(TokenError::Length)?;
        Ok(Self {
            protocol_id,
            create_timestamp,
            expire_timestamp,
            nonce,
            private_data,
            timeout_s,
            server_addresses,
            client_to_server_key,
            server_to_client_key,
            nx: TokenNx::read(&mut reader),
        })
    }

    pub fn write(&self) -> Result<[u8; TOKEN_BYTES], TokenError> {
        if self.create_timestamp > self.expire_timestamp {
            return Err(TokenError::Times);
        }
        let mut token = [0; TOKEN_BYTES];
        self.write_to(&mut Writer::new(&mut token))
            .ok_or(TokenError::Length)?;
        Ok(token)
    }

    fn write_to(&self, writer: &mut Writer) -> Option<()> {
        writer.bytes(&VERSION)?;
        writer.u64(self.protocol_id)?;
        writer.u64(self.create_timestamp)?;
        writer.u64(self.expire_timestamp)?;
        writer.bytes(&self.nonce)?;
        writer.bytes(&self.private_data)?;
        writer.i32(self.timeout_s)?;
        self.server_addresses.write(writer)?;
        writer.bytes(&self.client_to_server_key)?;
        writer.bytes(&self.server_to_client_key)?;
        self.nx.write(writer)
    }
}

impl Drop for PublicToken {
    fn drop(&mut self) {
        self.client_to_server_key.zeroize();
        self.server_to_client_key.zeroize();
    }
}
