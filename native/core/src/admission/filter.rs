//! A filter ahead of the block list.

const FILTER_BITS: usize = 1 << 16;

/// A bit for the head of each address that a list may contain: 16 bits of IPv4; of IPv6, 32 bits
/// folded to 16. 8 KiB, or nothing for an empty list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Filter(Vec<u64>);

impl Filter {
    /// `heads`: first and last of each range.
    pub fn new(heads: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut words = Vec::new();
        for (first, last) in heads {
            words.resize(FILTER_BITS / 64, 0);
            // More heads than bits set them all (when they are folded, as many may leave some out).
            if last.saturating_sub(first) >= FILTER_BITS as u32 {
                words.fill(u64::MAX);
                continue;
            }
            for head in first..=last {
                if let Some(word) = words.get_mut(Self::word(head)) {
                    *word |= Self::bit(head);
                }
            }
        }
        Self(words)
    }

    #[inline]
    pub fn may_hold(&self, head: u32) -> bool {
        let word = self.0.get(Self::word(head));
        word.is_some_and(|word| word & Self::bit(head) != 0)
    }

    fn word(head: u32) -> usize {
        ((head ^ head >> 16) & 0xffff) as usize / 64
    }

    fn bit(head: u32) -> u64 {
        1 << ((head ^ head >> 16) & 63)
    }
}
