//! One UDP socket of the load and the flows on it: a batch to send, a batch to receive, and netcode
//! clients on the wires that have them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_addon::clients::{Clients, ConnectError};
use ggscale_transport_addon::error::Result;
use ggscale_transport_addon::io::{
    boxed_buffers, Io, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES,
};
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::{
    Clock, Event, FlowId, Path, Received, COUNTER_COUNT, COUNTER_NAMES, DATAGRAM_BYTES_MAX,
    HEADROOM, TAG_BYTES,
};
use serde_json::{json, Map, Value};

use super::forge::Seen;
use super::wire::Traffic;

const BUFFER_BYTES: usize = 8 << 20;
/// Headers of IPv4 and UDP.
const HEADER_BYTES: usize = 20 + 8;
/// What all links count together.
pub fn counters_of(links: &mut [Link]) -> Vec<(&'static str, Value)> {
    let mut core = [0u64; COUNTER_COUNT];
    for link in &mut *links {
        link.add_counters(&mut core);
    }
    let named = COUNTER_NAMES.iter().zip(core);
    let counters: Map<String, Value> = named
        .filter(|(_, value)| *value > 0)
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let overflowed: u64 = links.iter_mut().map(Link::take_overflowed).sum();
    let refused: u64 = links.iter().map(|link| link.refused).sum();
    vec![
        ("refused", json!(refused)),
        ("overflowed", json!(overflowed)),
        ("counters", Value::Object(counters)),
    ]
}

pub(super) struct Queued {
    pub start: usize,
    pub length: usize,
    pub path: Path,
}

pub struct Link {
    io: UdpIo,
    pub(super) server: SocketAddr,
    clients: Option<Box<Clients>>,
    scratch: Scratch,
    pub(super) out: Box<[[u8; DATAGRAM_BYTES]; BATCH]>,
    pub(super) queue: Vec<Queued>,
    /// The last payload.
    pub(super) seen: Option<Seen>,
    /// By slot of the clients.
    sources: Vec<Ipv4Addr>,
    pub traffic: Traffic,
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
            sources: Vec::new(),
            traffic: Traffic::default(),
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
        let made = clients.connect(clock, token, Some(IpAddr::V4(source)));
        if let Ok(FlowId { slot, .. }) = made {
            let slot = slot as usize;
            if self.sources.len() <= slot {
                self.sources.resize(slot + 1, Ipv4Addr::UNSPECIFIED);
            }
            if let Some(known) = self.sources.get_mut(slot) {
                *known = source;
            }
        }
        Some(made)
    }

    pub fn close_flow(&mut self, clock: Clock, flow: FlowId) {
        if let Some(clients) = &mut self.clients {
            clients.close_flow(clock, flow);
        }
    }

    /// Queues one payload of this length, which `write` fills; false when it cannot be sent.
    pub fn send(
        &mut self,
        clock: Clock,
        flow: FlowId,
        source: Ipv4Addr,
        length: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> bool {
        self.send_written(clock, flow, source, length, |payload| {
            write(payload);
            Some(length)
        })
    }

    /// Queues one payload of at most `room` bytes; `write` tells its length, None: there is none.
    pub fn send_written(
        &mut self,
        clock: Clock,
        flow: FlowId,
        source: Ipv4Addr,
        room: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        if self.queue.len() == BATCH {
            self.flush();
        }
        let Some(buffer) = self.out.get_mut(self.queue.len()) else {
            return false;
        };
        let written = buffer.get_mut(HEADROOM..HEADROOM + room).and_then(write);
        let Some(length) = written else {
            return false;
        };
        let Some(window) = buffer.get_mut(..HEADROOM + length + TAG_BYTES) else {
            return false;
        };
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

    /// What happened to a flow, and its source address.
    pub fn poll_flow_event(&mut self) -> Option<(Event, Ipv4Addr)> {
        let event = self.clients.as_deref_mut()?.poll_event()?;
        let (Event::Opened { flow, .. }
        | Event::Closed { flow, .. }
        | Event::Replaced { flow, .. }
        | Event::Migrated { flow, .. }) = event;
        let source = self.sources.get(flow.slot as usize).copied();
        Some((event, source.unwrap_or(Ipv4Addr::UNSPECIFIED)))
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
                Ok(taken) => {
                    let taken = taken.max(1);
                    let bytes = left.iter().take(taken).map(|it| it.length + HEADER_BYTES);
                    self.traffic.bytes_out += bytes.sum::<usize>() as u64;
                    self.traffic.packets_out += taken as u64;
                    sent += taken;
                }
                Err(libc::EINTR) => {}
                Err(_) => {
                    self.refused += 1;
                    sent += 1;
                }
            }
        }
        self.queue.clear();
    }

    /// One batch; `each` sees every payload and the address it came to. How many datagrams there were.
    pub fn receive_from(
        &mut self,
        clock: Clock,
        mut each: impl FnMut(Option<Ipv4Addr>, &[u8]),
    ) -> usize {
        let count = match self.io.receive(Queue::Flows, BATCH, &mut self.scratch) {
            Ok(count) => count,
            Err(_) => return 0,
        };
        for index in 0..count {
            let Some(&arrival) = self.scratch.arrivals.get(index) else {
                break;
            };
            let datagram = self.scratch.bytes_mut(&arrival);
            self.traffic.packets_in += 1;
            self.traffic.bytes_in += (datagram.len() + HEADER_BYTES) as u64;
            let local = match arrival.path.local {
                Some(IpAddr::V4(address)) => Some(address),
                _ => None,
            };
            match &mut self.clients {
                None => each(local, datagram),
                Some(clients) => {
                    let received = clients.handle_datagram(clock, arrival.path, datagram);
                    if let Received::Payload { start, length, .. } = received {
                        each(local, datagram.get(start..start + length).unwrap_or(&[]));
                    }
                }
            }
        }
        count
    }

    fn add_counters(&self, out: &mut [u64; COUNTER_COUNT]) {
        if let Some(clients) = &self.clients {
            clients.add_counters(out);
        }
    }

    fn take_overflowed(&mut self) -> u64 {
        self.io.take_tally().overflowed
    }
}
