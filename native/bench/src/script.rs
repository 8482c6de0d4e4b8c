//! JavaScript's part of an endpoint, played in Rust: takes what came off the rx ring and puts every
//! payload back into the tx ring. Same memory, same order of steps as `src/addon/rings.ts`.

use std::sync::atomic::{AtomicI32, Ordering};

use ggscale_transport_addon::error::Result;
use ggscale_transport_addon::layout as l;
use ggscale_transport_addon::ring::{Geometry, Memory};

// As a server's ring memory has them (`SERVER_RING_SIZES` of src/addon/ring-memory.ts).
const CAPACITY: usize = 4096;
const ARENA_BYTES: usize = 1 << 20;

const RX_DESCRIPTORS: usize = l::CONTROL_BYTES;
const TX_DESCRIPTORS: usize = RX_DESCRIPTORS + CAPACITY * l::DESCRIPTOR_BYTES;
const RX_ARENA: usize = TX_DESCRIPTORS + CAPACITY * l::DESCRIPTOR_BYTES;
const TX_ARENA: usize = RX_ARENA + ARENA_BYTES;
const MEMORY_BYTES: usize = TX_ARENA + ARENA_BYTES;

const PAGE_BYTES: usize = 4096;
const AROUND_BYTES: usize = l::HEADROOM_BYTES + l::TAG_BYTES;
const MASK: u32 = CAPACITY as u32 - 1;

/// Seen in the rx ring since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub payloads: u64,
    pub opened: u64,
    pub closed: u64,
    /// Payloads put into the tx ring.
    pub echoed: u64,
}

pub struct Script {
    /// Aligned to 8.
    words: Box<[u64]>,
    pub seen: Seen,
    rx_next: u32,
    tx_tail: u32,
    tx_head: u32,
    arena_tail: u32,
    arena_head: u32,
    arena_end: Box<[u32]>,
}

impl Script {
    pub fn new() -> Self {
        let mut words = vec![0; MEMORY_BYTES / 8].into_boxed_slice();
        // Resident from the start, so that traffic does not look like growth.
        for word in words.iter_mut().step_by(PAGE_BYTES / 8) {
            std::hint::black_box(std::mem::replace(word, 1));
            *word = 0;
        }
        let script = Self {
            words,
            seen: Seen::default(),
            rx_next: 0,
            tx_tail: 0,
            tx_head: 0,
            arena_tail: 0,
            arena_head: 0,
            arena_end: vec![0; CAPACITY].into_boxed_slice(),
        };
        let control = [
            (l::I_MAGIC, l::MAGIC),
            (l::I_LAYOUT_VERSION, l::LAYOUT_VERSION),
            (l::I_RX_CAPACITY, CAPACITY as i32),
            (l::I_TX_CAPACITY, CAPACITY as i32),
            (l::I_RX_DESCRIPTORS, RX_DESCRIPTORS as i32),
            (l::I_TX_DESCRIPTORS, TX_DESCRIPTORS as i32),
            (l::I_RX_ARENA, RX_ARENA as i32),
            (l::I_RX_ARENA_BYTES, ARENA_BYTES as i32),
            (l::I_TX_ARENA, TX_ARENA as i32),
            (l::I_TX_ARENA_BYTES, ARENA_BYTES as i32),
        ];
        for (index, value) in control {
            script.set(index, value);
        }
        script
    }

    /// The memory for the native side. It must not be used after this value is gone.
    pub fn memory(&self) -> Result<(Memory, Geometry)> {
        // SAFETY: the words live as long as `self`, are aligned to 8, and the native side writes them
        // only inside calls that this thread makes.
        let memory = unsafe { Memory::new(self.base(), MEMORY_BYTES) }?;
        let geometry = Geometry::read(&memory)?;
        Ok((memory, geometry))
    }

