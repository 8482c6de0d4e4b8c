//! One RL1 flow of a client, from PARAMS to CLOSE (docs/wire/rl1.md). It sees no socket: payloads go in,
//! payloads come out, and a deadline says when to look again.
//!
//! ```text
//! Hello ── PARAMS ──▶ Hello until the server's ──▶ Ready ──▶ Ended (CLOSE of either side)
//! ```

use ggscale_rl1::frame::{self, Frame};
use ggscale_rl1::reader::Reader;
use ggscale_rl1::{header, params, Limits, Side};

use super::inbox::{Inbox, ACK_DELAY_US};
use super::outbox::{Frames, Outbox};
use super::received::Received;
use super::sent::Sent;
use crate::load::message::{Heard, Shape};

pub const PACKET_BYTES_MAX: usize = 1192;
pub const NEVER_US: u64 = u64::MAX;
const MAX_ACK_DELAY_MS: u16 = 25;
const MAX_ACK_DELAY_US: u64 = MAX_ACK_DELAY_MS as u64 * 1000;
/// Unacknowledged packets after which an acknowledgement leaves at once.
const ACK_PACKETS: u8 = 10;
const FRAMES_MAX: usize = 64;
/// A number is left out every 64 to 512 packets.
const SKIP_LEAST: u64 = 64;
const SKIP_SPAN: u64 = 449;
const CLOSES: u8 = 2;

const LIMITS: Limits = Limits {
    channels: 32,
    partials: 8,
    window: 512,
    unreliable_bytes: 16384,
    reliable_bytes: 262_144,
    budget_bytes: 589_824,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// PARAMS are sent until the server's come.
    Hello,
    Ready,
    Ended,
}

/// What all flows of a load have in common.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub registry_hash: u32,
    pub shape: Shape,
    pub channel: u8,
    pub loose_channel: u8,
}

#[derive(Debug)]
pub struct Speaker {
    stage: Stage,
    hellos: u32,
    hello_due_us: u64,
    received: Received,
    sent: Sent,
    pub outbox: Outbox,
    inbox: Inbox,
    newest_arrived_us: u64,
    unacked: u8,
    ack_due_us: u64,
    ack_now: bool,
    peer_delay_us: u64,
    clock_due_us: u64,
    clock_asks: u32,
    wants_time: bool,
    time_answer: Option<(u32, u32)>,
    session_ack_due_us: u64,
    wants_ping: bool,
    grease: bool,
    skip_in: u64,
    seed: u64,
    closes: u8,
}

impl Speaker {
    pub fn new(settings: &Settings, now_us: u64, seed: u64) -> Self {
        let mut speaker = Self {
            stage: Stage::Hello,
            hellos: 0,
            hello_due_us: now_us,
            received: Received::default(),
            sent: Sent::new(seed as u16),
            outbox: Outbox::new(settings.shape, settings.channel, settings.loose_channel),
            inbox: Inbox::default(),
            newest_arrived_us: 0,
            unacked: 0,
            ack_due_us: NEVER_US,
            ack_now: false,
            peer_delay_us: MAX_ACK_DELAY_US,
            clock_due_us: NEVER_US,
            clock_asks: 0,
            wants_time: false,
            time_answer: None,
            session_ack_due_us: NEVER_US,
            wants_ping: false,
            grease: false,
            skip_in: 0,
            seed: seed | 1,
            closes: 0,
        };
        speaker.skip_in = speaker.next_skip();
        speaker
    }

    /// Packets that were declared lost.
    pub fn lost(&self) -> u32 {
        self.sent.lost
    }

    /// One payload; what it says goes to `out`. True when the peer has closed.
    pub fn receive(&mut self, payload: &[u8], now_us: u64, out: &mut Vec<Heard>) -> bool {
        if self.stage == Stage::Ended {
            return false;
        }
        if payload.starts_with(params::MAGIC) {
            self.handle_params(payload, now_us);
            return false;
        }
        if self.stage == Stage::Hello {
            return false;
        }
        match self.handle_packet(payload, now_us, out) {
            Some(is_closed) => is_closed,
            None => {
                out.push(Heard::Strange);
                false
            }
        }
    }

    fn handle_params(&mut self, payload: &[u8], now_us: u64) {
        let Ok(params) = params::parse(payload, Side::Server) else {
            return;
        };
        if self.stage == Stage::Hello {
            self.stage = Stage::Ready;
            self.outbox.window = usize::from(params.limits.window);
            self.peer_delay_us = u64::from(params.max_ack_delay_ms) * 1000;
            self.clock_due_us = now_us;
        }
    }

