//! Traps that others fell into, each under the name of what went wrong there. Those that end above the
//! sockets are in `fault_test` and `hostile_test`; those that any socket meets in `sockets_test`.

use std::collections::VecDeque;
use std::net::SocketAddr;

use ggscale_transport_core::Path;

use super::script_sys::{Calls, ScriptSys};
use super::sys::{UDP_GRO, UDP_SEGMENT};
use super::*;
use crate::counters::Counter;
use crate::link_world::{numbers, Link};

fn open(sys: &ScriptSys, address: &str, gro: bool) -> UdpIo<ScriptSys> {
    let options = UdpOptions {
        gro,
        receive_buffer_bytes: 8 << 20,
        send_buffer_bytes: 8 << 20,
        ..UdpOptions::new(address.parse().unwrap())
    };
    Group::open_with(sys.clone(), &options, 1)
        .unwrap()
        .remove(0)
}

/// A connected pair; the script is the client's.
fn link(sys: &ScriptSys, gro: bool, rx_capacity: usize) -> Link<UdpIo<ScriptSys>> {
    let server = open(&ScriptSys::default(), "127.0.0.1:0", gro);
    let address = server.local_address();
    let client = open(sys, "0.0.0.0:0", false);
    let mut link = Link::new(server, address, client, 1, rx_capacity);
    link.settle();
    link
}

fn to(remote: SocketAddr) -> Path {
    Path {
        remote,
        local: None,
    }
}

fn send_all(io: &mut UdpIo<ScriptSys>, datagrams: &[Vec<u8>], path: Path) {
    let mut rest = datagrams;
    while !rest.is_empty() {
        let batch: Vec<Outgoing> = rest.iter().map(|bytes| Outgoing { bytes, path }).collect();
        rest = &rest[io.send(&batch).unwrap()..];
    }
}

fn receive_all(io: &mut UdpIo<ScriptSys>) -> Vec<Vec<u8>> {
    let mut scratch = Scratch::with_bytes(io.scratch_bytes());
    let mut all = Vec::new();
    loop {
        let count = io.receive(Queue::Flows, BATCH, &mut scratch).unwrap();
        for arrival in &scratch.arrivals[..count] {
            assert!(!arrival.truncated);
            all.push(scratch.bytes(arrival).to_vec());
        }
        if count == 0 {
            return all;
        }
    }
}

fn run(count: usize, size: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| vec![0x15 | number as u8; size])
        .collect()
}

// Bun #42678.
#[test]
fn recvmmsg_refused_by_seccomp_degrades_once() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        for refused_at_open in [true, false] {
            let sys = ScriptSys::default();
            sys.0.borrow_mut().recvmmsg = refused_at_open.then_some(errno);
            let mut server = open(&sys, "127.0.0.1:0", false);
            assert_eq!(server.features().recvmmsg, !refused_at_open);
            sys.0.borrow_mut().recvmmsg = Some(errno);
            let mut client = open(&ScriptSys::default(), "127.0.0.1:0", false);
            let sent = run(70, 100);
            send_all(&mut client, &sent, to(server.local_address()));
            assert_eq!(receive_all(&mut server), sent);
            assert!(!server.features().recvmmsg);
            let Calls {
                recvmmsg, recvmsg, ..
            } = sys.calls();
            assert_eq!(recvmmsg, usize::from(!refused_at_open), "asked once");
            assert!(recvmsg > 70);
        }
    }
}

#[test]
fn sendmmsg_refused_by_seccomp_degrades_once() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        for refused_at_open in [true, false] {
            let sys = ScriptSys::default();
            sys.0.borrow_mut().sendmmsg = refused_at_open.then_some(errno);
            let mut client = open(&sys, "127.0.0.1:0", false);
            assert_eq!(client.features().sendmmsg, !refused_at_open);
            sys.0.borrow_mut().sendmmsg = Some(errno);
            let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
            let mut sent = run(70, 100);
            sent.extend(numbered(30));
            send_all(&mut client, &sent, to(server.local_address()));
            assert_eq!(receive_all(&mut server), sent);
            assert!(!client.features().sendmmsg);
            assert_eq!(sys.calls().sendmmsg, usize::from(!refused_at_open));
        }
    }
}

