//! Unreliable and sequenced messages (rl1.md §7).

use crate::frame::{Fragment, Message, Mode, FRAGMENT_BYTES};
use crate::pieces::Pieces;
use crate::{distance, Event};
use std::collections::BTreeMap;

const PARTIALS_MAX: usize = 2;
const PARTIAL_BYTES_MAX: usize = 64 * 1024;
const PARTIAL_LIFE_US: u64 = 500_000;

#[derive(Clone, Debug)]
struct Partial {
    key: (Mode, u8, u16),
    begun_us: u64,
    pieces: Pieces,
}

impl Partial {
    fn lives(&self, now_us: u64) -> bool {
        now_us.saturating_sub(self.begun_us) < PARTIAL_LIFE_US
    }
}

#[derive(Clone, Debug)]
pub struct Loose {
    /// What stands for the newest id of a channel before there is one.
    before_first: u16,
    /// Newest sequenced id delivered on a channel.
    newest: BTreeMap<u8, u16>,
    /// Oldest first.
    partials: Vec<Partial>,
}

impl Loose {
    #[must_use]
    pub fn new(first: u16) -> Self {
        Self {
            before_first: first.wrapping_sub(1),
            newest: BTreeMap::new(),
            partials: Vec::new(),
        }
    }

    /// How many fragments the partial message of this mode, channel and id has.
    #[must_use]
    pub fn partial_count(&self, key: (Mode, u8, u16), now_us: u64) -> Option<u16> {
        let partial = self.partials.iter().find(|partial| partial.key == key)?;
        partial.lives(now_us).then(|| partial.pieces.count())
    }

    /// Applies a frame that contradicts nothing.
    pub fn apply(&mut self, message: &Message<'_>, now_us: u64, events: &mut Vec<Event>) {
        self.partials.retain(|partial| partial.lives(now_us));
        if !self.is_news(message) {
            return;
        }
        let data = match message.fragment {
            None => Some(message.data.to_vec()),
            Some(fragment) => self.add_piece(message, fragment, now_us),
        };
        let Some(data) = data else {
            return;
        };
        if message.mode == Mode::Sequenced {
            self.newest.insert(message.channel, message.id);
        }
        events.push(Event::Message {
            channel: message.channel,
            mode: message.mode,
            id: message.id,
            data,
        });
    }

    fn is_news(&self, message: &Message<'_>) -> bool {
        let newest = self.newest.get(&message.channel).copied();
        message.mode != Mode::Sequenced
            || distance(message.id, newest.unwrap_or(self.before_first)) > 0
    }

    fn add_piece(
        &mut self,
        message: &Message<'_>,
        fragment: Fragment,
        now_us: u64,
    ) -> Option<Vec<u8>> {
        let key = (message.mode, message.channel, message.id);
        let found = self
            .partials
            .iter()
            .position(|partial| partial.key == key)
            .unwrap_or_else(|| self.begin(key, fragment.count, now_us));
        let pieces = &mut self.partials.get_mut(found)?.pieces;
        pieces.insert(fragment, message.data);
        let whole = pieces.whole()?;
        self.partials.remove(found);
        Some(whole)
    }

    /// Makes room at the expense of the oldest; the index of the new partial.
    fn begin(&mut self, key: (Mode, u8, u16), count: u16, now_us: u64) -> usize {
        let bytes = |count: u16| FRAGMENT_BYTES * usize::from(count);
        while !self.partials.is_empty() {
            let held = self.partials.iter().map(|one| bytes(one.pieces.count()));
            let fits = held.sum::<usize>() + bytes(count) <= PARTIAL_BYTES_MAX;
            if fits && self.partials.len() < PARTIALS_MAX {
                break;
            }
            self.partials.remove(0);
        }
        self.partials.push(Partial {
            key,
            begun_us: now_us,
            pieces: Pieces::new(count),
        });
        self.partials.len() - 1
    }
}
