//! What the client sends.

use super::{Client, State};
use crate::bytes::Writer;
use crate::error::SealError;
use crate::event::{FlowId, Sealed};
use crate::limits::{
    DATAGRAM_BYTES_MAX, HEADROOM, KEEP_ALIVE_BODY_BYTES, NX_PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX,
    SEQUENCE_END, TAG_BYTES, VERSION,
};
use crate::nx::control::{Control, CONTROL_BYTES_MAX};
use crate::nx::{grease, ConnectionId};
use crate::prefix;
use crate::seal::Envelope;

impl Client {
    pub(super) fn seal(
        &mut self,
        flow: FlowId,
        buffer: &mut [u8],
        start: usize,
        length: usize,
    ) -> Result<Sealed, SealError> {
        let (kind, max) = match self.cid {
            None => (prefix::PAYLOAD, PAYLOAD_BYTES_MAX),
            Some(_) => (prefix::NX_PAYLOAD, NX_PAYLOAD_BYTES_MAX),
        };
        if !(1..=max).contains(&length) {
            return Err(SealError::Length);
        }
        let end = start
            .checked_add(length + TAG_BYTES)
            .ok_or(SealError::Room)?;
        if start < HEADROOM || end > buffer.len() {
            return Err(SealError::Room);
        }
        if flow != Self::FLOW || self.state == State::Closed {
            return Err(SealError::Stale);
        }
        if self.state != State::Connected || self.awaits_nx() {
            return Err(SealError::NotConnected);
        }
        let sequence = self.take_sequence().ok_or(SealError::Exhausted)?;
        let envelope = Envelope {
            kind,
            cid: self.cid,
            sequence,
        };
        let (start, length) = self
            .cipher
            .seal_at(&self.send, envelope, buffer, start, length)
            .ok_or(SealError::Room)?;
        if let Some(cid) = self.cid {
            let phase = ConnectionId::from_bytes(cid).random;
            self.grease_queued |= grease::is_due(sequence, phase);
        }
        self.last_send_us = self.now_us;
        self.counts.sent(length);
        Ok(Sealed {
            start,
            length,
            path: self.path(),
        })
    }

    pub(super) fn next_transmit(&mut self, out: &mut [u8]) -> Option<usize> {
        debug_assert!(
            out.len() >= DATAGRAM_BYTES_MAX,
            "poll_transmit needs DATAGRAM_BYTES_MAX"
        );
        if out.len() < DATAGRAM_BYTES_MAX {
            return None;
        }
        if self.disconnects_left > 0 {
            self.disconnects_left -= 1;
            self.counters.disconnects_out += 1;
            return match self.cid {
                None => self.write_sealed(prefix::DISCONNECT, &[], out),
                Some(_) => self.write_control(&Control::Disconnect, out),
            };
        }
        if core::mem::take(&mut self.send_queued) {
            self.last_send_us = self.now_us;
            return self.write_stage(out);
        }
        if let Some(control) = self.take_offer() {
            // A HELLO is no sign of life to a server that does not know it.
            if self.cid.is_some() {
                self.last_send_us = self.now_us;
            }
            return self.write_control(&control, out);
        }
        if self.answers.are_waiting() {
            self.last_send_us = self.now_us;
            return self.write_answers(out);
        }
        if core::mem::take(&mut self.grease_queued) {
            self.counters.grease_out += 1;
            let state = &mut self.grease_state;
            return grease::write(|| grease::step(state), out);
        }
        None
    }

    /// What the state repeats: request, response or keep-alive.
    fn write_stage(&mut self, out: &mut [u8]) -> Option<usize> {
        let now_us = self.now_us;
        if let Some(dial) = &mut self.dial {
            dial.stage_sent_us.get_or_insert(now_us);
        }
        match self.state {
            State::Requesting => {
                self.counters.requests_out += 1;
                self.write_request(out)
            }
            State::Responding => {
                self.counters.responses_out += 1;
                let body = self.dial.as_ref()?.challenge;
                self.write_sealed(prefix::RESPONSE, &body, out)
            }
            State::Connected => {
                self.counters.keep_alives_out += 1;
                match self.cid {
                    None => self.write_sealed(prefix::KEEP_ALIVE, &[0; KEEP_ALIVE_BODY_BYTES], out),
                    Some(_) => self.write_control_packet(&[], out),
                }
            }
            State::Closed => None,
        }
    }

    fn write_request(&self, out: &mut [u8]) -> Option<usize> {
        let token = &self.dial.as_ref()?.token;
        let mut writer = Writer::new(out);
        writer.u8(prefix::REQUEST)?;
        writer.bytes(&VERSION)?;
        writer.u64(token.protocol_id)?;
        writer.u64(token.expire_timestamp)?;
        writer.bytes(&token.nonce)?;
        writer.bytes(&token.private_data)?;
        Some(writer.written())
    }

    fn write_control(&mut self, control: &Control, out: &mut [u8]) -> Option<usize> {
        let mut room = [0; CONTROL_BYTES_MAX];
        let mut writer = Writer::new(&mut room);
        control.write(&mut writer)?;
        let length = writer.written();
        self.write_control_packet(room.get(..length)?, out)
    }

    /// Type 9 under the new key, type 7 under the token's.
    pub(super) fn write_control_packet(&mut self, body: &[u8], out: &mut [u8]) -> Option<usize> {
        let kind = match self.cid {
            None => prefix::CONTROL,
            Some(_) => prefix::NX_CONTROL,
        };
        self.write_sealed(kind, body, out)
    }

    fn write_sealed(&mut self, kind: u8, body: &[u8], out: &mut [u8]) -> Option<usize> {
        let envelope = Envelope {
            kind,
            cid: self.cid,
            sequence: self.take_sequence()?,
        };
        self.cipher.seal_packet(&self.send, envelope, body, out)
    }

    /// One counter for all types of a key.
    fn take_sequence(&mut self) -> Option<u64> {
        if self.next_sequence >= SEQUENCE_END {
            return None;
        }
        self.next_sequence += 1;
        Some(self.next_sequence - 1)
    }
}