/// Growing sizes: no two are a run.
fn numbered(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| vec![0x15; number + 1]).collect()
}

#[test]
fn a_destination_that_a_firewall_blocks_is_not_mistaken_for_a_refused_call() {
    let sys = ScriptSys::default();
    let mut client = open(&sys, "127.0.0.1:0", false);
    let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
    let blocked = to("127.0.0.1:9".parse().unwrap());
    sys.0.borrow_mut().blocked_port = Some((9, libc::EPERM));
    let bytes = &[0x15][..];
    let path = to(server.local_address());
    for _ in 0..3 {
        let batch = [
            Outgoing { bytes, path },
            Outgoing {
                bytes,
                path: blocked,
            },
        ];
        assert_eq!(client.send(&batch), Ok(1));
        assert_eq!(client.send(&batch[1..]), Err(libc::EPERM));
    }
    assert!(client.features().sendmmsg);
    assert_eq!(receive_all(&mut server).len(), 3);
}

// Bun #33391.
#[test]
fn a_batch_larger_than_the_kernel_takes_does_not_drop_the_rest() {
    let sys = ScriptSys::default();
    let mut link = link(&sys, false, 1024);
    for (batch_max, gso) in [(1, false), (10, false), (1, true), (3, true)] {
        sys.0.borrow_mut().batch_max = Some(batch_max);
        link.client.endpoint.io.features.gso = gso;
        link.commit_numbered(300, 40);
        assert_eq!(link.client.endpoint.flush(), 0);
        let (_, entries) = link.drain_server(300);
        assert_eq!(numbers(&entries), (0..300).collect::<Vec<_>>());
    }
}

// Bun #42999.
#[test]
fn a_short_count_continues_behind_what_was_taken() {
    let sys = ScriptSys::default();
    let mut link = link(&sys, false, 1024);
    for gso in [true, false] {
        link.client.endpoint.io.features.gso = gso;
        sys.0.borrow_mut().sends = [1, 2, 1, 5, 1, 31, 1].map(Ok).into();
        for number in 0..200u32 {
            // Sizes of every length of run.
            let bytes = [4, 40, 400, 400][number as usize / 7 % 4];
            let mut payload = vec![0; bytes];
            payload[..4].copy_from_slice(&number.to_le_bytes());
            let flow = link.client_flows[0];
            link.client
                .commit(crate::layout::TX_PAYLOAD, flow, &payload);
        }
        assert_eq!(link.client.endpoint.flush(), 0);
        let (_, entries) = link.drain_server(200);
        assert_eq!(numbers(&entries), (0..200).collect::<Vec<_>>());
    }
}

// scenarios: GSO refused with EIO/EINVAL: disable and remember.
#[test]
fn gso_refused_is_disabled_and_remembered_and_nothing_is_lost() {
    for errno in [libc::EIO, libc::EINVAL] {
        let sys = ScriptSys::default();
        let mut client = open(&sys, "127.0.0.1:0", false);
        let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
        assert!(client.features().gso);
        sys.0.borrow_mut().trains = Some((0, errno));
        let mut sent = numbered(3);
        sent.extend(run(100, 1200));
        send_all(&mut client, &sent, to(server.local_address()));
        assert_eq!(receive_all(&mut server), sent);
        assert!(!client.features().gso);
        let tally = client.take_tally();
        assert_eq!((tally.trains_refused, tally.trains_out), (1, 0));
    }
}

// One destination that the kernel refuses must not cost everybody the trains.
#[test]
fn a_train_to_where_nothing_can_be_sent_says_nothing_about_trains() {
    let sys = ScriptSys::default();
    let mut client = open(&sys, "127.0.0.1:0", false);
    let bytes = &[0x15; 300][..];
    let path = to("127.0.0.1:0".parse().unwrap());
    let train = [Outgoing { bytes, path }; 5];
    for _ in 0..10 {
        assert_eq!(client.send(&train), Err(libc::EINVAL));
    }
    for errno in [libc::EIO, libc::EMSGSIZE, libc::ENOBUFS] {
        sys.0.borrow_mut().blocked_port = Some((0, errno));
        for _ in 0..10 {
            assert_eq!(client.send(&train), Err(errno));
        }
    }
    assert!(client.features().gso);
    assert_eq!(client.take_tally().trains_refused, 0);
}

