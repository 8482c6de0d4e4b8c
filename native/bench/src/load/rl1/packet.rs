//! The packets that a speaker writes: PARAMS, and header, control frames and messages (rl1.md §2 to §4).

use ggscale_rl1::params;

use super::outbox::Frames;
use super::speaker::{Speaker, LIMITS, MAX_ACK_DELAY_MS, NEVER_US};

/// A number is left out every 64 to 512 packets.
const SKIP_LEAST: u64 = 64;
const SKIP_SPAN: u64 = 449;

impl Speaker {
    pub(super) fn write_packet(&mut self, now_us: u64, out: &mut [u8]) -> Option<usize> {
        let is_probe = std::mem::take(&mut self.probes);
        let has_data = self.outbox.waits() && (is_probe || self.sent.has_room());
        let wants = has_data || self.wants_ping || self.wants_time;
        if !wants && !self.ack_now && self.time_answer.is_none() {
            return None;
        }
        let asks = wants || self.grease;
        let block = self.received.block();
        let number = self.sent.next();
        let mut frames = Frames::new(out, 0);
        let has_ack = block.map_or(0, |block| 0x10 | block.bitmap_bytes as u8);
        frames.put(&[0x40 | u8::from(has_data) << 5 | has_ack]);
        frames.put(&number.to_le_bytes());
        if has_data {
            frames.put(&((now_us >> 8) as u16).to_le_bytes());
        }
        if let Some(block) = &block {
            let delay = now_us.saturating_sub(self.newest_arrived_us) >> 8;
            frames.put(&block.largest.to_le_bytes());
            frames.put(&[delay.min(255) as u8, block.run]);
            frames.put(block.bitmap.get(..block.bitmap_bytes).unwrap_or(&[]));
        }
        self.write_control(now_us, has_data, &mut frames);
        if has_data {
            self.outbox.write(number, &mut frames);
        }
        let length = frames.finish();
        self.sent
            .push(now_us, asks, block.map(|block| block.largest));
        self.unacked = 0;
        self.ack_now = false;
        self.ack_due_us = NEVER_US;
        self.skip_in -= 1;
        if self.skip_in == 0 {
            self.skip_in = self.next_skip();
            self.sent.skip();
            self.grease = true;
        }
        Some(length)
    }

    fn write_control(&mut self, now_us: u64, has_data: bool, frames: &mut Frames<'_>) {
        if std::mem::take(&mut self.wants_ping) {
            frames.put(&[1]);
        }
        let rides = self.time_waits && has_data;
        self.time_waits &= !rides;
        if std::mem::take(&mut self.wants_time) || rides {
            frames.put(&[2]);
            frames.put(&(now_us as u32).to_le_bytes());
        }
        if let Some((t0, t1)) = self.time_answer.take() {
            frames.put(&[3]);
            for time in [t0, t1, now_us as u32] {
                frames.put(&time.to_le_bytes());
            }
        }
        if std::mem::take(&mut self.grease) {
            frames.put(&[0x20, 0]);
        }
    }

    /// xorshift64; only the numbers that are left out come from it.
    pub(super) fn next_skip(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        SKIP_LEAST + self.seed % SKIP_SPAN
    }
}

pub fn write_params(out: &mut [u8], registry_hash: u32) -> Option<usize> {
    let mut frames = Frames::new(out.get_mut(..64)?, 0);
    frames.put(params::MAGIC);
    frames.put(&[params::VERSION, 0, LIMITS.channels, LIMITS.partials, 0]);
    frames.put(&LIMITS.window.to_le_bytes());
    frames.put(&MAX_ACK_DELAY_MS.to_le_bytes());
    frames.put(&LIMITS.unreliable_bytes.to_le_bytes());
    frames.put(&LIMITS.reliable_bytes.to_le_bytes());
    frames.put(&LIMITS.budget_bytes.to_le_bytes());
    frames.put(&registry_hash.to_le_bytes());
    Some(frames.finish())
}
