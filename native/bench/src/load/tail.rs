//! What does not come back: in a closed loop while it runs, and at the end of a stretch.

use std::io;

use super::engine::{Engine, LOST_NS};
use super::wire::Now;
use crate::control::tell;
use crate::meter::wall_ns;

/// How long after the last send an echo may still come; on wires that send again what was lost, longer.
const TAIL_NS: u64 = 250_000_000;
const RESEND_TAIL_NS: u64 = 2_000_000_000;

impl Engine {
    pub(super) fn look_for_lost(&mut self, now: Now) {
        self.next_look_ns = now.ns + LOST_NS;
        if !self.wire.loses() {
            return;
        }
        for flow in 0..self.arguments.flows {
            let Some(state) = self.flows.get_mut(flow as usize) else {
                return;
            };
            if state.in_flight > 0 && now.ns.saturating_sub(state.last_send_ns) > LOST_NS {
                let lost = std::mem::take(&mut state.in_flight);
                state.credit = 0;
                self.counts.lost_in_closed_loop += u64::from(lost);
                for _ in 0..self.arguments.window {
                    self.send(now, flow, now.ns);
                }
            }
        }
    }

    /// Stops sending, waits for what is on the way, and tells how the stretch went.
    pub(super) fn pause(&mut self) -> io::Result<()> {
        self.is_running = !self.players.is_empty(); // the tail of a game counts, nothing is answered
        let schedule = self.schedule.take();
        let paused_ns = wall_ns();
        let tail_ns = if self.wire.loses() {
            TAIL_NS
        } else {
            RESEND_TAIL_NS
        };
        let until_ns = paused_ns + tail_ns;
        let is_echo = self.players.is_empty();
        while wall_ns() < until_ns
            && is_echo
            && self
                .flows
                .iter()
                .any(|flow| flow.in_flight > 0 && !flow.is_stalled)
        {
            for _ in 0..64 {
                let now = self.now();
                self.turn(now);
                self.wire.flush(now);
            }
        }
        self.schedule = schedule;
        if self.wire.loses() {
            // What was lost is not waited for. A wire that loses nothing still brings it.
            for flow in &mut self.flows {
                flow.in_flight = 0;
            }
        }
        self.stopped_ns = wall_ns();
        let mut told = self.mark(paused_ns);
        if let Some(object) = told.as_object_mut() {
            object.insert("paused".into(), true.into());
        }
        tell(&told)
    }
}