#[test]
fn trains_too_large_for_one_path_are_given_up_after_eight_and_smaller_ones_keep_them() {
    let sys = ScriptSys::default();
    let mut client = open(&sys, "127.0.0.1:0", false);
    let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
    let path = to(server.local_address());
    sys.0.borrow_mut().trains = Some((1000, libc::EMSGSIZE));
    // A taken train in between: the refusals are one path's matter.
    for _ in 0..20 {
        send_all(&mut client, &run(4, 1200), path);
        send_all(&mut client, &run(4, 100), path);
        assert_eq!(receive_all(&mut server).len(), 8);
    }
    assert!(client.features().gso);
    let tally = client.take_tally();
    assert_eq!((tally.trains_out, tally.trains_refused), (20, 20));
    for round in 1..=8 {
        assert!(client.features().gso, "{round}");
        send_all(&mut client, &run(4, 1200), path);
        assert_eq!(receive_all(&mut server).len(), 4);
    }
    assert!(!client.features().gso);
}

#[test]
fn a_train_that_finds_no_memory_goes_singly_and_the_next_one_is_tried_again() {
    for errno in [libc::ENOBUFS, libc::ENOMEM] {
        let sys = ScriptSys::default();
        let mut client = open(&sys, "127.0.0.1:0", false);
        let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
        let path = to(server.local_address());
        sys.0.borrow_mut().sends = VecDeque::from([Err(errno)]);
        let sent = run(50, 1200);
        send_all(&mut client, &sent, path);
        send_all(&mut client, &sent, path);
        assert_eq!(receive_all(&mut server).len(), 100);
        assert!(client.features().gso);
        assert_eq!(client.take_tally().trains_out, 1);
    }
}

#[test]
fn a_kernel_without_segment_options_sends_and_receives_singly() {
    let sys = ScriptSys::default();
    sys.0.borrow_mut().options = vec![
        (libc::SOL_UDP, UDP_SEGMENT),
        (libc::SOL_UDP, UDP_GRO),
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
        (libc::SOL_SOCKET, libc::SO_RXQ_OVFL),
        (libc::IPPROTO_IP, libc::IP_PKTINFO),
    ];
    let mut client = open(&sys, "127.0.0.1:0", true);
    let mut server = open(&sys, "127.0.0.1:0", true);
    let features = server.features();
    assert!(!features.gso && !features.gro);
    assert!(!features.timestamps && !features.rxq_overflow);
    // One address needs no packet info; all of them do.
    assert!(features.packet_info);
    assert!(!open(&sys, "0.0.0.0:0", true).features().packet_info);
    let sent = run(80, 1200);
    send_all(&mut client, &sent, to(server.local_address()));
    assert_eq!(receive_all(&mut server), sent);
}

#[test]
fn a_kernel_without_the_steering_option_has_one_socket_and_an_unshared_port() {
    let sys = ScriptSys::default();
    let steering = (libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF);
    sys.0.borrow_mut().options = vec![steering];
    let options = UdpOptions {
        handshake_socket: true,
        ..UdpOptions::new("127.0.0.1:0".parse().unwrap())
    };
    let mut server = Group::open_with(sys.clone(), &options, 1)
        .unwrap()
        .remove(0);
    assert!(!server.features().handshake_socket && !server.features().steering);
    let mut client = open(&sys, "127.0.0.1:0", false);
    let sent = vec![vec![0, 1], vec![0x15, 2]];
    send_all(&mut client, &sent, to(server.local_address()));
    assert_eq!(receive_all(&mut server), sent);
    let threads = Group::open_with(sys, &options, 2);
    assert!(threads.is_err(), "threads cannot do without");
}

