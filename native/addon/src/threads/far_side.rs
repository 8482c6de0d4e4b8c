//! JavaScript's ends of the bells of one ring pair, worked for it on its thread: who must be rung for
//! what JavaScript did, and whether it may sleep. The other half is `Doorbell`; both are the code that
//! `tests/ring_model` goes through.

use crate::doorbell::{must_ring, try_sleep, wake_up};
use crate::layout as l;
use crate::ring::Memory;

pub struct FarSide {
    memory: Memory,
    /// What the thread was told of: tx tail and rx head.
    told_tail: i32,
    told_head: i32,
    /// What JavaScript knows: rx tail and tx head as they were at its last turn.
    seen_tail: i32,
    seen_head: i32,
}

impl FarSide {
    pub fn new(memory: Memory) -> Self {
        Self {
            memory,
            told_tail: memory.load(l::I_TX_TAIL),
            told_head: memory.load(l::I_RX_HEAD),
            seen_tail: memory.load(l::I_RX_TAIL),
            seen_head: memory.load(l::I_TX_HEAD),
        }
    }

    /// The beginning of a turn: nobody needs to ring. Returns the entries that came since the last.
    pub fn wake_up(&mut self) -> u32 {
        wake_up(self.memory.cell(l::I_RX_SLEEPING));
        let tail = self.memory.load(l::I_RX_TAIL);
        let came = tail.wrapping_sub(self.seen_tail);
        self.seen_tail = tail;
        came as u32
    }

    /// Entries published to JavaScript and not released.
    pub fn waiting(&self) -> u32 {
        let head = self.memory.load(l::I_RX_HEAD);
        self.memory.load(l::I_RX_TAIL).wrapping_sub(head) as u32
    }

    /// Entries that JavaScript published and the thread has not given back. JavaScript sees the same.
    pub fn unsent(&mut self) -> u32 {
        self.seen_head = self.memory.load(l::I_TX_HEAD);
        self.memory.load(l::I_TX_TAIL).wrapping_sub(self.seen_head) as u32
    }

    /// Whether the thread sleeps and must be rung for what JavaScript published or released since
    /// this was last asked: true once for each of its sleeps.
    pub fn must_ring(&mut self) -> bool {
        let tail = self.memory.load(l::I_TX_TAIL);
        let head = self.memory.load(l::I_RX_HEAD);
        let mut news = 0;
        if tail != self.told_tail {
            news |= l::NEWS_ENTRIES;
        }
        if head != self.told_head {
            news |= l::NEWS_ROOM;
        }
        self.told_tail = tail;
        self.told_head = head;
        must_ring(self.memory.cell(l::I_TX_SLEEPING), news)
    }

    /// Announces that JavaScript sleeps until any of `wants` (NEWS_*). False, and awake again, when
    /// that is there already.
    pub fn try_sleep(&self, wants: i32) -> bool {
        let sleeping = self.memory.cell(l::I_RX_SLEEPING);
        try_sleep(sleeping, wants, || {
            let has_entries = wants & l::NEWS_ENTRIES != 0 && self.waiting() != 0;
            let has_room =
                wants & l::NEWS_ROOM != 0 && self.memory.load(l::I_TX_HEAD) != self.seen_head;
            has_entries || has_room
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doorbell::Doorbell;
    use crate::ring_test::TestMemory;

    #[test]
    fn a_sleeping_thread_is_rung_once_for_what_it_waits_for() {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let mut far = FarSide::new(memory.memory);
        let bell = Doorbell::new(memory.memory);
        assert!(!far.must_ring(), "nothing was published");
        memory.memory.store(l::I_TX_TAIL, 3);
        assert!(!far.must_ring(), "the thread is awake");
        assert!(bell.try_sleep(l::NEWS_ENTRIES, || false));
        assert!(!far.must_ring(), "it saw that before it slept");
        memory.memory.store(l::I_TX_TAIL, 4);
        assert!(far.must_ring());
        memory.memory.store(l::I_TX_TAIL, 5);
        assert!(!far.must_ring(), "rung already");
        assert!(bell.try_sleep(l::NEWS_ROOM, || false));
        memory.memory.store(l::I_TX_TAIL, 6);
        assert!(!far.must_ring(), "it waits for room only");
        memory.memory.store(l::I_RX_HEAD, 1);
        assert!(far.must_ring());
    }

    #[test]
    fn javascript_sleeps_only_while_there_is_nothing_for_it() {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let mut far = FarSide::new(memory.memory);
        let bell = Doorbell::new(memory.memory);
        assert!(far.try_sleep(l::NEWS_ENTRIES));
        memory.memory.store(l::I_RX_TAIL, 2);
        assert!(bell.must_ring(l::NEWS_ENTRIES));
        assert_eq!(far.wake_up(), 2);
        assert_eq!(far.wake_up(), 0);
        assert!(!far.try_sleep(l::NEWS_ENTRIES), "not released yet");
        memory.memory.store(l::I_RX_HEAD, 2);
        assert!(far.try_sleep(l::NEWS_ENTRIES));
        assert!(
            !bell.must_ring(l::NEWS_ROOM),
            "room is not what it waits for"
        );

        memory.memory.store(l::I_TX_TAIL, 8);
        assert_eq!(far.unsent(), 8);
        assert!(far.try_sleep(l::NEWS_ENTRIES | l::NEWS_ROOM));
        memory.memory.store(l::I_TX_HEAD, 1);
        assert!(bell.must_ring(l::NEWS_ROOM));
        assert!(!far.try_sleep(l::NEWS_ROOM), "room came");
        assert_eq!(far.unsent(), 7);
        assert!(far.try_sleep(l::NEWS_ROOM));
    }
}
