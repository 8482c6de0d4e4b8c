//! Connection requests. Nothing is stored, and nothing is answered, before the token has opened.

use super::{Denial, Outgoing, Server};
use crate::bytes::Reader;
use crate::clock::Clock;
use crate::drop_reason::DropReason;
use crate::error::TokenError;
use crate::event::Received;
use crate::flow::{clamp_timeout_s, timeout_us};
use crate::history::TokenTag;
use crate::limits::{
    DENIALS_QUEUED_MAX, PENDING_LIFETIME_US, REQUEST_BYTES, TAG_BYTES, TOKEN_PRIVATE_BYTES, VERSION,
};
use crate::nx::{Refusal, ServerNx};
use crate::path::{PackedAddress, Path};
use crate::pending::Pending;
use crate::seal::PacketKey;
use crate::token::{PrivateToken, TokenNx};

/// A request whose token has opened.
struct Request {
    token: PrivateToken,
    tag: TokenTag,
    expire_s: u64,
}

impl Server {
    pub(super) fn handle_request(
        &mut self,
        clock: Clock,
        path: Path,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let request = self.open_request(clock, datagram)?;
        let address = PackedAddress::pack(path.remote);
        let client_id = request.token.client_id;
        if let Some(flow) = self.flows.find(&address).and_then(|id| self.flows.get(id)) {
            if flow.client_id != client_id && flow.is_live() {
                return Err(DropReason::AddressConnected);
            }
        }
        let earlier = self.pending.find(&address);
        if let Some(pending) = earlier.and_then(|id| self.pending.get_mut(id)) {
            if pending.token_tag == request.tag {
                pending.path = path;
                let queued = core::mem::replace(&mut pending.challenge_queued, true);
                if let (false, Some(id)) = (queued, earlier) {
                    self.outbox.push_back(Outgoing::Challenge(id));
                }
                return Ok(Received::Consumed);
            }
            if pending.client_id != client_id {
                return Err(DropReason::AddressPending);
            }
        }
        let key = || PacketKey::of_token(request.token.server_to_client_key);
        let unspoken = match request.token.nx {
            TokenNx::Required => self.config.nx == ServerNx::Off,
            nx => nx == TokenNx::RequiredNewer,
        };
        if unspoken {
            return Err(self.deny(key(), path, request.token.nx, DropReason::NxRequired));
        }
        if let Some(reason) = self.denial_for(client_id) {
            return Err(self.deny(key(), path, request.token.nx, reason));
        }
        if earlier.is_none() && self.is_pending_full() {
            return Err(DropReason::PendingFull);
        }
        self.claim_token_at_a_price(&request.tag, address, request.expire_s, clock.unix_s)?;
        if let Some(id) = earlier {
            self.pending.remove(id);
        }
        self.begin_handshake(path, address, &request);
        Ok(Received::Consumed)
    }

    fn open_request(&self, clock: Clock, datagram: &mut [u8]) -> Result<Request, DropReason> {
        if datagram.len() != REQUEST_BYTES {
            return Err(DropReason::RequestLength);
        }
        let (head, private) = datagram
            .split_last_chunk_mut::<TOKEN_PRIVATE_BYTES>()
            .ok_or(DropReason::RequestLength)?;
        let mut reader = Reader::new(head);
        let _prefix = reader.u8().ok_or(DropReason::RequestLength)?;
        let version: &[u8; VERSION.len()] = reader.array().ok_or(DropReason::RequestLength)?;
        if *version != VERSION {
            return Err(DropReason::RequestVersion);
        }
        let protocol_id = reader.u64().ok_or(DropReason::RequestLength)?;
        if protocol_id != self.config.protocol_id {
            return Err(DropReason::RequestProtocolId);
        }
        let expire_s = reader.u64().ok_or(DropReason::RequestLength)?;
        self.check_expiry(expire_s, clock.unix_s)?;
        self.admission.take_token_open(self.now_us)?;
        let nonce = reader.array().ok_or(DropReason::RequestLength)?;
        let tag: TokenTag = *private
            .last_chunk::<TAG_BYTES>()
            .ok_or(DropReason::RequestLength)?;
        let key = &self.config.private_key;
        let token =
            PrivateToken::open(private, protocol_id, expire_s, nonce, key).map_err(|error| {
                match error {
                    TokenError::Open => DropReason::TokenOpenFailed,
                    _ => DropReason::TokenMalformed,
                }
            })?;
        if token.timeout_s < 0 && !self.config.development {
            return Err(DropReason::TokenTimeout);
        }
        let ours = &self.config.server_addresses;
        if !ours.is_empty() && !ours.iter().any(|address| token.names(*address)) {
            return Err(DropReason::TokenWrongServer);
        }
        Ok(Request {
            token,
            tag,
            expire_s,
        })
    }

    /// With a maximum lifetime, a token that can be older than this process is refused: it may have
    /// been used before, and that history is gone.
    fn check_expiry(&self, expire_s: u64, now_s: u64) -> Result<(), DropReason> {
        if expire_s <= now_s {
            return Err(DropReason::TokenExpired);
        }
        if let Some(lifetime_s) = self.config.max_token_lifetime_s {
            let lifetime_s = u64::from(lifetime_s);
            if expire_s <= self.member.start_s().saturating_add(lifetime_s) {
                return Err(DropReason::TokenBeforeStart);
            }
            if expire_s > now_s.saturating_add(lifetime_s) {
                return Err(DropReason::TokenLifetime);
            }
        }
        Ok(())
    }

    fn begin_handshake(&mut self, path: Path, address: PackedAddress, request: &Request) {
        let timeout_s = clamp_timeout_s(request.token.timeout_s);
        let lifetime_us = timeout_us(timeout_s).unwrap_or(PENDING_LIFETIME_US);
        let until_us = self.now_us + lifetime_us.min(PENDING_LIFETIME_US);
        let id = self.pending.insert(Pending {
            receive: PacketKey::of_token(request.token.client_to_server_key),
            send: PacketKey::of_token(request.token.server_to_client_key),
            client_id: request.token.client_id,
            user_data: request.token.user_data,
            token_tag: request.tag,
            nx: request.token.nx,
            remote: address,
            path,
            timeout_s,
            challenge_queued: true,
            until_us,
        });
        if let Some(id) = id {
            self.pending.arm(id, until_us);
            self.outbox.push_back(Outgoing::Challenge(id));
            self.counters.requests_accepted += 1;
        }
    }

    /// Queues a denial, and ahead of it the refusal for a client whose token says that it reads
    /// one: together smaller than what caused them. Too many at once are left unanswered.
    pub(super) fn deny(
        &mut self,
        key: PacketKey,
        path: Path,
        nx: TokenNx,
        reason: DropReason,
    ) -> DropReason {
        if self.denials.len() >= DENIALS_QUEUED_MAX {
            return DropReason::DenialsFull;
        }
        let refusal =
            refusal_of(reason, self.rules.retry_after_s).filter(|_| nx != TokenNx::Silent);
        self.denials.push_back(Denial { key, path, refusal });
        reason
    }
}

fn refusal_of(reason: DropReason, retry_after_s: u16) -> Option<Refusal> {
    let (code, retry_after_s) = match reason {
        DropReason::ServerFull => (Refusal::FULL, retry_after_s),
        DropReason::Busy => (Refusal::BUSY, retry_after_s),
        DropReason::NxRequired => (Refusal::NX_REQUIRED, 0),
        _ => return None,
    };
    Some(Refusal {
        code,
        retry_after_s,
    })
}
