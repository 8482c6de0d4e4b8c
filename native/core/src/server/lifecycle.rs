//! How flows end, and the timers.

use super::{Outgoing, Server};
use crate::event::{CloseReason, Event, FlowId};
use crate::flow::{Flow, FlowState};
use crate::limits::{DISCONNECT_REPEATS, REPLACED_GRACE_US};

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
        match flow.state {
            FlowState::Closing => return,
            FlowState::Replaced => return self.close_locally(id, CloseReason::Local),
            FlowState::Unconfirmed | FlowState::Open => {}
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
    /// receives nothing more, but can be sealed for a moment.
    pub(super) fn replace(&mut self, old: FlowId, by: FlowId) {
        let Some(flow) = self.flows.get_mut(old) else {
            return;
        };
        if !flow.is_live() {
            return;
        }
        flow.state = FlowState::Replaced;
        let client_id = flow.client_id;
        self.flows.unmap(old);
        self.flows.arm(old, self.now_us + REPLACED_GRACE_US);
        self.release_place();
        self.counters.replaced += 1;
        self.member.release_client(client_id, old);
        self.events.push_back(Event::Replaced { flow: old, by });
    }

    /// Ended here: the client is told with redundant disconnects, and the slot is freed when the
    /// last of them has been sent.
    pub(super) fn close_locally(&mut self, id: FlowId, reason: CloseReason) {
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        let (reason, client_id) = match flow.state {
            FlowState::Closing => return,
            FlowState::Replaced => (CloseReason::Replaced, None),
            FlowState::Unconfirmed | FlowState::Open => (reason, Some(flow.client_id)),
        };
        flow.state = FlowState::Closing;
        flow.disconnects_left = DISCONNECT_REPEATS;
        self.flows.unmap(id);
        self.outbox.push_back(Outgoing::Disconnects(id));
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
