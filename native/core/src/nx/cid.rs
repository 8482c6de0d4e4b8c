//! Connection ids: what a client's datagram carries instead of being found by its address.
//!
//! ```text
//!   u8 worker | u24 slot | u32 random          in the datagram: bytes 1–8, behind the prefix
//! ```
//! The worker is the I/O thread that owns the flow, so byte 1 of a datagram steers it; the slot
//! indexes the flow table without hashing; the random part makes another flow's id unguessable.

use crate::prefix::{NX_CONTROL, NX_PAYLOAD, REQUEST};

pub(crate) const CID_BYTES: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ConnectionId {
    /// Index of the I/O thread.
    pub worker: u8,
    /// Below 2^24.
    pub slot: u32,
    pub random: u32,
}

impl ConnectionId {
    pub fn from_bytes(bytes: [u8; CID_BYTES]) -> Self {
        let [worker, s0, s1, s2, r0, r1, r2, r3] = bytes;
        Self {
            worker,
            slot: u32::from_le_bytes([s0, s1, s2, 0]),
            random: u32::from_le_bytes([r0, r1, r2, r3]),
        }
    }

    pub fn to_bytes(self) -> [u8; CID_BYTES] {
        let [s0, s1, s2, _] = self.slot.to_le_bytes();
        let [r0, r1, r2, r3] = self.random.to_le_bytes();
        [self.worker, s0, s1, s2, r0, r1, r2, r3]
    }
}

/// Which socket of a SO_REUSEPORT group gets a datagram: the rule that the kernel's BPF program
/// implements. The group is `[flows_0 … flows_{n−1}, handshakes_0 … handshakes_{n−1}]`;
/// `source_hash` is any hash of the source address and port. Datagrams with a connection id go to
/// the worker that it names; all others of one source meet one thread.
pub fn steer(datagram: &[u8], source_hash: u32, workers: u8) -> usize {
    let n = usize::from(workers.max(1));
    let first = datagram.first().copied().unwrap_or(REQUEST);
    if matches!(first & 15, NX_PAYLOAD | NX_CONTROL) {
        return usize::from(datagram.get(1).copied().unwrap_or(0)) % n;
    }
    let thread = source_hash as usize % n;
    if first == REQUEST {
        n + thread
    } else {
        thread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_eight_bytes_and_its_first_is_the_worker() {
        let id = ConnectionId {
            worker: 3,
            slot: 0x00ab_cdef,
            random: 0x0102_0304,
        };
        let bytes = [3, 0xef, 0xcd, 0xab, 4, 3, 2, 1];
        assert_eq!(id.to_bytes(), bytes);
        assert_eq!(ConnectionId::from_bytes(bytes), id);
    }

    #[test]
    fn ids_go_to_their_worker_and_sources_to_one_thread() {
        assert_eq!(steer(&[0x18, 2, 0], 7, 4), 2);
        assert_eq!(steer(&[0x29, 6, 0], 7, 4), 2);
        assert_eq!(steer(&[0x15, 2, 0], 7, 4), 3);
        assert_eq!(steer(&[0x17, 2, 0], 7, 4), 3);
        assert_eq!(steer(&[0, b'N'], 7, 4), 7);
        assert_eq!(steer(&[0x18], 7, 4), 0);
        assert_eq!(steer(&[0x15, 2], 7, 0), 0);
    }
}
