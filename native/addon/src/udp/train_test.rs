//! Trains over the loopback: runs that leave as one datagram, and arrive as one.

use std::net::{IpAddr, SocketAddr};

use ggscale_transport_core::Path;

use super::*;
use crate::io::Arrival;

fn open(address: &str, gro: bool) -> UdpIo {
    let options = UdpOptions {
        gro,
        ..UdpOptions::new(address.parse().unwrap())
    };
    UdpIo::open(&options).unwrap()
}

fn to(remote: SocketAddr) -> Path {
    Path {
        remote,
        local: None,
    }
}

/// `count` datagrams of `size` bytes, told apart by their bytes; the first is no request and no CID.
fn run(count: usize, size: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| {
            let mut bytes = vec![number as u8; size];
            bytes[0] = 0x15;
            bytes
        })
        .collect()
}

fn send_all(io: &mut UdpIo, datagrams: &[(Path, &[u8])]) {
    let mut rest: Vec<Outgoing> = datagrams
        .iter()
        .map(|(path, bytes)| Outgoing { bytes, path: *path })
        .collect();
    while !rest.is_empty() {
        let sent = io.send(&rest).unwrap();
        rest.drain(..sent);
    }
}

fn send_run(io: &mut UdpIo, path: Path, datagrams: &[Vec<u8>]) {
    let datagrams: Vec<(Path, &[u8])> = datagrams
        .iter()
        .map(|bytes| (path, bytes.as_slice()))
        .collect();
    send_all(io, &datagrams);
}

/// Everything that waits, at most `max` datagrams per call.
fn receive_all(io: &mut UdpIo, max: usize, scratch: &mut Scratch) -> Vec<(Arrival, Vec<u8>)> {
    let mut all = Vec::new();
    loop {
        let count = io.receive(Queue::Flows, max, scratch).unwrap();
        assert!(count <= max);
        for arrival in &scratch.arrivals[..count] {
            all.push((*arrival, scratch.bytes(arrival).to_vec()));
        }
        if count < max && !io.has_unread() {
            return all;
        }
    }
}

fn bytes_of(received: &[(Arrival, Vec<u8>)]) -> Vec<Vec<u8>> {
    received.iter().map(|(_, bytes)| bytes.clone()).collect()
}

const PAIRS: [(&str, &str); 4] = [
    ("127.0.0.1:0", "127.0.0.1"),
    ("[::1]:0", "::1"),
    ("[::]:0", "127.0.0.1"),
    ("[::]:0", "::1"),
];

#[test]
fn runs_arrive_whole_and_in_order_with_and_without_trains_at_either_end() {
    for (address, host) in PAIRS {
        for (gso, gro) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut server = open(address, gro);
            let mut client = open(address, false);
            client.features.gso &= gso;
            let host: IpAddr = host.parse().unwrap();
            let path = to(SocketAddr::new(host, server.local_address().port()));
            let mut sent = run(7, 1200);
            sent.extend(run(3, 1100)); // shorter: ends a train, and begins the next
            sent.extend(run(1, 40));
            sent.extend(run(200, 300));
            sent.push(Vec::new());
            sent.extend(run(2, 17));
            send_run(&mut client, path, &sent);
            let mut scratch = Scratch::with_bytes(server.scratch_bytes());
            let received = receive_all(&mut server, BATCH, &mut scratch);
            assert_eq!(bytes_of(&received), sent, "{address} {host} {gso} {gro}");
            for (arrival, _) in &received {
                assert_eq!(arrival.path.remote.port(), client.local_address().port());
                assert_eq!(arrival.path.local, Some(host));
                assert!(!arrival.truncated && arrival.stamp_ns.is_some());
            }
            let (sent, got) = (client.take_tally(), server.take_tally());
            // [7×1200, 1100] [2×1100, 40] [64] [64] [64] [8] alone [2×17]
            assert_eq!(sent.trains_out, if gso { 7 } else { 0 });
            assert_eq!(sent.train_datagrams_out, if gso { 213 } else { 0 });
            assert_eq!(got.trains_in, if gso && gro { 7 } else { 0 });
            assert_eq!(got.train_datagrams_in, if gso && gro { 213 } else { 0 });
        }
    }
}

