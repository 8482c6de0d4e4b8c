//! Connect tokens for backends: made, read and opened without an endpoint.

use ggscale_transport_core::token::{
    self, ConnectTokenFields, ConnectTokenOptions, PrivateToken, PublicToken, TokenNx,
};
use ggscale_transport_core::USER_DATA_BYTES;
use napi::bindgen_prelude::{BigInt, Uint8Array};
use napi_derive::napi;

use crate::error::{Code, Failure, Result as Checked};
use crate::napi_options::{
    addresses_of, bad_option, key_of, os_random, token_failure, u64_of, whole,
};
use crate::plant::{self, Point};

const NONCE_BYTES: usize = 24;

#[napi(object)]
pub struct CreateTokenOptions {
    pub protocol_id: BigInt,
    pub private_key: Uint8Array,
    pub client_id: BigInt,
    pub server_addresses: Vec<String>,
    pub expire_seconds: f64,
    pub timeout_seconds: i32,
    pub user_data: Option<Uint8Array>,
    /// What the client dials, where it differs from what the server compares.
    pub public_addresses: Option<Vec<String>>,
    /// `silent`, `known` (default) or `required`.
    pub nx: Option<String>,
}

#[napi(object)]
pub struct TokenFields {
    pub protocol_id: BigInt,
    pub private_key: Uint8Array,
    pub client_id: BigInt,
    pub server_addresses: Vec<String>,
    pub public_addresses: Option<Vec<String>>,
    pub create_timestamp: BigInt,
    pub expire_timestamp: BigInt,
    pub timeout_seconds: i32,
    pub user_data: Option<Uint8Array>,
    /// `silent` (default), `known` or `required`.
    pub nx: Option<String>,
    pub nonce: Uint8Array,
    pub client_to_server_key: Uint8Array,
    pub server_to_client_key: Uint8Array,
}

#[napi(object)]
pub struct PublicTokenFields {
    pub protocol_id: BigInt,
    pub create_timestamp: BigInt,
    pub expire_timestamp: BigInt,
    pub timeout_seconds: i32,
    pub server_addresses: Vec<String>,
    pub client_to_server_key: Uint8Array,
    pub server_to_client_key: Uint8Array,
}

#[napi(object)]
pub struct PrivateTokenFields {
    pub client_id: BigInt,
    pub timeout_seconds: i32,
    pub server_addresses: Vec<String>,
    pub user_data: Uint8Array,
    pub client_to_server_key: Uint8Array,
    pub server_to_client_key: Uint8Array,
}

#[napi(catch_unwind)]
pub fn generate_key() -> napi::Result<Uint8Array, Code> {
    plant::hit(Point::Function);
    let key =
        token::generate_key().map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(Uint8Array::from(key.to_vec()))
}

#[napi(catch_unwind)]
pub fn create_connect_token(options: CreateTokenOptions) -> napi::Result<Uint8Array, Code> {
    let make = || -> Checked<Vec<u8>> {
        let public = options
            .public_addresses
            .as_deref()
            .map(addresses_of)
            .transpose()?;
        let token = token::create_connect_token(
            &ConnectTokenOptions {
                protocol_id: u64_of(&options.protocol_id, "protocolId")?,
                private_key: &key_of(&options.private_key, "privateKey")?,
                client_id: u64_of(&options.client_id, "clientId")?,
                server_addresses: &addresses_of(&options.server_addresses)?,
                public_addresses: public.as_deref(),
                create_timestamp: unix_now_s(),
                expire_seconds: whole(options.expire_seconds, "expireSeconds")?,
                timeout_s: options.timeout_seconds,
                user_data: &user_data_of(options.user_data.as_ref())?,
                nx: nx_of(options.nx.as_deref(), TokenNx::Known)?,
            },
            &mut os_random()?,
        );
        Ok(token.map_err(token_failure)?.to_vec())
    };
    Ok(Uint8Array::from(make()?))
}

