//! What a server is told when it is made.

use core::net::SocketAddr;
use std::sync::atomic::AtomicU32;
use std::sync::Arc;

use crate::admission::{Admission, AdmissionSettings};
use crate::error::ConfigError;
use crate::limits::{
    KEY_BYTES, MAX_FLOWS_DEFAULT, MAX_FLOWS_MAX, PAYLOAD_BYTES_MAX, RECEIVE_PAYLOAD_BYTES_MAX,
    TOKEN_HISTORY_DEFAULT,
};
use crate::nx::ServerNx;
use crate::random::Random;
use crate::registry::Registry;

#[derive(Debug)]
pub struct ServerConfig {
    pub protocol_id: u64,
    /// Shared with the backend that makes the tokens.
    pub private_key: [u8; KEY_BYTES],
    /// Addresses of which a token must name at least one; empty: any.
    pub server_addresses: Vec<SocketAddr>,
    /// Open flows; one more client is denied.
    pub max_flows: u32,
    /// When set, `max_flows` counts the flows of all servers that share this counter: the threads
    /// of one endpoint.
    pub shared_flows: Option<Arc<AtomicU32>>,
    /// Tokens remembered until they expire; one more token is refused. Choose connects per second
    /// times token lifetime. Servers of one process with the same key share the largest.
    pub token_history: usize,
    /// Longest lifetime of a token. When set, tokens that expire later than that are refused, and
    /// so are tokens that can have been issued before this process started with this key (it
    /// cannot know which of them were used). All tokens should then have exactly this lifetime.
    pub max_token_lifetime_s: Option<u32>,
    /// Accept tokens with a negative timeout (a flow that never times out).
    pub development: bool,
    /// Largest payload accepted, 1..=1300. At most 1200 B are ever sent.
    pub max_payload_bytes: usize,
    pub nx: ServerNx,
    /// Index of the I/O thread, the first byte of every connection id: [`steer`](crate::steer).
    pub worker: u8,
    pub random: Random,
    /// `None`: the registry of the process.
    pub registry: Option<Registry>,
    /// What `Server::set_admission` changes later.
    pub admission: AdmissionSettings,
    /// Buckets and settings of another server, to be shared; `admission` above is then not used.
    pub shared_admission: Option<Admission>,
}

impl ServerConfig {
    pub fn new(protocol_id: u64, private_key: [u8; KEY_BYTES], random: Random) -> Self {
        Self {
            protocol_id,
            private_key,
            server_addresses: Vec::new(),
            max_flows: MAX_FLOWS_DEFAULT,
            shared_flows: None,
            token_history: TOKEN_HISTORY_DEFAULT,
            max_token_lifetime_s: None,
            development: false,
            max_payload_bytes: PAYLOAD_BYTES_MAX,
            nx: ServerNx::default(),
            worker: 0,
            random,
            registry: None,
            admission: AdmissionSettings::default(),
            shared_admission: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=MAX_FLOWS_MAX).contains(&self.max_flows) {
            return Err(ConfigError::MaxFlows);
        }
        self.admission
            .check(self.max_flows)
            .map_err(ConfigError::Admission)?;
        if self.token_history == 0 {
            return Err(ConfigError::TokenHistory);
        }
        if !(1..=RECEIVE_PAYLOAD_BYTES_MAX).contains(&self.max_payload_bytes) {
            return Err(ConfigError::MaxPayloadBytes);
        }
        Ok(())
    }
}
