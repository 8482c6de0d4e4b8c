//! Replays, floods, downgrades, and controls that nobody should send.

use ggscale_transport_core::token::TokenNx;
use ggscale_transport_core::{
    Client, ClientNx, CloseReason, DropReason, Event, Received, Server, ServerNx,
};

use crate::forge::sealed;
use crate::keys::Keys;
use crate::world::{address, World, SEQUENCE as TOKEN_SEQUENCE, SERVER};

const SEQUENCE: u64 = 5_000;

fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

fn server(world: &World) -> &Server {
    &world.workers[0].server
}

fn hello(nonce: u8, flags: u8, x25519: &[u8]) -> Vec<u8> {
    let mut body = vec![1, 36 + x25519.len() as u8, 1, flags, 0xb0, 4];
    body.extend_from_slice(&[nonce; 32]);
    body.extend_from_slice(x25519);
    body
}

/// A client that never says HELLO by itself, and the key it sends with.
fn base_client(world: &mut World) -> (usize, [u8; 32]) {
    world.traffic = false;
    world.has_forger = true;
    let token = world.token(0, TokenNx::Known);
    let client = world.dial_with(&token, 0, |config| {
        config.nx = ggscale_transport_core::ClientNx::Off;
    });
    world.run_for(300_000);
    let token = ggscale_transport_core::token::PublicToken::read(&token).unwrap();
    (client, token.client_to_server_key)
}

#[test]
fn a_replayed_hello_is_dropped_and_a_repeated_one_gets_the_same_accept() {
    let mut world = World::new(1);
    let (client, key) = base_client(&mut world);
    let from = world.clients[client].address;
    let first = sealed(&key, 7, TOKEN_SEQUENCE, &hello(5, 3, &[]));
    assert_eq!(world.inject(from, &first), Received::Consumed);
    assert_eq!(world.inject(from, &first), dropped(DropReason::Replayed));
    assert_eq!(server(&world).counters().accepts_out, 1);
    let again = sealed(&key, 7, TOKEN_SEQUENCE + 1, &hello(5, 3, &[]));
    assert_eq!(world.inject(from, &again), Received::Consumed);
    assert_eq!(server(&world).counters().accepts_out, 2);
    let other = sealed(&key, 7, TOKEN_SEQUENCE + 2, &hello(6, 3, &[]));
    let unexpected = dropped(DropReason::ControlUnexpected);
    assert_eq!(world.inject(from, &other), unexpected);
    assert_eq!(server(&world).counters().accepts_out, 2);
}

#[test]
fn hellos_of_other_versions_flags_or_bad_keys_are_not_accepted() {
    let mut world = World::new(2);
    let (client, key) = base_client(&mut world);
    let from = world.clients[client].address;
    let mut old = hello(5, 3, &[]);
    old[2] = 0;
    let mut small = hello(5, 3, &[]);
    small[4..6].copy_from_slice(&1191u16.to_le_bytes());
    let unexpected = DropReason::ControlUnexpected;
    let malformed = DropReason::ControlMalformed;
    let cases = [
        (old, unexpected),
        (hello(5, 1, &[]), unexpected),
        (hello(5, 2, &[]), unexpected),
        (small, unexpected),
        (hello(5, 11, &[]), malformed),
        (hello(5, 11, &[0; 32]), malformed),
    ];
    for (n, (body, reason)) in cases.into_iter().enumerate() {
        let datagram = sealed(&key, 7, TOKEN_SEQUENCE + n as u64, &body);
        assert_eq!(world.inject(from, &datagram), dropped(reason), "case {n}");
    }
    assert_eq!(server(&world).counters().accepts_out, 0);
    world.run_for(2_000_000);
    assert!(world.clients[client].is_open, "plain netcode goes on");
}

#[test]
fn one_client_gets_at_most_three_key_exchanges_however_often_it_asks() {
    let mut world = World::new(3);
    let (client, key) = base_client(&mut world);
    let from = world.clients[client].address;
    let point: Vec<u8> = (0..32).map(|n| n + 9).collect();
    let mut sequence = TOKEN_SEQUENCE;
    for round in 0..5u8 {
        for again in 0..50u8 {
            let body = hello(round * 50 + again, 11, &point);
            world.inject(from, &sealed(&key, 7, sequence, &body));
            sequence += 1;
        }
        // Long after a HELLO, a datagram under the token's key: the ACCEPT was not taken.
        for _ in 0..16 {
            world.run_for(1_000_000);
            let keep_alive = sealed(&key, 4, sequence, &[0; 8]);
            assert_eq!(world.inject(from, &keep_alive), Received::Consumed);
            sequence += 1;
        }
    }
    assert_eq!(server(&world).counters().accepts_out, 3);
    assert_eq!(server(&world).counters().hellos_in, 250);
}

