//! A view of the SharedArrayBuffer that JavaScript made: its 32-bit words as atomics, its arenas as
//! slices. `tests/ring_model` puts a version of this file in its place that loom can look into; the
//! orderings are not here but in `ring.rs` and `doorbell.rs`, which both use.

pub use std::sync::atomic::{fence, AtomicI32};

use crate::error::Result;
use crate::layout as l;
use crate::ring_geometry::bad_memory;

/// The owner of the endpoint holds a reference to the SharedArrayBuffer for as long as a `Memory`
/// lives.
#[derive(Clone, Copy)]
pub struct Memory {
    base: *mut u8,
    bytes: usize,
}

// SAFETY: `new` demands bytes that live as long as any copy, whichever thread holds it; a
// SharedArrayBuffer is pinned, and can be neither detached nor shrunk. Words are only reached as
// atomics. Arena bytes are only reached through `slice`, whose callers (one `RxRing` and one `TxRing`
// for each memory) take nothing that the other side owns at that time.
unsafe impl Send for Memory {}

impl Memory {
    /// # Safety
    /// `base` points at `bytes` bytes, aligned to 8, that outlive every copy of this value. Other
    /// threads reach the control block and the descriptors through atomics (JavaScript: through an
    /// Int32Array), and write arena bytes only while the rings' counters say that they own them.
    pub unsafe fn new(base: *mut u8, bytes: usize) -> Result<Self> {
        if base.is_null() || !(base as usize).is_multiple_of(8) || bytes < l::CONTROL_BYTES {
            return Err(bad_memory("it is too small or not aligned to 8 bytes"));
        }
        if bytes > l::MEMORY_MAX_BYTES {
            return Err(bad_memory("it is larger than 1 GiB"));
        }
        Ok(Self { base, bytes })
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The 32-bit word `index`, counted from the start of the memory.
    pub fn cell(&self, index: usize) -> &AtomicI32 {
        assert!(
            index < self.bytes / 4,
            "word {index} is outside the ring memory"
        );
        // SAFETY: inside the memory by the assertion, aligned because the base is, and nobody
        // accesses it other than as an atomic.
        unsafe { AtomicI32::from_ptr(self.base.cast::<i32>().add(index)) }
    }

    /// The bytes `[offset, offset + length)`, to read.
    ///
    /// # Safety
    /// They belong to an arena, and to this side of it while the slice lives; no slice to write that
    /// overlaps is alive.
    pub unsafe fn slice(&self, offset: usize, length: usize) -> &[u8] {
        self.check(offset, length);
        // SAFETY: inside the memory by the check; not written meanwhile by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.base.add(offset), length) }
    }

    /// The same, to write.
    ///
    /// # Safety
    /// As for `slice`, and no other slice that overlaps is alive.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn slice_mut(&self, offset: usize, length: usize) -> &mut [u8] {
        self.check(offset, length);
        // SAFETY: inside the memory by the check; exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(offset), length) }
    }

    fn check(&self, offset: usize, length: usize) {
        let end = offset.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.bytes),
            "slice {offset}+{length} is outside the ring memory"
        );
    }
}