// Storms, with runs that are cut into ever other trains by them: what is not sent is counted.
#[test]
fn storms_of_enobufs_eagain_and_emsgsize_lose_only_what_is_counted() {
    let sys = ScriptSys::default();
    let mut link = link(&sys, true, 4096);
    let storm = [
        libc::ENOBUFS,
        libc::EAGAIN,
        libc::EMSGSIZE,
        libc::EINTR,
        libc::ECONNREFUSED,
    ];
    let before = link.client_count(Counter::DatagramsOut);
    for round in 0..40u32 {
        let mut script = sys.0.borrow_mut();
        script.sends = (0..100)
            .map(|step: u32| match (step * 7 + round * 3) % 11 {
                index @ 0..5 => Err(storm[index as usize]),
                index => Ok(index as usize - 4),
            })
            .collect();
        drop(script);
        link.commit_numbered(100, 300);
        for _ in 0..200 {
            if link.client.endpoint.flush() == 0 {
                break;
            }
            assert!(link.client.endpoint.blocked());
            link.client.endpoint.check_invariants();
        }
        sys.0.borrow_mut().sends.clear();
        assert_eq!(link.client.endpoint.flush(), 0);
    }
    let sent = link.client_count(Counter::DatagramsOut) - before;
    let lost: u64 = [
        Counter::TxNoBuffers,
        Counter::TxTooLarge,
        Counter::TxUnreachable,
        Counter::TxError,
    ]
    .map(|counter| link.client_count(counter))
    .iter()
    .sum();
    assert!(lost > 0 && lost < sent);
    assert!(link.client_count(Counter::TxBlocked) > 0);
    // Netcode's own datagrams went through the same storm.
    let own = sent + lost - 40 * 100;
    let mut arrived = 0;
    for _ in 0..100 {
        link.server.endpoint.drain();
        arrived += numbers(&link.server.take()).len() as u64;
    }
    assert!(arrived <= 40 * 100 && arrived + lost >= 40 * 100);
    assert!(arrived + lost <= 40 * 100 + own);
}

// curl CVE-2026-11352.
#[test]
fn empty_datagrams_count_against_the_budget() {
    let mut link = link(&ScriptSys::default(), true, 1024);
    let path = to(link.server.endpoint.io.local_address());
    let mut stranger = open(&ScriptSys::default(), "127.0.0.1:0", false);
    send_all(&mut stranger, &vec![Vec::new(); 3000], path);
    link.commit_numbered(3, 4);
    link.client.endpoint.flush();
    let before = link.server_count(Counter::DatagramsIn);
    let (mut payloads, mut turns) = (0, 0);
    while payloads < 3 {
        let drained = link.server.endpoint.drain();
        assert!(drained.datagrams <= 1024, "{}", drained.datagrams);
        payloads += numbers(&link.server.take()).len();
        turns += 1;
        assert!(payloads == 3 || link.server.endpoint.waiting().more);
    }
    assert!(turns >= 3);
    assert!(link.server_count(Counter::DatagramsIn) - before >= 3003);
    assert_eq!(payloads, 3);
}

// libuv stops a handle on POLLERR: the error is taken off the socket, and it is watched again.
#[test]
fn pollerr_restart_takes_the_error_off_and_datagrams_come_again() {
    let mut server = open(&ScriptSys::default(), "127.0.0.1:0", false);
    let fd = server.flows_fd();
    let poll = |events: i16| {
        let mut entry = libc::pollfd {
            fd,
            events,
            revents: 0,
        };
        // SAFETY: one entry.
        unsafe { libc::poll(&mut entry, 1, 0) };
        entry.revents
    };
    // Only a connected socket is told of ICMP errors.
    let dead = open(&ScriptSys::default(), "127.0.0.1:0", false).local_address();
    let connect = |address: SocketAddr| {
        // SAFETY: zero bytes are a valid name; `connect` gets as many bytes as were written.
        let result = unsafe {
            let mut name: message::Name = std::mem::zeroed();
            let length = message::write_name(&mut name, address, false);
            libc::connect(fd, (&raw const name).cast(), length)
        };
        assert_eq!(result, 0);
    };
    connect(dead);
    let bytes = &[1][..];
    let path = to(dead);
    assert_eq!(server.send(&[Outgoing { bytes, path }]), Ok(1));
    assert_ne!(poll(libc::POLLIN) & libc::POLLERR, 0);
    let mut client = open(&ScriptSys::default(), "127.0.0.1:0", false);
    connect(client.local_address());
    assert_ne!(poll(libc::POLLIN) & libc::POLLERR, 0, "still there");
    server.clear_errors();
    assert_eq!(poll(libc::POLLIN), 0);
    send_all(&mut client, &[vec![7]], to(server.local_address()));
    assert_eq!(poll(libc::POLLIN), libc::POLLIN);
    assert_eq!(receive_all(&mut server), [[7]]);
}
