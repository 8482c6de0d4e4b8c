//! HELLO, ACCEPT, CONFIRM: how a flow goes over to NX keys.
//!
//! ```text
//!   Base ──HELLO──▶ Accepted ──first datagram under the new keys──▶ Confirmed
//! ```
//! Invariant: no sequence is used twice under a key. Each key has one counter: the token's goes on
//! until CONFIRM, the new one starts at 0 there and goes on for the life of the flow.

use super::{Outgoing, Server};
use crate::bytes::Writer;
use crate::drop_reason::DropReason;
use crate::event::{FlowId, Received};
use crate::flow::{Flow, FlowState, NxState, Queued};
use crate::limits::{
    NEGOTIATIONS_MAX, NX_PAYLOAD_BYTES_MAX, OFFER_LIFETIME_US, TOKEN_KEY_GRACE_US,
};
use crate::nx::control::{
    self, Accept, Control, Hello, CONTROL_BYTES_MAX, FLAGS_NEEDED, FLAG_X25519,
};
use crate::nx::exchange::Exchange;
use crate::nx::keys::Rekey;
use crate::nx::{ConnectionId, ServerNx};
use crate::prefix::{self, Header};
use crate::replay::ReplayWindow;
use crate::side::{Offer, TokenEpoch};

use super::receive::payload_of;

impl Server {
    /// Type 7 under the token's key: HELLO, and nothing else.
    pub(super) fn handle_token_control(
        &mut self,
        id: FlowId,
        header: &Header,
        length: usize,
        datagram: &[u8],
    ) -> Result<Received, DropReason> {
        if self.config.nx == ServerNx::Off {
            return Err(DropReason::UnknownType);
        }
        let body = datagram.get(header.body..header.body + length);
        let controls = self.read_controls(id, body.unwrap_or(&[]))?;
        for control in controls {
            match control {
                Control::Hello(hello) => self.handle_hello(id, &hello)?,
                _ => return Err(DropReason::ControlUnexpected),
            }
        }
        Ok(Received::Consumed)
    }

    fn handle_hello(&mut self, id: FlowId, hello: &Hello) -> Result<(), DropReason> {
        let unexpected = DropReason::ControlUnexpected;
        let now_us = self.now_us;
        let flow = self.flows.get_mut(id).ok_or(unexpected)?;
        if !flow.is_served() {
            return Err(unexpected);
        }
        flow.last_receive_us = now_us;
        flow.state = FlowState::Open;
        self.counters.hellos_in += 1;
        if flow.nx == NxState::Accepted {
            let offer = flow.side.as_mut().and_then(|side| side.offer.as_mut());
            let offer = offer.ok_or(unexpected)?;
            // The same HELLO gets the same ACCEPT; another one is no repetition.
            if offer.client_nonce != hello.nonce {
                return Err(unexpected);
            }
            offer.hello_us = now_us;
        } else {
            let speaks = hello.version >= control::VERSION
                && hello.flags & FLAGS_NEEDED == FLAGS_NEEDED
                && usize::from(hello.max_payload) >= NX_PAYLOAD_BYTES_MAX;
            if !speaks || flow.negotiations >= NEGOTIATIONS_MAX {
                return Err(unexpected);
            }
            flow.negotiations += 1;
            self.offer(id, hello).ok_or(DropReason::ControlMalformed)?;
        }
        self.queue(id, Queued::ACCEPT, Outgoing::Accept(id));
        Ok(())
    }

