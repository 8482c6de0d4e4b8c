//! JavaScript's half: `src/addon/ring.ts`, line by line where threads matter, and the order of
//! `Endpoint.drain` and `Endpoint.flush`. Its ends of the bells are the addon's own `FarSide`, which
//! the host works on the JavaScript thread.
//!
//! Every access by `Atomics` is sequentially consistent. Loom knows that of fences only, so each is an
//! access with a fence beside it, which orders the same pairs. Plain reads and writes of the Int32Array
//! are relaxed. `tests/ring_stress` uses this file too, over real memory and threads.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::doorbell;
use crate::far_side::FarSide;
use crate::layout as l;
use crate::ring_geometry::Geometry;
use crate::ring_memory::Memory;
use crate::script_fence as fence;

const AROUND_BYTES: u32 = (l::HEADROOM_BYTES + l::TAG_BYTES) as u32;

pub struct Rings {
    memory: Memory,
    geometry: Geometry,
    fault: ScriptFault,
    rx_next: u32,
    rx_released: u32,
    rx_tail: u32,
    tx_tail: u32,
    tx_published: u32,
    tx_head: u32,
    tx_arena_tail: u32,
    tx_arena_head: u32,
    tx_arena_end: Vec<u32>,
    wants_room: bool,
    far: FarSide,
}

/// What a canary breaks in this half.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ScriptFault {
    None,
    NoSecondLook,
    ReleaseBeforeRead,
    RingBeforePublish,
}

/// One rx descriptor with its bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: i32,
    pub generation: i32,
    pub arrival_us: i32,
    pub aux0: i32,
    pub bytes: Vec<u8>,
}

impl Rings {
    pub fn new(memory: Memory, geometry: Geometry, fault: ScriptFault) -> Self {
        let rx_first = memory.cell(l::I_RX_HEAD).load(Relaxed) as u32;
        let tx_first = memory.cell(l::I_TX_HEAD).load(Relaxed) as u32;
        let arena_first = tx_first & !(l::ARENA_ALIGN as u32 - 1);
        Self {
            memory,
            geometry,
            fault,
            rx_next: rx_first,
            rx_released: rx_first,
            rx_tail: rx_first,
            tx_tail: tx_first,
            tx_published: tx_first,
            tx_head: tx_first,
            tx_arena_tail: arena_first,
            tx_arena_head: arena_first,
            tx_arena_end: vec![0; geometry.tx_capacity],
            wants_room: false,
            far: FarSide::new(memory),
        }
    }

    fn atomics_load(&self, index: usize) -> i32 {
        fence(SeqCst);
        self.memory.cell(index).load(Acquire)
    }

    fn atomics_store(&self, index: usize, value: i32) {
        self.memory.cell(index).store(value, Release);
        fence(SeqCst);
    }

    fn plain(&self, index: usize) -> i32 {
        self.memory.cell(index).load(Relaxed)
    }

    pub fn acquire_rx(&mut self) {
        self.rx_tail = self.atomics_load(l::I_RX_TAIL) as u32;
    }

    pub fn rx_poll(&mut self) -> Option<Entry> {
        if self.rx_next == self.rx_tail {
            return None;
        }
        let slot = self.rx_next as usize & (self.geometry.rx_capacity - 1);
        let at = self.geometry.rx_descriptors / 4 + slot * l::DESCRIPTOR_INTS;
        self.rx_next = self.rx_next.wrapping_add(1);
        if self.fault == ScriptFault::ReleaseBeforeRead {
            self.rx_release();
        }
        let offset = self.plain(at + l::D_OFFSET) as usize;
        let length = self.plain(at + l::D_LENGTH) as usize;
        Some(Entry {
            kind: self.plain(at + l::D_KIND),
            generation: self.plain(at + l::D_GENERATION),
            arrival_us: self.plain(at + l::D_ARRIVAL_US),
            aux0: self.plain(at + l::D_AUX0),
            // SAFETY: loom checks that they are this side's.
            bytes: unsafe { self.memory.slice(offset, length) }.to_vec(),
        })
    }

