//! A connect storm: new connections at fixed times, each as a player's: ticket, handshake, a message, its
//! echo, goodbye. `connectNs` ends when the session is open, `rttNs` with the echo; both begin when the
//! connection was meant to begin.

use std::collections::VecDeque;
use std::io;

use super::counts::Arrival;
use super::engine::{is_since, Engine};
use super::message::Heard;
use super::wire::{Event, What};
use crate::control::{tell, Command, Control};
use crate::meter::wall_ns;

const CONTROL_NS: u64 = 1_000_000;
const TAIL_NS: u64 = 2_000_000_000;

/// Flows without a connection, and how many have one.
struct Places {
    free: VecDeque<u32>,
    used: usize,
}

impl Engine {
    pub(super) fn serve_storm(&mut self, control: &mut Control) -> io::Result<Command> {
        let gap_ns = (1e9 / self.arguments.storm) as u64;
        let mut places = Places {
            free: (0..self.arguments.flows).collect(),
            used: 0,
        };
        let mut due_ns = wall_ns();
        let mut next_control_ns = due_ns;
        loop {
            let now = self.now();
            while due_ns <= now.ns {
                // When there is none the connection begins late, and its time says so.
                let Some(flow) = places.free.pop_front() else {
                    break;
                };
                places.used += 1;
                self.counts.lag.record(now.ns - due_ns);
                self.begin_visit(now, flow, due_ns)?;
                due_ns += gap_ns;
            }
            self.turn_storm(&mut places);
            if now.ns < next_control_ns && !self.arguments.sleep {
                continue;
            }
            next_control_ns = now.ns + CONTROL_NS;
            match control.read(false)? {
                Some(Command::Mark) => self.tell_mark()?,
                Some(Command::Pause) => {
                    self.pause_storm(&mut places)?;
                    return Ok(Command::Pause);
                }
                Some(Command::Stop) => return Ok(Command::Stop),
                _ => {}
            }
            if self.arguments.sleep {
                self.sleep(due_ns);
            }
        }
    }

    fn begin_visit(&mut self, now: super::wire::Now, flow: u32, due_ns: u64) -> io::Result<()> {
        if let Some(state) = self.flows.get_mut(flow as usize) {
            state.begun_ns = due_ns;
            state.is_open = false;
        }
        let is_current = is_since((due_ns / 1000) as u32, self.stretch_us);
        self.counts.offered += u64::from(is_current);
        self.counts.visits += 1;
        self.wire.begin(now, flow)
    }

    fn pause_storm(&mut self, places: &mut Places) -> io::Result<()> {
        let paused_ns = wall_ns();
        let until_ns = paused_ns + TAIL_NS;
        while places.used > 0 && wall_ns() < until_ns {
            self.turn_storm(places);
        }
        self.stopped_ns = wall_ns();
        let mut told = self.mark(paused_ns);
        if let Some(object) = told.as_object_mut() {
            object.insert("paused".into(), true.into());
        }
        tell(&told)
    }

    fn turn_storm(&mut self, places: &mut Places) {
        let now = self.now();
        let mut events = std::mem::take(&mut self.events);
        self.wire.turn(now, &mut events);
        let after = self.now();
        for event in events.drain(..) {
            self.visit(after, event, places);
        }
        self.events = events;
        self.wire.flush(after);
    }

    fn visit(&mut self, now: super::wire::Now, event: Event, places: &mut Places) {
        let Event { flow, what } = event;
        let Some(state) = self.flows.get_mut(flow as usize) else {
            return;
        };
        let begun_ns = state.begun_ns;
        let is_current = is_since((begun_ns / 1000) as u32, self.stretch_us);
        match what {
            What::Opened => {
                state.is_open = true;
                if is_current {
                    let took_ns = now.ns.saturating_sub(begun_ns);
                    self.counts.connect.record(took_ns);
                }
                let seq = state.track.take();
                let sent_us = (now.ns / 1000) as u32;
                let message = super::message::Message::Echo { seq, sent_us };
                self.wire.send(now, flow, message);
            }
            What::Heard(Heard::Echo { size, .. }) if size != self.arguments.echo_size() => {
                self.counts.strange += 1;
            }
            What::Heard(Heard::Echo { seq, .. }) => {
                if state.track.arrived(seq) != Arrival::First || !state.is_open {
                    self.counts.strange += 1;
                    return;
                }
                state.is_open = false;
                self.counts.visits_completed += 1;
                if is_current {
                    self.counts.delivered += 1;
                    self.counts.rtt.record(now.ns.saturating_sub(begun_ns));
                }
                state.begun_ns = u64::MAX;
                self.wire.end(now, flow);
            }
            What::Closed => {
                let failed = begun_ns != u64::MAX;
                self.counts.visits_failed += u64::from(failed);
                state.is_open = false;
                places.free.push_back(flow);
                places.used -= 1;
            }
            What::Heard(Heard::Strange) => self.counts.strange += 1,
            What::Heard(_) => {}
        }
    }
}
