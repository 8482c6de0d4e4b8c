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
    /// The rx tail at JavaScript's last turn.
    seen_tail: i32,
    /// The tx head at its last flush, and at the one before.
    flushed_head: i32,
    known_head: i32,
}

impl FarSide {
    pub fn new(memory: Memory) -> Self {
        Self {
            memory,
            told_tail: memory.load(l::I_TX_TAIL),
            told_head: memory.load(l::I_RX_HEAD),
            seen_tail: memory.load(l::I_RX_TAIL),
            flushed_head: memory.load(l::I_TX_HEAD),
            known_head: memory.load(l::I_TX_HEAD),
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

    /// At a flush: entries that JavaScript published and the thread has not given back.
    pub fn unsent(&mut self) -> u32 {
        // JavaScript takes room back behind a flush. When it found none in this turn, that was by
        // what it knew since the flush before, and the thread may have given some back since.
        self.known_head = self.flushed_head;
        self.flushed_head = self.memory.load(l::I_TX_HEAD);
        self.memory
            .load(l::I_TX_TAIL)
            .wrapping_sub(self.flushed_head) as u32
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
                wants & l::NEWS_ROOM != 0 && self.memory.load(l::I_TX_HEAD) != self.known_head;
            has_entries || has_room
        })
    }
}