    pub fn rx_release(&mut self) {
        if self.rx_released == self.rx_next {
            return;
        }
        self.rx_released = self.rx_next;
        self.atomics_store(l::I_RX_HEAD, self.rx_next as i32);
    }

    /// Position of the next entry.
    pub fn committed(&self) -> u32 {
        self.tx_tail
    }

    /// `txReserve`, the payload and `txCommit`; false when it does not fit.
    pub fn tx_write(&mut self, number: i32, length: u32) -> bool {
        let need = (length + AROUND_BYTES).next_multiple_of(l::ARENA_ALIGN as u32);
        let size = self.geometry.tx_arena_bytes as u32;
        let used = self.tx_tail.wrapping_sub(self.tx_head);
        let at = self.tx_arena_tail & (size - 1);
        let skip = if at + need > size { size - at } else { 0 };
        let start = self.tx_arena_tail.wrapping_add(skip);
        let held = start.wrapping_add(need).wrapping_sub(self.tx_arena_head);
        if used as usize >= self.geometry.tx_capacity || held > size {
            self.wants_room = true;
            return false;
        }
        let offset = self.geometry.tx_arena + (start & (size - 1)) as usize + l::HEADROOM_BYTES;
        // SAFETY: loom checks that they are this side's.
        unsafe { self.memory.slice_mut(offset, length as usize) }.fill(number as u8);
        let slot = self.tx_tail as usize & (self.geometry.tx_capacity - 1);
        let at = self.geometry.tx_descriptors / 4 + slot * l::DESCRIPTOR_INTS;
        for (field, value) in [
            (l::D_KIND, l::TX_PAYLOAD),
            (l::D_SLOT, -number),
            (l::D_GENERATION, number),
            (l::D_OFFSET, offset as i32),
            (l::D_LENGTH, length as i32),
        ] {
            self.memory.cell(at + field).store(value, Relaxed);
        }
        self.tx_arena_tail = start.wrapping_add(need);
        self.tx_arena_end[slot] = self.tx_arena_tail;
        self.tx_tail = self.tx_tail.wrapping_add(1);
        true
    }

    pub fn publish_tx(&mut self) {
        if self.tx_published == self.tx_tail {
            return;
        }
        self.tx_published = self.tx_tail;
        self.atomics_store(l::I_TX_TAIL, self.tx_tail as i32);
    }

    pub fn reclaim_tx(&mut self) {
        let head = self.atomics_load(l::I_TX_HEAD) as u32;
        if head == self.tx_head {
            return;
        }
        self.tx_head = head;
        let slot = head.wrapping_sub(1) as usize & (self.geometry.tx_capacity - 1);
        self.tx_arena_head = self.tx_arena_end[slot];
    }

    /// `drain()`: sees what came, and is awake from here on.
    pub fn begin_turn(&mut self) {
        self.acquire_rx();
        self.far.wake_up();
    }

    /// `flush()`: shows what was committed, rings a sleeping thread with `ring`, and falls asleep. False
    /// when there is something to do already.
    pub fn flush(&mut self, ring: impl Fn()) -> bool {
        if self.fault == ScriptFault::RingBeforePublish {
            if self.far.must_ring() {
                ring();
            }
            self.publish_tx();
        } else {
            self.publish_tx();
            if self.far.must_ring() {
                ring();
            }
        }
        let wants_room = std::mem::take(&mut self.wants_room);
        self.far.unsent();
        let wants = l::NEWS_ENTRIES | if wants_room { l::NEWS_ROOM } else { 0 };
        let sleeps = if self.fault == ScriptFault::NoSecondLook {
            let sleeping = self.memory.cell(l::I_RX_SLEEPING);
            doorbell::try_sleep(sleeping, wants, || false)
        } else {
            self.far.try_sleep(wants)
        };
        self.reclaim_tx();
        sleeps
    }
}
