//! The two rings over the shared memory. Descriptors are slots of 32 bytes; bytes live in arenas
//! beside them.
//!
//! ```text
//!            head (reader)            tail (writer)          free-running u32, slot = n & (capacity − 1)
//!  descriptors  ──┤ waiting ├──────────────┤ free ├──
//!  arena          ▲ arena_head             ▲ arena_tail      byte ring; an allocation never wraps
//! ```
//! Invariant: `tail − head ≤ capacity` and `arena_tail − arena_head ≤ arena bytes`, both as wrapping
//! u32. The private `arena_end` of each descriptor says what releasing it frees, so nothing that the
//! other side writes can make this side write outside its arena: what JavaScript writes is checked.
//!
//! The two sides may be two threads. Each counter has one writer. Who advances a counter has finished
//! with what lies behind it (written a descriptor and its bytes, or read them) and stores it with
//! release; who sees it advanced loads it with acquire, and owns that part from then on. JavaScript
//! does the same with `Atomics.store` and `Atomics.load`. Descriptors are atomics without an order of
//! their own. Sleeping and waking: `doorbell.rs`; the proof: `tests/ring_model`.

use std::sync::atomic::Ordering;

use ggscale_transport_core::FlowId;

use crate::layout as l;

pub use crate::ring_geometry::Geometry;
pub use crate::ring_memory::Memory;

impl Memory {
    /// Sees everything that the other side did before it stored this value.
    pub fn load(&self, index: usize) -> i32 {
        self.cell(index).load(Ordering::Acquire)
    }

    /// Shows everything done so far to whoever loads this value.
    pub fn store(&self, index: usize, value: i32) {
        self.cell(index).store(value, Ordering::Release);
    }

    /// Takes the memory for an endpoint; false when another one did before.
    pub fn take_ownership(&self) -> bool {
        self.cell(l::I_OWNED).swap(1, Ordering::AcqRel) == 0
    }

    /// A word that another one guards.
    fn load_plain(&self, index: usize) -> i32 {
        self.cell(index).load(Ordering::Relaxed)
    }

    fn store_plain(&self, index: usize, value: i32) {
        self.cell(index).store(value, Ordering::Relaxed);
    }
}

/// What a descriptor tells beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxEntry {
    pub kind: i32,
    pub flow: FlowId,
    pub arrival_us: i32,
    pub aux0: i32,
    pub aux1: i32,
}

/// Written here, read by JavaScript.
pub struct RxRing {
    memory: Memory,
    descriptors: usize,
    capacity: u32,
    arena: usize,
    arena_bytes: u32,
    tail: u32,
    published: u32,
    head: u32,
    arena_tail: u32,
    arena_head: u32,
    arena_end: Box<[u32]>,
    bad_positions: u64,
}

impl RxRing {
    /// Begins where the control block says. At most one for each memory.
    pub fn new(memory: Memory, geometry: &Geometry) -> Self {
        let first = memory.load(l::I_RX_HEAD) as u32;
        let arena_first = align(first);
        Self {
            memory,
            descriptors: geometry.rx_descriptors,
            capacity: geometry.rx_capacity as u32,
            arena: geometry.rx_arena,
            arena_bytes: geometry.rx_arena_bytes as u32,
            tail: first,
            published: first,
            head: first,
            arena_tail: arena_first,
            arena_head: arena_first,
            arena_end: vec![0; geometry.rx_capacity].into_boxed_slice(),
            bad_positions: 0,
        }
    }

    /// Takes back what JavaScript released. A head that is not between the last one and the published
    /// tail is ignored and counted: it can only be a bug of the other side.
    pub fn refresh(&mut self) {
        let head = self.memory.load(l::I_RX_HEAD) as u32;
        let released = head.wrapping_sub(self.head);
        if released == 0 {
            return;
        }
        if released > self.published.wrapping_sub(self.head) {
            self.bad_positions += 1;
            return;
        }
        self.head = head;
        let last = head.wrapping_sub(1) & (self.capacity - 1);
        if let Some(end) = self.arena_end.get(last as usize) {
            self.arena_head = *end;
        }
    }

