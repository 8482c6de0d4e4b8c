//! Payloads that open under no key, as somebody makes them who can write a flow's address on an envelope.

use std::net::{IpAddr, Ipv4Addr};

use ggscale_transport_addon::io::BATCH;
use ggscale_transport_core::Path;

use super::link::{Link, Queued};

/// As long as a sealed payload of 100 B.
const FORGED_BYTES: usize = 122;
/// How far ahead of the real one that was seen last: within what a server takes for the same flow's.
const FORGED_AHEAD: u64 = 1 << 20;

/// What everybody on the way can read of a payload: type 5 or, with a connection id, type 8.
#[derive(Clone, Copy)]
pub struct Seen {
    source: Ipv4Addr,
    /// Prefix and connection id.
    start: [u8; 9],
    start_bytes: usize,
    sequence: u64,
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
    fn write(&self, sequence: u64, out: &mut [u8]) -> Option<()> {
        let (start, rest) = out.split_at_mut_checked(self.start_bytes)?;
        start.copy_from_slice(self.start.get(..self.start_bytes)?);
        let prefix = start.first_mut()?;
        *prefix = *prefix & 15 | 8 << 4;
        rest.get_mut(..8)?.copy_from_slice(&sequence.to_le_bytes());
        Some(())
    }
}

impl Link {
    /// Queues what looks like the next payload of the flow that sent last and opens under no key;
    /// false before anything was sent.
    pub fn send_forged(&mut self, number: u64) -> bool {
        let Some(seen) = self.seen else {
            return false;
        };
        if self.queue.len() == BATCH {
            self.flush();
        }
        let Some(buffer) = self.out.get_mut(self.queue.len()) else {
            return false;
        };
        let mut bytes = [0x85; FORGED_BYTES];
        let sequence = seen.sequence + FORGED_AHEAD + number % FORGED_AHEAD;
        if seen.write(sequence, &mut bytes).is_none() {
            return false;
        }
        if let Some(room) = buffer.get_mut(..FORGED_BYTES) {
            room.copy_from_slice(&bytes);
        }
        self.queue.push(Queued {
            start: 0,
            length: FORGED_BYTES,
            path: Path {
                remote: self.server,
                local: Some(IpAddr::V4(seen.source)),
            },
        });
        true
    }
}
