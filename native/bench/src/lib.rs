//! The native bench. `bench/native/main.ts` runs these parts as processes of their own and compares
//! them; `bench/README.md` says what is measured and how.
//!
//! ```text
//! load ──datagrams──▶ floor | server        one processor each
//!   ▲ words on stdin, JSON lines on stdout ▲
//!   └──────────── main.ts ─────────────────┘
//! ```

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
#![cfg(target_os = "linux")]

pub mod control;
mod core_echo;
pub mod epoll;
pub mod flood;
pub mod floor;
pub mod histogram;
pub mod inner;
pub mod load;
pub mod meter;
pub mod script;
pub mod server;
mod timed;
