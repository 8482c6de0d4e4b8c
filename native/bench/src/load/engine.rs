//! What is sent when, and what became of it: the same for every wire.
//!
//! Closed loop: each flow has a window of messages in flight, sent in batches; what comes back makes room
//! for the next. Paced: an open loop at fixed times, whatever comes back; every time is measured from the
//! moment a message was meant to leave.

use std::io;

use ggscale_transport_core::Clock;

use super::arguments::LoadArguments;
use super::counts::{Counts, Track};
use super::game::Player;
use super::message::Message;
use super::schedule::Schedule;
use super::unix_s;
use super::wire::{Event, Now, Wire};
use crate::control::{Command, Control};
use crate::meter::{heap_bytes, resident_bytes, wall_ns};

/// Without an answer for this long a message of the closed loop counts as lost, on wires that lose.
pub(super) const LOST_NS: u64 = 200_000_000;
/// Between two looks at the sockets: a load that is late must not send a burst that no server takes and
/// leave the answers unread meanwhile.
const SENDS_AT_ONCE: usize = 256;
const CONTROL_NS: u64 = 1_000_000;

#[derive(Clone, Copy, Default)]
pub(super) struct Flow {
    pub is_open: bool,
    pub is_stalled: bool,
    pub in_flight: u32,
    /// Echoes that came and were not followed by a message yet.
    pub credit: u16,
    pub last_send_ns: u64,
    pub begun_ns: u64,
    pub track: Track,
}

pub struct Engine {
    pub(super) arguments: LoadArguments,
    pub(super) wire: Box<dyn Wire>,
    pub(super) flows: Vec<Flow>,
    /// Of a game, by flow.
    pub(super) players: Vec<Player>,
    pub(super) schedule: Option<Schedule>,
    pub(super) counts: Counts,
    /// The measured stretch has the messages that were meant to leave from here on.
    pub(super) stretch_us: u32,
    pub(super) stretch_ns: u64,
    /// Of it, how long there was something to do.
    pub(super) busy_ns: u64,
    pub(super) is_running: bool,
    pub(super) events: Vec<Event>,
    /// Flows with the credit for a batch.
    pub(super) answers: Vec<u32>,
    pub(super) paused_ns: u64,
    pub(super) stopped_ns: u64,
    pub(super) next_look_ns: u64,
    /// Before the first flow was made.
    pub(super) resident_before: u64,
    pub(super) heap_before: u64,
}

impl Engine {
    pub fn new(arguments: LoadArguments, wire: Box<dyn Wire>) -> Self {
        let flow = Flow {
            is_open: !wire.connects(),
            ..Flow::default()
        };
        let flows = arguments.flows as usize;
        let players = if arguments.game { flows } else { 0 };
        let schedule = (arguments.hz > 0.0)
            .then(|| Schedule::new(arguments.flows, arguments.hz, arguments.seed));
        Self {
            wire,
            flows: vec![flow; flows],
            players: vec![Player::default(); players],
            schedule,
            counts: Counts::default(),
            stretch_us: 0,
            stretch_ns: 0,
            busy_ns: 0,
            is_running: false,
            events: Vec::with_capacity(4096),
            answers: Vec::new(),
            paused_ns: 0,
            stopped_ns: wall_ns(),
            next_look_ns: 0,
            resident_before: resident_bytes(),
            heap_before: heap_bytes(),
            arguments,
        }
    }

    pub(super) fn now(&self) -> Now {
        let ns = wall_ns();
        let mono_us = ns.saturating_sub(self.paused_ns) / 1000;
        let unix_s = unix_s();
        Now {
            ns,
            clock: Clock { mono_us, unix_s },
        }
    }

    /// The clock of the flows goes on.
    pub(super) fn wake(&mut self) {
        if !self.wire.rests() {
            self.paused_ns += wall_ns().saturating_sub(self.stopped_ns);
        }
    }

    /// Sends and receives until a pause or the end; says which.
    pub fn serve(&mut self, control: &mut Control) -> io::Result<Command> {
        self.wake();
        self.begin_stretch();
        self.is_running = true;
        let last = if self.arguments.storm > 0.0 {
            self.serve_storm(control)
        } else {
            self.serve_flows(control)
        };
        self.is_running = false;
        last
    }

