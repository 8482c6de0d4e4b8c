//! One socket of the load and the flows on it: a batch to send, a batch to receive, and netcode
//! clients when the server is the measured one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_addon::clients::{Clients, ConnectError};
use ggscale_transport_addon::error::Result;
use ggscale_transport_addon::io::{
    boxed_buffers, Io, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES,
};
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::{
    Clock, Event, FlowId, Path, Received, DATAGRAM_BYTES_MAX, HEADROOM, TAG_BYTES,
};

/// ≤ 250 flows of a /24: admission sees as many clients behind one prefix as it lets through.
const FLOWS_PER_PREFIX: u32 = 250;
const BUFFER_BYTES: usize = 8 << 20;
/// As long as a sealed payload of 100 B.
const FORGED_BYTES: usize = 122;
/// How far ahead of the real one that was seen last: within what a server takes for the same flow's.
const FORGED_AHEAD: u64 = 1 << 20;

/// The source address of a flow, below 127.0.0.0/8 and outside 127.0.0.0/24.
pub fn source_of(flow: u32) -> Ipv4Addr {
    let prefix = flow / FLOWS_PER_PREFIX;
    let host = (flow % FLOWS_PER_PREFIX) as u8 + 1;
    let [.., high, low] = prefix.to_be_bytes();
    Ipv4Addr::new(127, high.wrapping_add(1), low, host)
}

/// What everybody on the way can read of a payload: type 5 or, with a connection id, type 8.
#[derive(Clone, Copy)]
struct Seen {
    source: Ipv4Addr,
    /// Prefix and connection id.
    start: [u8; 9],
    start_bytes: usize,
    sequence: u64,
}

