//! Datagrams from the server. The client trusts nothing that comes from another address, and opens
//! nothing that its state does not wait for.

use super::negotiate::Nx;
use super::{Client, State};
use crate::bytes::Reader;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, Received};
use crate::limits::{
    CHALLENGE_BODY_BYTES, FAILED_OPENS_MAX, KEEP_ALIVE_BODY_BYTES, OVERHEAD_BYTES_MAX,
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
        let bytes = datagram.len();
        let length = self.open(&header, datagram)?;
        self.counts.received(bytes);
        if self.has_window(&header) {
            self.counts.received_sequence(&self.replay, header.sequence);
            self.replay.mark(header.sequence);
        }
        let body = datagram
            .get(header.body..header.body + length)
            .unwrap_or(&[]);
        self.handle_opened(header, body)
    }

    fn check_expected(&self, kind: u8) -> Result<(), DropReason> {
        let expected = match kind {
            prefix::REQUEST | prefix::RESPONSE | prefix::NX_PAYLOAD | prefix::NX_CONTROL => {
                return Err(DropReason::UnexpectedType)
            }
            prefix::GREASE_FIRST..=prefix::GREASE_LAST => return Err(DropReason::Grease),
            prefix::DENIED => self.state != State::Connected,
            prefix::CHALLENGE => self.state == State::Requesting,
            prefix::KEEP_ALIVE => self.state != State::Requesting,
            prefix::PAYLOAD if self.state != State::Connected => {
                return Err(DropReason::NotConnected)
            }
            // A refusal may come ahead of a denial.
            prefix::CONTROL => true,
            _ => self.state == State::Connected,
        };
        if expected {
            Ok(())
        } else {
            Err(DropReason::WrongState)
        }
    }

    /// A refusal comes with the server's own sequence, as handshake packets do, and must not move
    /// the window of the flow.
    fn has_window(&self, header: &Header) -> bool {
        header.is_replay_protected()
            && self.state != State::Requesting
            && !(header.kind == prefix::CONTROL && self.state == State::Responding)
    }

    fn open(&mut self, header: &Header, datagram: &mut [u8]) -> Result<usize, DropReason> {
        if self.nx == Nx::Accepted {
            match self.open_during_switch(header, datagram) {
                Ok((length, is_new)) => {
                    if is_new {
                        self.confirm_nx(header.sequence);
                    }
                    return Ok(length);
                }
                Err(DropReason::OpenFailed) => return Err(self.on_failed_open()),
                other => return other.map(|(length, _)| length),
            }
        }
        if self.has_window(header) && self.replay.is_replayed(header.sequence) {
            return Err(DropReason::Replayed);
        }
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        match self.cipher.open(&self.receive, header, sealed) {
            Some(length) => Ok(length),
            None => Err(self.on_failed_open()),
        }
    }

    #[cold]
    fn on_failed_open(&mut self) -> DropReason {
        self.counts.failed_opens += 1;
        if self.counts.failed_opens >= FAILED_OPENS_MAX {
            self.close(CloseReason::Local);
        }
        DropReason::OpenFailed
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
                let challenge = body.first_chunk();
                let challenge = challenge.filter(|_| body.len() == CHALLENGE_BODY_BYTES);
                let dial = self.dial.as_mut().ok_or(DropReason::WrongState)?;
                dial.challenge = *challenge.ok_or(DropReason::BodyLength)?;
                dial.end_stage(self.now_us);
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
            prefix::PAYLOAD if self.awaits_nx() => Err(DropReason::NxRequired),
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
            prefix::CONTROL => {
                if self.state == State::Connected {
                    self.last_receive_us = self.now_us;
                }
                self.handle_control(body)
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
            // Whoever refused us has changed its mind.
            self.refusal = None;
            // At once, so that the server knows that we know.
            self.send_queued = true;
            if let Some(dial) = &mut self.dial {
                dial.end_stage(self.now_us);
            }
            self.begin_offer(client_index, max_flows);
        }
        Ok(Received::Consumed)
    }
}
