//! Admission at work: live settings, and what they do to flows and handshakes.

use super::Server;
use crate::admission::{Admission, AdmissionError, AdmissionGauges, AdmissionSettings};
use crate::clock::Clock;
use crate::drop_reason::DropReason;
use crate::event::{CloseReason, FlowId};
use crate::flow::FlowState;
use crate::path::PackedAddress;
use crate::side::Candidate;

impl Server {
    /// Changes the settings of this server and of all that share its admission; those notice at
    /// their next call. On an error nothing changes. Linear in the flows when the block list
    /// changes.
    pub fn set_admission(
        &mut self,
        clock: Clock,
        settings: AdmissionSettings,
    ) -> Result<(), AdmissionError> {
        settings.check(self.config.max_flows)?;
        self.admission.set(settings);
        self.advance(clock);
        Ok(())
    }

    /// Settings and buckets, to be shared with another server.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    pub fn admission_gauges(&self) -> AdmissionGauges {
        self.admission.gauges(self.now_us)
    }

    /// Open flows that are let in now.
    pub(super) fn max_flows(&self) -> u32 {
        self.config.max_flows.min(self.rules.max_flows)
    }

    pub(super) fn is_pending_full(&self) -> bool {
        self.pending.is_full() || self.pending.len() >= self.rules.max_pending as usize
    }

    /// Why this client is denied, if it is. One that would take the place of its own flow is not, as
    /// long as there is a slot.
    pub(super) fn denial_for(&self, client_id: u64) -> Option<DropReason> {
        if self.is_full_for(client_id) {
            return Some(DropReason::ServerFull);
        }
        (self.rules.busy && !self.replaces_itself(client_id)).then_some(DropReason::Busy)
    }

    /// A token that is new is charged once, when it has been bound to this source.
    pub(super) fn claim_token_at_a_price(
        &mut self,
        tag: &crate::history::TokenTag,
        source: PackedAddress,
        expire_s: u64,
        now_s: u64,
    ) -> Result<(), DropReason> {
        let is_new = !self.member.knows_token(tag);
        if is_new {
            self.admission.check_handshake(self.now_us, &source)?;
        }
        self.member.claim_token(tag, source, expire_s, now_s)?;
        if is_new {
            self.admission.charge_handshake(self.now_us, &source);
        }
        Ok(())
    }

    /// Takes the settings that somebody has changed.
    pub(super) fn take_rules(&mut self) {
        let rules = self.admission.rules();
        let is_same = rules.has_same_blocked(&self.rules);
        self.rules = rules;
        if !is_same {
            self.end_blocked();
        }
    }

    /// A flow that is about to move there stays where it is.
    fn forget_blocked_path(&mut self, id: FlowId) {
        let side = self.flows.get_mut(id).and_then(|flow| flow.side.as_mut());
        let Some(side) = side else { return };
        let rules = &self.rules;
        let is_blocked = |it: &Candidate| rules.blocks(it.remote.unpack().ip());
        if side.candidate.take_if(|it| is_blocked(it)).is_some() {
            self.counters.path_cancelled += 1;
        }
    }

    /// Nothing is sent to a blocked source, so its flows end without disconnects.
    fn end_blocked(&mut self) {
        let flows: Vec<FlowId> = self.flows.ids().collect();
        for id in flows {
            let is_blocked = self.flows.get(id).is_some_and(|flow| {
                // A closing flow has been reported already and frees its slot by itself.
                flow.state != FlowState::Closing && self.rules.blocks(flow.remote.unpack().ip())
            });
            if is_blocked {
                self.counters.flows_blocked += 1;
                self.end_silently(id, CloseReason::Blocked);
                continue;
            }
            self.forget_blocked_path(id);
        }
        let pending: Vec<FlowId> = self.pending.ids().collect();
        for id in pending {
            let entry = self.pending.get(id);
            if entry.is_some_and(|entry| self.rules.blocks(entry.remote.unpack().ip())) {
                self.counters.pending_blocked += 1;
                self.pending.remove(id);
            }
        }
    }
}