#[test]
fn after_confirm_the_tokens_keys_open_what_was_overtaken_for_a_second_and_then_nothing() {
    let mut world = World::new(4);
    world.has_forger = true;
    let (client, keys) = Keys::of_new_client(&mut world);
    world.traffic = false;
    let from = world.clients[client].address;
    let late = keys.seal_old(5, TOKEN_SEQUENCE, b"\xff\xff\xff\x01late");
    assert!(matches!(
        world.inject(from, &late),
        Received::Payload { .. }
    ));
    assert_eq!(world.inject(from, &late), dropped(DropReason::Replayed));
    let disconnect = keys.seal_old(6, TOKEN_SEQUENCE + 1, &[]);
    let too_late = dropped(DropReason::TokenKeyLate);
    assert_eq!(world.inject(from, &disconnect), too_late);
    let hello = keys.seal_old(7, TOKEN_SEQUENCE + 2, &hello(8, 3, &[]));
    assert_eq!(world.inject(from, &hello), Received::Consumed);
    let garbage = sealed(&[1; 32], 5, TOKEN_SEQUENCE + 3, b"x");
    assert_eq!(
        world.inject(from, &garbage),
        dropped(DropReason::OpenFailed)
    );
    world.run_for(1_500_000);
    for kind in 4..=7 {
        let body: &[u8] = if kind == 4 { &[0; 8] } else { &[] };
        let datagram = keys.seal_old(kind, TOKEN_SEQUENCE + 10, body);
        assert_eq!(world.inject(from, &datagram), too_late, "type {kind}");
    }
    let accepts = server(&world).counters().accepts_out;
    assert_eq!(accepts, 1, "no second negotiation");
    world.run_for(10_000_000);
    assert!(world.is_nx(client));
}

#[test]
fn after_the_switch_the_client_opens_nothing_under_the_tokens_key() {
    let mut world = World::new(5);
    let (client, keys) = Keys::of_new_client(&mut world);
    for kind in 4..=7 {
        let body: &[u8] = if kind == 4 { &[0; 8] } else { &[] };
        let datagram = sealed(&keys.token_down, kind, TOKEN_SEQUENCE, body);
        let received = world.inject_client(client, SERVER, &datagram);
        assert_eq!(received, dropped(DropReason::OpenFailed), "type {kind}");
    }
    world.run_for(1_000_000);
    assert!(world.is_nx(client));
}

