//! The ring memory as loom can see it. The same face as the addon's `ring_memory.rs`.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::Ordering;
use std::sync::Arc;

use crate::layout as l;
use crate::ring_geometry::Geometry;

const BLOCK_BYTES: usize = l::ARENA_ALIGN;

/// What a canary breaks in the production code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    RelaxedStores,
    RelaxedLoads,
    NoFences,
}

thread_local! {
    // Loom runs all threads of a model on one thread of the system.
    static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
}

pub fn plant(fault: Fault) {
    FAULT.set(fault);
}

pub struct AtomicI32(loom::sync::atomic::AtomicI32);

impl AtomicI32 {
    pub fn load(&self, order: Ordering) -> i32 {
        self.0.load(if FAULT.get() == Fault::RelaxedLoads {
            Ordering::Relaxed
        } else {
            order
        })
    }

    pub fn store(&self, value: i32, order: Ordering) {
        let order = if FAULT.get() == Fault::RelaxedStores {
            Ordering::Relaxed
        } else {
            order
        };
        self.0.store(value, order);
    }

    pub fn swap(&self, value: i32, order: Ordering) -> i32 {
        self.0.swap(value, order)
    }
}

pub fn fence(order: Ordering) {
    if FAULT.get() != Fault::NoFences {
        loom::sync::atomic::fence(order);
    }
}

/// Two descriptors a ring, and arenas so small that every third allocation goes around the end.
pub const GEOMETRY: Geometry = Geometry {
    rx_capacity: 2,
    tx_capacity: 2,
    rx_descriptors: l::CONTROL_BYTES,
    tx_descriptors: l::CONTROL_BYTES + 2 * l::DESCRIPTOR_BYTES,
    rx_arena: RX_ARENA,
    rx_arena_bytes: 64,
    tx_arena: RX_ARENA + 64,
    tx_arena_bytes: 128,
};
const RX_ARENA: usize = l::CONTROL_BYTES + 4 * l::DESCRIPTOR_BYTES;
const TOTAL: usize = RX_ARENA + 64 + 128;

const WORDS: [usize; 6] = [
    l::I_RX_TAIL,
    l::I_RX_HEAD,
    l::I_TX_TAIL,
    l::I_TX_HEAD,
    l::I_RX_SLEEPING,
    l::I_TX_SLEEPING,
];

/// Owns what every `Memory` looks at; the scenario keeps it until its threads ended.
pub struct Shared {
    cells: Vec<Option<AtomicI32>>,
    guards: Vec<loom::cell::UnsafeCell<()>>,
    bytes: UnsafeCell<Vec<u8>>,
}

// SAFETY: loom runs one of its threads at a time.
unsafe impl Sync for Shared {}

impl Shared {
    pub fn new() -> Arc<Self> {
        let cell = |index: usize| {
            let in_descriptors = (l::CONTROL_INTS..RX_ARENA / 4).contains(&index);
            (in_descriptors || WORDS.contains(&index))
                .then(|| AtomicI32(loom::sync::atomic::AtomicI32::new(0)))
        };
        let blocks = TOTAL / BLOCK_BYTES;
        Arc::new(Self {
            cells: (0..RX_ARENA / 4).map(cell).collect(),
            guards: (0..blocks)
                .map(|_| loom::cell::UnsafeCell::new(()))
                .collect(),
            bytes: UnsafeCell::new(vec![0; TOTAL]),
        })
    }

    pub fn memory(self: &Arc<Self>) -> Memory {
        Memory {
            shared: Arc::as_ptr(self),
        }
    }
}

#[derive(Clone, Copy)]
pub struct Memory {
    shared: *const Shared,
}

// SAFETY: the scenario keeps the `Shared` until its threads ended; loom runs one of them at a time.
unsafe impl Send for Memory {}

impl Memory {
    fn shared(&self) -> &Shared {
        // SAFETY: kept alive by the scenario.
        unsafe { &*self.shared }
    }

    pub fn bytes(&self) -> usize {
        TOTAL
    }

    pub fn cell(&self, index: usize) -> &AtomicI32 {
        let cell = self.shared().cells.get(index).and_then(Option::as_ref);
        cell.unwrap_or_else(|| panic!("word {index} has no use in the model"))
    }

    /// # Safety
    /// Loom checks the promise of the production code.
    pub unsafe fn slice(&self, offset: usize, length: usize) -> &[u8] {
        for guard in self.guards(offset, length) {
            guard.with(|_| ());
        }
        // SAFETY: one thread runs at a time.
        unsafe { &(&*self.shared().bytes.get())[offset..offset + length] }
    }

    /// # Safety
    /// As for `slice`.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        for guard in self.guards(offset, length) {
            guard.with_mut(|_| ());
        }
        // SAFETY: one thread runs at a time.
        unsafe { &mut (&mut *self.shared().bytes.get())[offset..offset + length] }
    }

    fn guards(&self, offset: usize, length: usize) -> &[loom::cell::UnsafeCell<()>] {
        let end = (offset + length).div_ceil(BLOCK_BYTES);
        &self.shared().guards[offset / BLOCK_BYTES..end]
    }
}
