//! What a flow was told: counted, timed, and credited to the closed loop.

use super::counts::Arrival;
use super::engine::{is_since, Engine};
use super::game::passed_ns;
use super::message::Heard;
use super::wire::{Event, What};

impl Engine {
    pub(super) fn handle(&mut self, Event { flow, what }: Event, now_ns: u64) {
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
            What::Heard(Heard::Echo { size, .. }) if size != self.arguments.echo_size() => {
                self.counts.strange += 1;
            }
            What::Heard(Heard::Echo { seq, sent_us, .. }) => {
                self.echo(flow, seq, sent_us, now_ns);
            }
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
        self.counts.note(&heard);
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
}
