//! From a datagram to its flow or handshake.

use super::Server;
use crate::clock::Clock;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, FlowId, Received};
use crate::flow::FlowState;
use crate::limits::{FAILED_OPENS_MAX, KEEP_ALIVE_BODY_BYTES};
use crate::path::{PackedAddress, Path};
use crate::prefix::{self, Header};

impl Server {
    pub(super) fn receive(&mut self, clock: Clock, path: Path, datagram: &mut [u8]) -> Received {
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
        if datagram.len() > self.datagram_bytes_max() {
            return Err(DropReason::TooLong);
        }
        let header = Header::read(datagram)?;
        if header.kind < prefix::RESPONSE {
            return Err(DropReason::UnexpectedType);
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

    /// Types 4–6, and the seam for 7–15: an extension that was negotiated takes its types here.
    fn handle_flow_packet(
        &mut self,
        id: FlowId,
        path: &Path,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let bytes = datagram.len();
        let max_payload_bytes = self.config.max_payload_bytes;
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        if flow.replay.is_replayed(header.sequence) {
            return Err(DropReason::Replayed);
        }
        // A goodbye is always heard.
        let is_charged = header.kind != prefix::DISCONNECT;
        if is_charged {
            self.rules
                .check_flow(&mut flow.budget, self.now_us, bytes)?;
        }
        let length = self.open_with_flow_key(id, header, datagram)?;
        let now_us = self.now_us;
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        if is_charged {
            self.rules.charge_flow(&mut flow.budget, bytes);
        }
        flow.replay.mark(header.sequence);
        flow.counts.received(bytes);
        flow.counts.received_sequence(header.sequence);
        flow.set_local(path);
        match header.kind {
            prefix::KEEP_ALIVE if length != KEEP_ALIVE_BODY_BYTES => Err(DropReason::BodyLength),
            prefix::PAYLOAD if length == 0 => Err(DropReason::PayloadEmpty),
            prefix::PAYLOAD if length > max_payload_bytes => Err(DropReason::PayloadTooLarge),
            prefix::KEEP_ALIVE | prefix::PAYLOAD => {
                flow.last_receive_us = now_us;
                if flow.state == FlowState::Unconfirmed {
                    flow.state = FlowState::Open;
                }
                if header.kind == prefix::KEEP_ALIVE {
                    self.counters.keep_alives_in += 1;
                    return Ok(Received::Consumed);
                }
                let (start, sequence) = (header.body, header.sequence);
                Ok(Received::Payload {
                    flow: id,
                    start,
                    length,
                    sequence,
                })
            }
            prefix::DISCONNECT if length != 0 => Err(DropReason::BodyLength),
            prefix::DISCONNECT => {
                self.counters.disconnects_in += 1;
                self.end_silently(id, CloseReason::PeerDisconnect);
                Ok(Received::Consumed)
            }
            _ => Err(DropReason::UnknownType),
        }
    }

    /// Opens the body in place and counts failures: a key may see only so many (RFC 9001 §6.6).
    pub(super) fn open_with_flow_key(
        &mut self,
        id: FlowId,
        header: Header,
        datagram: &mut [u8],
    ) -> Result<usize, DropReason> {
        let flow = self.flows.get_mut(id).ok_or(DropReason::UnknownAddress)?;
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        let opened = self
            .cipher
            .open(&flow.receive_key, header.sequence, header.prefix, sealed);
        if let Some(length) = opened {
            return Ok(length);
        }
        flow.counts.failed_opens += 1;
        if flow.counts.failed_opens >= FAILED_OPENS_MAX {
            self.close_locally(id);
        }
        Err(DropReason::OpenFailed)
    }
}
