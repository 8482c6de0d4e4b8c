//! The fragments of one message (rl1.md §4.2).

use crate::frame::{Fragment, FRAGMENT_BYTES};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Pieces {
    count: u16,
    by_index: BTreeMap<u8, Vec<u8>>,
}

impl Pieces {
    #[must_use]
    pub fn new(count: u16) -> Self {
        Self {
            count,
            by_index: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The first copy of a fragment counts.
    pub fn insert(&mut self, fragment: Fragment, data: &[u8]) {
        self.by_index
            .entry(fragment.index)
            .or_insert_with(|| data.to_vec());
    }

    fn last(&self) -> Option<&Vec<u8>> {
        let index = u8::try_from(self.count.checked_sub(1)?).ok()?;
        self.by_index.get(&index)
    }

    #[must_use]
    pub fn has_last(&self) -> bool {
        self.last().is_some()
    }

    /// The least that the message can be long: its length, once the last fragment is here.
    #[must_use]
    pub fn least_bytes(&self) -> usize {
        let before = usize::from(self.count.saturating_sub(1));
        FRAGMENT_BYTES * before + self.last().map_or(1, Vec::len)
    }

    /// The message, when nothing is missing.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<u8>> {
        (self.by_index.len() == usize::from(self.count)).then(|| {
            self.by_index
                .values()
                .flat_map(|data| data.iter().copied())
                .collect()
        })
    }
}
