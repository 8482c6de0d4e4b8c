//! What drain and flush cost per datagram over the loopback, netcode included. The tests run a few
//! rounds; a table comes from
//! `GGSCALE_LOOP_BENCH=1 cargo test --release -p ggscale-transport-addon -- --nocapture loop_bench`.
//!
//! One thread plays everybody, so the loopback's delivery is part of the flush that caused it. Each
//! figure is the median of the rounds; compare figures of one run only.

use super::{UdpIo, UdpOptions};
use crate::io::Io;
use crate::layout as l;
use crate::link_world::{timed, Link};
use crate::sockets::{AnyIo, IoKind};

const BUFFER_BYTES: usize = 4 << 20;

fn options(address: &str, handshake_socket: bool, gro: bool) -> UdpOptions {
    UdpOptions {
        handshake_socket,
        gro,
        receive_buffer_bytes: BUFFER_BYTES,
        send_buffer_bytes: BUFFER_BYTES,
        ..UdpOptions::new(address.parse().unwrap())
    }
}

fn connected(flows: u32, gro: bool) -> Link<UdpIo> {
    let server = UdpIo::open(&options("127.0.0.1:0", true, gro)).unwrap();
    let address = server.local_address();
    let client = UdpIo::open(&options("0.0.0.0:0", false, gro)).unwrap();
    Link::new(server, address, client, flows, 8192)
}

/// The same behind the type that holds either way. The portable way cannot choose its source, so that
/// its clients are those of the batches.
fn connected_any(kind: IoKind, flows: u32) -> Link<AnyIo> {
    let open = |kind, options: UdpOptions| AnyIo::open(kind, &options, 1).unwrap().remove(0);
    let server = open(kind, options("127.0.0.1:0", true, false));
    let address = server.local_address();
    let client = open(IoKind::Batch, options("0.0.0.0:0", false, false));
    Link::new(server, address, client, flows, 8192)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Each flow sends one payload and gets it back: drain and flush of the server, ns per datagram.
fn echo<I: Io>(mut link: Link<I>, payload_bytes: usize, rounds: usize) -> (f64, f64) {
    let flows = link.client_flows.len() as u32;
    let payload = vec![7; payload_bytes];
    let (mut drains, mut flushes) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for &flow in &link.client_flows.clone() {
            link.client.commit(l::TX_PAYLOAD, flow, &payload);
        }
        link.client.endpoint.flush();
        let (drain_ns, entries) = link.drain_server(flows as usize);
        for entry in &entries {
            link.server.commit(l::TX_PAYLOAD, entry.flow, &entry.bytes);
        }
        let count = entries.len() as u32;
        let (flush_ns, _) = timed(|| link.server.endpoint.flush());
        link.drain_client(flows as usize);
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
    let mut link = connected(flows, way.gro);
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
        let (drain_ns, _) = link.drain_client(count);
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
    echo(connected(256, false), 100, rounds(200));
    for flows in [1, 32, 256] {
        let rounds = rounds(20_000 / flows as usize);
        let say = |name: &str, (drain, flush): (f64, f64)| {
            println!("echo {flows:3} x 100 B {name:9}: drain {drain:6.0} flush {flush:6.0}");
        };
        say("batches", echo(connected(flows, false), 100, rounds));
        say("with gro", echo(connected(flows, true), 100, rounds));
        let any = connected_any(IoKind::Batch, flows);
        say("as AnyIo", echo(any, 100, rounds));
        let portable = connected_any(IoKind::Portable, flows);
        say("portable", echo(portable, 100, rounds));
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
