//! What drain and flush cost per datagram over the loopback, netcode included. The tests run a few
//! rounds; a table comes from
//! `GGSCALE_LOOP_BENCH=1 cargo test --release -p ggscale-transport-addon -- --nocapture loop_bench`.
//!
//! One thread plays everybody, so the loopback's delivery is part of the flush that caused it. Each
//! figure is the median of the rounds; compare figures of one run only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_core::{AdmissionSettings, FlowId, Random, Registry, Server, ServerConfig};

use super::{clock_ns, UdpIo, UdpOptions};
use crate::clients::Clients;
use crate::fault_world::{token, Entry, Side, KEY, PROTOCOL_ID};
use crate::layout as l;
use crate::peer::Peer;
use crate::ring_test::TestMemory;

const BUFFER_BYTES: usize = 4 << 20;

struct Link {
    server: Side<UdpIo>,
    client: Side<UdpIo>,
    server_flows: Vec<FlowId>,
    client_flows: Vec<FlowId>,
}

fn udp(address: &str, handshake_socket: bool, gro: bool) -> UdpIo {
    UdpIo::open(&UdpOptions {
        handshake_socket,
        gro,
        receive_buffer_bytes: BUFFER_BYTES,
        send_buffer_bytes: BUFFER_BYTES,
        ..UdpOptions::new(address.parse().unwrap())
    })
    .unwrap()
}

fn memory() -> TestMemory {
    TestMemory::new(8192, 2048, 8 << 20)
}

impl Link {
    fn new(flows: u32, gro: bool) -> Self {
        let server_io = udp("127.0.0.1:0", true, gro);
        let server_address = server_io.local_address();
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
        let mut link = Self {
            server: Side::with_memory(server_io, Peer::server(core), memory()),
            client: Side::with_memory(
                udp("0.0.0.0:0", false, gro),
                Peer::Clients(Box::new(clients)),
                memory(),
            ),
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
    fn settle(&mut self) {
        for _ in 0..3 {
            self.client.turn();
            self.server.turn();
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn timed<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let start_ns = clock_ns(libc::CLOCK_MONOTONIC);
    let result = work();
    (clock_ns(libc::CLOCK_MONOTONIC) - start_ns, result)
}

/// Drains until `count` payloads are there: the time in `drain`, and the payloads.
fn drain(side: &mut Side<UdpIo>, count: usize) -> (u64, Vec<Entry>) {
    let (mut total_ns, mut payloads) = (0, Vec::new());
    for _ in 0..100 {
        total_ns += timed(|| side.endpoint.drain()).0;
        let entries = side.take().into_iter();
        payloads.extend(entries.filter(|entry| entry.kind == l::RX_PAYLOAD));
        if payloads.len() == count {
            return (total_ns, payloads);
        }
    }
    panic!("{} of {count} payloads arrived", payloads.len());
}

/// Each flow sends one payload and gets it back: drain and flush of the server, ns per datagram.
fn echo(gro: bool, flows: u32, payload_bytes: usize, rounds: usize) -> (f64, f64) {
    let mut link = Link::new(flows, gro);
    let payload = vec![7; payload_bytes];
    let (mut drains, mut flushes) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for &flow in &link.client_flows.clone() {
            link.client.commit(l::TX_PAYLOAD, flow, &payload);
        }
        link.client.endpoint.flush();
        let (drain_ns, entries) = drain(&mut link.server, flows as usize);
        for entry in &entries {
            link.server.commit(l::TX_PAYLOAD, entry.flow, &entry.bytes);
        }
        let count = entries.len() as u32;
        let (flush_ns, _) = timed(|| link.server.endpoint.flush());
        drain(&mut link.client, flows as usize);
        if round % 256 == 0 {
            link.settle();
        }
        drains.push(drain_ns as f64 / f64::from(count));
        flushes.push(flush_ns as f64 / f64::from(count));
    }
    (median(&mut drains), median(&mut flushes))
}

/// How the datagrams of a bulk run travel.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    gso: bool,
    gro: bool,
}

const WAYS: [Way; 3] = [
    Way {
        name: "singly",
        gso: false,
        gro: false,
    },
    Way {
        name: "gso",
        gso: true,
        gro: false,
    },
    Way {
        name: "gso+gro",
        gso: true,
        gro: true,
    },
];

/// Runs of `run` datagrams to one flow: flush of the server and drain of the client, ns per datagram.
fn bulk(way: Way, run: usize, payload_bytes: usize, rounds: usize) -> (f64, f64) {
    let flows = (256 / run).max(1) as u32;
    let mut link = Link::new(flows, way.gro);
    link.server.endpoint.io.features.gso = way.gso;
    let payload = vec![7; payload_bytes];
    let (mut drains, mut flushes) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for &flow in &link.server_flows.clone() {
            for _ in 0..run {
                link.server.commit(l::TX_PAYLOAD, flow, &payload);
            }
        }
        let (flush_ns, left) = timed(|| link.server.endpoint.flush());
        assert_eq!(left, 0);
        let count = run * flows as usize;
        let (drain_ns, _) = drain(&mut link.client, count);
        if round % 16 == 0 {
            link.settle();
        }
        drains.push(drain_ns as f64 / count as f64);
        flushes.push(flush_ns as f64 / count as f64);
    }
    (median(&mut drains), median(&mut flushes))
}

#[test]
fn drain_and_flush_carry_echoes_and_bulk() {
    let full = std::env::var_os("GGSCALE_LOOP_BENCH").is_some();
    let rounds = |full_rounds: usize| if full { full_rounds } else { 2 };
    // A process that has run for a while finds its pages and caches where it needs them.
    echo(false, 256, 100, rounds(200));
    for (gro, name) in [(false, "echo"), (true, "gro echo")] {
        for flows in [1, 32, 256] {
            let (drain, flush) = echo(gro, flows, 100, rounds(20_000 / flows as usize));
            println!("{name} {flows:4} x 100 B: drain {drain:6.0} flush {flush:6.0}");
        }
    }
    for (bytes, runs) in [(100, &[2, 4, 64][..]), (1200, &[1, 2, 3, 4, 16, 64])] {
        for &run in runs {
            for way in WAYS {
                let (drain, flush) = bulk(way, run, bytes, rounds(200));
                let name = way.name;
                println!("bulk {run:2} x {bytes} B {name:7}: drain {drain:6.0} flush {flush:6.0}");
            }
        }
    }
}
