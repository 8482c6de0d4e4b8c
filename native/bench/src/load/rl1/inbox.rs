//! What a flow was told: order within lanes, pieces put together, and the count that the session
//! acknowledges (rl1.md §7, docs/WIRE.md §2). Messages are read and checked as they come; only what they
//! say is held, not their bytes.

use ggscale_rl1::distance;
use ggscale_rl1::frame::{Fragment, Message, Mode, FRAGMENT_BYTES};

use super::outbox::{CONTROL_BYTES, CONTROL_CHANNEL};
use crate::load::message::{is_text, read, read_head, Heard, TEXT_AROUND};

/// A session acknowledgement leaves after so many messages or bytes, or after this long.
const ACK_MESSAGES: u32 = 64;
const ACK_BYTES: usize = 64 * 1024;
pub const ACK_DELAY_US: u64 = 100_000;
const ID_ACK: u8 = 2;
/// Of the first piece, enough to read everything but the text.
const HEAD_BYTES: usize = 64;
/// Unreliable messages in pieces that are kept, as the document says.
const LOOSE_PARTIALS: usize = 2;

#[derive(Debug)]
struct Lane {
    channel: u8,
    mode: Mode,
    /// Ordered: the next id. Sequenced: one behind the newest.
    next: u16,
    delivered: u32,
    /// Ordered: complete, ahead of the next.
    held: Vec<(u16, Heard)>,
}

#[derive(Debug)]
struct Partial {
    channel: u8,
    mode: Mode,
    id: u16,
    count: u16,
    got: [u64; 4],
    pieces: u16,
    length: usize,
    head: [u8; HEAD_BYTES],
    is_good: bool,
}

#[derive(Debug, Default)]
pub struct Inbox {
    lanes: Vec<Lane>,
    partials: Vec<Partial>,
    unacked: u32,
    unacked_bytes: usize,
}

impl Inbox {
    /// One message frame; what is delivered now goes to `out`.
    pub fn take(&mut self, message: &Message<'_>, out: &mut Vec<Heard>) {
        let Message {
            mode,
            channel,
            id,
            data,
            ..
        } = *message;
        if mode == Mode::Unreliable && message.fragment.is_none() {
            out.push(told(channel, data));
            return;
        }
        let lane = self.lane(channel, mode);
        let ahead = distance(id, lane.next);
        let is_past = ahead < 0 || lane.held.iter().any(|(held, _)| *held == id);
        if is_past {
            return;
        }
        let length = data.len();
        let (heard, length) = match message.fragment {
            None => (told(channel, data), length),
            Some(fragment) => match self.piece(message, fragment) {
                Some(whole) => whole,
                None => return,
            },
        };
        self.complete(channel, mode, id, (heard, length), out);
    }

    fn complete(
        &mut self,
        channel: u8,
        mode: Mode,
        id: u16,
        (heard, length): (Heard, usize),
        out: &mut Vec<Heard>,
    ) {
        let lane = self.lane(channel, mode);
        let mut delivered = 0;
        match mode {
            Mode::Unreliable => out.push(heard),
            Mode::Sequenced => {
                lane.next = id.wrapping_add(1);
                out.push(heard);
            }
            // No type of the benchmark is unordered.
            Mode::Unordered => out.push(Heard::Strange),
            Mode::Ordered if id != lane.next => lane.held.push((id, heard)),
            Mode::Ordered => {
                let mut next = Some(heard);
                while let Some(heard) = next {
                    out.push(heard);
                    delivered += 1;
                    lane.next = lane.next.wrapping_add(1);
                    let at = lane.held.iter().position(|(id, _)| *id == lane.next);
                    next = at.map(|at| lane.held.swap_remove(at).1);
                }
            }
        }
        lane.delivered += delivered;
        if channel != CONTROL_CHANNEL && mode == Mode::Ordered {
            self.unacked += delivered;
            self.unacked_bytes += length;
        }
    }

    fn lane(&mut self, channel: u8, mode: Mode) -> &mut Lane {
        let found = self
            .lanes
            .iter()
            .position(|lane| lane.channel == channel && lane.mode == mode);
        let index = found.unwrap_or_else(|| {
            self.lanes.push(Lane {
                channel,
                mode,
                next: 0,
                delivered: 0,
                held: Vec::new(),
            });
            self.lanes.len() - 1
        });
        #[allow(clippy::indexing_slicing)] // found or just pushed
        &mut self.lanes[index]
    }

