//! The native half of an endpoint: sockets in batches, rings in shared memory, one timer, and the
//! N-API surface over them. Knows nothing of channels or messages.

// The N-API registration that reaches all of this is not part of a test build.
#![cfg_attr(test, allow(dead_code))]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

// Reached by the workspace's own bench as well; nothing here is an interface for others.
#[doc(hidden)]
pub mod c_abi;
#[doc(hidden)]
pub mod clients;
/// `tests/published_model.rs` has those of its model in their place.
mod atomics {
    pub use std::sync::atomic::{fence, AtomicU64};
}
mod clock;
#[doc(hidden)]
pub mod counters;
mod doorbell;
#[doc(hidden)]
pub mod endpoint;
#[cfg(test)]
mod entries_test;
#[doc(hidden)]
pub mod error;
#[cfg(test)]
mod fault_test;
#[cfg(test)]
mod fault_world;
#[doc(hidden)]
pub mod features;
#[cfg(test)]
mod hostile_test;
#[doc(hidden)]
pub mod io;
#[doc(hidden)]
pub mod layout;
#[cfg(test)]
mod link_world;
#[doc(hidden)]
pub mod moderation;
#[doc(hidden)]
pub mod pace;
#[doc(hidden)]
pub mod peer;
mod plant;
#[doc(hidden)]
pub mod published;
#[doc(hidden)]
pub mod ring;
mod ring_geometry;
mod ring_memory;
#[cfg(test)]
mod ring_test;
#[doc(hidden)]
pub mod schedule;
mod sim;
#[doc(hidden)]
pub mod slots;
#[doc(hidden)]
pub mod sockets;

#[cfg(target_os = "linux")]
mod host;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod threads;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod timer;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod udp;
#[cfg(target_os = "linux")]
mod uv;

mod napi_admission;
mod napi_endpoint;
#[cfg(target_os = "linux")]
mod napi_handle;
mod napi_nx;
#[cfg(target_os = "linux")]
mod napi_open;
mod napi_options;
mod napi_sim;
mod napi_tokens;
