//! Sleeping and waking across the rings: two words of the control block, one for each side, that say
//! whether it sleeps and what would interest it. A wake costs a system call here and microseconds on
//! the other side, so it is sent only to a sleeper, and once.
//!
//! ```text
//!  who publishes                          who sleeps
//!  1. store the counter (tail or head)    1. store NEWS_* in its word
//!  2. ── full fence ──                    2. ── full fence ──
//!  3. word & news? swap 0, ring           3. look at the rings again: empty? sleep
//! ```
//! Whichever fence comes first, the other side's step 3 sees step 1 of this side: no wake is lost. The
//! swap lets one publisher ring for each sleep. JavaScript's Atomics are sequentially consistent, which
//! is as strong as the fences. `tests/ring_model` runs this file through every interleaving.
//!
//! How an I/O thread uses it (JavaScript's half is worked for it by `threads/far_side.rs`):
//!
//! ```text
//! loop {
//!     bell.wake_up();                               // awake: nobody needs to ring
//!     endpoint.turn();                              // refresh, receive, seal, send
//!     let mut news = 0;
//!     if rx.publish() { news |= l::NEWS_ENTRIES }   // collected over all publishes of the turn
//!     if tx.publish() { news |= l::NEWS_ROOM }
//!     if bell.must_ring(news) { write(js_eventfd) } // now, or later when moderated: keep `news` then
//!     let wants = if rx_was_full { l::NEWS_ENTRIES | l::NEWS_ROOM } else { l::NEWS_ENTRIES };
//!     if bell.try_sleep(wants, || { tx.refresh(); rx.refresh(); tx.has_more() || rx_has_room_again }) {
//!         epoll_wait(sockets, own_eventfd, timer);  // JavaScript rings own_eventfd
//!     }
//! }
//! ```
//! - `try_sleep` false means that there is work: turn again. True: sleep until an eventfd, socket or
//!   timer says so, then `wake_up`. An eventfd that was written before `epoll_wait` began still counts.
//! - A thread that sleeps only on its timer (moderation) need not call `try_sleep`: what is published
//!   meanwhile waits for the timer.
//! - `must_ring` may come any time after the publish, and from whoever owes it.
//! - Spurious rings are possible and harmless (awake by another reason a moment before): a turn must
//!   bear finding nothing.

use std::sync::atomic::Ordering;

use crate::layout as l;
use crate::ring_memory::{fence, AtomicI32, Memory};

/// The native side's ends of both bells. The words lie in memory that JavaScript can write: any value
/// is possible, and means at worst a wake too many or too few.
pub struct Doorbell {
    memory: Memory,
}

impl Doorbell {
    pub fn new(memory: Memory) -> Self {
        Self { memory }
    }

    /// Whether JavaScript must be woken because of `news` (NEWS_*, published before this call). True
    /// once for each of its sleeps, so the caller does wake it.
    pub fn must_ring(&self, news: i32) -> bool {
        must_ring(self.memory.cell(l::I_RX_SLEEPING), news)
    }

    /// Announces that this side will sleep until any of `wants` (NEWS_*), then asks `has_work` to look
    /// at the rings. False, and awake again, when there is work.
    pub fn try_sleep(&self, wants: i32, has_work: impl FnOnce() -> bool) -> bool {
        try_sleep(self.memory.cell(l::I_TX_SLEEPING), wants, has_work)
    }

    /// Nobody needs to ring from here on.
    pub fn wake_up(&self) {
        wake_up(self.memory.cell(l::I_TX_SLEEPING));
    }
}

/// The same three for any word, so that tests can play JavaScript's part with this code too.
pub(crate) fn must_ring(sleeping: &AtomicI32, news: i32) -> bool {
    if news == 0 {
        return false;
    }
    fence(Ordering::SeqCst);
    // Mostly read and seldom written, so that the line stays shared between the two CPUs.
    sleeping.load(Ordering::Relaxed) & news != 0 && sleeping.swap(0, Ordering::Relaxed) != 0
}

pub(crate) fn try_sleep(sleeping: &AtomicI32, wants: i32, has_work: impl FnOnce() -> bool) -> bool {
    // A swap, as everywhere on this word: its values then have one order that nobody can fall behind.
    sleeping.swap(wants, Ordering::Relaxed);
    fence(Ordering::SeqCst);
    if has_work() {
        wake_up(sleeping);
        return false;
    }
    true
}

pub(crate) fn wake_up(sleeping: &AtomicI32) {
    sleeping.swap(0, Ordering::Relaxed);
}
