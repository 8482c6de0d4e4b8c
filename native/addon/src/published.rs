//! Figures that one thread publishes and any other reads, without either waiting for the other.
//!
//! ```text
//!  begun ≥ done     halves:  [ snapshot done ][ snapshot done + 1, being written ]
//! ```
//! A reader copies the half of the newest whole snapshot. Meanwhile the publisher writes the other
//! half; only when it has begun the one after that, in the half of the reader, the copy is thrown away
//! (a seqlock with two places). So a publisher that the system stops in the middle holds up nobody.
//! `tests/published_model.rs` runs this file through every interleaving.

use std::array;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::atomics::{fence, AtomicU64};

/// Invariant: only its `Publisher` writes; `begun` is `done` or one more.
pub struct Published<const N: usize> {
    begun: AtomicU64,
    done: AtomicU64,
    halves: [[AtomicU64; N]; 2],
}

/// The one who may write.
pub struct Publisher<const N: usize> {
    to: Arc<Published<N>>,
    count: u64,
}

impl<const N: usize> Published<N> {
    /// The newest whole snapshot; zeros before the first. Repeats itself only when two were published
    /// while it copied.
    pub fn read(&self) -> [u64; N] {
        loop {
            let done = self.done.load(Ordering::Acquire);
            let half = self.half(done);
            let values = half.each_ref().map(|value| value.load(Ordering::Relaxed));
            // With the publisher's fence: whoever saw a value of a later snapshot sees its beginning.
            fence(Ordering::Acquire);
            // Acquire, for the next try: it finds at least the snapshot before the one that has begun.
            if self.begun.load(Ordering::Acquire) <= done + 1 {
                return values;
            }
        }
    }

    fn half(&self, snapshot: u64) -> &[AtomicU64; N] {
        let [even, odd] = &self.halves;
        if snapshot.is_multiple_of(2) {
            even
        } else {
            odd
        }
    }
}

impl<const N: usize> Default for Publisher<N> {
    fn default() -> Self {
        let zeros = || array::from_fn(|_| AtomicU64::new(0));
        let to = Arc::new(Published {
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            halves: [zeros(), zeros()],
        });
        Self { to, count: 0 }
    }
}

impl<const N: usize> Publisher<N> {
    pub fn published(&self) -> &Arc<Published<N>> {
        &self.to
    }

    pub fn publish(&mut self, values: &[u64; N]) {
        self.count += 1;
        self.to.begun.store(self.count, Ordering::Release);
        fence(Ordering::Release);
        for (cell, value) in self.to.half(self.count).iter().zip(values) {
            cell.store(*value, Ordering::Relaxed);
        }
        self.to.done.store(self.count, Ordering::Release);
    }
}
