//! What a flow was told: order within lanes, pieces put together (rl1.md §7). Messages are read and
//! checked as they come; only what they say is held, not their bytes.

use ggscale_rl1::distance;
use ggscale_rl1::frame::{Fragment, Message, Mode, FRAGMENT_BYTES};

use super::outbox::CONTROL_CHANNEL;
use crate::load::message::{is_text, read, read_head, Heard, TEXT_AROUND};

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
        let heard = match message.fragment {
            None => told(channel, data),
            Some(fragment) => match self.piece(message, fragment) {
                Some(whole) => whole,
                None => return,
            },
        };
        self.complete(channel, mode, id, heard, out);
    }

    fn complete(&mut self, channel: u8, mode: Mode, id: u16, heard: Heard, out: &mut Vec<Heard>) {
        let lane = self.lane(channel, mode);
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
                    lane.next = lane.next.wrapping_add(1);
                    let at = lane.held.iter().position(|(id, _)| *id == lane.next);
                    next = at.map(|at| lane.held.swap_remove(at).1);
                }
            }
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
                held: Vec::new(),
            });
            self.lanes.len() - 1
        });
        #[allow(clippy::indexing_slicing)] // found or just pushed
        &mut self.lanes[index]
    }

    /// The whole message, when this was the last piece that was missing.
    fn piece(&mut self, message: &Message<'_>, fragment: Fragment) -> Option<Heard> {
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
        Some(match read_head(&head, length) {
            Heard::Bulk { .. } if !is_good => Heard::Strange,
            heard => heard,
        })
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
