//! Datagrams under NX keys: found by connection id, wherever they come from.

use super::receive::payload_of;
use super::Server;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, FlowId, Received};
use crate::flow::{Flow, FlowState, NxState};
use crate::limits::TAG_BYTES;
use crate::nx::control::{Control, Controls, GOODBYE};
use crate::nx::ConnectionId;
use crate::path::{PackedAddress, Path};
use crate::prefix::{self, Header};

/// What a connection id says about a flow in its slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CidRole {
    /// The client's current one.
    Current,
    /// That of an ACCEPT: opening under its keys confirms it.
    Offered,
    /// Given to the client, not used yet.
    New,
    /// Used before, overtaken.
    Previous,
}

impl Server {
    /// Types 8 and 9. The address is looked at only once the datagram has opened.
    pub(super) fn handle_nx_packet(
        &mut self,
        path: &Path,
        header: &Header,
        datagram: &mut [u8],
    ) -> Result<Received, DropReason> {
        let bytes = datagram.len();
        let cid = ConnectionId::from_bytes(header.cid);
        if cid.worker != self.config.worker {
            return Err(DropReason::CidUnknown);
        }
        let (id, flow) = self.flows.at_mut(cid.slot).ok_or(DropReason::CidUnknown)?;
        let role = cid_role(flow, cid.random).ok_or(DropReason::CidUnknown)?;
        if role != CidRole::Offered && flow.replay.is_replayed(header.sequence) {
            return Err(DropReason::Replayed);
        }
        // A goodbye is always heard. What is only as long as one is looked at again once it is open.
        let is_short = bytes == header.body + GOODBYE.len() + TAG_BYTES;
        let is_charged = header.kind == prefix::NX_PAYLOAD || !is_short;
        if is_charged {
            self.rules
                .check_flow(&mut flow.budget, self.now_us, bytes)?;
        }
        let key = match (role, &flow.side) {
            (CidRole::Offered, Some(side)) => {
                let offer = side.offer.as_ref().ok_or(DropReason::CidUnknown)?;
                &offer.keys.client_to_server
            }
            _ => &flow.receive,
        };
        let sealed = datagram
            .get_mut(header.body..)
            .ok_or(DropReason::TooShort)?;
        let Some(length) = self.cipher.open(key, header, sealed) else {
            return Err(self.on_failed_open(id));
        };
        let is_goodbye = !is_charged && sealed.get(..length) == Some(&GOODBYE);
        if !is_charged && !is_goodbye {
            self.rules
                .check_flow(&mut flow.budget, self.now_us, bytes)?;
        }
        if role != CidRole::Current {
            self.settle_cid(id, role, header.sequence);
        }
        let now_us = self.now_us;
        let flow = self.flows.get_mut(id).ok_or(DropReason::CidUnknown)?;
        let is_newest = flow.replay.is_newest(header.sequence);
        flow.counts.received(bytes);
        flow.counts.received_sequence(&flow.replay, header.sequence);
        flow.replay.mark(header.sequence);
        flow.last_receive_us = now_us;
        if !is_goodbye {
            self.rules.charge_flow(&mut flow.budget, bytes);
        }
        let is_elsewhere = flow.remote != PackedAddress::pack(path.remote);
        if !is_elsewhere {
            flow.set_local(path);
        }
        if is_elsewhere || flow.side.is_some() {
            self.follow_path(id, path, is_newest, bytes);
        }
        self.check_body(header, length)?;
        if header.kind == prefix::NX_PAYLOAD {
            return Ok(payload_of(id, header, length));
        }
        self.handle_nx_control(id, path, header, length, datagram)
    }

    /// The first datagram with an id that was offered or newly given makes it the current one.
    #[cold]
    fn settle_cid(&mut self, id: FlowId, role: CidRole, sequence: u64) {
        match role {
            CidRole::Offered => self.confirm_nx(id, sequence),
            CidRole::New => self.take_new_cid(id),
            CidRole::Current | CidRole::Previous => {}
        }
    }

    fn handle_nx_control(
        &mut self,
        id: FlowId,
        path: &Path,
        header: &Header,
        length: usize,
        datagram: &[u8],
    ) -> Result<Received, DropReason> {
        let body = datagram.get(header.body..header.body + length);
        let controls = self.read_controls(id, body.unwrap_or(&[]))?;
        if length == 0 {
            self.counters.keep_alives_in += 1;
        }
        for control in controls {
            match control {
                // What they say has happened already: the keys, the id were used.
                Control::Confirm | Control::RetireCid { .. } => {}
                Control::PathResponse(data) => self.handle_path_response(id, path, data),
                Control::Disconnect => {
                    self.counters.disconnects_in += 1;
                    self.end_silently(id, CloseReason::PeerDisconnect);
                    return Ok(Received::Consumed);
                }
                _ => return Err(DropReason::ControlUnexpected),
            }
        }
        Ok(Received::Consumed)
    }

    /// All controls of a body, or none of them; an unknown one that matters ends the flow.
    pub(super) fn read_controls<'a>(
        &mut self,
        id: FlowId,
        body: &'a [u8],
    ) -> Result<Controls<'a>, DropReason> {
        let controls = Controls::read(body);
        if matches!(controls, Err(DropReason::ControlUnknown)) {
            self.close_locally(id, CloseReason::NxViolation);
        }
        controls
    }
}

fn cid_role(flow: &Flow, random: u32) -> Option<CidRole> {
    if flow.nx == NxState::Confirmed && flow.cid_random == random && flow.state == FlowState::Open {
        return Some(CidRole::Current);
    }
    unusual_cid_role(flow, random)
}

#[cold]
fn unusual_cid_role(flow: &Flow, random: u32) -> Option<CidRole> {
    if !flow.is_served() {
        return None;
    }
    let side = flow.side.as_ref()?;
    match flow.nx {
        NxState::Base => None,
        NxState::Accepted => (flow.cid_random == random).then_some(CidRole::Offered),
        NxState::Confirmed => {
            if side
                .new_cid
                .as_ref()
                .is_some_and(|new| new.random == random)
            {
                return Some(CidRole::New);
            }
            let previous = side.previous_cid.map(|(previous, _)| previous);
            (previous == Some(random)).then_some(CidRole::Previous)
        }
    }
}
