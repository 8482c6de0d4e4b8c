//! What a flow and a packet cost, on this machine: resident memory per idle flow, and CPU time of
//! opening and sealing, under NX keys and under those of the token.
//! `cargo run --release -p ggscale-transport-core --example cost -- [flows]`

mod support;

use std::net::SocketAddr;
use std::time::Instant;

use ggscale_transport_core::{
    Client, ClientNx, Clock, FlowId, Path, Random, Received, Registry, Server, ServerConfig,
    DATAGRAM_BYTES_MAX, HEADROOM,
};
use support::{connect, open_doors, resident_kib, token, CLOCK, KEY};

fn main() {
    let flows = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000);
    let mut random = Random::from_number(1);
    let mut config = ServerConfig::new(1, KEY, Random::from_number(2));
    config.max_flows = flows + 2_000;
    config.token_history = flows as usize + 2_000;
    config.development = true;
    config.admission = open_doors();
    config.registry = Some(Registry::isolated());
    let mut server = Server::new(config, CLOCK).expect("config");
    let tokens: Vec<_> = (0..flows + 1)
        .map(|id| token(u64::from(id), -1, &mut random))
        .collect();
    let before = resident_kib();
    let mut last = None;
    let mut clock = CLOCK;
    for (id, token) in tokens.iter().enumerate().skip(1) {
        last = Some(connect(
            &mut server,
            clock,
            token,
            id as u32,
            ClientNx::Auto,
        ));
        if id % 1_000 == 0 {
            // A thousand a second: what a handshake holds for a second is given back by then.
            clock.mono_us += 1_100_000;
            settle(&mut server, clock);
        }
    }
    let per_flow = (resident_kib() - before) as f64 * 1024.0 / f64::from(flows);
    println!("flows {flows}");
    println!("resident per flow, its history entry included: {per_flow:.0} B");
    let nx = last.expect("at least one flow");
    let base = connect(&mut server, clock, &tokens[0], 0, ClientNx::Off);
    println!(
        "handshake and NX, both ends: {:.1} us",
        connect_us(&mut server, clock, &mut random)
    );
    for (name, (mut client, flow, path)) in [("netcode", base), ("NX", nx)] {
        for length in [32, 100, 1192] {
            let (seal_ns, open_ns) = packet_ns(&mut server, clock, &mut client, flow, path, length);
            println!("{name} {length} B: client seal {seal_ns:.0} ns, server open {open_ns:.0} ns");
        }
    }
    let garbage_ns = garbage_ns(&mut server, clock, &tokens[0]);
    println!("request that does not open: {garbage_ns:.0} ns");
}

fn connect_us(server: &mut Server, clock: Clock, random: &mut Random) -> f64 {
    const COUNT: u32 = 1_000;
    let first = 1 << 30;
    let tokens: Vec<_> = (0..COUNT)
        .map(|id| token(u64::from(first + id), -1, random))
        .collect();
    let started = Instant::now();
    for (id, token) in tokens.iter().enumerate() {
        connect(server, clock, token, first + id as u32, ClientNx::Auto);
    }
    started.elapsed().as_micros() as f64 / f64::from(COUNT)
}

/// Runs the timers and discards the keep-alives.
fn settle(server: &mut Server, clock: Clock) {
    let mut out = [0; DATAGRAM_BYTES_MAX];
    server.handle_timeout(clock);
    while server.poll_transmit(clock, &mut out).is_some() {}
}

fn packet_ns(
    server: &mut Server,
    clock: Clock,
    client: &mut Client,
    flow: FlowId,
    path: Path,
    length: usize,
) -> (f64, f64) {
    // Batches of the size that a socket gives, so that the caches are as warm as in production.
    const BATCH: usize = 32;
    const ROUNDS: usize = 2_000;
    let mut buffers = [[0u8; HEADROOM + 1200 + 16]; BATCH];
    let (mut seal_ns, mut open_ns) = (0, 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let sealed = buffers.each_mut().map(|buffer| {
            client
                .seal_payload(clock, Client::FLOW, buffer, HEADROOM, length)
                .expect("sealed")
        });
        seal_ns += started.elapsed().as_nanos();
        let started = Instant::now();
        for (buffer, sealed) in buffers.iter_mut().zip(&sealed) {
            let datagram = &mut buffer[sealed.start..sealed.start + sealed.length];
            let received = server.handle_datagram(clock, path, datagram);
            assert!(matches!(received, Received::Payload { flow: found, .. } if found == flow));
        }
        open_ns += started.elapsed().as_nanos();
    }
    let count = (BATCH * ROUNDS) as f64;
    (seal_ns as f64 / count, open_ns as f64 / count)
}

fn garbage_ns(server: &mut Server, clock: Clock, token: &[u8]) -> f64 {
    const COUNT: usize = 20_000;
    let mut request = vec![0];
    request.extend_from_slice(&token[..21]);
    request.extend_from_slice(&token[29..1085]);
    request[500] ^= 1;
    let path = Path {
        remote: SocketAddr::from(([192, 0, 2, 1], 9)),
        local: None,
    };
    let started = Instant::now();
    for _ in 0..COUNT {
        let mut copy = [0; 1078];
        copy.copy_from_slice(&request);
        assert!(matches!(
            server.handle_datagram(clock, path, &mut copy),
            Received::Dropped(_)
        ));
    }
    started.elapsed().as_nanos() as f64 / COUNT as f64
}
