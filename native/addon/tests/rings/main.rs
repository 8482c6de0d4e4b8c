//! The rings as they ship, with JavaScript's half played by `../ring_model/script.rs`: against a simple
//! model, against a JavaScript that writes nonsense, and between two real threads.

#![allow(dead_code)] // the parts of the addon that the rings do not need

#[path = "../../src/doorbell.rs"]
mod doorbell;
#[path = "../../src/error.rs"]
mod error;
#[path = "../../src/threads/far_side.rs"]
mod far_side;
#[path = "../../src/layout.rs"]
mod layout;
#[path = "../../src/ring.rs"]
mod ring;
#[path = "../../src/ring_geometry.rs"]
mod ring_geometry;
#[path = "../../src/ring_memory.rs"]
mod ring_memory;
#[path = "../ring_model/script.rs"]
mod script;

mod hostile;
mod oracle;
mod threads;

pub use std::sync::atomic::fence as script_fence;

use crate::layout as l;
use crate::ring_geometry::Geometry;

/// SplitMix64 (Steele, Lea and Flood, 2014): Miri cannot run the core's cipher.
pub struct SplitMix(pub u64);

impl SplitMix {
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit
    }
}

/// Rings far smaller than an endpoint would take, so that everything is full much of the time.
pub fn geometry(capacity: usize, arena_bytes: usize) -> Geometry {
    let rx_descriptors = l::CONTROL_BYTES;
    let tx_descriptors = rx_descriptors + capacity * l::DESCRIPTOR_BYTES;
    let rx_arena = tx_descriptors + capacity * l::DESCRIPTOR_BYTES;
    Geometry {
        rx_capacity: capacity,
        tx_capacity: capacity,
        rx_descriptors,
        tx_descriptors,
        rx_arena,
        rx_arena_bytes: arena_bytes,
        tx_arena: rx_arena + arena_bytes,
        tx_arena_bytes: arena_bytes,
    }
}
