//! A server and many clients of one socket over real sockets, on one thread; the JavaScript sides are
//! played by hand.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_core::{AdmissionSettings, FlowId, Random, Registry, Server, ServerConfig};

use crate::clients::Clients;
use crate::clock::clock_ns;
use crate::counters::Counter;
use crate::fault_world::{token, Entry, Side, KEY, PROTOCOL_ID};
use crate::io::Io;
use crate::layout as l;
use crate::peer::Peer;
use crate::ring_test::TestMemory;

pub struct Link<I: Io> {
    pub server: Side<I>,
    pub client: Side<I>,
    pub server_flows: Vec<FlowId>,
    pub client_flows: Vec<FlowId>,
}

impl<I: Io> Link<I> {
    /// `flows` clients, each with a loopback address of its own, connected. The rx rings hold
    /// `rx_capacity` descriptors.
    pub fn new(
        server: I,
        server_address: SocketAddr,
        client: I,
        flows: u32,
        rx_capacity: usize,
    ) -> Self {
        let mut config = ServerConfig::new(PROTOCOL_ID, KEY, Random::from_number(1));
        config.registry = Some(Registry::isolated());
        config.max_flows = flows;
        config.admission = AdmissionSettings::unlimited();
        let unix_s = clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000;
        let clock = ggscale_transport_core::Clock {
            mono_us: clock_ns(libc::CLOCK_MONOTONIC) / 1000,
            unix_s,
        };
        let core = Server::new(config, clock).unwrap();
        let clients = Clients::new(flows, 1200, Random::from_number(2));
        let memory = || TestMemory::new(rx_capacity, 2048, 8 << 20);
        let clients = Peer::Clients(Box::new(clients));
        let mut link = Self {
            server: Side::with_memory(server, Peer::server(core), memory()),
            client: Side::with_memory(client, clients, memory()),
            server_flows: Vec::new(),
            client_flows: Vec::new(),
        };
        for number in 0..flows {
            link.connect(number, server_address, unix_s);
        }
        link
    }

    fn connect(&mut self, number: u32, server_address: SocketAddr, unix_s: u64) {
        let token = token(u64::from(number), server_address, unix_s, 600);
        let clock = self.client.endpoint.clock();
        let [_, b, c, d] = (number + 1).to_be_bytes();
        let local = IpAddr::V4(Ipv4Addr::new(127, b, c, d));
        let Peer::Clients(clients) = &mut self.client.endpoint.peer else {
            unreachable!()
        };
        let flow = clients.connect(clock, &token, Some(local)).unwrap();
        self.client_flows.push(flow);
        let before = self.server_flows.len();
        while self.server_flows.len() == before {
            self.client.turn();
            let opened = self.server.turn();
            let opened = opened.iter().filter(|entry| entry.kind == l::RX_OPENED);
            self.server_flows.extend(opened.map(|entry| entry.flow));
        }
        self.client.turn();
    }

    /// Everything that is on its way arrives, so that a round begins with nothing left over.
    pub fn settle(&mut self) {
        for _ in 0..3 {
            self.client.turn();
            self.server.turn();
        }
    }

    /// The client commits `count` payloads of `bytes` bytes, numbered from 0, to its first flow.
    pub fn commit_numbered(&mut self, count: u32, bytes: usize) {
        for number in 0..count {
            let mut payload = vec![0; bytes];
            payload[..4].copy_from_slice(&number.to_le_bytes());
            self.client
                .commit(l::TX_PAYLOAD, self.client_flows[0], &payload);
        }
    }

    pub fn drain_server(&mut self, count: usize) -> (u64, Vec<Entry>) {
        drain(&mut self.server, count)
    }

    pub fn drain_client(&mut self, count: usize) -> (u64, Vec<Entry>) {
        drain(&mut self.client, count)
    }

    pub fn client_count(&self, counter: Counter) -> u64 {
        self.client.count(counter)
    }

    pub fn server_count(&self, counter: Counter) -> u64 {
        self.server.count(counter)
    }
}

/// The numbers of payloads that `commit_numbered` made.
pub fn numbers(entries: &[Entry]) -> Vec<u32> {
    let payloads = entries.iter().filter(|entry| entry.kind == l::RX_PAYLOAD);
    payloads
        .map(|entry| u32::from_le_bytes(entry.bytes[..4].try_into().unwrap()))
        .collect()
}

/// Nanoseconds that `work` takes.
pub fn timed<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let start_ns = clock_ns(libc::CLOCK_MONOTONIC);
    let result = work();
    (clock_ns(libc::CLOCK_MONOTONIC) - start_ns, result)
}

/// Drains until `count` payloads are there: the time in `drain`, and the payloads.
fn drain<I: Io>(side: &mut Side<I>, count: usize) -> (u64, Vec<Entry>) {
    let (mut total_ns, mut payloads) = (0, Vec::new());
    for _ in 0..1000 {
        total_ns += timed(|| side.endpoint.drain()).0;
        let entries = side.take().into_iter();
        payloads.extend(entries.filter(|entry| entry.kind == l::RX_PAYLOAD));
        if payloads.len() >= count {
            break;
        }
    }
    assert_eq!(payloads.len(), count, "payloads");
    (total_ns, payloads)
}
