//! Connection responses: the client shows that it receives at its address.

use super::{Outgoing, Server};
use crate::admission::FlowBudget;
use crate::challenge::Challenge;
use crate::drop_reason::DropReason;
use crate::event::{Event, FlowId, Received};
use crate::flow::{Flow, FlowCounts, FlowState, NxState, Queued};
use crate::limits::{
    CHALLENGE_BODY_BYTES, NX_REQUIRED_WAIT_US, PENDING_LIFETIME_US, SEQUENCE_START_MASK,
};
use crate::nx::ServerNx;
use crate::path::{pack_local, PackedAddress, Path};
use crate::prefix::Header;
use crate::replay::ReplayWindow;
use crate::side::Side;
use crate::token::TokenNx;

impl Server {
    pub(super) fn handle_response(
        &mut self,
        path: Path,
        address: PackedAddress,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        if let Some(id) = self.pending.find(&address) {
            return self.handle_first_response(id, path, address, header, datagram);
        }
        match self.flows.find(&address) {
            Some(id) => self.handle_repeated_response(id, header, datagram),
            None => Err(DropReason::UnknownAddress),
        }
    }

    fn handle_first_response(
        &mut self,
        id: FlowId,
        path: Path,
        address: PackedAddress,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let pending = self.pending.get(id).ok_or(DropReason::UnknownAddress)?;
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        let opened = self.cipher.open(&pending.receive, &header, sealed);
        let body = sealed.get_mut(..opened.ok_or(DropReason::OpenFailed)?);
        let challenge = self.open_challenge(body.ok_or(DropReason::TooShort)?)?;
        if challenge.address != address
            || challenge.token_tag != pending.token_tag
            || challenge.client_id != pending.client_id
        {
            return Err(DropReason::ChallengeMismatch);
        }
        let (key, nx) = (pending.send.clone(), pending.nx);
        if let Some(reason) = self.denial_for(challenge.client_id) {
            return Err(self.deny(key, path, nx, reason));
        }
        if !self.claim_place(challenge.client_id) {
            return Err(self.deny(key, path, nx, DropReason::ServerFull));
        }
        let consumed = self.member.consume_token(&challenge.token_tag, address);
        match consumed {
            Ok(()) => self.open_flow(id, path, header.sequence),
            Err(_) => self.release_place(),
        }
        // Its challenge can never be answered again.
        self.pending.remove(id);
        consumed.map(|()| Received::Consumed)
    }

    /// The first keep-alive may have been lost: as long as the client is unconfirmed, each repeated
    /// response is answered with one. It proves no life (responses can be replayed).
    fn handle_repeated_response(
        &mut self,
        id: FlowId,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let flow = self.flows.get(id).ok_or(DropReason::UnknownAddress)?;
        if flow.state != FlowState::Unconfirmed {
            return Err(DropReason::ResponseRepeated);
        }
        let token_tag = flow.token_tag;
        let length = self.open_with_flow_key(id, &header, datagram)?;
        let body = datagram.get_mut(header.body..header.body + length);
        let challenge = self.open_challenge(body.ok_or(DropReason::TooShort)?)?;
        if challenge.token_tag != token_tag {
            return Err(DropReason::ChallengeMismatch);
        }
        self.queue_keep_alive(id);
        Ok(Received::Consumed)
    }

    fn open_challenge(&self, body: &mut [u8]) -> Result<Challenge, DropReason> {
        if body.len() != CHALLENGE_BODY_BYTES {
            return Err(DropReason::BodyLength);
        }
        let challenge = self
            .challenger
            .open(body)
            .ok_or(DropReason::ChallengeOpenFailed)?;
        if self.now_us.saturating_sub(challenge.issued_us) > PENDING_LIFETIME_US {
            return Err(DropReason::ChallengeExpired);
        }
        Ok(challenge)
    }

    /// The place in `max_flows` is claimed already. `first` is the sequence of the response: it answers
    /// our challenge, so this is where the client's counter stands now, whatever was recorded of the
    /// token before a restart.
    fn open_flow(&mut self, pending: FlowId, path: Path, first: u64) {
        let now_us = self.now_us;
        let sequence = self.random.next_u64() & SEQUENCE_START_MASK;
        let Some(pending) = self.pending.get(pending) else {
            return;
        };
        let (client_id, timeout_s) = (pending.client_id, pending.timeout_s);
        let user_data = pending.user_data;
        let nx_required = self.config.nx == ServerNx::Require
            || (self.config.nx == ServerNx::Allow && pending.nx == TokenNx::Required);
        let side = nx_required.then(|| Box::new(Side::requiring_nx(now_us + NX_REQUIRED_WAIT_US)));
        let flow = Flow {
            receive: pending.receive.clone(),
            send: pending.send.clone(),
            replay: ReplayWindow::beginning_at(first),
            next_sequence: sequence,
            client_id,
            last_receive_us: now_us,
            last_send_us: now_us,
            counts: FlowCounts::default(),
            budget: FlowBudget::default(),
            side,
            remote: pending.remote,
            local: pack_local(path.local),
            token_tag: pending.token_tag,
            cid_random: 0,
            migrations: 0,
            timeout_s,
            state: FlowState::Unconfirmed,
            nx: NxState::Base,
            nx_required,
            negotiations: 0,
            queued: Queued::default(),
            hears_refusals: pending.nx != TokenNx::Silent,
            refusals_left: 0,
            disconnects_left: 0,
        };
        // A flow at this very address is of the same client id and about to be replaced, or it was
        // replaced already.
        let same_address = self.flows.find(&flow.remote);
        if let Some(old) = same_address {
            self.flows.unmap(old);
        }
        let due_us = flow.due_us();
        let Some(id) = self.flows.insert(flow) else {
            return self.release_place();
        };
        self.flows.arm(id, due_us);
        self.counters.responses_accepted += 1;
        self.counters.opened += 1;
        let max_flows = self.config.max_flows;
        self.events.push_back(Event::Opened {
            flow: id,
            client_id,
            path,
            user_data,
            timeout_s,
            max_flows,
        });
        let same_client = self.member.claim_client(client_id, id);
        for old in [same_address, same_client].into_iter().flatten() {
            self.replace(old, id);
        }
        self.queue_keep_alive(id);
    }

    pub(super) fn queue_keep_alive(&mut self, id: FlowId) {
        self.queue(id, Queued::KEEP_ALIVE, Outgoing::KeepAlive(id));
    }
}