    /// Draws nonce and connection id and makes the keys. `None`: a bad public key, or no entropy.
    fn offer(&mut self, id: FlowId, hello: &Hello) -> Option<()> {
        let nonce = self.random.bytes();
        let cid_random = u32::from_le_bytes(self.random.bytes());
        let cid = ConnectionId {
            worker: self.config.worker,
            slot: id.slot,
            random: cid_random,
        }
        .to_bytes();
        let (x25519, shared) = match &hello.x25519 {
            Some(theirs) => {
                let ours = Exchange::new()?;
                (Some(*ours.public()), Some(ours.agree(theirs)?))
            }
            None => (None, None),
        };
        let flow = self.flows.get_mut(id)?;
        let keys = Rekey {
            client_nonce: &hello.nonce,
            server_nonce: &nonce,
            client_to_server: flow.receive.key(),
            server_to_client: flow.send.key(),
            shared: shared.as_ref(),
            token_tag: &flow.token_tag,
            cid: &cid,
        }
        .derive()?;
        let accept = Control::Accept(Accept {
            hello: Hello {
                version: control::VERSION,
                flags: FLAGS_NEEDED | x25519.map_or(0, |_| FLAG_X25519),
                max_payload: NX_PAYLOAD_BYTES_MAX as u16,
                nonce,
                x25519,
            },
            cid,
        });
        let mut bytes = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut bytes);
        accept.write(&mut writer)?;
        let accept_length = writer.written() as u8;
        flow.cid_random = cid_random;
        flow.nx = NxState::Accepted;
        flow.side().offer = Some(Offer {
            client_nonce: hello.nonce,
            accept: bytes,
            accept_length,
            keys,
            hello_us: self.now_us,
        });
        Some(())
    }

    /// The client has used the new keys: from here on we do, and the token's open only what was
    /// overtaken.
    pub(super) fn confirm_nx(&mut self, id: FlowId, first_sequence: u64) {
        let now_us = self.now_us;
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        let Some(side) = flow.side.as_mut() else {
            return;
        };
        let Some(offer) = side.offer.take() else {
            return;
        };
        flow.counts.began_at(first_sequence);
        side.token_epoch = Some(TokenEpoch {
            receive: core::mem::replace(&mut flow.receive, offer.keys.client_to_server),
            replay: core::mem::replace(&mut flow.replay, ReplayWindow::EMPTY),
            until_us: now_us + TOKEN_KEY_GRACE_US,
        });
        side.required_by_us = None;
        flow.send = offer.keys.server_to_client;
        flow.next_sequence = 0;
        flow.nx = NxState::Confirmed;
        flow.state = FlowState::Open;
        self.counters.nx_confirmed += 1;
        // At once, so that the client sees the new keys in use.
        self.queue_keep_alive(id);
        self.arm_flow(id);
    }

    /// Types 4–7 after CONFIRM: only what was sent before it and overtaken.
    #[cold]
    pub(super) fn handle_token_epoch(
        &mut self,
        id: FlowId,
        header: &Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let (bytes, now_us) = (datagram.len(), self.now_us);
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        let side = flow.side.as_mut();
        let epoch = side
            .and_then(|side| side.token_epoch.as_mut())
            .filter(|epoch| now_us < epoch.until_us && header.kind != prefix::DISCONNECT)
            .ok_or(DropReason::TokenKeyLate)?;
        if epoch.replay.is_replayed(header.sequence) || epoch.replay.is_foreign(header.sequence) {
            return Err(DropReason::Replayed);
        }
        self.rules.check_flow(&mut flow.budget, now_us, bytes)?;
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        let Some(length) = self.cipher.open(&epoch.receive, header, sealed) else {
            return Err(self.on_failed_open(id));
        };
        epoch.replay.mark(header.sequence);
        self.rules.charge_flow(&mut flow.budget, bytes);
        let is_required = flow.nx_required;
        flow.counts.received(bytes);
        flow.counts.received_late();
        self.check_body(header, length)?;
        match header.kind {
            prefix::PAYLOAD if is_required => Err(DropReason::NxRequired),
            prefix::PAYLOAD => Ok(payload_of(id, header, length)),
            prefix::KEEP_ALIVE => {
                self.counters.keep_alives_in += 1;
                Ok(Received::Consumed)
            }
            // A HELLO that was overtaken.
            prefix::CONTROL => Ok(Received::Consumed),
            _ => Err(DropReason::UnknownType),
        }
    }
}

impl Flow {
    /// A client that goes on under the token's keys long after its last HELLO never got an ACCEPT
    /// and takes none any more.
    pub fn forget_stale_offer(&mut self, now_us: u64) {
        let Some(side) = &mut self.side else {
            return;
        };
        let hello_us = side.offer.as_ref().map(|offer| offer.hello_us);
        if hello_us.is_some_and(|at_us| now_us.saturating_sub(at_us) > OFFER_LIFETIME_US) {
            side.offer = None;
            self.nx = NxState::Base;
        }
    }
}
