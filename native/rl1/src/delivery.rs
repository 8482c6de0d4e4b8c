//! All messages of a flow, from frames to events (rl1.md §7).

use crate::frame::Message;
use crate::lane::{Held, Lane, Progress};
use crate::loose::Loose;
use crate::Event;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Delivery {
    first: u16,
    window: u16,
    lanes: BTreeMap<(u8, u8), Lane>,
    loose: Loose,
    held: Held,
}

impl Delivery {
    /// `window` is that of this side's PARAMS; `first` is the first id of every channel and mode: 0,
    /// but in tests of the wrap.
    #[must_use]
    pub fn new(window: u16, first: u16) -> Self {
        Self {
            first,
            window,
            lanes: BTreeMap::new(),
            loose: Loose::new(first),
            held: Held::default(),
        }
    }

    /// Applies a frame that the rule ([`crate::rule`]) let pass.
    pub fn apply(&mut self, message: &Message<'_>, now_us: u64, events: &mut Vec<Event>) {
        if !message.mode.is_reliable() {
            return self.loose.apply(message, now_us, events);
        }
        let first = self.first;
        let key = (message.channel, message.mode.bits());
        let lane = self.lanes.entry(key).or_insert_with(|| Lane::new(first));
        lane.apply(message, self.window, &mut self.held, events);
    }

    /// How far a reliable message is ahead of the next of its lane, and what there is of it.
    #[must_use]
    pub fn progress(&self, message: &Message<'_>) -> (i16, Progress) {
        let fresh = Lane::new(self.first);
        let key = (message.channel, message.mode.bits());
        let lane = self.lanes.get(&key).unwrap_or(&fresh);
        (lane.ahead(message.id), lane.progress(message.id))
    }

    #[must_use]
    pub fn loose(&self) -> &Loose {
        &self.loose
    }

    /// Bytes and partial messages held, reliable ones only.
    #[must_use]
    pub fn held(&self) -> Held {
        self.held
    }
}
