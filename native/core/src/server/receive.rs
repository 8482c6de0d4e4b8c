//! From a datagram to its flow or handshake.

use super::Server;
use crate::clock::Clock;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, FlowId, Received};
use crate::flow::{Flow, FlowState, NxState};
use crate::limits::{FAILED_OPENS_MAX, KEEP_ALIVE_BODY_BYTES, TAG_BYTES};
use crate::nx::ConnectionId;
use crate::path::{PackedAddress, Path};
use crate::prefix::{self, Header};

impl Server {
    /// Reads what this datagram's flow will be asked for, if its connection id says which that is.
    /// Over a batch the memory of many flows is fetched at once then, instead of one after the other.
    /// Changes nothing, and the number means nothing; keep it from being optimised away.
    #[inline]
    pub fn touch(&self, datagram: &[u8]) -> u64 {
        let [prefix, cid @ ..] = datagram else {
            return 0;
        };
        if !matches!(prefix & 15, prefix::NX_PAYLOAD | prefix::NX_CONTROL) {
            return 0;
        }
        let slot = cid
            .first_chunk()
            .map(|cid| ConnectionId::from_bytes(*cid).slot);
        let flow = slot.and_then(|slot| self.flows.at(slot));
        flow.map_or(0, Flow::touch)
    }

    pub(super) fn receive(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
        if path.remote.port() == 0 {
            return Received::Dropped(DropReason::WrongSource);
        }
        if self.rules.blocks(path.remote.ip()) {
            return Received::Dropped(DropReason::Blocked);
        }
        let result = match datagram.first() {
            Some(&prefix::REQUEST) => self.handle_request(clock, path, datagram),
            _ => self.handle_sealed(path, datagram),
        };
        result.unwrap_or_else(Received::Dropped)
    }

    fn handle_sealed(&mut self, path: Path, datagram: &mut [u8]) -> Result<Received, DropReason> {
        if datagram.len() > self.datagram_bytes_max(datagram) {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        match header.kind {
            prefix::NX_PAYLOAD | prefix::NX_CONTROL => {
                return self.handle_nx_packet(&path, &header, datagram)
            }
            prefix::REQUEST | prefix::DENIED | prefix::CHALLENGE => {
                return Err(DropReason::UnexpectedType)
            }
            prefix::GREASE_FIRST..=prefix::GREASE_LAST => return Err(DropReason::Grease),
            _ => {}
        }
        let address = PackedAddress::pack(path.remote);
        if header.kind == prefix::RESPONSE {
            return self.handle_response(path, address, header, datagram);
        }
        match self.flows.find(&address) {
            Some(flow) => self.handle_flow_packet(flow, &path, header, datagram),
            None if self.pending.find(&address).is_some() => Err(DropReason::NotConnected),
            None => Err(DropReason::UnknownAddress),
        }
    }

    /// Types 4–7 and 15 under the token's key.
    fn handle_flow_packet(
        &mut self,
        id: FlowId,
        path: &Path,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let bytes = datagram.len();
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        if flow.nx == NxState::Confirmed {
            return self.handle_token_epoch(id, &header, datagram);
        }
        if flow.replay.is_replayed(header.sequence) || flow.replay.is_foreign(header.sequence) {
            return Err(DropReason::Replayed);
        }
        // A goodbye is always heard; one that opens ends the flow.
        let is_charged = header.kind != prefix::DISCONNECT || bytes != header.body + TAG_BYTES;
        if is_charged {
            self.rules
                .check_flow(&mut flow.budget, self.now_us, bytes)?;
        }
        let length = self.open_with_flow_key(id, &header, datagram)?;
        let now_us = self.now_us;
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        if is_charged {
            self.rules.charge_flow(&mut flow.budget, bytes);
        }
        flow.counts.received(bytes);
        flow.counts.received_sequence(&flow.replay, header.sequence);
        flow.replay.mark(header.sequence);
        flow.set_local(path);
        if flow.nx == NxState::Accepted {
            flow.forget_stale_offer(now_us);
        }
        self.check_body(&header, length)?;
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        match header.kind {
            prefix::KEEP_ALIVE | prefix::PAYLOAD => {
                flow.last_receive_us = now_us;
                if flow.state == FlowState::Unconfirmed {
                    flow.state = FlowState::Open;
                }
                if header.kind == prefix::KEEP_ALIVE {
                    self.counters.keep_alives_in += 1;
                    return Ok(Received::Consumed);
                }
                if flow.awaits_nx() {
                    return Err(DropReason::NxRequired);
                }
                Ok(payload_of(id, &header, length))
            }
            prefix::DISCONNECT => {
                self.counters.disconnects_in += 1;
                self.end_silently(id, CloseReason::PeerDisconnect);
                Ok(Received::Consumed)
            }
            prefix::CONTROL => self.handle_token_control(id, &header, length, datagram),
            _ => Err(DropReason::UnknownType),
        }
    }

    /// Whether an opened body has a length that its type may have.
    pub(super) fn check_body(&self, header: &Header, length: usize) -> Result<(), DropReason> {
        match header.kind {
            prefix::KEEP_ALIVE if length != KEEP_ALIVE_BODY_BYTES => Err(DropReason::BodyLength),
            prefix::DISCONNECT if length != 0 => Err(DropReason::BodyLength),
            prefix::PAYLOAD | prefix::NX_PAYLOAD if length == 0 => Err(DropReason::PayloadEmpty),
            prefix::PAYLOAD | prefix::NX_PAYLOAD if length > self.config.max_payload_bytes => {
                Err(DropReason::PayloadTooLarge)
            }
            _ => Ok(()),
        }
    }

    /// Opens the body in place and counts failures: a key may see only so many (RFC 9001 §6.6).
    pub(super) fn open_with_flow_key(
        &mut self,
        id: FlowId,
        header: &Header,
        datagram: &mut [u8],
    ) -> Result<usize, DropReason> {
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        match self.cipher.open(&flow.receive, header, sealed) {
            Some(length) => Ok(length),
            None => Err(self.on_failed_open(id)),
        }
    }

    #[cold]
    pub(super) fn on_failed_open(&mut self, id: FlowId) -> DropReason {
        if let Some(flow) = self.flows.get_mut(id) {
            flow.counts.failed_opens += 1;
            if flow.counts.failed_opens >= FAILED_OPENS_MAX {
                self.close_locally(id, CloseReason::Local);
            }
        }
        DropReason::OpenFailed
    }
}

pub(super) fn payload_of(flow: FlowId, header: &Header, length: usize) -> Received {
    Received::Payload {
        flow,
        start: header.body,
        length,
        sequence: header.sequence,
    }
}
