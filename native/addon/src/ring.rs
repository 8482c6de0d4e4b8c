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

use std::sync::atomic::{AtomicI32, Ordering};

use ggscale_transport_core::FlowId;

use crate::error::{Code, Failure, Result};
use crate::layout as l;

/// A view of the SharedArrayBuffer that JavaScript made. The owner of the endpoint holds a reference
/// to it for as long as a `Memory` lives.
#[derive(Clone, Copy)]
pub struct Memory {
    base: *mut u8,
    bytes: usize,
}

impl Memory {
    /// # Safety
    /// `base` points at `bytes` bytes, aligned to 8, that outlive every copy of this value and that
    /// no other thread writes.
    pub unsafe fn new(base: *mut u8, bytes: usize) -> Result<Self> {
        if base.is_null() || !(base as usize).is_multiple_of(8) || bytes < l::CONTROL_BYTES {
            return Err(bad_memory("it is too small or not aligned to 8 bytes"));
        }
        if bytes > l::MEMORY_MAX_BYTES {
            return Err(bad_memory("it is larger than 1 GiB"));
        }
        Ok(Self { base, bytes })
    }

    fn cell(&self, index: usize) -> &AtomicI32 {
        assert!(
            (index + 1) * 4 <= self.bytes,
            "control index {index} is outside the memory"
        );
        // SAFETY: inside the memory by the assertion, aligned because the base is.
        unsafe { AtomicI32::from_ptr(self.base.cast::<i32>().add(index)) }
    }

    pub fn load(&self, index: usize) -> i32 {
        self.cell(index).load(Ordering::Acquire)
    }

    pub fn store(&self, index: usize, value: i32) {
        self.cell(index).store(value, Ordering::Release);
    }

    fn load_plain(&self, index: usize) -> i32 {
        self.cell(index).load(Ordering::Relaxed)
    }

    fn store_plain(&self, index: usize, value: i32) {
        self.cell(index).store(value, Ordering::Relaxed);
    }

    /// The bytes `[offset, offset + length)`.
    ///
    /// # Safety
    /// The caller lets no two of these slices overlap while both are alive.
    #[allow(clippy::mut_from_ref)]
    unsafe fn slice(&self, offset: usize, length: usize) -> &mut [u8] {
        assert!(
            offset
                .checked_add(length)
                .is_some_and(|end| end <= self.bytes),
            "slice {offset}+{length} is outside the memory"
        );
        // SAFETY: inside the memory by the assertion.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(offset), length) }
    }
}

/// Sizes and places of the parts, read from the control block once and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub rx_capacity: usize,
    pub tx_capacity: usize,
    pub rx_descriptors: usize,
    pub tx_descriptors: usize,
    pub rx_arena: usize,
    pub rx_arena_bytes: usize,
    pub tx_arena: usize,
    pub tx_arena_bytes: usize,
}

/// Smallest arena: a few of the largest allocations, so that a full ring can always drain.
const ARENA_MIN_BYTES: usize = 16 * 1024;

impl Geometry {
    pub fn read(memory: &Memory) -> Result<Self> {
        if memory.load(l::I_MAGIC) != l::MAGIC
            || memory.load(l::I_LAYOUT_VERSION) != l::LAYOUT_VERSION
        {
            return Err(Failure::new(
                Code::AddonMismatch,
                "the ring memory has another layout",
            ));
        }
        let field = |index| usize::try_from(memory.load(index)).unwrap_or(usize::MAX);
        let geometry = Self {
            rx_capacity: field(l::I_RX_CAPACITY),
            tx_capacity: field(l::I_TX_CAPACITY),
            rx_descriptors: field(l::I_RX_DESCRIPTORS),
            tx_descriptors: field(l::I_TX_DESCRIPTORS),
            rx_arena: field(l::I_RX_ARENA),
            rx_arena_bytes: field(l::I_RX_ARENA_BYTES),
            tx_arena: field(l::I_TX_ARENA),
            tx_arena_bytes: field(l::I_TX_ARENA_BYTES),
        };
        geometry.check(memory.bytes)?;
        Ok(geometry)
    }

