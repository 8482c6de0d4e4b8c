//! What every way to the network does, over the loopback: batches, batches whose calls are refused,
//! and the portable way.

use std::net::{IpAddr, SocketAddr};

use ggscale_transport_core::Path;

use super::*;
use crate::clock::now;
use crate::error::Code;
use crate::io::{Arrival, BATCH, DATAGRAM_BYTES};

const KINDS: [IoKind; 2] = [IoKind::Batch, IoKind::Portable];

fn options(address: &str) -> UdpOptions {
    UdpOptions {
        receive_buffer_bytes: 1 << 20,
        ..UdpOptions::new(address.parse().unwrap())
    }
}

fn open_with(kind: IoKind, options: &UdpOptions) -> Result<AnyIo> {
    AnyIo::open(kind, options, 1).map(|mut opened| opened.remove(0))
}

fn open(kind: IoKind, address: &str) -> AnyIo {
    open_with(kind, &options(address)).unwrap()
}

fn to(remote: SocketAddr) -> Path {
    Path {
        remote,
        local: None,
    }
}

/// Loopback delivery is done when the send call returns, so nothing here waits.
fn receive_all(io: &mut AnyIo) -> Vec<(Arrival, Vec<u8>)> {
    let mut scratch = Scratch::with_bytes(io.scratch_bytes());
    let mut all = Vec::new();
    for queue in [Queue::Flows, Queue::Handshakes] {
        loop {
            let count = io.receive(queue, BATCH, &mut scratch).unwrap();
            for arrival in &scratch.arrivals[..count] {
                all.push((*arrival, scratch.bytes(arrival).to_vec()));
            }
            if count == 0 {
                break;
            }
        }
    }
    all
}

fn numbered(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| vec![number as u8 + 1; number * 13 % 1200])
        .collect()
}

fn send_all(io: &mut AnyIo, datagrams: &[Vec<u8>], path: Path) {
    let mut rest = datagrams;
    while !rest.is_empty() {
        let batch: Vec<Outgoing> = rest.iter().map(|bytes| Outgoing { bytes, path }).collect();
        let sent = io.send(&batch).unwrap();
        assert!(sent > 0);
        rest = &rest[sent..];
    }
}

#[test]
fn datagrams_arrive_in_order_with_all_that_the_features_promise() {
    for (ours, theirs) in [(KINDS[0], KINDS[1]), (KINDS[1], KINDS[0])] {
        let mut server = open(ours, "127.0.0.1:0");
        let mut client = open(theirs, "127.0.0.1:0");
        let sent = numbered(150);
        let before = now();
        send_all(&mut client, &sent, to(server.local_address()));
        let received = receive_all(&mut server);
        let bytes: Vec<Vec<u8>> = received.iter().map(|(_, bytes)| bytes.clone()).collect();
        assert_eq!(bytes, sent, "{ours:?}");
        let features = server.features();
        for (arrival, _) in &received {
            assert_eq!(arrival.path.remote, client.local_address());
            let local = "127.0.0.1".parse().unwrap();
            let local: Option<IpAddr> = features.packet_info.then_some(local);
            assert_eq!(arrival.path.local, local);
            assert_eq!(arrival.stamp_ns.is_some(), features.timestamps);
            let stamp_ns = arrival.stamp_ns.unwrap_or(before.real_ns);
            assert!((before.real_ns..=now().real_ns).contains(&stamp_ns));
            assert!(!arrival.truncated);
        }
    }
}

#[test]
fn a_receive_takes_no_more_than_it_was_asked_for() {
    for kind in KINDS {
        let mut server = open(kind, "127.0.0.1:0");
        let mut client = open(kind, "127.0.0.1:0");
        send_all(&mut client, &numbered(70), to(server.local_address()));
        let mut scratch = Scratch::with_bytes(server.scratch_bytes());
        let mut taken = 0;
        for max in [1, 5, 31, 32, 1000, 1000] {
            let count = server.receive(Queue::Flows, max, &mut scratch).unwrap();
            assert_eq!(count, max.min(BATCH).min(70 - taken), "{kind:?}");
            taken += count;
        }
        assert_eq!(taken, 70);
    }
}

#[test]
fn a_datagram_longer_than_the_room_is_flagged() {
    for kind in KINDS {
        let mut server = open(kind, "127.0.0.1:0");
        let mut client = open(kind, "127.0.0.1:0");
        let lengths = [DATAGRAM_BYTES, DATAGRAM_BYTES + 1, 9000, 1];
        let sent = lengths.map(|length| vec![1; length]);
        send_all(&mut client, &sent, to(server.local_address()));
        let received = receive_all(&mut server);
        let flags: Vec<bool> = received.iter().map(|(it, _)| it.truncated).collect();
        assert_eq!(flags, [false, true, true, false], "{kind:?}");
    }
}

