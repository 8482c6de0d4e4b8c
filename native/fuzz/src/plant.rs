//! Planted faults: a target whose plant is on behaves as if what it tests had that fault, and must
//! fail. `tests/canaries.rs` and `npm run fuzz -- --canary` turn them on.

use std::cell::Cell;

thread_local! {
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// On this thread, from now on.
pub fn set(on: bool) {
    IS_ON.set(on);
}

#[must_use]
pub fn is_on() -> bool {
    IS_ON.get()
}
