//! The client's timers: send again, keep alive, give up.

use super::{Client, State};
use crate::event::CloseReason;
use crate::flow::{keep_alive_interval_us, timeout_us, FlowCounts};
use crate::limits::HANDSHAKE_INTERVAL_US;
use crate::nx::Refusal;
use crate::replay::ReplayWindow;

impl Client {
    pub(super) fn next_timer_us(&self) -> Option<u64> {
        let mut due_us = match self.state {
            State::Closed => return None,
            State::Requesting | State::Responding => self.token_expires_us(),
            State::Connected => self.offer_due_us(),
        };
        if let Some(timeout_due_us) = self.timeout_due_us() {
            due_us = due_us.min(timeout_due_us);
        }
        if !self.send_queued {
            due_us = due_us.min(self.send_due_us());
        }
        Some(due_us)
    }

    pub(super) fn run_timers(&mut self) {
        let reason = match self.state {
            State::Closed => return,
            State::Requesting => CloseReason::RequestTimeout,
            State::Responding => CloseReason::ResponseTimeout,
            State::Connected => CloseReason::Timeout,
        };
        if self.state != State::Connected && self.token_expires_us() <= self.now_us {
            return self.close(CloseReason::TokenExpired);
        }
        if self
            .timeout_due_us()
            .is_some_and(|due_us| due_us <= self.now_us)
        {
            self.counters.timeouts += 1;
            if self.state == State::Connected {
                return self.close(reason);
            }
            return self.try_next_server(reason);
        }
        self.run_offer_timer();
        if self.state != State::Closed && self.send_due_us() <= self.now_us {
            self.send_queued = true;
        }
    }

    /// On to the next server of the token, or closed for this reason.
    pub(super) fn try_next_server(&mut self, reason: CloseReason) {
        let Some(dial) = &mut self.dial else {
            return self.close(reason);
        };
        // Our place is taken by a newer connection, which another attempt would throw out.
        if self.refusal.is_some_and(|it| it.code == Refusal::REPLACED) {
            return self.close(reason);
        }
        let next = dial
            .token
            .server_addresses
            .as_slice()
            .get(dial.server_index + 1);
        let Some(server) = next.copied() else {
            return self.close(reason);
        };
        dial.server_index += 1;
        dial.stage_sent_us = None;
        dial.rtt_us = u64::MAX;
        self.server = server;
        self.state = State::Requesting;
        // Another server counts from its own random start.
        self.replay = ReplayWindow::EMPTY;
        self.counts = FlowCounts::default();
        self.refusal = None;
        self.last_receive_us = self.now_us;
        self.send_queued = true;
    }

    fn token_expires_us(&self) -> u64 {
        self.dial.as_ref().map_or(0, |dial| dial.expires_us())
    }

    fn timeout_due_us(&self) -> Option<u64> {
        timeout_us(self.timeout_s).map(|timeout| self.last_receive_us + timeout)
    }

    fn send_due_us(&self) -> u64 {
        self.last_send_us
            + match self.state {
                State::Connected => keep_alive_interval_us(self.timeout_s),
                _ => HANDSHAKE_INTERVAL_US,
            }
    }
}
