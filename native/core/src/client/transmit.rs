//! What the client sends.

use super::{Client, State};
use crate::bytes::Writer;
use crate::error::SealError;
use crate::event::{FlowId, Sealed};
use crate::limits::{
    DATAGRAM_BYTES_MAX, HEADROOM, KEEP_ALIVE_BODY_BYTES, PAYLOAD_BYTES_MAX, SEQUENCE_END,
    TAG_BYTES, VERSION,
};
use crate::prefix;

impl Client {
    pub(super) fn seal(
        &mut self,
        flow: FlowId,
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
        if flow != Self::FLOW || self.state == State::Closed {
            return Err(SealError::Stale);
        }
        if self.state != State::Connected {
            return Err(SealError::NotConnected);
        }
        let sequence = self.take_sequence().ok_or(SealError::Exhausted)?;
        let key = &self.token.client_to_server_key;
        let (start, length) = self
            .cipher
            .seal_at(key, prefix::PAYLOAD, sequence, buffer, start, length)
            .ok_or(SealError::Room)?;
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
            return self.write_sealed(prefix::DISCONNECT, &[], out);
        }
        if !core::mem::take(&mut self.send_queued) {
            return None;
        }
        self.last_send_us = self.now_us;
        match self.state {
            State::Requesting => {
                self.counters.requests_out += 1;
                self.write_request(out)
            }
            State::Responding => {
                self.counters.responses_out += 1;
                let body = self.challenge;
                self.write_sealed(prefix::RESPONSE, &body, out)
            }
            State::Connected => {
                self.counters.keep_alives_out += 1;
                self.write_sealed(prefix::KEEP_ALIVE, &[0; KEEP_ALIVE_BODY_BYTES], out)
            }
            State::Closed => None,
        }
    }

    fn write_request(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.u8(prefix::REQUEST)?;
        writer.bytes(&VERSION)?;
        writer.u64(self.token.protocol_id)?;
        writer.u64(self.token.expire_timestamp)?;
        writer.bytes(&self.token.nonce)?;
        writer.bytes(&self.token.private_data)?;
        Some(writer.written())
    }

    fn write_sealed(&mut self, kind: u8, body: &[u8], out: &mut [u8]) -> Option<usize> {
        let sequence = self.take_sequence()?;
        self.cipher
            .seal_packet(&self.token.client_to_server_key, kind, sequence, body, out)
    }

    /// One counter for all types and all servers of the token.
    fn take_sequence(&mut self) -> Option<u64> {
        if self.next_sequence >= SEQUENCE_END {
            return None;
        }
        self.next_sequence += 1;
        Some(self.next_sequence - 1)
    }
}