    /// Descriptors written and not yet released.
    pub fn waiting(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    #[cfg(test)]
    /// Position of the next entry.
    pub fn pushed(&self) -> u32 {
        self.tail
    }

    /// Whether `descriptors` entries of at most `bytes` bytes each fit now.
    pub fn has_room(&self, descriptors: u32, bytes: u32) -> bool {
        let free = self.capacity - self.waiting();
        // One allocation may skip up to its own size at the end of the arena.
        let need = u64::from(align(bytes)) * (u64::from(descriptors) + 1);
        free >= descriptors
            && need <= u64::from(self.arena_bytes - self.arena_tail.wrapping_sub(self.arena_head))
    }

    /// Appends one entry; false when it does not fit.
    pub fn push(&mut self, entry: RxEntry, bytes: &[u8]) -> bool {
        if self.waiting() >= self.capacity || bytes.len() > self.arena_bytes as usize {
            return false;
        }
        let length = bytes.len() as u32;
        let Some(position) = self.place(length) else {
            return false;
        };
        let offset = self.arena + (position & (self.arena_bytes - 1)) as usize;
        if length > 0 {
            // SAFETY: `place` gave bytes between arena_tail and arena_head: JavaScript has released
            // them, and does not read them before the descriptor is published.
            unsafe { self.memory.slice_mut(offset, bytes.len()) }.copy_from_slice(bytes);
        }
        let slot = self.tail & (self.capacity - 1);
        let at = self.descriptors / 4 + slot as usize * l::DESCRIPTOR_INTS;
        self.memory.store_plain(at + l::D_KIND, entry.kind);
        self.memory
            .store_plain(at + l::D_SLOT, entry.flow.slot as i32);
        self.memory
            .store_plain(at + l::D_GENERATION, entry.flow.generation as i32);
        self.memory.store_plain(at + l::D_OFFSET, offset as i32);
        self.memory.store_plain(at + l::D_LENGTH, length as i32);
        self.memory
            .store_plain(at + l::D_ARRIVAL_US, entry.arrival_us);
        self.memory.store_plain(at + l::D_AUX0, entry.aux0);
        self.memory.store_plain(at + l::D_AUX1, entry.aux1);
        self.arena_tail = position.wrapping_add(align(length));
        if let Some(end) = self.arena_end.get_mut(slot as usize) {
            *end = self.arena_tail;
        }
        self.tail = self.tail.wrapping_add(1);
        true
    }

    /// Makes everything pushed so far visible to JavaScript: one atomic per batch. Returns whether
    /// there was anything new.
    pub fn publish(&mut self) -> bool {
        if self.published == self.tail {
            return false;
        }
        self.published = self.tail;
        self.memory.store(l::I_RX_TAIL, self.tail as i32);
        true
    }

    /// How often JavaScript wrote a head that cannot be, since the last call.
    pub fn take_bad_positions(&mut self) -> u64 {
        std::mem::take(&mut self.bad_positions)
    }

    /// Free-running position of `length` contiguous bytes, or None when they do not fit.
    fn place(&self, length: u32) -> Option<u32> {
        let size = self.arena_bytes;
        let need = align(length);
        let at = self.arena_tail & (size - 1);
        let skip = if at + need > size { size - at } else { 0 };
        let position = self.arena_tail.wrapping_add(skip);
        let used = position.wrapping_add(need).wrapping_sub(self.arena_head);
        (used <= size).then_some(position)
    }

    pub fn check_invariants(&self) {
        assert!(
            self.waiting() <= self.capacity,
            "rx: more waiting than the capacity"
        );
        let used = self.arena_tail.wrapping_sub(self.arena_head);
        assert!(
            used <= self.arena_bytes,
            "rx: more bytes held than the arena has"
        );
    }
}

/// One request of JavaScript to send, as written: nothing in it is trusted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxEntry {
    pub kind: i32,
    pub flow: FlowId,
    pub offset: i32,
    pub length: i32,
}

/// Written by JavaScript, read here. `next` runs ahead of `head`: an entry is sealed once, and its
/// descriptor is given back only when the kernel has the datagram.
pub struct TxRing {
    memory: Memory,
    descriptors: usize,
    capacity: u32,
    arena: usize,
    arena_bytes: usize,
    head: u32,
    published: u32,
    next: u32,
    tail: u32,
    bad_positions: u64,
}

impl TxRing {
    /// Begins where the control block says. At most one for each memory.
    pub fn new(memory: Memory, geometry: &Geometry) -> Self {
        let first = memory.load(l::I_TX_HEAD) as u32;
        Self {
            memory,
            descriptors: geometry.tx_descriptors,
            capacity: geometry.tx_capacity as u32,
            arena: geometry.tx_arena,
            arena_bytes: geometry.tx_arena_bytes,
            head: first,
            published: first,
            next: first,
            tail: first,
            bad_positions: 0,
        }
    }