    fn check(&self, memory_bytes: usize) -> Result<()> {
        let capacity_ok = |n: usize| n.is_power_of_two() && (8..=1 << 20).contains(&n);
        let arena_ok = |n: usize| n.is_power_of_two() && (ARENA_MIN_BYTES..=1 << 29).contains(&n);
        if !capacity_ok(self.rx_capacity) || !capacity_ok(self.tx_capacity) {
            return Err(bad_memory(
                "capacities are powers of two from 8 to 1,048,576",
            ));
        }
        if !arena_ok(self.rx_arena_bytes) || !arena_ok(self.tx_arena_bytes) {
            return Err(bad_memory(
                "arenas are powers of two from 16 KiB to 512 MiB",
            ));
        }
        let mut end = l::CONTROL_BYTES;
        let parts = [
            (self.rx_descriptors, self.rx_capacity * l::DESCRIPTOR_BYTES),
            (self.tx_descriptors, self.tx_capacity * l::DESCRIPTOR_BYTES),
            (self.rx_arena, self.rx_arena_bytes),
            (self.tx_arena, self.tx_arena_bytes),
        ];
        for (start, length) in parts {
            let next = start
                .checked_add(length)
                .filter(|&next| next <= memory_bytes);
            match next {
                Some(next) if start >= end && start.is_multiple_of(64) => end = next,
                _ => {
                    return Err(bad_memory(
                        "its parts overlap, are not aligned or do not fit",
                    ))
                }
            }
        }
        Ok(())
    }
}

fn bad_memory(why: &str) -> Failure {
    Failure::new(
        Code::BadOption,
        format!("the ring memory is unusable: {why}"),
    )
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
    head: u32,
    arena_tail: u32,
    arena_head: u32,
    arena_end: Box<[u32]>,
}

impl RxRing {
    pub fn new(memory: Memory, geometry: &Geometry) -> Self {
        Self {
            memory,
            descriptors: geometry.rx_descriptors,
            capacity: geometry.rx_capacity as u32,
            arena: geometry.rx_arena,
            arena_bytes: geometry.rx_arena_bytes as u32,
            tail: 0,
            head: 0,
            arena_tail: 0,
            arena_head: 0,
            arena_end: vec![0; geometry.rx_capacity].into_boxed_slice(),
        }
    }

    /// Takes back what JavaScript released. A head that is not between the last one and the tail is
    /// ignored: it can only be a bug of the other side.
    pub fn refresh(&mut self) {
        let head = self.memory.load(l::I_RX_HEAD) as u32;
        let released = head.wrapping_sub(self.head);
        if released == 0 || released > self.waiting() {
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
            // SAFETY: `place` gave bytes that lie between arena_tail and arena_head, which
            // JavaScript does not read before the descriptor is published.
            unsafe { self.memory.slice(offset, bytes.len()) }.copy_from_slice(bytes);
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

    /// Makes everything pushed so far visible to JavaScript: one atomic per batch.
    pub fn publish(&self) {
        self.memory.store(l::I_RX_TAIL, self.tail as i32);
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
    next: u32,
    tail: u32,
}

impl TxRing {
    pub fn new(memory: Memory, geometry: &Geometry) -> Self {
        Self {
            memory,
            descriptors: geometry.tx_descriptors,
            capacity: geometry.tx_capacity as u32,
            arena: geometry.tx_arena,
            arena_bytes: geometry.tx_arena_bytes,
            head: 0,
            next: 0,
            tail: 0,
        }
    }

    /// Sees what JavaScript committed. A tail that claims more than the capacity is ignored.
    pub fn refresh(&mut self) {
        let tail = self.memory.load(l::I_TX_TAIL) as u32;
        let claimed = tail.wrapping_sub(self.head);
        if claimed <= self.capacity && claimed >= self.next.wrapping_sub(self.head) {
            self.tail = tail;
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

    pub fn publish(&self) {
        self.memory.store(l::I_TX_HEAD, self.head as i32);
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
        // SAFETY: inside the tx arena, and `&mut self` allows one window at a time.
        Some((unsafe { self.memory.slice(start, total) }, start))
    }

    /// The bytes of a datagram sealed earlier, for the kernel. `offset` came from `window`.
    pub fn bytes(&self, offset: usize, length: usize) -> &[u8] {
        // SAFETY: no window is alive while `&self` is borrowed.
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
    (length + (l::ARENA_ALIGN as u32 - 1)) & !(l::ARENA_ALIGN as u32 - 1)
}
