//! Endpoints under errno storms, full rings and hostile input.

use std::collections::VecDeque;
use std::net::SocketAddr;

use ggscale_transport_core::{FlowId, Path};

use crate::counters::Counter;
use crate::fault_world::World;
use crate::io::DATAGRAM_BYTES;
use crate::layout as l;
use crate::peer::Peer;

#[test]
fn short_counts_continue_with_the_rest_in_order() {
    let mut world = World::new();
    world.client.endpoint.io.script.sends = [1, 5, 31, 2, 1].map(Ok).into();
    world.commit_numbers(0..100);
    assert_eq!(world.payloads(3), (0..100).collect::<Vec<_>>());
    assert_eq!(world.client.endpoint.flush(), 0);
}

#[test]
fn a_full_send_buffer_keeps_every_descriptor_until_there_is_room() {
    let mut world = World::new();
    world.commit_numbers(0..100);
    let io = &mut world.client.endpoint.io;
    io.script.sends = VecDeque::from([Ok(10), Err(libc::EAGAIN)]);
    assert_eq!(world.client.endpoint.flush(), 90);
    assert!(world.client.endpoint.blocked());
    for _ in 0..50 {
        world.client.endpoint.io.script.sends = VecDeque::from([Err(libc::EAGAIN)]);
        assert_eq!(world.client.endpoint.flush(), 90);
        world.client.endpoint.check_invariants();
    }
    assert_eq!(world.client.count(Counter::TxBlocked), 51);
    assert_eq!(world.payloads(3), (0..100).collect::<Vec<_>>());
    assert!(!world.client.endpoint.blocked());
    assert_eq!(world.client.memory.int(l::I_TX_HEAD), 100);
}

#[test]
fn each_errno_drops_one_datagram_under_its_own_counter() {
    for (errno, counter) in [
        (libc::EMSGSIZE, Counter::TxTooLarge),
        (libc::ENOBUFS, Counter::TxNoBuffers),
        (libc::EHOSTUNREACH, Counter::TxUnreachable),
        (libc::EPERM, Counter::TxUnreachable),
        (libc::EIO, Counter::TxError),
    ] {
        let mut world = World::new();
        world.commit_numbers(0..10);
        let io = &mut world.client.endpoint.io;
        io.script.sends = VecDeque::from([Ok(3), Err(errno)]);
        let expected: Vec<u32> = (0..10).filter(|number| *number != 3).collect();
        assert_eq!(world.payloads(3), expected, "errno {errno}");
        assert_eq!(world.client.count(counter), 1);
    }
}

#[test]
fn an_icmp_error_of_one_destination_costs_the_next_datagram_nothing() {
    let mut world = World::new();
    world.commit_numbers(0..5);
    world.client.endpoint.io.script.sends = VecDeque::from([Err(libc::ECONNREFUSED)]);
    assert_eq!(world.payloads(3), [0, 1, 2, 3, 4]);
    assert_eq!(world.client.count(Counter::TxUnreachable), 0);

    // And a destination that always refuses costs its own datagrams only.
    world.client.endpoint.io.script.refused_to = Some(world.server_address);
    world.commit_numbers(5..8);
    assert_eq!(world.client.endpoint.flush(), 0);
    assert!(world.client.count(Counter::TxUnreachable) >= 3);
    world.client.endpoint.io.script.refused_to = None;
    world.commit_numbers(8..9);
    assert_eq!(world.payloads(3), [8]);
}

#[test]
fn receive_errors_are_counted_and_hold_nothing_up() {
    let mut world = World::new();
    let io = &mut world.server.endpoint.io;
    io.script.receives = VecDeque::from([libc::ECONNREFUSED, libc::EINTR, libc::ENOBUFS]);
    world.commit_numbers(0..5);
    assert_eq!(world.payloads(2), [0, 1, 2, 3, 4]);
    assert_eq!(world.server.count(Counter::RxError), 2);
    // A socket that only answers with errors does not hold the turn.
    world.server.endpoint.io.script.receives = vec![libc::EIO; 10_000].into();
    world.server.turn();
    assert!(world.server.endpoint.io.script.receives.len() > 9_000);
}

