//! Kernel sockets on the loopback.

use std::net::IpAddr;

use ggscale_transport_core::Path;

use super::*;
use crate::io::Arrival;

fn open(address: &str, handshake_socket: bool) -> UdpIo {
    try_open(address.parse().unwrap(), handshake_socket).unwrap()
}

fn try_open(address: SocketAddr, handshake_socket: bool) -> Result<UdpIo> {
    UdpIo::open(&UdpOptions {
        handshake_socket,
        receive_buffer_bytes: 1 << 20,
        ..UdpOptions::new(address)
    })
}

fn to(remote: SocketAddr) -> Path {
    Path {
        remote,
        local: None,
    }
}

/// Loopback delivery is done when the send call returns, so nothing here waits.
fn receive_all(io: &mut UdpIo, queue: Queue) -> Vec<(Arrival, Vec<u8>)> {
    let mut scratch = Scratch::new();
    let mut all = Vec::new();
    loop {
        let count = io.receive(queue, BATCH, &mut scratch).unwrap();
        if count == 0 {
            return all;
        }
        for index in 0..count {
            let arrival = scratch.arrivals[index];
            all.push((arrival, scratch.bytes(&arrival).to_vec()));
        }
    }
}

fn numbered(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| vec![number as u8 + 1; number * 13 % 1200])
        .collect()
}

fn send_all(io: &mut UdpIo, datagrams: &[Vec<u8>], path: Path) {
    let mut rest = datagrams;
    while !rest.is_empty() {
        let batch: Vec<Outgoing> = rest
            .iter()
            .take(BATCH)
            .map(|bytes| Outgoing { bytes, path })
            .collect();
        let sent = io.send(&batch).unwrap();
        rest = &rest[sent..];
    }
}

#[test]
fn batches_and_single_calls_carry_the_same_datagrams() {
    for batched in [true, false] {
        let mut server = open("127.0.0.1:0", false);
        let mut client = open("127.0.0.1:0", false);
        server.features.recvmmsg = batched;
        client.features.sendmmsg = batched;
        let sent = numbered(70);
        let before_ns = clock_ns(libc::CLOCK_REALTIME);
        send_all(&mut client, &sent, to(server.local_address()));
        let received = receive_all(&mut server, Queue::Flows);
        let bytes: Vec<Vec<u8>> = received.iter().map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(bytes, sent, "batched: {batched}");
        for (arrival, _) in &received {
            assert_eq!(arrival.path.remote, client.local_address());
            assert_eq!(arrival.path.local, Some("127.0.0.1".parse().unwrap()));
            assert!(!arrival.truncated);
            let stamp_ns = arrival.stamp_ns.unwrap();
            assert!(stamp_ns >= before_ns && stamp_ns <= clock_ns(libc::CLOCK_REALTIME));
        }
    }
}

#[test]
fn handshakes_are_steered_to_their_own_socket() {
    for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
        let mut server = open(address, true);
        assert!(server.features().handshake_socket, "{address}");
        let port = server.local_address().port();
        let v6 = address.contains("::");
        let mut client = open(if v6 { "[::1]:0" } else { "127.0.0.1:0" }, false);
        let host: IpAddr = if v6 { "::1" } else { "127.0.0.1" }.parse().unwrap();
        let datagrams = [vec![0, 1], vec![0x15, 0], vec![], vec![0], vec![0xff]];
        send_all(&mut client, &datagrams, to(SocketAddr::new(host, port)));
        let bytes = |received: Vec<(Arrival, Vec<u8>)>| -> Vec<Vec<u8>> {
            received.into_iter().map(|(_, bytes)| bytes).collect()
        };
        let flows = bytes(receive_all(&mut server, Queue::Flows));
        assert_eq!(flows, [vec![0x15, 0], vec![], vec![0xff]], "{address}");
        let handshakes = bytes(receive_all(&mut server, Queue::Handshakes));
        assert_eq!(handshakes, [vec![0, 1], vec![0]], "{address}");
    }
}

#[test]
fn answers_leave_from_the_address_that_was_called() {
    for (server_at, called) in [
        ("0.0.0.0:0", "127.0.0.5"),
        ("[::]:0", "127.0.0.6"),
        ("[::]:0", "::1"),
    ] {
        let mut server = open(server_at, true);
        let called: IpAddr = called.parse().unwrap();
        let client_at = if called.is_ipv4() {
            "127.0.0.1:0"
        } else {
            "[::1]:0"
        };
        let mut client = open(client_at, false);
        let port = server.local_address().port();
        send_all(
            &mut client,
            &[vec![0x50]],
            to(SocketAddr::new(called, port)),
        );
        let (arrival, _) = receive_all(&mut server, Queue::Flows).remove(0);
        assert_eq!(arrival.path.local, Some(called), "{server_at}");
        assert_eq!(arrival.path.remote, client.local_address(), "canonical");
        send_all(&mut server, &[vec![0x51]], arrival.path);
        let (answer, _) = receive_all(&mut client, Queue::Flows).remove(0);
        assert_eq!(answer.path.remote, SocketAddr::new(called, port));
    }
}

#[test]
fn overflow_of_the_receive_buffer_is_counted() {
    let address = "127.0.0.1:0".parse().unwrap();
    let options = UdpOptions {
        receive_buffer_bytes: 4096,
        ..UdpOptions::new(address)
    };
    let mut server = UdpIo::open(&options).unwrap();
    let mut client = open("127.0.0.1:0", false);
    let path = to(server.local_address());
    send_all(&mut client, &vec![vec![1; 1000]; 200], path);
    let received = receive_all(&mut server, Queue::Flows).len() as u64;
    assert!(received < 200);
    // The kernel tells with the next datagram that it queues.
    send_all(&mut client, &[vec![1; 10]], path);
    receive_all(&mut server, Queue::Flows);
    assert_eq!(server.take_tally().overflowed, 200 - received);
    assert_eq!(server.take_tally().overflowed, 0);
}
