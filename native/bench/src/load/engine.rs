//! What is sent when, and what became of it: the same for every wire.
//!
//! Closed loop: each flow has a window of messages in flight, sent in batches; what comes back makes room
//! for the next. Paced: an open loop at fixed times, whatever comes back; every time is measured from the
//! moment a message was meant to leave.

use std::io;

use ggscale_transport_core::Clock;

use super::arguments::LoadArguments;
use super::counts::{Arrival, Counts, Track};
use super::game::{passed_ns, Player};
use super::message::{Heard, Message};
use super::schedule::Schedule;
use super::unix_s;
use super::wire::{Event, Now, What, Wire};
use crate::control::{tell, Command, Control};
use crate::meter::{heap_bytes, resident_bytes, wall_ns};

/// Without an answer for this long a message of the closed loop counts as lost, on wires that lose.
const LOST_NS: u64 = 200_000_000;
const CONTROL_NS: u64 = 1_000_000;
/// How long after the last send an echo may still come.
const TAIL_NS: u64 = 250_000_000;

#[derive(Clone, Copy, Default)]
pub(super) struct Flow {
    pub is_open: bool,
    is_stalled: bool,
    in_flight: u32,
    /// Echoes that came and were not followed by a message yet.
    credit: u16,
    last_send_ns: u64,
    pub begun_ns: u64,
    pub track: Track,
}