#[test]
fn ipv4_ipv6_and_dual_stack_sockets_know_peers_by_their_canonical_addresses() {
    for kind in KINDS {
        for (server_at, called, client_at) in [
            ("127.0.0.1:0", "127.0.0.1", "127.0.0.1:0"),
            ("0.0.0.0:0", "127.0.0.1", "127.0.0.1:0"),
            ("[::1]:0", "::1", "[::1]:0"),
            ("[::]:0", "::1", "[::1]:0"),
            ("[::]:0", "127.0.0.1", "127.0.0.1:0"),
            // And a client that is dual-stack itself.
            ("127.0.0.1:0", "127.0.0.1", "[::]:0"),
        ] {
            let mut server = open(kind, server_at);
            let mut client = open(kind, client_at);
            assert_eq!(server.features().dual_stack, server_at == "[::]:0");
            let called = SocketAddr::new(called.parse().unwrap(), server.local_address().port());
            send_all(&mut client, &[vec![0x50]], to(called));
            let (arrival, _) = receive_all(&mut server).remove(0);
            let remote = SocketAddr::new(called.ip(), client.local_address().port());
            assert_eq!(arrival.path.remote, remote, "{kind:?} {server_at}");
            send_all(&mut server, &[vec![0x51]], arrival.path);
            let (answer, bytes) = receive_all(&mut client).remove(0);
            assert_eq!(answer.path.remote, called, "{kind:?} {server_at}");
            assert_eq!(bytes, [0x51]);
        }
    }
}

#[test]
fn an_ipv6_socket_on_one_address_takes_no_ipv4() {
    for kind in KINDS {
        let server = open(kind, "[::1]:0");
        assert!(!server.features().dual_stack);
        let mut client = open(kind, "127.0.0.1:0");
        let bytes = &[1][..];
        let path = to(server.local_address());
        assert!(client.send(&[Outgoing { bytes, path }]).is_err());
    }
}

#[test]
fn a_port_belongs_to_one_server() {
    for address in ["127.0.0.1:0", "[::]:0"] {
        for first in KINDS {
            let server = open(first, address);
            for second in KINDS {
                for handshake_socket in [true, false] {
                    let again = UdpOptions {
                        handshake_socket,
                        ..UdpOptions::new(server.local_address())
                    };
                    let error = open_with(second, &again).err().unwrap();
                    assert_eq!(error.code, Code::AddressInUse);
                }
            }
        }
    }
}

#[test]
fn sends_that_cannot_be_are_errors_of_that_datagram() {
    for kind in KINDS {
        let mut v4 = open(kind, "127.0.0.1:0");
        let mut server = open(kind, "127.0.0.1:0");
        let large = vec![0; 65_536];
        let path = to(server.local_address());
        let good = Outgoing { bytes: &[7], path };
        let bad = Outgoing {
            bytes: &large,
            path,
        };
        assert_eq!(v4.send(&[good, bad, good]), Ok(1), "{kind:?}");
        assert_eq!(v4.send(&[bad, good]), Err(libc::EMSGSIZE));
        assert_eq!(v4.send(&[good]), Ok(1));
        assert_eq!(receive_all(&mut server).len(), 2);
    }
}

#[test]
fn icmp_unreachable_from_one_dead_client_must_not_fail_the_next_clients_send() {
    for kind in KINDS {
        let mut server = open(kind, "127.0.0.1:0");
        let mut alive = open(kind, "127.0.0.1:0");
        let dead = to(open(kind, "127.0.0.1:0").local_address());
        let path = to(alive.local_address());
        for round in 0..50 {
            let bytes = &[round][..];
            let sent = server.send(&[
                Outgoing { bytes, path: dead },
                Outgoing { bytes, path },
                Outgoing { bytes, path: dead },
            ]);
            assert_eq!(sent, Ok(3), "{kind:?}");
        }
        // Nor does the answer of the dead client's machine come out of a receive.
        send_all(&mut alive, &[vec![9]], to(server.local_address()));
        assert_eq!(receive_all(&mut server).len(), 1);
        let got: Vec<u8> = receive_all(&mut alive).iter().map(|it| it.1[0]).collect();
        assert_eq!(got, (0..50).collect::<Vec<u8>>());
    }
}

/// What the system grants without privileges.
fn most_bytes(name: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/sys/net/core/{name}"));
    text.map_or(usize::MAX, |text| text.trim().parse().unwrap())
}

#[test]
fn features_tell_what_there_is_and_buffers_what_was_obtained() {
    for kind in KINDS {
        let sized = UdpOptions {
            expected_flows: 500,
            ..UdpOptions::new("127.0.0.1:0".parse().unwrap())
        };
        let features = open_with(kind, &sized).unwrap().features();
        assert_eq!(features.recvmmsg, kind == IoKind::Batch);
        assert_eq!(features.sendmmsg, kind == IoKind::Batch);
        let (receive, send) = (features.receive_buffer_bytes, features.send_buffer_bytes);
        let wanted = bytes_for(500);
        assert!(
            receive >= wanted.min(most_bytes("rmem_max")),
            "{features:?}"
        );
        assert!(send >= wanted.min(most_bytes("wmem_max")), "{features:?}");
        assert_eq!(features.receive_pause_ms, pause_ms(receive, 500));
        assert!(receive < wanted || features.receive_pause_ms >= 50);
    }
}

#[test]
fn an_endpoint_may_move_to_the_thread_that_drives_it() {
    fn is_send<T: Send>() {}
    is_send::<AnyIo>();
}

#[test]
fn the_portable_way_has_one_thread_and_auto_takes_batches_where_there_are_some() {
    let options = options("127.0.0.1:0");
    let error = AnyIo::open(IoKind::Portable, &options, 2).err().unwrap();
    assert_eq!(error.code, Code::BadOption);
    assert_eq!(AnyIo::open(IoKind::Batch, &options, 2).unwrap().len(), 2);
    let auto = open_with(IoKind::Auto, &options).unwrap();
    assert_eq!(auto.features().recvmmsg, cfg!(target_os = "linux"));
}
