//! Which of the last 256 sequences have been received.
//!
//! ```text
//!   latest − 255 … latest        one bit each, at sequence mod 256
//! ```
//! Invariant: bits of sequences above `latest` or below `latest − 255` are never looked at before
//! they have been cleared by `mark`.

use crate::limits::SEQUENCE_JUMP_MAX;

const WINDOW: u64 = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReplayWindow {
    latest: u64,
    /// All zero before the first: the bit of `latest` is always set.
    bits: [u64; 4],
}

impl ReplayWindow {
    pub const EMPTY: Self = Self {
        latest: 0,
        bits: [0; 4],
    };

    /// The window of a connection whose counter stands at `sequence`.
    pub fn beginning_at(sequence: u64) -> Self {
        let mut window = Self::EMPTY;
        window.mark(sequence);
        window
    }

    /// Farther ahead than this connection can be: recorded from another under the same key.
    pub fn is_foreign(&self, sequence: u64) -> bool {
        self.has_started() && sequence.saturating_sub(self.latest) > SEQUENCE_JUMP_MAX
    }

    /// Seen before, or too old to know. Written as a subtraction: `sequence + 256` would overflow.
    pub fn is_replayed(&self, sequence: u64) -> bool {
        if sequence > self.latest || !self.has_started() {
            return false;
        }
        self.latest - sequence >= WINDOW || self.bit(sequence)
    }

    /// Call only after the packet has opened: a forged sequence must not move the window.
    pub fn mark(&mut self, sequence: u64) {
        if !self.has_started() {
            *self = Self {
                latest: sequence,
                bits: [0; 4],
            };
        } else if sequence > self.latest {
            let ahead = sequence - self.latest;
            if ahead >= WINDOW {
                self.bits = [0; 4];
            } else {
                for between in self.latest + 1..sequence {
                    self.set(between, false);
                }
            }
            self.latest = sequence;
        } else if self.latest - sequence >= WINDOW {
            return;
        }
        self.set(sequence, true);
    }

    /// Higher than any received.
    pub fn is_newest(&self, sequence: u64) -> bool {
        sequence > self.latest || !self.has_started()
    }

    /// Reads its first and last word.
    #[inline]
    pub fn touch(&self) -> u64 {
        let [.., last] = self.bits;
        self.latest ^ last
    }

    /// The highest sequence received.
    pub fn latest(&self) -> Option<u64> {
        self.has_started().then_some(self.latest)
    }

    fn has_started(&self) -> bool {
        self.bits != [0; 4]
    }

    fn bit(&self, sequence: u64) -> bool {
        let word = self
            .bits
            .get((sequence % WINDOW / 64) as usize)
            .copied()
            .unwrap_or(0);
        word >> (sequence % 64) & 1 == 1
    }

    fn set(&mut self, sequence: u64, on: bool) {
        if let Some(word) = self.bits.get_mut((sequence % WINDOW / 64) as usize) {
            let mask = 1 << (sequence % 64);
            *word = if on { *word | mask } else { *word & !mask };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::BTreeSet;

    #[test]
    fn each_sequence_is_accepted_once_in_order_and_out_of_order() {
        let mut window = ReplayWindow::EMPTY;
        for sequence in [5u64, 6, 8, 7, 300, 299, 45] {
            assert!(!window.is_replayed(sequence), "{sequence}");
            window.mark(sequence);
            assert!(window.is_replayed(sequence), "{sequence}");
        }
        assert!(window.is_replayed(44));
        assert!(!window.is_replayed(46));
        assert_eq!(window.latest(), Some(300));
    }

    #[test]
    fn the_top_of_the_sequence_space_does_not_overflow() {
        let mut window = ReplayWindow::EMPTY;
        for sequence in [u64::MAX - 1, u64::MAX, u64::MAX - 255] {
            assert!(!window.is_replayed(sequence));
            window.mark(sequence);
            assert!(window.is_replayed(sequence));
        }
        assert!(window.is_replayed(u64::MAX - 256));
        assert!(window.is_replayed(0));
    }

    #[test]
    fn a_window_that_begins_somewhere_refuses_what_is_far_from_there() {
        let window = ReplayWindow::beginning_at(1 << 30);
        assert!(window.is_replayed(1 << 30));
        assert!(window.is_replayed((1 << 30) - 256) && !window.is_replayed((1 << 30) - 255));
        let last = (1 << 30) + SEQUENCE_JUMP_MAX;
        assert!(!window.is_foreign(last) && window.is_foreign(last + 1));
        assert!(!window.is_foreign(0) && window.is_foreign(u64::MAX));
        assert!(
            !ReplayWindow::EMPTY.is_foreign(u64::MAX),
            "any start is legal"
        );
    }

    #[test]
    fn it_agrees_with_a_set_of_all_sequences() {
        let mut random = Random::from_number(11);
        for base in [0u64, 1 << 40, u64::MAX - 5000] {
            let mut window = ReplayWindow::EMPTY;
            let mut seen = BTreeSet::new();
            let mut high = base;
            for _ in 0..20_000 {
                let step = random.next_u64();
                let sequence = match step % 8 {
                    0..=4 => high.saturating_add(step >> 32 & 1),
                    5 | 6 => high.saturating_sub((step >> 32) % 400),
                    _ => high.saturating_add((step >> 32) % 600),
                };
                let latest = seen.last().copied();
                let old = latest.is_some_and(|l: u64| l >= 256 && sequence <= l - 256);
                assert_eq!(
                    window.is_replayed(sequence),
                    old || seen.contains(&sequence)
                );
                if !window.is_replayed(sequence) {
                    window.mark(sequence);
                    seen.insert(sequence);
                    high = high.max(sequence);
                }
            }
        }
    }
}
