//! The seam between the endpoint and what carries its datagrams: kernel sockets (`udp`), memory
//! queues (`sim`), or a test that answers with the errno it likes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_core::Path;

/// Datagrams per receive.
pub const BATCH: usize = 32;
/// Datagrams per send, in one or several messages.
pub const SEND_BATCH: usize = 64;
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
    /// Where it begins in the scratch.
    pub offset: usize,
    pub length: usize,
    pub path: Path,
    /// Wall time at which the kernel got it, when the kernel says so.
    pub stamp_ns: Option<u64>,
    /// The datagram was longer than the room for it.
    pub truncated: bool,
}

/// Where a receive puts its datagrams: memory that stays hot in cache and that JavaScript cannot see.
/// Rooms for single datagrams come first; whoever receives more at once asks for bytes behind them.
pub struct Scratch {
    memory: Box<[u8]>,
    pub arrivals: [Arrival; BATCH],
}

/// From one room to the next. The spare bytes let a plain `recv`, which cuts without a word, see that
/// a datagram was longer than `DATAGRAM_BYTES`.
pub const ROOM_STRIDE: usize = DATAGRAM_BYTES + 64;
pub const SCRATCH_BYTES: usize = BATCH * ROOM_STRIDE;

impl Scratch {
    pub fn new() -> Self {
        Self::with_bytes(SCRATCH_BYTES)
    }

    /// At least the rooms; see `Io::scratch_bytes`.
    pub fn with_bytes(bytes: usize) -> Self {
        let path = Path {
            remote: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            local: None,
        };
        let arrival = Arrival {
            offset: 0,
            length: 0,
            path,
            stamp_ns: None,
            truncated: false,
        };
        Self {
            // Zeroed pages of the kernel: what is never received into costs no memory.
            memory: vec![0; bytes.max(SCRATCH_BYTES)].into_boxed_slice(),
            arrivals: [arrival; BATCH],
        }
    }

    /// All of it, for a receive.
    pub fn memory_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }

    /// The bytes of one arrival.
    pub fn bytes(&self, arrival: &Arrival) -> &[u8] {
        let end = arrival.offset.saturating_add(arrival.length);
        self.memory.get(arrival.offset..end).unwrap_or(&[])
    }

    /// The same, to open in place.
    pub fn bytes_mut(&mut self, arrival: &Arrival) -> &mut [u8] {
        let end = arrival.offset.saturating_add(arrival.length);
        self.memory.get_mut(arrival.offset..end).unwrap_or(&mut [])
    }

    /// Writes a datagram into room `index < BATCH`, as a socket would: cut, and flagged, when longer
    /// than `DATAGRAM_BYTES`.
    pub fn put(&mut self, index: usize, bytes: &[u8], path: Path, stamp_ns: Option<u64>) {
        let offset = index * ROOM_STRIDE;
        let length = bytes.len().min(DATAGRAM_BYTES);
        let Some(arrival) = self.arrivals.get_mut(index) else {
            return;
        };
        *arrival = Arrival {
            offset,
            length,
            path,
            stamp_ns,
            truncated: bytes.len() > DATAGRAM_BYTES,
        };
        let room = self.memory.get_mut(offset..offset + length);
        if let (Some(room), Some(bytes)) = (room, bytes.get(..length)) {
            room.copy_from_slice(bytes);
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Room for `N` datagrams on the heap: a test thread's stack has none to spare for them.
pub fn boxed_buffers<const N: usize>() -> Box<[[u8; DATAGRAM_BYTES]; N]> {
    let zeroed = vec![[0u8; DATAGRAM_BYTES]; N].into_boxed_slice();
    match zeroed.try_into() {
        Ok(array) => array,
        Err(_) => unreachable!("the vector has N elements"),
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

/// What only the carrier of the datagrams can count, since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams that the kernel dropped because a receive buffer was full.
    pub overflowed: u64,
    /// Trains received, and the datagrams in them (UDP_GRO).
    pub trains_in: u64,
    pub train_datagrams_in: u64,
    /// Trains that the kernel took, and the datagrams in them (UDP_SEGMENT).
    pub trains_out: u64,
    pub train_datagrams_out: u64,
    /// Trains that the kernel refused; their datagrams were sent one by one.
    pub trains_refused: u64,
}

pub trait Io {
    fn now(&mut self) -> Now;

    /// The scratch that `receive` wants; always the same one.
    fn scratch_bytes(&self) -> usize {
        SCRATCH_BYTES
    }

    /// Receives at most `max ≤ BATCH` datagrams without waiting; `Ok(0)` when there are none. What is
    /// in the scratch from earlier calls is gone then.
    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno>;

    /// Whether a receive may give more at once, although the last one gave fewer than `max` and the
    /// sockets may not be readable: datagrams that came with others and wait in the scratch.
    fn has_unread(&self) -> bool {
        false
    }

    /// Hands datagrams over in order and says how many were taken (at least one). An error concerns
    /// the first of them and none was taken.
    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno>;

    fn take_tally(&mut self) -> Tally {
        Tally::default()
    }
}

/// One address for every peer: IPv4-mapped IPv6 becomes IPv4, and a scope stays only where it is needed
/// to answer (link-local addresses).
pub fn canonical(address: SocketAddr) -> SocketAddr {
    let path = Path {
        remote: address,
        local: None,
    };
    path.canonical().remote
}