    /// After a drain: echoes what waits in the rx ring. False when the tx ring had no room for all of
    /// it: flush, `reclaim` and call again.
    pub fn turn(&mut self) -> bool {
        let tail = self.cell(l::I_RX_TAIL).load(Ordering::Acquire) as u32;
        let mut is_done = true;
        while self.rx_next != tail {
            let at = RX_DESCRIPTORS / 4 + (self.rx_next & MASK) as usize * l::DESCRIPTOR_INTS;
            match self.get(at + l::D_KIND) {
                l::RX_PAYLOAD => {
                    if !self.echo(at) {
                        is_done = false;
                        break;
                    }
                    self.seen.payloads += 1;
                }
                l::RX_OPENED => self.seen.opened += 1,
                l::RX_CLOSED => self.seen.closed += 1,
                _ => {}
            }
            self.rx_next = self.rx_next.wrapping_add(1);
        }
        let next = self.rx_next as i32;
        self.cell(l::I_RX_HEAD).store(next, Ordering::Release);
        let tail = self.tx_tail as i32;
        self.cell(l::I_TX_TAIL).store(tail, Ordering::Release);
        is_done
    }

    /// After a flush: takes back what was sent.
    pub fn reclaim(&mut self) {
        let head = self.cell(l::I_TX_HEAD).load(Ordering::Acquire) as u32;
        if head == self.tx_head {
            return;
        }
        self.tx_head = head;
        let last = head.wrapping_sub(1) & MASK;
        if let Some(end) = self.arena_end.get(last as usize) {
            self.arena_head = *end;
        }
    }

    fn echo(&mut self, at: usize) -> bool {
        let slot = self.get(at + l::D_SLOT);
        let generation = self.get(at + l::D_GENERATION);
        let from = self.get(at + l::D_OFFSET) as usize;
        let length = self.get(at + l::D_LENGTH) as usize;
        let need = (length + AROUND_BYTES).next_multiple_of(l::ARENA_ALIGN) as u32;
        let size = ARENA_BYTES as u32;
        let begin = self.arena_tail & (size - 1);
        let skip = if begin + need > size { size - begin } else { 0 };
        let start = self.arena_tail.wrapping_add(skip);
        let held = start.wrapping_add(need).wrapping_sub(self.arena_head);
        if self.tx_tail.wrapping_sub(self.tx_head) > MASK || held > size {
            return false;
        }
        let offset = TX_ARENA + (start & (size - 1)) as usize + l::HEADROOM_BYTES;
        self.copy(from, offset, length);
        let index = self.tx_tail & MASK;
        let out = TX_DESCRIPTORS / 4 + index as usize * l::DESCRIPTOR_INTS;
        self.set(out + l::D_KIND, l::TX_PAYLOAD);
        self.set(out + l::D_SLOT, slot);
        self.set(out + l::D_GENERATION, generation);
        self.set(out + l::D_OFFSET, offset as i32);
        self.set(out + l::D_LENGTH, length as i32);
        self.arena_tail = start.wrapping_add(need);
        if let Some(end) = self.arena_end.get_mut(index as usize) {
            *end = self.arena_tail;
        }
        self.tx_tail = self.tx_tail.wrapping_add(1);
        self.seen.echoed += 1;
        true
    }

    fn base(&self) -> *mut u8 {
        self.words.as_ptr().cast_mut().cast()
    }

    fn cell(&self, index: usize) -> &AtomicI32 {
        assert!((index + 1) * 4 <= MEMORY_BYTES);
        // SAFETY: inside the memory by the assertion, aligned because the words are.
        unsafe { AtomicI32::from_ptr(self.base().cast::<i32>().add(index)) }
    }

    fn get(&self, index: usize) -> i32 {
        self.cell(index).load(Ordering::Relaxed)
    }

    fn set(&self, index: usize, value: i32) {
        self.cell(index).store(value, Ordering::Relaxed);
    }

    fn copy(&mut self, from: usize, to: usize, length: usize) {
        assert!(from + length <= MEMORY_BYTES && to + length <= MEMORY_BYTES);
        // SAFETY: both inside the memory; rx and tx arenas do not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(self.base().add(from), self.base().add(to), length);
        }
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}