#[test]
fn the_datagrams_of_a_train_share_the_arrival_stamp_of_the_kernel() {
    let mut server = open("127.0.0.1:0", true);
    let mut client = open("127.0.0.1:0", false);
    let before_ns = clock_ns(libc::CLOCK_REALTIME);
    send_run(&mut client, to(server.local_address()), &run(20, 500));
    let after_ns = clock_ns(libc::CLOCK_REALTIME);
    let mut scratch = Scratch::with_bytes(server.scratch_bytes());
    let received = receive_all(&mut server, 7, &mut scratch);
    let stamps: Vec<u64> = received
        .iter()
        .map(|(it, _)| it.stamp_ns.unwrap())
        .collect();
    assert_eq!(stamps, [stamps[0]; 20]);
    assert!((before_ns..=after_ns).contains(&stamps[0]));
}

#[test]
fn a_train_never_mixes_destinations_local_addresses_or_sockets_of_the_far_end() {
    let mut client = open("0.0.0.0:0", false);
    let mut servers: Vec<UdpIo> = (0..2).map(|_| open("127.0.0.1:0", true)).collect();
    let paths: Vec<Path> = servers
        .iter()
        .flat_map(|server| {
            ["127.0.0.1", "127.0.0.2"].map(|local| Path {
                remote: server.local_address(),
                local: Some(local.parse().unwrap()),
            })
        })
        .collect();
    // Requests, payloads, and connection ids of two threads: the far end steers by the first only.
    let kinds: [&[u8]; 5] = [&[0, 1], &[0x15, 1], &[0x18, 1], &[0x18, 2], &[0x19, 2]];
    let mut datagrams = Vec::new();
    for path in &paths {
        for kind in kinds {
            datagrams.push((*path, kind));
            datagrams.push((*path, kind));
        }
    }
    send_all(&mut client, &datagrams);
    // Types 8 and 9 of one thread may share a train: 4 per path, 4 paths.
    assert_eq!(client.take_tally().trains_out, 16);
    for (server, paths) in servers.iter_mut().zip(paths.chunks(2)) {
        let mut scratch = Scratch::with_bytes(server.scratch_bytes());
        let received = receive_all(server, BATCH, &mut scratch);
        let expected: Vec<(IpAddr, &[u8])> = paths
            .iter()
            .flat_map(|path| kinds.map(|kind| (path.local.unwrap(), kind)))
            .flat_map(|one| [one, one])
            .collect();
        let got: Vec<(IpAddr, &[u8])> = received
            .iter()
            .map(|(arrival, bytes)| (arrival.path.remote.ip(), bytes.as_slice()))
            .collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn trains_stay_below_64_datagrams_and_64_kib() {
    // 54 × 1,200 B and 32 × 2,000 B fit; a call carries 64 datagrams in as many trains as it takes.
    for (count, size, trains) in [(200, 100, 4), (130, 1200, 5), (40, 2000, 2), (64, 1022, 1)] {
        let mut client = open("127.0.0.1:0", false);
        let mut server = open("127.0.0.1:0", true);
        let sent = run(count, size);
        send_run(&mut client, to(server.local_address()), &sent);
        let tally = client.take_tally();
        assert_eq!((tally.trains_out, tally.trains_refused), (trains, 0));
        let mut scratch = Scratch::with_bytes(server.scratch_bytes());
        let received = receive_all(&mut server, BATCH, &mut scratch);
        assert_eq!(bytes_of(&received), sent);
        assert_eq!(server.take_tally().trains_in, trains);
    }
}

#[test]
fn requests_are_received_while_a_train_of_payloads_is_half_handed_out() {
    let options = UdpOptions {
        gro: true,
        handshake_socket: true,
        ..UdpOptions::new("127.0.0.1:0".parse().unwrap())
    };
    let mut server = UdpIo::open(&options).unwrap();
    let mut client = open("127.0.0.1:0", false);
    let path = to(server.local_address());
    let payloads = run(50, 1000);
    send_run(&mut client, path, &payloads);
    send_run(&mut client, path, &[vec![0; 1078], vec![0; 1078]]);
    let mut scratch = Scratch::with_bytes(server.scratch_bytes());
    let mut got = Vec::new();
    for _ in 0..5 {
        let count = server.receive(Queue::Flows, 10, &mut scratch).unwrap();
        let arrivals = scratch.arrivals[..count].iter();
        got.extend(arrivals.map(|arrival| scratch.bytes(arrival).to_vec()));
        let requests = server.receive(Queue::Handshakes, 10, &mut scratch).unwrap();
        for arrival in &scratch.arrivals[..requests] {
            assert_eq!(scratch.bytes(arrival), [0; 1078]);
        }
    }
    assert_eq!(got, payloads);
}