impl Seen {
    /// Of `prefix ‖ [connection id 8] ‖ sequence ‖ …`; the high half of the prefix is the sequence's
    /// length.
    fn read(source: Ipv4Addr, datagram: &[u8]) -> Option<Self> {
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

struct Queued {
    start: usize,
    length: usize,
    path: Path,
}

pub struct Link {
    io: UdpIo,
    server: SocketAddr,
    clients: Option<Box<Clients>>,
    scratch: Scratch,
    out: Box<[[u8; DATAGRAM_BYTES]; BATCH]>,
    queue: Vec<Queued>,
    /// The last payload.
    seen: Option<Seen>,
    /// Datagrams that the kernel would not take.
    pub refused: u64,
}

impl Link {
    pub fn open(server: SocketAddr, clients: Option<Box<Clients>>) -> Result<Self> {
        let io = UdpIo::open(&UdpOptions {
            receive_buffer_bytes: BUFFER_BYTES,
            send_buffer_bytes: BUFFER_BYTES,
            ..UdpOptions::new(SocketAddr::from(([0, 0, 0, 0], 0)))
        })?;
        Ok(Self {
            scratch: Scratch::with_bytes(io.scratch_bytes()),
            io,
            server,
            clients,
            out: boxed_buffers(),
            queue: Vec::with_capacity(BATCH),
            seen: None,
            refused: 0,
        })
    }

    pub fn fd(&self) -> i32 {
        self.io.flows_fd()
    }

    pub fn connect(
        &mut self,
        clock: Clock,
        token: &[u8],
        source: Ipv4Addr,
    ) -> Option<std::result::Result<FlowId, ConnectError>> {
        let clients = self.clients.as_deref_mut()?;
        Some(clients.connect(clock, token, Some(IpAddr::V4(source))))
    }

    /// Queues one payload, which `write` fills; false when it cannot be sent.
    pub fn send(
        &mut self,
        clock: Clock,
        flow: FlowId,
        source: Ipv4Addr,
        length: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> bool {
        if self.queue.len() == BATCH {
            self.flush();
        }
        let Some(buffer) = self.out.get_mut(self.queue.len()) else {
            return false;
        };
        let window = buffer.get_mut(..HEADROOM + length + TAG_BYTES);
        let Some(window) = window else {
            return false;
        };
        if let Some(payload) = window.get_mut(HEADROOM..HEADROOM + length) {
            write(payload);
        }
        let queued = match &mut self.clients {
            None => Queued {
                start: HEADROOM,
                length,
                path: Path {
                    remote: self.server,
                    local: Some(IpAddr::V4(source)),
                },
            },
            Some(clients) => match clients.seal_payload(clock, flow, window, HEADROOM, length) {
                Ok(sealed) => Queued {
                    start: sealed.start,
                    length: sealed.length,
                    path: sealed.path,
                },
                Err(_) => return false,
            },
        };
        let seen = window.get(queued.start..);
        self.seen = seen
            .and_then(|sealed| Seen::read(source, sealed))
            .or(self.seen);
        self.queue.push(queued);
        true
    }

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

    /// Netcode's own datagrams and timers.
    pub fn service(&mut self, clock: Clock) {
        let Some(clients) = self.clients.as_deref_mut() else {
            return;
        };
        if clients.deadline_us().is_some_and(|at| at <= clock.mono_us) {
            clients.handle_timeout(clock);
        }
        loop {
            if self.queue.len() == BATCH {
                self.flush();
            }
            let (Some(clients), Some(out)) =
                (&mut self.clients, self.out.get_mut(self.queue.len()))
            else {
                return;
            };
            debug_assert!(out.len() >= DATAGRAM_BYTES_MAX);
            let Some(transmit) = clients.poll_transmit(clock, out) else {
                return;
            };
            self.queue.push(Queued {
                start: 0,
                length: transmit.length,
                path: transmit.path,
            });
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.clients.as_deref_mut()?.poll_event()
    }

    pub fn flush(&mut self) {
        let mut sent = 0;
        while sent < self.queue.len() {
            let left = self.queue.get(sent..).unwrap_or(&[]);
            let Some(first) = left.first() else { break };
            let mut batch = [Outgoing {
                bytes: &[],
                path: first.path,
            }; BATCH];
            let buffers = self.out.iter().skip(sent);
            for ((slot, queued), buffer) in batch.iter_mut().zip(left).zip(buffers) {
                let bytes = buffer.get(queued.start..queued.start + queued.length);
                *slot = Outgoing {
                    bytes: bytes.unwrap_or(&[]),
                    path: queued.path,
                };
            }
            let batch = batch.get(..left.len()).unwrap_or(&batch);
            match self.io.send(batch) {
                Ok(taken) => sent += taken.max(1),
                Err(libc::EINTR) => {}
                Err(_) => {
                    self.refused += 1;
                    sent += 1;
                }
            }
        }
        self.queue.clear();
    }

    /// One batch; `each` sees every payload. How many datagrams there were.
    pub fn receive(&mut self, clock: Clock, mut each: impl FnMut(&[u8])) -> usize {
        let count = match self.io.receive(Queue::Flows, BATCH, &mut self.scratch) {
            Ok(count) => count,
            Err(_) => return 0,
        };
        for index in 0..count {
            let Some(&arrival) = self.scratch.arrivals.get(index) else {
                break;
            };
            let datagram = self.scratch.bytes_mut(&arrival);
            match &mut self.clients {
                None => each(datagram),
                Some(clients) => {
                    let received = clients.handle_datagram(clock, arrival.path, datagram);
                    if let Received::Payload { start, length, .. } = received {
                        each(datagram.get(start..start + length).unwrap_or(&[]));
                    }
                }
            }
        }
        count
    }

    pub fn add_counters(&self, out: &mut [u64; ggscale_transport_core::COUNTER_COUNT]) {
        if let Some(clients) = &self.clients {
            clients.add_counters(out);
        }
    }

    pub fn take_overflowed(&mut self) -> u64 {
        self.io.take_tally().overflowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn a_hundred_thousand_flows_have_an_address_each_and_few_share_a_prefix() {
        let mut seen = HashSet::new();
        let mut prefixes: HashMap<[u8; 3], u32> = HashMap::new();
        for flow in 0..100_000 {
            let address = source_of(flow);
            assert!(address.is_loopback() && seen.insert(address));
            let [a, b, c, _] = address.octets();
            assert_ne!([a, b, c], [127, 0, 0]);
            *prefixes.entry([a, b, c]).or_default() += 1;
        }
        assert!(prefixes.values().all(|count| *count <= 250));
    }
}