pub struct Engine {
    pub(super) arguments: LoadArguments,
    pub(super) wire: Box<dyn Wire>,
    pub(super) flows: Vec<Flow>,
    /// Of a game, by flow.
    players: Vec<Player>,
    schedule: Option<Schedule>,
    pub(super) counts: Counts,
    /// The measured stretch has the messages that were meant to leave from here on.
    pub(super) stretch_us: u32,
    pub(super) is_running: bool,
    pub(super) events: Vec<Event>,
    /// Flows with the credit for a batch.
    answers: Vec<u32>,
    pub(super) paused_ns: u64,
    pub(super) stopped_ns: u64,
    next_look_ns: u64,
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
        self.stretch_us = (wall_ns() / 1000) as u32;
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
            self.send_due(now);
            self.turn(now);
            if self.schedule.is_none() && now.ns > self.next_look_ns {
                self.look_for_lost(now);
            }
            self.wire.flush(now);
            if now.ns >= next_control_ns || self.arguments.sleep {
                next_control_ns = now.ns + CONTROL_NS;
                match control.read(false)? {
                    Some(Command::Mark) => tell(&self.mark())?,
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

    fn send_due(&mut self, now: Now) {
        loop {
            let taken = self.schedule.as_mut().and_then(|it| it.take(now.ns));
            let Some((flow, due_ns)) = taken else {
                return;
            };
            self.counts.lag.record(now.ns - due_ns);
            for _ in 0..self.arguments.batch {
                self.send(now, flow, due_ns);
            }
        }
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
        if !state.is_open {
            return;
        }
        let (seq, sent_us) = (state.track.take(), (due_ns / 1000) as u32);
        let message = if let Some(player) = self.players.get_mut(flow as usize) {
            player.sent(seq, sent_us);
            Message::Input { seq, sent_us }
        } else {
            Message::Echo { seq, sent_us }
        };
        if self.wire.send(now, flow, message) {
            state.in_flight += 1;
            state.last_send_ns = due_ns;
            // What nobody reads comes back to nobody.
            let counts = is_since(sent_us, self.stretch_us) && !state.is_stalled;
            self.counts.offered += u64::from(counts);
        }
    }

    /// Receives, and answers what is to be answered.
    pub(super) fn turn(&mut self, now: Now) {
        let mut events = std::mem::take(&mut self.events);
        self.wire.turn(now, &mut events);
        if !events.is_empty() {
            let after = self.now();
            for event in events.drain(..) {
                self.handle(event, after.ns);
            }
            self.answer(after);
        }
        self.events = events;
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

    fn handle(&mut self, Event { flow, what }: Event, now_ns: u64) {
        let Some(state) = self.flows.get_mut(flow as usize) else {
            self.counts.strange += 1;
            return;
        };
        match what {
            What::Opened => {
                state.is_open = true;
                let took_ns = now_ns.saturating_sub(state.begun_ns);
                self.counts.connect.record(took_ns);
            }
            What::Closed => {
                state.is_open = false;
                state.in_flight = 0;
                state.credit = 0;
                self.counts.closed += 1;
            }
            What::Heard(Heard::Echo { seq, sent_us }) => self.echo(flow, seq, sent_us, now_ns),
            What::Heard(heard) => self.hear(flow, heard, (now_ns / 1000) as u32),
        }
    }

    fn echo(&mut self, flow: u32, seq: u32, sent_us: u32, now_ns: u64) {
        let Some(state) = self.flows.get_mut(flow as usize) else {
            return;
        };
        match state.track.arrived(seq) {
            Arrival::First => {}
            Arrival::Again => {
                self.counts.duplicated += 1;
                return;
            }
            Arrival::NeverSent => {
                self.counts.strange += 1;
                return;
            }
        }
        state.in_flight = state.in_flight.saturating_sub(1);
        if is_since(sent_us, self.stretch_us) {
            self.counts.delivered += 1;
            let rtt_ns = passed_ns(sent_us, (now_ns / 1000) as u32);
            self.counts.rtt.record(rtt_ns);
        }
        if self.schedule.is_none() && self.is_running {
            state.credit += 1;
            if state.credit >= self.arguments.batch {
                state.credit -= self.arguments.batch;
                self.answers.push(flow);
            }
        }
    }

    fn hear(&mut self, flow: u32, heard: Heard, now_us: u32) {
        let player = self.players.get_mut(flow as usize);
        match (heard, player) {
            (
                Heard::Snapshot {
                    tick,
                    ack_seq,
                    stamp_us,
                },
                Some(player),
            ) => {
                let is_measured = self.is_running && is_since(stamp_us, self.stretch_us);
                let said = (tick, ack_seq, stamp_us);
                player.snapshot(said, now_us, is_measured, &mut self.counts);
            }
            (Heard::GameEvent { tick }, Some(player)) if self.is_running => {
                let step_us = 1e6 / self.arguments.tick_hz;
                player.event(tick, step_us, now_us, &mut self.counts);
            }
            (Heard::Bulk { sent_us, bytes, .. }, _) if self.is_running => {
                self.counts.bulk_messages += 1;
                self.counts.bulk_bytes += u64::from(bytes);
                self.counts.bulk_one_way.record(passed_ns(sent_us, now_us));
            }
            (Heard::Strange, _) => self.counts.strange += 1,
            _ => {}
        }
    }

    fn look_for_lost(&mut self, now: Now) {
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
    fn pause(&mut self) -> io::Result<()> {
        self.is_running = !self.players.is_empty(); // the tail of a game counts, nothing is answered
        let schedule = self.schedule.take();
        let until_ns = wall_ns() + TAIL_NS;
        let is_echo = self.players.is_empty();
        let closes_loop = schedule.is_none();
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
        if closes_loop || self.wire.loses() {
            self.forget_flights();
        }
        self.stopped_ns = wall_ns();
        let mut told = self.mark();
        if let Some(object) = told.as_object_mut() {
            object.insert("paused".into(), true.into());
        }
        tell(&told)
    }

    /// What was lost is not waited for; a wire that loses nothing still brings it.
    fn forget_flights(&mut self) {
        let loses = self.wire.loses();
        for flow in &mut self.flows {
            if loses {
                flow.in_flight = 0;
            }
        }
    }
}

/// Whether a time is not before another, both modulo 2^32.
pub(super) fn is_since(time_us: u32, from_us: u32) -> bool {
    time_us.wrapping_sub(from_us) as i32 >= 0
}