    /// Sees what JavaScript committed. A tail that goes back, or claims more descriptors than it was
    /// given, is ignored and counted.
    pub fn refresh(&mut self) {
        let tail = self.memory.load(l::I_TX_TAIL) as u32;
        let claimed = tail.wrapping_sub(self.published);
        if claimed <= self.capacity && claimed >= self.tail.wrapping_sub(self.published) {
            self.tail = tail;
        } else {
            self.bad_positions += 1;
        }
    }

    /// Descriptors not yet given back.
    pub fn waiting(&self) -> u32 {
        self.tail.wrapping_sub(self.head)
    }

    /// The next entry to work on. The second value is what to pass to `release_to` when it is done.
    pub fn take(&mut self) -> Option<(TxEntry, u32)> {
        if self.next == self.tail {
            return None;
        }
        let slot = (self.next & (self.capacity - 1)) as usize;
        let at = self.descriptors / 4 + slot * l::DESCRIPTOR_INTS;
        let flow = FlowId {
            slot: self.memory.load_plain(at + l::D_SLOT) as u32,
            generation: self.memory.load_plain(at + l::D_GENERATION) as u32,
        };
        let entry = TxEntry {
            kind: self.memory.load_plain(at + l::D_KIND),
            flow,
            offset: self.memory.load_plain(at + l::D_OFFSET),
            length: self.memory.load_plain(at + l::D_LENGTH),
        };
        self.next = self.next.wrapping_add(1);
        Some((entry, self.next))
    }

    /// Position up to which descriptors were given back.
    pub fn released(&self) -> u32 {
        self.head
    }

    /// Position after the last entry taken.
    pub fn taken(&self) -> u32 {
        self.next
    }

    /// Gives every descriptor before `position` back.
    pub fn release_to(&mut self, position: u32) {
        debug_assert!(position.wrapping_sub(self.head) <= self.next.wrapping_sub(self.head));
        self.head = position;
    }

    /// Gives JavaScript what was released: one atomic per batch. Returns whether there was anything.
    pub fn publish(&mut self) -> bool {
        if self.published == self.head {
            return false;
        }
        self.published = self.head;
        self.memory.store(l::I_TX_HEAD, self.head as i32);
        true
    }

    /// How often JavaScript wrote a tail that cannot be, since the last call.
    pub fn take_bad_positions(&mut self) -> u64 {
        std::mem::take(&mut self.bad_positions)
    }

    /// Whether `take` has something to give without another look at the memory.
    pub fn has_more(&self) -> bool {
        self.next != self.tail
    }

    /// The payload of an entry with its head room before and its tag room after, and the offset of
    /// that window in the memory. None when any of it lies outside the tx arena.
    pub fn window(&mut self, entry: &TxEntry) -> Option<(&mut [u8], usize)> {
        let offset = usize::try_from(entry.offset).ok()?;
        let length = usize::try_from(entry.length).ok()?;
        let start = offset
            .checked_sub(l::HEADROOM_BYTES)
            .filter(|&start| start >= self.arena)?;
        let total = l::HEADROOM_BYTES
            .checked_add(length)?
            .checked_add(l::TAG_BYTES)?;
        if start.checked_add(total)? > self.arena + self.arena_bytes {
            return None;
        }
        // SAFETY: inside the tx arena, JavaScript's no longer since it committed the entry, and
        // `&mut self` allows one window at a time.
        Some((unsafe { self.memory.slice_mut(start, total) }, start))
    }

    /// The bytes of a datagram sealed earlier, for the kernel. `offset` came from `window`.
    pub fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        // SAFETY: no window is alive while `&self` is borrowed, and the entry is not released.
        unsafe { self.memory.slice(offset, length) }
    }

    pub fn check_invariants(&self) {
        assert!(
            self.waiting() <= self.capacity,
            "tx: more waiting than the capacity"
        );
        let ahead = self.next.wrapping_sub(self.head);
        assert!(ahead <= self.waiting(), "tx: taken past the tail");
    }
}

fn align(length: u32) -> u32 {
    length.wrapping_add(l::ARENA_ALIGN as u32 - 1) & !(l::ARENA_ALIGN as u32 - 1)
}