/// Every field given: for vectors and foreign backends.
#[napi(catch_unwind)]
pub fn seal_connect_token(fields: TokenFields) -> napi::Result<Uint8Array, Code> {
    let make = || -> Checked<Vec<u8>> {
        let public = fields
            .public_addresses
            .as_deref()
            .map(addresses_of)
            .transpose()?;
        let nonce: [u8; NONCE_BYTES] = fields
            .nonce
            .as_ref()
            .try_into()
            .map_err(|_| bad_option(format!("nonce must have {NONCE_BYTES} bytes")))?;
        let token = token::seal_connect_token(&ConnectTokenFields {
            protocol_id: u64_of(&fields.protocol_id, "protocolId")?,
            private_key: &key_of(&fields.private_key, "privateKey")?,
            client_id: u64_of(&fields.client_id, "clientId")?,
            server_addresses: &addresses_of(&fields.server_addresses)?,
            public_addresses: public.as_deref(),
            create_timestamp: u64_of(&fields.create_timestamp, "createTimestamp")?,
            expire_timestamp: u64_of(&fields.expire_timestamp, "expireTimestamp")?,
            timeout_s: fields.timeout_seconds,
            user_data: &user_data_of(fields.user_data.as_ref())?,
            nx: nx_of(fields.nx.as_deref(), TokenNx::Silent)?,
            nonce: &nonce,
            client_to_server_key: &key_of(&fields.client_to_server_key, "clientToServerKey")?,
            server_to_client_key: &key_of(&fields.server_to_client_key, "serverToClientKey")?,
        });
        Ok(token.map_err(token_failure)?.to_vec())
    };
    Ok(Uint8Array::from(make()?))
}

#[napi(catch_unwind)]
pub fn read_connect_token(token: Uint8Array) -> napi::Result<PublicTokenFields, Code> {
    let public = PublicToken::read(&token).map_err(token_failure)?;
    Ok(PublicTokenFields {
        protocol_id: BigInt::from(public.protocol_id),
        create_timestamp: BigInt::from(public.create_timestamp),
        expire_timestamp: BigInt::from(public.expire_timestamp),
        timeout_seconds: public.timeout_s,
        server_addresses: texts(public.server_addresses.as_slice()),
        client_to_server_key: Uint8Array::from(public.client_to_server_key.to_vec()),
        server_to_client_key: Uint8Array::from(public.server_to_client_key.to_vec()),
    })
}

#[napi(catch_unwind)]
pub fn open_private_token(
    token: Uint8Array,
    private_key: Uint8Array,
) -> napi::Result<PrivateTokenFields, Code> {
    let key = key_of(&private_key, "privateKey")?;
    let mut public = PublicToken::read(&token).map_err(token_failure)?;
    let (id, expire) = (public.protocol_id, public.expire_timestamp);
    let private = PrivateToken::open(&mut public.private_data, id, expire, &public.nonce, &key)
        .map_err(token_failure)?;
    Ok(PrivateTokenFields {
        client_id: BigInt::from(private.client_id),
        timeout_seconds: private.timeout_s,
        server_addresses: texts(private.server_addresses.as_slice()),
        user_data: Uint8Array::from(private.user_data.to_vec()),
        client_to_server_key: Uint8Array::from(private.client_to_server_key.to_vec()),
        server_to_client_key: Uint8Array::from(private.server_to_client_key.to_vec()),
    })
}

fn texts(addresses: &[std::net::SocketAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn user_data_of(bytes: Option<&Uint8Array>) -> Checked<[u8; USER_DATA_BYTES]> {
    let bytes: &[u8] = bytes.map_or(&[], |bytes| bytes.as_ref());
    let mut out = [0; USER_DATA_BYTES];
    match out.get_mut(..bytes.len()) {
        Some(part) => part.copy_from_slice(bytes),
        None => {
            return Err(bad_option(format!(
                "userData is at most {USER_DATA_BYTES} bytes"
            )))
        }
    }
    Ok(out)
}

fn nx_of(name: Option<&str>, default: TokenNx) -> Checked<TokenNx> {
    match name {
        None => Ok(default),
        Some("silent") => Ok(TokenNx::Silent),
        Some("known") => Ok(TokenNx::Known),
        Some("required") => Ok(TokenNx::Required),
        Some(_) => Err(bad_option("nx is 'silent', 'known' or 'required'")),
    }
}

fn unix_now_s() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
