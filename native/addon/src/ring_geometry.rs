//! Where the parts of a ring memory lie.

use crate::error::{Code, Failure, Result};
use crate::layout as l;
use crate::ring_memory::Memory;

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
        geometry.check(memory.bytes())?;
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

pub fn bad_memory(why: &str) -> Failure {
    Failure::new(
        Code::BadOption,
        format!("the ring memory is unusable: {why}"),
    )
}