    /// The whole message and its length, when this was the last piece that was missing.
    fn piece(&mut self, message: &Message<'_>, fragment: Fragment) -> Option<(Heard, usize)> {
        let at = self.partial(message, fragment);
        let partial = self.partials.get_mut(at)?;
        let index = usize::from(fragment.index);
        let word = partial.got.get_mut(index >> 6)?;
        if *word & 1 << (index & 63) != 0 {
            return None;
        }
        *word |= 1 << (index & 63);
        partial.pieces += 1;
        partial.length += message.data.len();
        partial.is_good &= is_piece_good(message, fragment);
        if index == 0 {
            partial
                .head
                .copy_from_slice(message.data.get(..HEAD_BYTES)?);
        }
        if partial.pieces < partial.count {
            return None;
        }
        let Partial {
            head,
            length,
            is_good,
            ..
        } = self.partials.swap_remove(at);
        let heard = match read_head(&head, length) {
            Heard::Bulk { .. } if !is_good => Heard::Strange,
            heard => heard,
        };
        Some((heard, length))
    }

    fn partial(&mut self, message: &Message<'_>, fragment: Fragment) -> usize {
        let Message {
            channel, mode, id, ..
        } = *message;
        let found = self
            .partials
            .iter()
            .position(|it| it.channel == channel && it.mode == mode && it.id == id);
        if let Some(at) = found {
            return at;
        }
        let is_loose = |it: &Partial| !it.mode.is_reliable();
        if !mode.is_reliable()
            && self.partials.iter().filter(|it| is_loose(it)).count() == LOOSE_PARTIALS
        {
            if let Some(oldest) = self.partials.iter().position(is_loose) {
                self.partials.remove(oldest);
            }
        }
        self.partials.push(Partial {
            channel,
            mode,
            id,
            count: fragment.count,
            got: [0; 4],
            pieces: 0,
            length: 0,
            head: [0; HEAD_BYTES],
            is_good: true,
        });
        self.partials.len() - 1
    }

    pub fn owes_ack(&self) -> bool {
        self.unacked > 0
    }

    pub fn owes_ack_now(&self) -> bool {
        self.unacked >= ACK_MESSAGES || self.unacked_bytes >= ACK_BYTES
    }

    /// `$ack`: n × `u8 lane, u32 next`; its length is 0 when there is nothing to say.
    pub fn write_ack(&mut self) -> ([u8; CONTROL_BYTES], usize) {
        let mut bytes = [0; CONTROL_BYTES];
        let mut at = 1;
        for lane in &self.lanes {
            if lane.channel == CONTROL_CHANNEL || lane.mode != Mode::Ordered {
                continue;
            }
            if let Some([number, next @ ..]) = bytes.get_mut(at..at + 5) {
                *number = lane.channel * 2 + 1;
                next.copy_from_slice(&lane.delivered.to_le_bytes());
                at += 5;
            }
        }
        bytes[0] = ID_ACK;
        self.unacked = 0;
        self.unacked_bytes = 0;
        (bytes, if at > 1 { at } else { 0 })
    }
}

fn is_piece_good(message: &Message<'_>, fragment: Fragment) -> bool {
    let from = FRAGMENT_BYTES * usize::from(fragment.index);
    // Id, then the body; a zero ends its text.
    let skip = (1 + TEXT_AROUND - 1).saturating_sub(from);
    let end = message.data.len() - usize::from(fragment.is_last());
    let text = message.data.get(skip.min(end)..end).unwrap_or(&[]);
    is_text(text, (from + skip).saturating_sub(TEXT_AROUND))
}

/// What a whole message says; on the session's channel only `$hello` matters.
fn told(channel: u8, data: &[u8]) -> Heard {
    if channel != CONTROL_CHANNEL {
        return read(data);
    }
    match data.split_first() {
        Some((0, json)) if json.starts_with(br#"{"type":"$hello""#) => Heard::Hello,
        // `$types`: the registries differ, and everything would travel as JSON.
        Some((0, _)) | None => Heard::Strange,
        Some(_) => Heard::Quiet,
    }
}
