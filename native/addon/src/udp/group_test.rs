//! One port, several sockets: who gets what, over the loopback.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};

use ggscale_transport_core::Path;

use super::steering::program;
use super::*;
use crate::error::Code;
use crate::io::{Io, Queue, Scratch, BATCH};

const ADDRESSES: [&str; 4] = ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"];
const PAYLOAD: u8 = 0x15;

fn options(address: SocketAddr, handshake_socket: bool) -> UdpOptions {
    UdpOptions {
        handshake_socket,
        receive_buffer_bytes: 1 << 20,
        ..UdpOptions::new(address)
    }
}

fn open(address: &str, threads: usize) -> Vec<UdpIo> {
    Group::open(&options(address.parse().unwrap(), true), threads).unwrap()
}

/// What waits at each thread: (queue, first two bytes, source).
fn take(group: &mut [UdpIo]) -> Vec<(usize, Queue, Vec<u8>, SocketAddr)> {
    let mut all = Vec::new();
    for (thread, io) in group.iter_mut().enumerate() {
        for queue in [Queue::Flows, Queue::Handshakes] {
            let mut scratch = Scratch::new();
            loop {
                let count = io.receive(queue, BATCH, &mut scratch).unwrap();
                for index in 0..count {
                    let arrival = scratch.arrivals[index];
                    let bytes = scratch.bytes(&arrival).to_vec();
                    all.push((thread, queue, bytes, arrival.path.remote));
                }
                if count < BATCH {
                    break;
                }
            }
        }
    }
    all
}

/// Clients and the address to send to: both families where the group serves both.
fn clients(group: &[UdpIo], count: usize) -> (Vec<UdpSocket>, Vec<SocketAddr>) {
    let local = group[0].local_address();
    let hosts: &[&str] = match (local.is_ipv6(), local.ip().is_unspecified()) {
        (false, _) => &["127.0.0.1"],
        (true, false) => &["::1"],
        (true, true) => &["127.0.0.1", "::1"],
    };
    let mut sockets = Vec::new();
    let mut called = Vec::new();
    for number in 0..count {
        let host: IpAddr = hosts[number % hosts.len()].parse().unwrap();
        sockets.push(UdpSocket::bind(SocketAddr::new(host, 0)).unwrap());
        called.push(SocketAddr::new(host, local.port()));
    }
    (sockets, called)
}

#[test]
fn the_same_source_always_meets_the_same_thread_and_sources_spread() {
    for address in ADDRESSES {
        for threads in [2, 3, 4, 16] {
            let mut group = open(address, threads);
            let (clients, called) = clients(&group, 32 * threads);
            for first in [PAYLOAD, 0x1c, 0, 0x26, 0xff] {
                for (client, called) in clients.iter().zip(&called) {
                    client.send_to(&[first, 0xaa, 7], called).unwrap();
                }
            }
            let mut homes: HashMap<SocketAddr, usize> = HashMap::new();
            let mut population = vec![0; threads];
            let received = take(&mut group);
            assert_eq!(received.len(), 5 * clients.len(), "{address}");
            for (thread, queue, bytes, source) in received {
                let home = *homes.entry(source).or_insert_with(|| {
                    population[thread] += 1;
                    thread
                });
                assert_eq!(thread, home, "{address}, {source}");
                let expected = if bytes[0] == 0 {
                    Queue::Handshakes
                } else {
                    Queue::Flows
                };
                assert_eq!(queue, expected, "{address}");
            }
            // 32 per thread on average; 4 or less is below 1 in 10^8 for a fair spread.
            assert_eq!(homes.len(), clients.len());
            assert!(population.iter().all(|count| *count > 4), "{population:?}");
        }
    }
}

#[test]
fn ip_options_do_not_move_a_source() {
    let mut group = open("127.0.0.1:0", 16);
    let (clients, called) = clients(&group, 32);
    for (client, called) in clients.iter().zip(&called) {
        client.send_to(&[PAYLOAD, 1], called).unwrap();
        // SAFETY: the duplicate closes at the end of this block, the socket itself stays.
        let fd = unsafe { OwnedFd::from_raw_fd(libc::dup(client.as_raw_fd())) };
        let no_operations = [1u8, 1, 1, 1, 1, 1, 1, 0];
        let option = (libc::IPPROTO_IP, libc::IP_OPTIONS);
        // SAFETY: plain bytes.
        unsafe { Kernel.setsockopt(fd.as_raw_fd(), option, &no_operations) }.unwrap();
        client.send_to(&[PAYLOAD, 2], called).unwrap();
    }
    let received = take(&mut group);
    assert_eq!(received.len(), 64);
    for client in &clients {
        let source = client.local_addr().unwrap();
        let mut homes = received.iter().filter(|(.., from)| *from == source);
        assert_eq!(homes.next().unwrap().0, homes.next().unwrap().0);
    }
}

