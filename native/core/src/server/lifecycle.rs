//! How flows end, and the timers.

use super::{Denial, Outgoing, Server};
use crate::event::{CloseReason, Event, FlowId};
use crate::flow::{Flow, FlowState};
use crate::limits::{DENIALS_QUEUED_MAX, DISCONNECT_REPEATS, REPLACED_GRACE_US};

impl Server {
    pub(super) fn run_timers(&mut self) {
        while let Some(id) = self.flows.poll_due(self.now_us) {
            self.on_flow_timer(id);
        }
        while let Some(id) = self.pending.poll_due(self.now_us) {
            // After a long time without timers the wheel is behind and fires early.
            let until_us = self.pending.get(id).map_or(0, |pending| pending.until_us);
            if until_us > self.now_us {
                self.pending.arm(id, until_us);
                continue;
            }
            self.pending.remove(id);
            self.counters.pending_expired += 1;
        }
    }

    /// Timers are lazy: packets only note their time, and what is really due is worked out here.
    fn on_flow_timer(&mut self, id: FlowId) {
        let Some(flow) = self.flows.get(id) else {
            return;
        };
        if !flow.is_served() {
            return;
        }
        let served_until_us = flow.served_until_us();
        if served_until_us.is_some_and(|until_us| until_us <= self.now_us) {
            return self.close_locally(id, CloseReason::Replaced);
        }
        if flow
            .timeout_due_us()
            .is_some_and(|due_us| due_us <= self.now_us)
        {
            self.counters.timeouts += 1;
            return self.end_silently(id, CloseReason::Timeout);
        }
        if flow.side.is_some() {
            if self.is_nx_overdue(id) {
                self.counters.nx_required_closed += 1;
                return self.close_locally(id, CloseReason::NxRequired);
            }
            self.run_side_timers(id);
        }
        let Some(flow) = self.flows.get(id) else {
            return;
        };
        let mut due_us = flow.due_us();
        if flow.keep_alive_due_us() <= self.now_us {
            // A keep-alive is due. It counts as sent: the queue is drained after every turn.
            let now_us = self.now_us;
            self.queue_keep_alive(id);
            if let Some(flow) = self.flows.get_mut(id) {
                flow.last_send_us = now_us;
                due_us = flow.due_us();
            }
        }
        self.flows.arm(id, due_us);
    }

    fn is_nx_overdue(&self, id: FlowId) -> bool {
        let side = self.flows.get(id).and_then(|flow| flow.side.as_ref());
        let by_us = side.and_then(|side| side.required_by_us);
        by_us.is_some_and(|by_us| by_us <= self.now_us)
    }

    /// A newer connection of the same client id (or at the same address) takes over. The old flow
    /// is served for a moment more: its client may not know yet that it is open, and a goodbye takes
    /// a round trip then.
    pub(super) fn replace(&mut self, old: FlowId, by: FlowId) {
        let Some(flow) = self.flows.get_mut(old) else {
            return;
        };
        if !flow.is_live() {
            return;
        }
        flow.side().served_until_us = Some(self.now_us + REPLACED_GRACE_US);
        let client_id = flow.client_id;
        self.arm_flow(old);
        self.release_place();
        self.counters.replaced += 1;
        self.member.release_client(client_id, old);
        self.events.push_back(Event::Replaced { flow: old, by });
    }

    /// Ended here: the client is told with redundant disconnects, and the slot is freed when the
    /// last of them has been sent. They do not tell why, so a replaced client gets refusals ahead of
    /// them; and one that does not know yet that it is connected hears only a denial.
    pub(super) fn close_locally(&mut self, id: FlowId, reason: CloseReason) {
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        if !flow.is_served() {
            return;
        }
        let (reason, client_id) = if flow.is_replaced() {
            (CloseReason::Replaced, None)
        } else {
            (reason, Some(flow.client_id))
        };
        let denial = (flow.is_replaced() && flow.state == FlowState::Unconfirmed).then(|| Denial {
            key: flow.send.clone(),
            path: flow.path(),
            refusal: None,
        });
        flow.state = FlowState::Closing;
        flow.disconnects_left = DISCONNECT_REPEATS;
        if flow.is_replaced() && flow.hears_refusals {
            flow.refusals_left = DISCONNECT_REPEATS;
        }
        self.flows.unmap(id);
        self.outbox.push_back(Outgoing::Disconnects(id));
        if self.denials.len() < DENIALS_QUEUED_MAX {
            self.denials.extend(denial);
        }
        self.report_closed(id, reason, client_id);
    }

    /// Ended by the client or by silence: nobody is told, the slot is free at once.
    pub(super) fn end_silently(&mut self, id: FlowId, reason: CloseReason) {
        let Some(flow) = self.flows.get(id) else {
            return;
        };
        let live_client_id = flow.is_live().then_some(flow.client_id);
        self.flows.remove(id);
        self.report_closed(id, reason, live_client_id);
    }

    fn report_closed(&mut self, id: FlowId, reason: CloseReason, live_client_id: Option<u64>) {
        if let Some(client_id) = live_client_id {
            self.release_place();
            self.member.release_client(client_id, id);
        }
        self.counters.closed += 1;
        self.events.push_back(Event::Closed {
            flow: id,
            reason,
            refusal: None,
        });
    }
}

impl Server {
    /// Every flow that is not ending, for an orderly shutdown. Linear in the slots.
    pub fn flow_ids(&self) -> Vec<FlowId> {
        self.flows
            .ids()
            .filter(|id| self.flows.get(*id).is_some_and(Flow::is_live))
            .collect()
    }
}
