//! Reliable messages of one (channel, mode) (rl1.md §7).
//!
//! ```text
//!            next        the lowest id that is not complete
//!              ▼
//!  complete  │ ?  done  partial  –  done │  refused: window or more ahead
//!            └────────── window ─────────┘
//! ```

use crate::frame::{Fragment, Message, Mode};
use crate::pieces::Pieces;
use crate::{distance, Event};
use std::collections::btree_map::Entry::Vacant;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Entry {
    Partial(Pieces),
    /// Complete and delivered, unordered.
    Delivered,
    /// Complete, waiting for its turn, ordered.
    Held(Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Lane {
    next: u16,
    entries: BTreeMap<u16, Entry>,
}

/// What all lanes of a connection hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub partials: usize,
    pub bytes: usize,
}

/// What is known of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Nothing,
    /// In pieces: how many there are, and whether the last is here.
    Partial {
        count: u16,
        has_last: bool,
    },
    Complete,
}

impl Lane {
    #[must_use]
    pub fn new(first: u16) -> Self {
        Self {
            next: first,
            entries: BTreeMap::new(),
        }
    }

    /// How far an id is ahead of the next; negative behind it.
    #[must_use]
    pub fn ahead(&self, id: u16) -> i16 {
        distance(id, self.next)
    }

    #[must_use]
    pub fn progress(&self, id: u16) -> Progress {
        if self.ahead(id) < 0 {
            return Progress::Complete;
        }
        match self.entries.get(&id) {
            None => Progress::Nothing,
            Some(Entry::Delivered | Entry::Held(_)) => Progress::Complete,
            Some(Entry::Partial(pieces)) => Progress::Partial {
                count: pieces.count(),
                has_last: pieces.has_last(),
            },
        }
    }

    /// Applies a frame that the rule let pass. What is beyond the window now was far behind then.
    pub fn apply(
        &mut self,
        message: &Message<'_>,
        window: u16,
        held: &mut Held,
        events: &mut Vec<Event>,
    ) {
        if i32::from(self.ahead(message.id)) >= i32::from(window)
            || self.progress(message.id) == Progress::Complete
        {
            return;
        }
        let data = match message.fragment {
            None => Some(message.data.to_vec()),
            Some(fragment) => self.add_piece(message, fragment, held),
        };
        if let Some(data) = data {
            self.complete(message, data, held, events);
        }
    }

    /// The message, if this was the piece that was missing.
    fn add_piece(
        &mut self,
        message: &Message<'_>,
        fragment: Fragment,
        held: &mut Held,
    ) -> Option<Vec<u8>> {
        if let Vacant(vacant) = self.entries.entry(message.id) {
            let pieces = Pieces::new(fragment.count);
            held.partials += 1;
            held.bytes += pieces.least_bytes();
            vacant.insert(Entry::Partial(pieces));
        }
        let Some(Entry::Partial(pieces)) = self.entries.get_mut(&message.id) else {
            return None;
        };
        held.bytes -= pieces.least_bytes();
        pieces.insert(fragment, message.data);
        held.bytes += pieces.least_bytes();
        let data = pieces.whole()?;
        held.partials -= 1;
        held.bytes -= pieces.least_bytes();
        self.entries.remove(&message.id);
        Some(data)
    }

    fn complete(
        &mut self,
        message: &Message<'_>,
        data: Vec<u8>,
        held: &mut Held,
        events: &mut Vec<Event>,
    ) {
        let event = |id: u16, data: Vec<u8>| Event::Message {
            channel: message.channel,
            mode: message.mode,
            id,
            data,
        };
        if message.mode == Mode::Unordered {
            events.push(event(message.id, data));
            self.entries.insert(message.id, Entry::Delivered);
        } else {
            held.bytes += data.len();
            self.entries.insert(message.id, Entry::Held(data));
        }
        loop {
            match self.entries.get(&self.next) {
                Some(Entry::Delivered) => {}
                Some(Entry::Held(data)) => {
                    held.bytes -= data.len();
                    events.push(event(self.next, data.to_vec()));
                }
                Some(Entry::Partial(_)) | None => break,
            }
            self.entries.remove(&self.next);
            self.next = self.next.wrapping_add(1);
        }
    }
}