    /// None: refused as a whole.
    fn handle_packet(&mut self, payload: &[u8], now_us: u64, out: &mut Vec<Heard>) -> Option<bool> {
        let (header, body) = header::parse(payload).ok()?;
        if !self.received.is_new(header.sequence) {
            return Some(false);
        }
        let (mut reader, mut count, mut asks, mut at_once) = (Reader::new(body), 0, false, false);
        while !reader.rest().is_empty() {
            let frame = frame::parse(&mut reader, &LIMITS).ok()?;
            asks |= frame.asks_for_ack();
            at_once |= matches!(frame, Frame::Ping | Frame::TimeRequest { .. });
            count += 1;
        }
        if count > FRAMES_MAX {
            return None;
        }
        if let Some(ack) = &header.ack {
            let (outbox, received) = (&mut self.outbox, &mut self.received);
            if !self.sent.handle_ack(ack, now_us, outbox, received) {
                return None;
            }
        }
        let newest_before = self.received.newest();
        let follows = self.received.insert(header.sequence);
        if newest_before.is_none_or(|it| ggscale_rl1::distance(header.sequence, it) > 0) {
            self.newest_arrived_us = now_us;
        }
        if asks {
            self.unacked += 1;
            self.ack_now |= at_once || !follows || self.unacked >= ACK_PACKETS;
            self.ack_due_us = self.ack_due_us.min(now_us + MAX_ACK_DELAY_US);
        }
        self.apply(body, now_us, out)
    }

    fn apply(&mut self, body: &[u8], now_us: u64, out: &mut Vec<Heard>) -> Option<bool> {
        let mut reader = Reader::new(body);
        while !reader.rest().is_empty() {
            match frame::parse(&mut reader, &LIMITS).ok()? {
                Frame::Message(message) => self.inbox.take(&message, out),
                Frame::TimeRequest { t0 } => self.time_answer = Some((t0, now_us as u32)),
                Frame::Close { .. } => {
                    self.stage = Stage::Ended;
                    return Some(true);
                }
                _ => {}
            }
        }
        if self.inbox.owes_ack_now() {
            self.ack_session();
        } else if self.inbox.owes_ack() && self.session_ack_due_us == NEVER_US {
            self.session_ack_due_us = now_us + ACK_DELAY_US;
        }
        Some(false)
    }

    fn ack_session(&mut self) {
        self.session_ack_due_us = NEVER_US;
        let (bytes, length) = self.inbox.write_ack();
        if length > 0 {
            self.outbox.push_control(bytes, length);
        }
    }

    /// Says goodbye with the next packets.
    pub fn close(&mut self) {
        if self.stage == Stage::Ready {
            self.closes = CLOSES;
        }
        self.stage = Stage::Ended;
    }

    pub fn deadline_us(&self) -> u64 {
        match self.stage {
            Stage::Hello => self.hello_due_us,
            Stage::Ended => NEVER_US,
            Stage::Ready => self
                .sent
                .deadline_us(self.peer_delay_us)
                .min(self.ack_due_us)
                .min(self.clock_due_us)
                .min(self.session_ack_due_us),
        }
    }

    pub fn handle_timeout(&mut self, now_us: u64) {
        if self.stage != Stage::Ready {
            return;
        }
        if self.ack_due_us <= now_us {
            self.ack_now = true;
        }
        if self.session_ack_due_us <= now_us {
            self.ack_session();
        }
        if self.clock_due_us <= now_us {
            self.wants_time = true;
            self.clock_asks += 1;
            self.clock_due_us = now_us
                + match self.clock_asks {
                    0..5 => 50_000,
                    5..12 => 250_000,
                    _ => 1_000_000,
                };
        }
        let outbox = &mut self.outbox;
        if self.sent.handle_timeout(now_us, self.peer_delay_us, outbox) {
            self.wants_ping = !self.outbox.waits();
        }
    }

    /// The next payload; its length, None when nothing is to be sent now. Call until it is.
    pub fn write(&mut self, now_us: u64, out: &mut [u8], settings: &Settings) -> Option<usize> {
        match self.stage {
            Stage::Hello if self.hello_due_us <= now_us => {
                self.hellos += 1;
                self.hello_due_us = now_us
                    + match self.hellos {
                        ..=10 => 100_000,
                        11 => 200_000,
                        12 => 400_000,
                        13 => 800_000,
                        _ => 1_000_000,
                    };
                write_params(out, settings.registry_hash)
            }
            Stage::Hello => None,
            Stage::Ended if self.closes > 0 => {
                self.closes -= 1;
                let number = self.sent.push(now_us, false, None);
                let mut frames = Frames::new(out.get_mut(..PACKET_BYTES_MAX)?, 0);
                frames.put(&[0x40]);
                frames.put(&number.to_le_bytes());
                // CLOSE 1000 without a reason.
                frames.put(&[4, 0xe8, 3, 0]);
                Some(frames.finish())
            }
            Stage::Ended => None,
            Stage::Ready => self.write_packet(now_us, out.get_mut(..PACKET_BYTES_MAX)?),
        }
    }

    fn write_packet(&mut self, now_us: u64, out: &mut [u8]) -> Option<usize> {
        let has_data = self.outbox.waits();
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
        self.write_control(now_us, &mut frames);
        self.outbox.write(number, &mut frames);
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

    fn write_control(&mut self, now_us: u64, frames: &mut Frames<'_>) {
        if std::mem::take(&mut self.wants_ping) {
            frames.put(&[1]);
        }
        if std::mem::take(&mut self.wants_time) {
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
    fn next_skip(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        SKIP_LEAST + self.seed % SKIP_SPAN
    }
}

fn write_params(out: &mut [u8], registry_hash: u32) -> Option<usize> {
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
