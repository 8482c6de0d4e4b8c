//! Making datagrams: payloads in the caller's buffer, the protocol's own when they are polled.

use super::{Denial, Outgoing, Server};
use crate::challenge::Challenge;
use crate::error::SealError;
use crate::event::{FlowId, Sealed, Transmit};
use crate::flow::{FlowState, Queued};
use crate::limits::{
    DATAGRAM_BYTES_MAX, HEADROOM, KEEP_ALIVE_BODY_BYTES, PAYLOAD_BYTES_MAX, SEQUENCE_END, TAG_BYTES,
};
use crate::nx::control::Control;
use crate::nx::{grease, Refusal};
use crate::prefix;
use crate::seal::Envelope;

impl Server {
    pub(super) fn seal(
        &mut self,
        id: FlowId,
        buffer: &mut [u8],
        start: usize,
        length: usize,
    ) -> Result<Sealed, SealError> {
        if !(1..=PAYLOAD_BYTES_MAX).contains(&length) {
            return Err(SealError::Length);
        }
        let end = start
            .checked_add(length + TAG_BYTES)
            .ok_or(SealError::Room)?;
        if start < HEADROOM || end > buffer.len() {
            return Err(SealError::Room);
        }
        let flow = self.flows.get_mut(id).ok_or(SealError::Stale)?;
        if flow.state == FlowState::Closing {
            return Err(SealError::Stale);
        }
        if flow.awaits_nx() {
            return Err(SealError::NotConnected);
        }
        if flow.next_sequence >= SEQUENCE_END {
            return Err(SealError::Exhausted);
        }
        let sequence = flow.next_sequence;
        // Used up even if sealing fails: a sequence is never given twice.
        flow.next_sequence += 1;
        let (start, length) = self
            .cipher
            .seal_at(
                &flow.send,
                Envelope::new(prefix::PAYLOAD, sequence),
                buffer,
                start,
                length,
            )
            .ok_or(SealError::Room)?;
        flow.last_send_us = self.now_us;
        flow.counts.sent(length);
        let path = flow.route(length);
        if flow.state == FlowState::Unconfirmed {
            self.queue_keep_alive(id);
        } else if grease::is_due(sequence, flow.cid_random) {
            self.queue_grease(id);
        }
        Ok(Sealed {
            start,
            length,
            path,
        })
    }

    pub(super) fn next_transmit(&mut self, out: &mut [u8]) -> Option<Transmit> {
        debug_assert!(
            out.len() >= DATAGRAM_BYTES_MAX,
            "poll_transmit needs DATAGRAM_BYTES_MAX"
        );
        if out.len() < DATAGRAM_BYTES_MAX {
            return None;
        }
        while let Some(outgoing) = self.outbox.pop_front() {
            let transmit = match outgoing {
                Outgoing::Challenge(id) => self.write_challenge(id, out),
                Outgoing::KeepAlive(id) => self.write_keep_alive(id, out),
                Outgoing::Disconnects(id) => self.write_disconnect(id, out),
                Outgoing::Accept(id) => self.write_accept(id, out),
                Outgoing::PathChallenge(id, new) => self.write_path_challenge(id, new, out),
                Outgoing::NewCid(id) => self.write_new_cid(id, out),
                Outgoing::Grease(id) => self.write_grease(id, out),
            };
            // An entry whose flow has gone since is skipped.
            if transmit.is_some() {
                return transmit;
            }
        }
        let mut denial = self.denials.pop_front()?;
        if let Some(refusal) = denial.refusal.take() {
            let transmit = self.write_refusal(&denial, &Control::Refused(refusal), out);
            if transmit.is_some() {
                self.denials.push_front(denial);
                return transmit;
            }
        }
        self.write_denial(&denial, out)
    }

    fn write_challenge(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let pending = self.pending.get_mut(id)?;
        pending.challenge_queued = false;
        let body = self.challenger.seal(&Challenge {
            client_id: pending.client_id,
            address: pending.remote,
            token_tag: pending.token_tag,
            issued_us: self.now_us,
        })?;
        let (path, key) = (pending.path, pending.send.clone());
        let envelope = Envelope::new(prefix::CHALLENGE, self.take_global_sequence());
        let length = self.cipher.seal_packet(&key, envelope, &body, out)?;
        self.counters.challenges_out += 1;
        Some(Transmit { length, path })
    }

    fn write_denial(&mut self, denial: &Denial, out: &mut [u8]) -> Option<Transmit> {
        let envelope = Envelope::new(prefix::DENIED, self.take_global_sequence());
        let length = self.cipher.seal_packet(&denial.key, envelope, &[], out)?;
        self.counters.denials_out += 1;
        Some(Transmit {
            length,
            path: denial.path,
        })
    }

    fn write_keep_alive(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let flow = self.flows.get_mut(id)?;
        flow.queued.clear(Queued::KEEP_ALIVE);
        if !flow.is_served() {
            return None;
        }
        // Slots go a little beyond `max_flows` (flows that end keep theirs), and peers expect that
        // index < max.
        let max = self.config.max_flows.max(id.slot + 1);
        let mut body = [0; KEEP_ALIVE_BODY_BYTES];
        let (index_bytes, max_bytes) = body.split_at_mut(4);
        index_bytes.copy_from_slice(&id.slot.to_le_bytes());
        max_bytes.copy_from_slice(&max.to_le_bytes());
        let transmit = self.write_flow_packet(id, prefix::KEEP_ALIVE, &body, out)?;
        self.counters.keep_alives_out += 1;
        Some(transmit)
    }

    /// One of the redundant disconnects, or of the refusals ahead of them; the last one frees the
    /// flow.
    fn write_disconnect(&mut self, id: FlowId, out: &mut [u8]) -> Option<Transmit> {
        let flow = self.flows.get_mut(id)?;
        if flow.refusals_left > 0 {
            flow.refusals_left -= 1;
            self.outbox.push_front(Outgoing::Disconnects(id));
            self.counters.refusals_out += 1;
            return self.write_control(id, &Control::Refused(Refusal::of_replaced()), out);
        }
        flow.disconnects_left = flow.disconnects_left.saturating_sub(1);
        let is_last = flow.disconnects_left == 0;
        let transmit = self.write_flow_packet(id, prefix::DISCONNECT, &[], out);
        if is_last || transmit.is_none() {
            self.flows.remove(id);
        } else {
            self.outbox.push_front(Outgoing::Disconnects(id));
        }
        self.counters.disconnects_out += u64::from(transmit.is_some());
        transmit
    }

    pub(super) fn write_flow_packet(
        &mut self,
        id: FlowId,
        kind: u8,
        body: &[u8],
        out: &mut [u8],
    ) -> Option<Transmit> {
        let length = self.seal_flow_packet(id, kind, body, out)?;
        let path = self.flows.get_mut(id)?.route(length);
        Some(Transmit { length, path })
    }

    /// Returns the datagram's length; where it goes is up to the caller.
    pub(super) fn seal_flow_packet(
        &mut self,
        id: FlowId,
        kind: u8,
        body: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let flow = self.flows.get_mut(id)?;
        if flow.next_sequence >= SEQUENCE_END {
            return None;
        }
        let sequence = flow.next_sequence;
        flow.next_sequence += 1;
        let length =
            self.cipher
                .seal_packet(&flow.send, Envelope::new(kind, sequence), body, out)?;
        flow.last_send_us = self.now_us;
        flow.counts.sent(length);
        Some(length)
    }

    pub(super) fn take_global_sequence(&mut self) -> u64 {
        let sequence = self.global_sequence;
        self.global_sequence += 1;
        sequence
    }
}