#[test]
fn cut_empty_and_foreign_datagrams_are_counted_and_leave_the_flow_alone() {
    let mut world = World::new();
    let stranger: SocketAddr = "192.0.2.9:1234".parse().unwrap();
    let path = Path {
        remote: stranger,
        local: None,
    };
    for length in [
        0,
        1,
        17,
        18,
        1077,
        1078,
        1079,
        1500,
        DATAGRAM_BYTES,
        DATAGRAM_BYTES + 1,
    ] {
        for first in [0u8, 0x10, 0x55, 0x9f, 0xff] {
            let mut bytes = vec![first; length];
            bytes.iter_mut().skip(1).for_each(|byte| *byte = 0xa5);
            world
                .server
                .endpoint
                .io
                .inbound
                .borrow_mut()
                .push_back((path, bytes));
        }
    }
    let before = world.server.count(Counter::DatagramsIn);
    world.commit_numbers(0..3);
    assert_eq!(world.payloads(2), [0, 1, 2]);
    assert_eq!(world.server.count(Counter::RxTruncated), 5);
    assert!(world.server.count(Counter::DatagramsIn) >= before + 50);
}

#[test]
fn a_full_rx_ring_leaves_the_rest_in_the_socket_and_loses_nothing() {
    let mut world = World::with_ring(16);
    world.commit_numbers(0..100);
    world.client.endpoint.flush();
    let mut got = Vec::new();
    let mut saw_more = false;
    for _ in 0..200 {
        world.server.endpoint.drain();
        saw_more |= world.server.memory.int(l::I_MORE) == 1;
        let entries = world.server.take();
        got.extend(
            entries
                .iter()
                .filter(|entry| entry.kind == l::RX_PAYLOAD)
                .map(|entry| u32::from_le_bytes(entry.bytes[..4].try_into().unwrap())),
        );
    }
    assert!(saw_more && world.server.count(Counter::RxRingFull) > 0);
    assert_eq!(got, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_stall_ends_with_the_first_release_whoever_looks_first() {
    let mut world = World::with_ring(16);
    world.commit_numbers(0..100);
    world.client.endpoint.flush();
    let server = &mut world.server;
    assert!(!server.endpoint.is_stalled());
    server.endpoint.drain();
    assert!(server.endpoint.is_stalled());
    server.endpoint.flush();
    assert!(server.endpoint.is_stalled(), "a look changes nothing");
    server.take();
    // An I/O thread flushes between its drain and its sleep.
    server.endpoint.flush();
    assert!(!server.endpoint.is_stalled());
}

#[test]
fn stale_generations_bad_kinds_and_bad_lengths_are_dropped_and_counted() {
    let mut world = World::new();
    let stale = FlowId {
        slot: 0,
        generation: world.client_flow.generation + 1,
    };
    world.client.commit(l::TX_PAYLOAD, stale, &[1; 8]);
    world.client.commit(
        l::TX_PAYLOAD,
        FlowId {
            slot: 77,
            generation: 1,
        },
        &[1; 8],
    );
    world.client.commit(l::TX_PAYLOAD, world.client_flow, &[]);
    world
        .client
        .commit(l::TX_PAYLOAD, world.client_flow, &[1; 1201]);
    world.client.commit(99, world.client_flow, &[1; 8]);
    world.commit_numbers(0..1);
    assert_eq!(world.payloads(2), [0]);
    assert_eq!(world.client.count(Counter::TxStale), 2);
    assert_eq!(world.client.count(Counter::TxBadDescriptor), 3);
}

#[test]
fn a_disconnect_comes_behind_the_payloads_before_it_and_ends_both_flows() {
    let mut world = World::new();
    world.commit_numbers(0..3);
    world
        .client
        .commit(l::TX_DISCONNECT, world.client_flow, &[]);
    world.client.endpoint.flush();
    let told: Vec<i32> = world.client.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(told, [l::RX_CLOSED]);
    let kinds: Vec<i32> = world.server.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [l::RX_PAYLOAD, l::RX_PAYLOAD, l::RX_PAYLOAD, l::RX_CLOSED]
    );
    // The client's slot is free for the next connection, under another generation.
    let before = world.client_flow;
    world.step();
    world.client.turn();
    let clock = world.client.endpoint.clock();
    let Peer::Clients(clients) = &mut world.client.endpoint.peer else {
        unreachable!()
    };
    assert!(clients.flow_stats(before).is_none());
    assert!(clients.deadline_us().is_none_or(|at| at > clock.mono_us));
}

#[test]
fn arrival_times_are_kernel_stamps_between_the_previous_drain_and_now() {
    let mut world = World::new();
    world.server.turn();
    let previous_us = world.server.endpoint.clock().mono_us as i32;
    world.step();
    world.commit_numbers(0..4);
    world.client.endpoint.flush();
    let real_ns = world.now.borrow().real_ns;
    // 3 ms ago; before the previous drain; after now (a stepped wall clock); and none at all.
    let stamps = [
        real_ns - 3_000_000,
        real_ns - 1_000_000_000,
        real_ns + 5_000_000,
    ];
    world.server.endpoint.io.script.stamps_ns = stamps.into();
    let first = world.server.head as usize;
    assert_eq!(world.server.turn().len(), 4);
    let now_us = world.server.endpoint.clock().mono_us as i32;
    assert_eq!(now_us, previous_us + 10_000);
    let geometry = world.server.memory.geometry;
    let arrivals: Vec<i32> = (first..first + 4)
        .map(|number| {
            let slot = number % geometry.rx_capacity;
            world
                .server
                .memory
                .field(geometry.rx_descriptors, slot, l::D_ARRIVAL_US)
        })
        .collect();
    assert_eq!(arrivals, [now_us - 3_000, previous_us, now_us, now_us]);
}

#[test]
fn a_process_that_was_stopped_beyond_the_timeout_still_reads_what_waits_for_it() {
    let mut world = World::new();
    world.commit_numbers(0..3);
    world.client.endpoint.flush();
    world.now.borrow_mut().mono_ns += 20_000_000_000;

    // The timer alone must not end the flow: it asks for a turn instead.
    assert!(world.server.endpoint.service());
    let kinds: Vec<i32> = world.server.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [l::RX_PAYLOAD; 3]);
    assert_eq!(
        world.server.turn().len(),
        0,
        "heard from just now: no timeout"
    );

    // Silence for as long, with nothing in the socket, is a timeout.
    world.now.borrow_mut().mono_ns += 20_000_000_000;
    assert!(world.server.endpoint.service());
    let kinds: Vec<i32> = world.server.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [l::RX_CLOSED]);
}

#[test]
fn ring_counters_that_cannot_be_are_ignored_and_counted() {
    let mut world = World::new();
    let side = &mut world.client;
    let before = side.count(Counter::RingBadPosition);
    let (head, tail) = (side.memory.int(l::I_RX_HEAD), side.memory.int(l::I_TX_TAIL));
    for wrong in [head.wrapping_add(1), head.wrapping_sub(1), i32::MIN] {
        side.memory.memory.store(l::I_RX_HEAD, wrong);
        side.endpoint.drain();
    }
    side.memory.memory.store(l::I_RX_HEAD, head);
    for wrong in [tail.wrapping_sub(1), tail.wrapping_add(257), i32::MAX] {
        side.memory.memory.store(l::I_TX_TAIL, wrong);
        assert_eq!(side.endpoint.flush(), 0);
        side.endpoint.check_invariants();
    }
    side.memory.memory.store(l::I_TX_TAIL, tail);
    assert_eq!(side.count(Counter::RingBadPosition) - before, 6);
    world.commit_numbers(0..10);
    assert_eq!(world.payloads(3), (0..10).collect::<Vec<_>>());
}
