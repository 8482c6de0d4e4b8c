//! The rings and the doorbell, as they ship, under loom: every interleaving of two threads, and every
//! value that the memory model lets a load return, up to a number of preemptions.
//!
//! `ring_memory.rs` of this folder stands in for the one of the addon: words are loom's atomics, and a
//! loom cell guards every 8 bytes of the arenas, so that using bytes that belong to the other side is
//! an error whatever they contain. `script.rs` is `src/addon/rings.ts` in Rust. A wake is a
//! `loom::sync::Notify`, sticky as an eventfd; a lost one shows as a deadlock.
//!
//! The tests that should panic plant one fault each. They prove that the model would notice.

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
mod ring_memory;
mod script;

mod duplex;
mod rx;
mod tx;

pub use loom::sync::atomic::fence as script_fence;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Preemptions beyond those that waiting causes. Bugs of two threads seldom need more than two
/// (Musuvathi and Qadeer, "Iterative context bounding", 2007); each more takes six times as long.
const PREEMPTIONS: usize = 3;
const VARIABLE: &str = "GGSCALE_RING_PREEMPTIONS";

/// Runs the scenario in every way that two threads can go through it.
pub fn explore(scenario: impl Fn() + Sync + Send + 'static) {
    explore_up_to(PREEMPTIONS, scenario);
}

/// The same with fewer preemptions, for a scenario with many steps.
pub fn explore_up_to(preemptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let asked = std::env::var(VARIABLE)
        .ok()
        .and_then(|text| text.parse().ok());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(asked.unwrap_or(preemptions));
    let executions = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&executions);
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    println!("{} executions", executions.load(Ordering::Relaxed));
}
