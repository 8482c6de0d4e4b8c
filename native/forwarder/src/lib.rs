//! A layer-3 forwarder for tests and benches: two network namespaces of its own, a TUN device in each, and a queue
//! between them that drops, delays and reorders whole IP packets, so that UDP and the kernel's real TCP suffer the
//! same network. No netem and no iproute2 needed; root (or `CAP_NET_ADMIN` and `CAP_SYS_ADMIN`) is.
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

pub mod emulator;
pub mod enter;
pub mod forward;
pub mod link;
pub mod prng;
