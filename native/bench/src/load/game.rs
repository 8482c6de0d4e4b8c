//! What a player of a match is told, per flow: snapshots, which must follow each other, and events.

use super::counts::Counts;

/// Inputs whose times are remembered: a second of them at 60 Hz.
const INPUTS: usize = 64;

#[derive(Clone)]
pub struct Player {
    /// By number modulo `INPUTS`.
    input_us: [u32; INPUTS],
    newest_input: u32,
    acked: u32,
    tick: u32,
    stamp_us: u32,
    has_snapshot: bool,
}

impl Default for Player {
    fn default() -> Self {
        Self {
            input_us: [0; INPUTS],
            newest_input: 0,
            acked: 0,
            tick: 0,
            stamp_us: 0,
            has_snapshot: false,
        }
    }
}

impl Player {
    pub fn sent(&mut self, seq: u32, sent_us: u32) {
        if let Some(time) = self.input_us.get_mut(seq as usize % INPUTS) {
            *time = sent_us;
        }
        self.newest_input = seq;
    }

    /// `is_measured`: whether it counts. The round trip of an input ends with the first snapshot that
    /// has it; inputs that one snapshot acknowledges together count by the newest.
    pub fn snapshot(
        &mut self,
        (tick, ack_seq, stamp_us): (u32, u32, u32),
        now_us: u32,
        is_measured: bool,
        counts: &mut Counts,
    ) {
        let is_first = !std::mem::replace(&mut self.has_snapshot, true);
        if !is_first && tick <= self.tick {
            counts.snapshots_late += u64::from(is_measured);
            return;
        }
        let missed = if is_first { 0 } else { tick - self.tick - 1 };
        (self.tick, self.stamp_us) = (tick, stamp_us);
        let newly = ack_seq.saturating_sub(self.acked);
        self.acked = self.acked.max(ack_seq);
        if !is_measured {
            return;
        }
        counts.snapshots += 1;
        counts.snapshots_missed += u64::from(missed);
        counts.one_way.record(passed_ns(stamp_us, now_us));
        if newly == 0 || self.newest_input.wrapping_sub(ack_seq) as usize >= INPUTS {
            return;
        }
        counts.delivered += u64::from(newly);
        if let Some(sent_us) = self.input_us.get(ack_seq as usize % INPUTS) {
            counts.rtt.record(passed_ns(*sent_us, now_us));
        }
    }

    /// An event has the time of its tick, which the newest snapshot tells.
    pub fn event(&self, tick: u32, step_us: f64, now_us: u32, counts: &mut Counts) {
        counts.game_events += 1;
        if !self.has_snapshot {
            return;
        }
        let steps = f64::from(tick.wrapping_sub(self.tick) as i32);
        let stamp_us = self.stamp_us.wrapping_add((steps * step_us) as i64 as u32);
        counts.event_one_way.record(passed_ns(stamp_us, now_us));
    }
}

/// Nanoseconds between two microseconds modulo 2^32; 0 when the second is the earlier one.
pub fn passed_ns(from_us: u32, to_us: u32) -> u64 {
    u64::from((to_us.wrapping_sub(from_us) as i32).max(0) as u32) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_and_latecomers_are_counted_and_inputs_timed() {
        let (mut player, mut counts) = (Player::default(), Counts::default());
        player.sent(1, 1_000);
        player.sent(2, 2_000);
        player.snapshot((10, 0, 500), 900, true, &mut counts);
        player.snapshot((13, 2, 2_500), 4_000, true, &mut counts);
        player.snapshot((12, 2, 2_400), 4_100, true, &mut counts);
        player.event(14, 16_000.0, 20_000, &mut counts);
        let told = counts.take();
        assert_eq!(told["snapshots"]["received"], 2);
        assert_eq!(told["snapshots"]["missed"], 2);
        assert_eq!(told["snapshots"]["late"], 1);
        assert_eq!(told["delivered"], 2);
        assert_eq!(told["rttNs"]["max"], 2_000_000);
        assert_eq!(told["eventOneWayNs"]["max"], 1_500_000);
    }

    #[test]
    fn times_pass_the_border() {
        assert_eq!(passed_ns(u32::MAX, 1), 2_000);
        assert_eq!(passed_ns(5, 3), 0);
    }
}
