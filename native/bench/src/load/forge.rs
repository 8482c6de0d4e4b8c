//! Payloads that open under no key, as somebody makes them who can write a flow's address on an envelope.

use std::net::Ipv4Addr;

/// As long as a sealed payload of 100 B.
pub const FORGED_BYTES: usize = 122;
/// How far ahead of the real one that was seen last: within what a server takes for the same flow's.
pub const FORGED_AHEAD: u64 = 1 << 20;

/// What everybody on the way can read of a payload: type 5 or, with a connection id, type 8.
#[derive(Clone, Copy)]
pub struct Seen {
    pub source: Ipv4Addr,
    /// Prefix and connection id.
    start: [u8; 9],
    start_bytes: usize,
    pub sequence: u64,
}

impl Seen {
    /// Of `prefix ‖ [connection id 8] ‖ sequence ‖ …`; the high half of the prefix is the sequence's
    /// length.
    pub fn read(source: Ipv4Addr, datagram: &[u8]) -> Option<Self> {
        let prefix = *datagram.first()?;
        let start_bytes = match prefix & 15 {
            5 => 1,
            8 => 9,
            _ => return None,
        };
        let mut start = [0; 9];
        start
            .get_mut(..start_bytes)?
            .copy_from_slice(datagram.get(..start_bytes)?);
        let read = datagram.get(start_bytes..start_bytes + usize::from(prefix >> 4))?;
        let mut sequence = [0; 8];
        sequence.get_mut(..read.len())?.copy_from_slice(read);
        Some(Self {
            source,
            start,
            start_bytes,
            sequence: u64::from_le_bytes(sequence),
        })
    }

    /// The same with another sequence, of 8 bytes.
    pub fn write(&self, sequence: u64, out: &mut [u8]) -> Option<()> {
        let (start, rest) = out.split_at_mut_checked(self.start_bytes)?;
        start.copy_from_slice(self.start.get(..self.start_bytes)?);
        let prefix = start.first_mut()?;
        *prefix = *prefix & 15 | 8 << 4;
        rest.get_mut(..8)?.copy_from_slice(&sequence.to_le_bytes());
        Some(())
    }
}