#[test]
fn datagrams_with_a_connection_id_go_by_their_second_byte() {
    for address in ADDRESSES {
        let threads = 3;
        let mut group = open(address, threads);
        let (clients, called) = clients(&group, 8);
        for (client, called) in clients.iter().zip(&called) {
            for first in [0x08, 0x09, 0x18, 0xf9] {
                for worker in [0, 1, 2, 3, 200, 255] {
                    client.send_to(&[first, worker, 1, 2], called).unwrap();
                }
            }
        }
        let received = take(&mut group);
        assert_eq!(received.len(), 8 * 4 * 6);
        for (thread, queue, bytes, _) in received {
            assert_eq!(thread, usize::from(bytes[1]) % threads, "{address}");
            assert_eq!(queue, Queue::Flows);
        }
    }
}

#[test]
fn too_short_to_steer_meets_the_first_thread() {
    let mut group = open("127.0.0.1:0", 4);
    let (clients, called) = clients(&group, 8);
    for (client, called) in clients.iter().zip(&called) {
        client.send_to(&[], called).unwrap();
        client.send_to(&[0x18], called).unwrap();
    }
    let received = take(&mut group);
    assert_eq!(received.len(), 16);
    assert!(received
        .iter()
        .all(|(thread, queue, ..)| (*thread, *queue) == (0, Queue::Flows)));
}

#[test]
fn a_second_program_cannot_bind_a_port_of_a_group() {
    for address in ADDRESSES {
        for threads in [1, 2, 4] {
            let group = open(address, threads);
            let taken = group[0].local_address();
            for other in [1, 2] {
                for handshake_socket in [true, false] {
                    let second = Group::open(&options(taken, handshake_socket), other);
                    assert_eq!(second.err().unwrap().code, Code::AddressInUse, "{address}");
                }
            }
            drop(group);
            let again = Group::open(&options(taken, true), threads);
            assert!(again.is_ok(), "free again");
        }
    }
}

#[test]
fn a_foreign_socket_that_shares_the_port_gets_nothing() {
    for address in ["127.0.0.1:0", "[::]:0"] {
        let mut group = open(address, 2);
        let local = group[0].local_address();
        let foreign = socket::new_socket(local.is_ipv6(), true).unwrap();
        let (level, name) = (libc::SOL_SOCKET, libc::SO_REUSEPORT);
        socket::set_option(&mut Kernel, &foreign, level, name, 1).unwrap();
        socket::bind(&foreign, local).unwrap();
        // SAFETY: a duplicate that this test alone owns.
        let foreign = unsafe { UdpSocket::from_raw_fd(libc::dup(foreign.as_raw_fd())) };
        let (clients, called) = clients(&group, 64);
        for (client, called) in clients.iter().zip(&called) {
            for bytes in [&[PAYLOAD, 1][..], &[0, 1], &[0x18, 255], &[]] {
                client.send_to(bytes, called).unwrap();
            }
        }
        assert_eq!(take(&mut group).len(), 4 * 64);
        let error = foreign.recv(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn every_thread_answers_from_the_port_that_was_called() {
    let mut group = open("0.0.0.0:0", 4);
    let (clients, called) = clients(&group, 16);
    for (client, called) in clients.iter().zip(&called) {
        client.send_to(&[PAYLOAD, 1], called).unwrap();
    }
    for (thread, _, bytes, remote) in take(&mut group) {
        let path = Path {
            remote,
            local: None,
        };
        let bytes = &bytes;
        group[thread].send(&[Outgoing { bytes, path }]).unwrap();
    }
    for (client, called) in clients.iter().zip(&called) {
        let (length, from) = client.recv_from(&mut [0; 8]).unwrap();
        assert_eq!((length, from), (2, *called));
    }
}

#[test]
fn one_thread_without_a_handshake_socket_shares_nothing() {
    let mut group = Group::open(&options("127.0.0.1:0".parse().unwrap(), false), 1).unwrap();
    let features = group[0].features();
    assert!(!features.steering && !features.handshake_socket);
    let (clients, called) = clients(&group, 1);
    clients[0].send_to(&[0, 1], called[0]).unwrap();
    let received = take(&mut group);
    assert_eq!(received[0].1, Queue::Flows);
}

#[test]
fn two_threads_without_handshake_sockets_keep_requests_with_their_source() {
    let mut group = Group::open(&options("127.0.0.1:0".parse().unwrap(), false), 2).unwrap();
    let (clients, called) = clients(&group, 16);
    for (client, called) in clients.iter().zip(&called) {
        client.send_to(&[0, 1], called).unwrap();
        client.send_to(&[PAYLOAD, 1], called).unwrap();
    }
    let received = take(&mut group);
    assert_eq!(received.len(), 32);
    for (_, queue, _, source) in &received {
        assert_eq!(*queue, Queue::Flows);
        let mut homes = received.iter().filter(|(.., other)| other == source);
        let first = homes.next().unwrap().0;
        assert!(homes.all(|(thread, ..)| *thread == first));
    }
}

#[test]
fn groups_of_no_threads_or_too_many_are_refused() {
    for threads in [0, 17] {
        let group = Group::open(&options("127.0.0.1:0".parse().unwrap(), true), threads);
        assert_eq!(group.err().unwrap().code, Code::BadOption);
    }
}

#[test]
fn the_program_of_one_thread_is_four_instructions() {
    assert_eq!(program(1, true, 7).len(), 4);
    // BPF_MAXINSNS is 4,096; jumps reach 255.
    assert!(program(16, true, 7).len() < 64);
}
