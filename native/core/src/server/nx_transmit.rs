//! NX's own datagrams to a client: ACCEPT, path challenges, new connection ids, grease, refusals.

use super::{Denial, Server};
use crate::bytes::Writer;
use crate::event::{FlowId, Transmit};
use crate::flow::{NxState, Queued};
use crate::limits::TAG_BYTES;
use crate::nx::control::{Control, CONTROL_BYTES_MAX};
use crate::nx::{grease, ConnectionId};
use crate::prefix;
use crate::seal::Envelope;

/// Prefix, the longest sequence, a challenge with its type and length, tag.
const PATH_CHALLENGE_BYTES_MAX: usize = 1 + 8 + 2 + 8 + TAG_BYTES;

impl Server {
    pub(super) fn write_accept(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let flow = self.flows.get_mut(id)?;
        flow.queued.clear(Queued::ACCEPT);
        // Confirmed meanwhile: the client has it.
        let offer = flow.side.as_ref()?.offer.as_ref()?;
        let (accept, length) = (offer.accept, usize::from(offer.accept_length));
        self.counters.accepts_out += 1;
        self.write_flow_packet(id, prefix::CONTROL, accept.get(..length)?, out)
    }

    /// To the candidate, as far as its budget allows, or to the address it would replace.
    pub(super) fn write_path_challenge(
        &mut self,
        id: FlowId,
        to_candidate: bool,
        out: &mut [u8],
    ) -> Option<Transmit> {
        let flow = self.flows.get_mut(id)?;
        flow.queued.clear(if to_candidate {
            Queued::PATH_NEW
        } else {
            Queued::PATH_OLD
        });
        if !flow.is_served() {
            return None;
        }
        let old_path = flow.path();
        let candidate = flow.side.as_mut()?.candidate.as_mut()?;
        let (path, data) = if !to_candidate {
            (old_path, candidate.old_challenge)
        } else if candidate.spend(PATH_CHALLENGE_BYTES_MAX) {
            (candidate.path(), candidate.challenge)
        } else {
            return None;
        };
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        Control::PathChallenge(data).write(&mut writer)?;
        let body = writer.written();
        // Not by `write_control`, which would charge the candidate once more, even for what goes to
        // the old address.
        let length = self.seal_flow_packet(id, prefix::CONTROL, room.get(..body)?, out)?;
        self.counters.path_challenges_out += 1;
        Some(Transmit { length, path })
    }

    pub(super) fn write_new_cid(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let worker = self.config.worker;
        let flow = self.flows.get_mut(id)?;
        flow.queued.clear(Queued::NEW_CID);
        if !flow.is_served() {
            return None;
        }
        let new = flow.side.as_ref()?.new_cid.as_ref()?;
        let cid = ConnectionId {
            worker,
            slot: id.slot,
            random: new.random,
        }
        .to_bytes();
        let number = new.number;
        self.counters.new_cids_out += 1;
        self.write_control(id, &Control::NewCid { number, cid }, out)
    }

    pub(super) fn write_grease(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let flow = self.flows.get_mut(id)?;
        flow.queued.clear(Queued::GREASE);
        if !flow.is_served() {
            return None;
        }
        let random = &mut self.random;
        let length = grease::write(|| random.next_u64(), out)?;
        flow.counts.sent(length);
        self.counters.grease_out += 1;
        let path = flow.route(length);
        Some(Transmit { length, path })
    }

    pub(super) fn write_control(
        &mut self,
        id: FlowId,
        control: &Control,
        out: &mut [u8],
    ) -> Option<Transmit> {
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        control.write(&mut writer)?;
        let length = writer.written();
        self.write_flow_packet(id, prefix::CONTROL, room.get(..length)?, out)
    }

    /// Why, ahead of the denial, to a client that understands it. Under the token's key and with
    /// the server's own sequences, as the denial is.
    pub(super) fn write_refusal(
        &mut self,
        denial: &Denial,
        control: &Control,
        out: &mut [u8],
    ) -> Option<Transmit> {
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        control.write(&mut writer)?;
        let body = writer.written();
        let envelope = Envelope::new(prefix::CONTROL, self.take_global_sequence());
        let length = self
            .cipher
            .seal_packet(&denial.key, envelope, room.get(..body)?, out)?;
        self.counters.refusals_out += 1;
        Some(Transmit {
            length,
            path: denial.path,
        })
    }

    /// After a payload under NX keys.
    pub(super) fn queue_grease(&mut self, id: FlowId) {
        let is_nx = self
            .flows
            .get(id)
            .is_some_and(|flow| flow.nx == NxState::Confirmed);
        if is_nx {
            self.queue(id, Queued::GREASE, super::Outgoing::Grease(id));
        }
    }
}
