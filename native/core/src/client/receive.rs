//! Datagrams from the server. The client trusts nothing that comes from another address, and opens
//! nothing that its state does not wait for.

use super::{Client, State};
use crate::bytes::Reader;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, Event, Received};
use crate::limits::{
    CHALLENGE_BODY_BYTES, FAILED_OPENS_MAX, KEEP_ALIVE_BODY_BYTES, OVERHEAD_BYTES_MAX,
    USER_DATA_BYTES,
};
use crate::path::Path;
use crate::prefix::{self, Header};

impl Client {
    pub(super) fn receive(&mut self, path: Path, datagram: &mut [u8]) -> Received {
        self.try_receive(path, datagram)
            .unwrap_or_else(Received::Dropped)
    }

    fn try_receive(&mut self, path: Path, datagram: &mut [u8]) -> Result<Received, DropReason> {
        if self.state == State::Closed {
            return Err(DropReason::FlowClosed);
        }
        if path.remote != self.server {
            return Err(DropReason::WrongSource);
        }
        if datagram.first() == Some(&prefix::REQUEST) {
            return Err(DropReason::UnexpectedType);
        }
        if datagram.len() > self.max_payload_bytes.max(CHALLENGE_BODY_BYTES) + OVERHEAD_BYTES_MAX {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        self.check_expected(header.kind)?;
        if header.is_replay_protected() && self.replay.is_replayed(header.sequence) {
            return Err(DropReason::Replayed);
        }
        let bytes = datagram.len();
        let length = self.open(header, datagram)?;
        self.counts.received(bytes);
        if header.is_replay_protected() {
            self.replay.mark(header.sequence);
            self.counts.received_sequence(header.sequence);
        }
        let body = datagram
            .get(header.body..header.body + length)
            .unwrap_or(&[]);
        self.handle_opened(header, body)
    }

    fn check_expected(&self, kind: u8) -> Result<(), DropReason> {
        let expected = match kind {
            prefix::REQUEST | prefix::RESPONSE => return Err(DropReason::UnexpectedType),
            prefix::DENIED => self.state != State::Connected,
            prefix::CHALLENGE => self.state == State::Requesting,
            prefix::KEEP_ALIVE => self.state != State::Requesting,
            prefix::PAYLOAD if self.state != State::Connected => {
                return Err(DropReason::NotConnected)
            }
            // Disconnects, and the seam for types 7–15.
            _ => self.state == State::Connected,
        };
        if expected {
            Ok(())
        } else {
            Err(DropReason::WrongState)
        }
    }

    fn open(&mut self, header: Header, datagram: &mut [u8]) -> Result<usize, DropReason> {
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        let key = &self.token.server_to_client_key;
        let opened = self
            .cipher
            .open(key, header.sequence, header.prefix, sealed);
        if let Some(length) = opened {
            return Ok(length);
        }
        self.counts.failed_opens += 1;
        if self.counts.failed_opens >= FAILED_OPENS_MAX {
            self.close(CloseReason::Local);
        }
        Err(DropReason::OpenFailed)
    }

    fn handle_opened(&mut self, header: Header, body: &[u8]) -> Result<Received, DropReason> {
        match header.kind {
            prefix::DENIED | prefix::DISCONNECT if !body.is_empty() => Err(DropReason::BodyLength),
            prefix::DENIED => {
                self.counters.denials_in += 1;
                self.try_next_server(CloseReason::Denied);
                Ok(Received::Consumed)
            }
            prefix::CHALLENGE => {
                self.challenge = *body
                    .first_chunk()
                    .filter(|_| body.len() == CHALLENGE_BODY_BYTES)
                    .ok_or(DropReason::BodyLength)?;
                self.counters.challenges_in += 1;
                self.state = State::Responding;
                self.last_receive_us = self.now_us;
                self.send_queued = true;
                Ok(Received::Consumed)
            }
            prefix::KEEP_ALIVE => self.handle_keep_alive(body),
            prefix::PAYLOAD if body.is_empty() => Err(DropReason::PayloadEmpty),
            prefix::PAYLOAD if body.len() > self.max_payload_bytes => {
                Err(DropReason::PayloadTooLarge)
            }
            prefix::PAYLOAD => {
                self.last_receive_us = self.now_us;
                let (start, length) = (header.body, body.len());
                let sequence = header.sequence;
                Ok(Received::Payload {
                    flow: Self::FLOW,
                    start,
                    length,
                    sequence,
                })
            }
            prefix::DISCONNECT => {
                self.counters.disconnects_in += 1;
                self.close(CloseReason::PeerDisconnect);
                Ok(Received::Consumed)
            }
            _ => Err(DropReason::UnknownType),
        }
    }

    fn handle_keep_alive(&mut self, body: &[u8]) -> Result<Received, DropReason> {
        if body.len() != KEEP_ALIVE_BODY_BYTES {
            return Err(DropReason::BodyLength);
        }
        let mut reader = Reader::new(body);
        let client_index = reader.u32().ok_or(DropReason::BodyLength)?;
        let max_flows = reader.u32().ok_or(DropReason::BodyLength)?;
        self.counters.keep_alives_in += 1;
        self.last_receive_us = self.now_us;
        if self.state == State::Responding {
            self.state = State::Connected;
            // At once, so that the server knows that we know.
            self.send_queued = true;
            self.counters.opened += 1;
            self.events.push_back(Event::Opened {
                flow: Self::FLOW,
                client_id: u64::from(client_index),
                path: self.path(),
                user_data: [0; USER_DATA_BYTES],
                timeout_s: self.timeout_s,
                max_flows,
            });
        }
        Ok(Received::Consumed)
    }
}