#[test]
fn a_flood_of_path_challenges_is_answered_two_at_a_time() {
    let mut world = World::new(6);
    let (client, keys) = Keys::of_new_client(&mut world);
    world.traffic = false;
    let mut body = Vec::new();
    for n in 0..16u8 {
        body.extend_from_slice(&[6, 8]);
        body.extend_from_slice(&[n; 8]);
    }
    world.sent = Some(Vec::new());
    let flood = keys.seal_down(7, 1 << 20, &body);
    assert_eq!(
        world.inject_client(client, SERVER, &flood),
        Received::Consumed
    );
    let sent = world.sent.take().unwrap();
    assert_eq!(sent.len(), 1);
    let answer = keys.open_up(&sent[0].bytes).unwrap();
    let expected = [&[7, 8][..], &[15; 8], &[7, 8], &[14; 8]].concat();
    assert_eq!(answer, expected);
    let mut more = body.clone();
    more.extend_from_slice(&[6, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    let flood = keys.seal_down(7, (1 << 20) + 1, &more);
    let malformed = dropped(DropReason::ControlMalformed);
    assert_eq!(world.inject_client(client, SERVER, &flood), malformed);
}

#[test]
fn a_path_response_from_elsewhere_or_with_other_bytes_moves_nothing() {
    let mut world = World::new(7);
    let (client, keys) = Keys::of_new_client(&mut world);
    world.traffic = false;
    let (home, elsewhere) = (world.clients[client].address, address(66));
    world.sent = Some(Vec::new());
    let probe = keys.seal_up(9, keys.cid, SEQUENCE, &[]);
    assert_eq!(world.inject(elsewhere, &probe), Received::Consumed);
    let sent = world.sent.take().unwrap();
    let challenge_to = |to| {
        let datagram = sent.iter().find(|d| d.to == to).expect("challenged");
        keys.open_down(&datagram.bytes).unwrap()[2..].to_vec()
    };
    let (theirs, ours) = (challenge_to(elsewhere), challenge_to(home));
    assert_ne!(theirs, ours);
    let response = |data: &[u8]| [&[7, 8][..], data].concat();
    // What the old address was asked proves nothing about the new one.
    let wrong = keys.seal_up(9, keys.cid, SEQUENCE + 1, &response(&ours));
    world.inject(elsewhere, &wrong);
    let third = keys.seal_up(9, keys.cid, SEQUENCE + 2, &response(&theirs));
    world.inject(address(67), &third);
    assert_eq!(server(&world).counters().migrations, 0);
    assert_eq!(world.address_at_server(client), home);
}

#[test]
fn controls_that_an_end_does_not_take_are_dropped_and_unknown_ones_end_the_flow() {
    let mut world = World::new(8);
    let (client, keys) = Keys::of_new_client(&mut world);
    world.traffic = false;
    let from = world.clients[client].address;
    let unexpected = dropped(DropReason::ControlUnexpected);
    let challenge = [&[6, 8][..], &[1; 8]].concat();
    for (n, body) in [&[10, 4, 0, 0, 0, 0][..], &challenge]
        .into_iter()
        .enumerate()
    {
        let datagram = keys.seal_up(9, keys.cid, SEQUENCE + n as u64, body);
        assert_eq!(world.inject(from, &datagram), unexpected);
    }
    for (n, body) in [&[3, 0][..], &[7, 8, 0, 0, 0, 0, 0, 0, 0, 0]]
        .into_iter()
        .enumerate()
    {
        let datagram = keys.seal_down(7, (1 << 20) + n as u64, body);
        let received = world.inject_client(client, SERVER, &datagram);
        assert_eq!(received, unexpected);
    }
    let skipped = keys.seal_up(9, keys.cid, SEQUENCE + 9, &[0x90, 1, 7]);
    assert_eq!(world.inject(from, &skipped), Received::Consumed);
    let empty = keys.seal_up(8, keys.cid, SEQUENCE + 10, &[]);
    assert_eq!(
        world.inject(from, &empty),
        dropped(DropReason::PayloadEmpty)
    );
    assert!(world.is_nx(client));
    let unknown = keys.seal_up(9, keys.cid, SEQUENCE + 11, &[0x50, 0]);
    assert_eq!(
        world.inject(from, &unknown),
        dropped(DropReason::ControlUnknown)
    );
    let closed = world.workers[0].events.iter().any(|event| {
        matches!(event, Event::Closed { reason, .. } if *reason == CloseReason::NxViolation)
    });
    assert!(closed);
    let unknown = keys.seal_down(7, (1 << 20) + 9, &[0x50, 0]);
    let received = world.inject_client(client, SERVER, &unknown);
    assert_eq!(received, dropped(DropReason::ControlUnknown));
    assert!(world.clients[client].client.is_closed());
}

#[test]
fn a_forged_sequence_on_an_nx_flow_moves_no_window_and_no_address() {
    let mut world = World::new(9);
    let (client, keys) = Keys::of_new_client(&mut world);
    let home = world.clients[client].address;
    let mut forged = keys.seal_up(8, keys.cid, u64::MAX, b"forged");
    *forged.last_mut().unwrap() ^= 1;
    for from in [home, address(66)] {
        let received = world.inject(from, &forged);
        assert_eq!(received, dropped(DropReason::OpenFailed));
    }
    world.run_for(1_000_000);
    world.traffic = false;
    world.run_for(100_000);
    let node = &world.clients[client];
    assert_eq!(node.arrived.len() as u32, node.next_number);
    assert_eq!(world.address_at_server(client), home);
}

#[test]
fn every_length_of_types_8_to_15_with_every_first_byte_is_dropped_at_either_end() {
    let mut world = World::new(10);
    let (client, keys) = Keys::of_new_client(&mut world);
    world.traffic = false;
    let from = world.clients[client].address;
    let mut bytes = vec![0; 1500];
    bytes[1..9].copy_from_slice(&keys.cid);
    for first in (0..=255u8).filter(|first| first & 15 >= 7) {
        bytes[0] = first;
        for length in (0..60).chain([1224, 1225, 1226, 1500]) {
            let received = world.inject(from, &bytes[..length]);
            assert!(matches!(received, Received::Dropped(_)), "{first} {length}");
            let received = world.inject_client(client, SERVER, &bytes[..length]);
            assert!(matches!(received, Received::Dropped(_)), "{first} {length}");
        }
    }
    world.run_for(3_000_000);
    assert!(world.is_nx(client));
}

/// T27.
#[test]
fn after_a_restart_old_flows_end_old_tokens_are_refused_and_new_ones_are_fine() {
    let mut world = World::with_workers(27, 2, |config| config.max_token_lifetime_s = Some(30));
    // Tokens of the second in which the process started could have been used before it.
    world.run_for(2_000_000);
    let client = world.connect();
    let old_token = world.token(50, TokenNx::Known);
    world.run_for(2_000_000);
    world.start_server(2, |config| config.max_token_lifetime_s = Some(30));
    world.run_for(5_500_000);
    assert!(world.clients[client].client.is_closed());
    let cid_unknown: u64 = world
        .workers
        .iter()
        .map(|worker| worker.server.counters().dropped(DropReason::CidUnknown))
        .sum();
    assert!(cid_unknown > 100);
    let late = world.dial_with(&old_token, 50, |_| {});
    world.run_for(1_000_000);
    assert!(!world.clients[late].is_open);
    let fresh = world.connect();
    assert!(world.is_nx(fresh));
}

#[test]
fn the_same_token_at_a_restarted_server_makes_other_keys() {
    let mut world = World::new(28);
    let token = world.token(0, TokenNx::Known);
    let mut firsts = Vec::new();
    for _ in 0..2 {
        world.start_server(1, |config| config.nx = ServerNx::Allow);
        world.clients.clear();
        world.sent = Some(Vec::new());
        let client = world.dial_with(&token, 0, |_| {});
        world.run_for(500_000);
        assert!(
            world.clients[client]
                .client
                .flow_stats(Client::FLOW)
                .unwrap()
                .nx
        );
        let sent = world.sent.take().unwrap();
        let keys = Keys::of(&token, &sent);
        let first = sent.iter().find(|d| d.kind() == 9 && d.sequence() == 0);
        let first = first.expect("CONFIRM").bytes.clone();
        assert_eq!(keys.open_up(&first).unwrap(), [3, 0]);
        firsts.push(first[10..].to_vec());
        world.forget_nonces();
    }
    assert_ne!(firsts[0], firsts[1], "the same text at the same sequence");
}

/// Recorded datagrams of a token that is used again at a server that has forgotten it are authentic.
#[test]
fn what_was_recorded_before_a_restart_does_nothing_to_the_same_token_after_it() {
    for (seed, nx) in (0..8).map(|n| {
        (
            29 + n,
            if n % 2 == 0 {
                ClientNx::Auto
            } else {
                ClientNx::Off
            },
        )
    }) {
        let mut world = World::new(seed);
        let token = world.token(0, TokenNx::Known);
        world.sent = Some(Vec::new());
        let first = world.dial_with(&token, 0, |config| config.nx = nx);
        world.run_for(500_000);
        let clock = world.clock();
        world.clients[first].client.close_flow(clock, Client::FLOW);
        world.drain_client(first);
        let mut recorded = world.sent.take().unwrap();
        recorded.retain(|datagram| datagram.to == SERVER && matches!(datagram.kind(), 4..=7));
        let last_kind = if nx == ClientNx::Auto { 7 } else { 6 };
        assert!(recorded.iter().any(|datagram| datagram.kind() == last_kind));

        world.clients.clear();
        world.forget_nonces();
        world.start_server(1, |_| {});
        let again = world.dial_with(&token, 0, |_| {});
        let end_us = world.now_us + 500_000;
        world.run_until(end_us, |world| world.find_flow(again).is_some());
        // Ahead of the client's own HELLO.
        for datagram in &recorded {
            let received = world.inject(datagram.from, &datagram.bytes);
            assert_eq!(
                received,
                dropped(DropReason::Replayed),
                "{seed} {}",
                datagram.kind()
            );
        }
        world.run_for(500_000);
        assert!(world.is_nx(again) && world.clients[again].is_open);
    }
}