    fn begin_stretch(&mut self) {
        self.start_stretch();
        self.counts.take();
        for flow in 0..self.arguments.stall.min(self.arguments.flows) {
            self.wire.stall(flow);
            if let Some(state) = self.flows.get_mut(flow as usize) {
                state.is_stalled = true;
            }
        }
    }

    fn serve_flows(&mut self, control: &mut Control) -> io::Result<Command> {
        let start = self.now();
        match &mut self.schedule {
            Some(schedule) => schedule.start(start.ns),
            None => self.fill_windows(start),
        }
        let mut next_control_ns = start.ns;
        self.next_look_ns = start.ns + LOST_NS;
        loop {
            let now = self.now();
            let has_sent = self.send_due(now);
            let was_busy = self.turn(now) || has_sent;
            if self.schedule.is_none() && now.ns > self.next_look_ns {
                self.look_for_lost(now);
            }
            self.wire.flush(now);
            if was_busy {
                self.busy_ns += wall_ns().saturating_sub(now.ns);
            }
            if now.ns >= next_control_ns || self.arguments.sleep {
                next_control_ns = now.ns + CONTROL_NS;
                match control.read(false)? {
                    Some(Command::Mark) => self.tell_mark()?,
                    Some(Command::Pause) => {
                        self.pause()?;
                        return Ok(Command::Pause);
                    }
                    Some(Command::Stop) => return Ok(Command::Stop),
                    _ => {}
                }
            }
            if self.arguments.sleep {
                let due_ns = self.schedule.as_ref().map_or(u64::MAX, Schedule::due_ns);
                self.sleep(due_ns);
            }
        }
    }

    /// Whether there was something to send.
    fn send_due(&mut self, now: Now) -> bool {
        let mut was_due = false;
        for _ in 0..SENDS_AT_ONCE {
            let taken = self.schedule.as_mut().and_then(|it| it.take(now.ns));
            let Some((flow, due_ns)) = taken else {
                break;
            };
            was_due = true;
            self.counts.lag.record(now.ns - due_ns);
            for _ in 0..self.arguments.batch {
                self.send(now, flow, due_ns);
            }
        }
        was_due
    }

    fn fill_windows(&mut self, now: Now) {
        for flow in 0..self.arguments.flows {
            let state = self.flows.get_mut(flow as usize);
            let in_flight = state.map_or(0, |state| {
                state.credit = 0;
                state.in_flight
            });
            for _ in in_flight..u32::from(self.arguments.window) {
                self.send(now, flow, now.ns);
            }
        }
        self.wire.flush(now);
    }

    pub(super) fn send(&mut self, now: Now, flow: u32, due_ns: u64) {
        let Some(state) = self.flows.get_mut(flow as usize) else {
            return;
        };
        let sent_us = (due_ns / 1000) as u32;
        // What nobody reads comes back to nobody. What a lost connection would have said is lost.
        if is_since(sent_us, self.stretch_us) && !state.is_stalled {
            self.counts.offered += 1;
        }
        if !state.is_open {
            return;
        }
        let seq = state.track.take();
        let message = if let Some(player) = self.players.get_mut(flow as usize) {
            player.sent(seq, sent_us);
            Message::Input { seq, sent_us }
        } else {
            Message::Echo { seq, sent_us }
        };
        if self.wire.send(now, flow, message) {
            state.in_flight += 1;
            state.last_send_ns = due_ns;
        }
    }

    /// Receives, and answers what is to be answered. Whether anything came.
    pub(super) fn turn(&mut self, now: Now) -> bool {
        let mut events = std::mem::take(&mut self.events);
        self.wire.turn(now, &mut events);
        let came = !events.is_empty();
        if came {
            let after = self.now();
            for event in events.drain(..) {
                self.handle(event, after.ns);
            }
            self.answer(after);
        }
        self.events = events;
        came
    }

    fn answer(&mut self, now: Now) {
        let mut answers = std::mem::take(&mut self.answers);
        for flow in answers.drain(..) {
            for _ in 0..self.arguments.batch {
                self.send(now, flow, now.ns);
            }
        }
        self.answers = answers;
    }
}

/// Whether a time is not before another, both modulo 2^32.
pub(super) fn is_since(time_us: u32, from_us: u32) -> bool {
    time_us.wrapping_sub(from_us) as i32 >= 0
}
