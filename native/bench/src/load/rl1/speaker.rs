//! One RL1 flow of a client, from PARAMS to CLOSE (docs/wire/rl1.md). It sees no socket: payloads go in,
//! payloads come out, and a deadline says when to look again.
//!
//! ```text
//! Hello ── PARAMS ──▶ Hello until the server's ──▶ Ready ──▶ Ended (CLOSE of either side)
//! ```

use ggscale_rl1::frame::{self, Frame};
use ggscale_rl1::reader::Reader;
use ggscale_rl1::{header, params, Limits, Side};

use super::inbox::Inbox;
use super::outbox::{Frames, Outbox};
use super::packet::write_params;
use super::received::Received;
use super::sent::Sent;
use crate::load::message::{Heard, Shape};

pub const PACKET_BYTES_MAX: usize = 1192;
pub const NEVER_US: u64 = u64::MAX;
pub(super) const MAX_ACK_DELAY_MS: u16 = 25;
const MAX_ACK_DELAY_US: u64 = MAX_ACK_DELAY_MS as u64 * 1000;
/// Unacknowledged packets after which an acknowledgement leaves at once.
const ACK_PACKETS: u8 = 10;
const FRAMES_MAX: usize = 64;
const CLOSES: u8 = 4;

pub(super) const LIMITS: Limits = Limits {
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
    /// TIME_REQ, as a player's client sends them.
    pub asks_time: bool,
}

#[derive(Debug)]
pub struct Speaker {
    stage: Stage,
    hellos: u32,
    hello_due_us: u64,
    pub(super) received: Received,
    pub(super) sent: Sent,
    pub outbox: Outbox,
    inbox: Inbox,
    pub(super) newest_arrived_us: u64,
    pub(super) unacked: u8,
    pub(super) ack_due_us: u64,
    pub(super) ack_now: bool,
    peer_delay_us: u64,
    asks_time: bool,
    clock_due_us: u64,
    clock_asks: u32,
    pub(super) wants_time: bool,
    pub(super) time_waits: bool,
    pub(super) time_answer: Option<(u32, u32)>,
    pub(super) wants_ping: bool,
    /// One packet goes whatever is in flight.
    pub(super) probes: bool,
    pub(super) grease: bool,
    pub(super) skip_in: u64,
    pub(super) seed: u64,
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
            asks_time: settings.asks_time,
            clock_due_us: NEVER_US,
            clock_asks: 0,
            wants_time: false,
            time_waits: false,
            time_answer: None,
            wants_ping: false,
            probes: false,
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
            if self.asks_time {
                self.clock_due_us = now_us;
            }
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
        Some(false)
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
                .min(self.clock_due_us),
        }
    }

    pub fn handle_timeout(&mut self, now_us: u64) {
        if self.stage != Stage::Ready {
            return;
        }
        if self.ack_due_us <= now_us {
            self.ack_now = true;
        }
        if self.clock_due_us <= now_us {
            // Later ones ride with data, and leave alone when the next is due.
            self.wants_time = self.clock_asks < 12 || self.time_waits;
            self.time_waits = !self.wants_time;
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
            self.probes = true;
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
}
