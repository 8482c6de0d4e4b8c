//! The seam between the endpoint and what carries its datagrams: kernel sockets (`udp`), memory
//! queues (`sim`), or a test that answers with the errno it likes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_core::Path;

/// Datagrams per system call.
pub const BATCH: usize = 32;
/// Room for one datagram. Anything longer is cut by the kernel, flagged and dropped: the largest
/// legal one is 1,078 bytes for a handshake and about 1,330 for a payload.
pub const DATAGRAM_BYTES: usize = 2048;

/// Both clocks, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub mono_ns: u64,
    pub real_ns: u64,
}

/// Which socket: the flows', or the one that only sees handshake requests (first byte 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    Flows,
    Handshakes,
}

/// About one received datagram.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub length: usize,
    pub path: Path,
    /// Wall time at which the kernel got it, when the kernel says so.
    pub stamp_ns: Option<u64>,
    /// The datagram was longer than `DATAGRAM_BYTES`.
    pub truncated: bool,
}

/// Where a receive puts its datagrams: memory that stays hot in cache and that JavaScript cannot see.
pub struct Scratch {
    pub buffers: Box<[[u8; DATAGRAM_BYTES]; BATCH]>,
    pub arrivals: [Arrival; BATCH],
}

impl Scratch {
    pub fn new() -> Self {
        let path = Path {
            remote: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            local: None,
        };
        let arrival = Arrival {
            length: 0,
            path,
            stamp_ns: None,
            truncated: false,
        };
        Self {
            buffers: boxed_buffers(),
            arrivals: [arrival; BATCH],
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// 64 KiB straight on the heap: a test thread's stack has no room to spare for it.
pub fn boxed_buffers() -> Box<[[u8; DATAGRAM_BYTES]; BATCH]> {
    let zeroed = vec![[0u8; DATAGRAM_BYTES]; BATCH].into_boxed_slice();
    match zeroed.try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the vector has BATCH elements"),
    }
}

/// One datagram to send.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    pub bytes: &'a [u8],
    pub path: Path,
}

/// An errno.
pub type Errno = i32;

pub trait Io {
    fn now(&mut self) -> Now;

    /// Receives at most `max ≤ BATCH` datagrams without waiting; `Ok(0)` when there are none.
    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno>;

    /// Hands datagrams over in order and says how many were taken (at least one). An error concerns
    /// the first of them and none was taken.
    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno>;

    /// Datagrams that the kernel dropped because a receive buffer was full, since the last call.
    fn take_overflowed(&mut self) -> u64 {
        0
    }
}

/// IPv4-mapped IPv6 becomes IPv4, so that every peer has one address.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
