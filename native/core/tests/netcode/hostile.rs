//! Bytes from people who wish us ill, or from nobody in particular.

use ggscale_transport_core::token::PublicToken;
use ggscale_transport_core::{DropReason, FlowId, Path, Random, Received};

use crate::forge::{opened, request, request_of, request_with_addresses, sealed};
use crate::world::{
    client_address, server_address, World, PRIVATE_KEY, PROTOCOL_ID, SEQUENCE, UNIX_S,
};

fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

pub struct Victim {
    pub world: World,
    pub client: usize,
    pub flow: FlowId,
    /// client → server, server → client
    pub keys: ([u8; 32], [u8; 32]),
}

/// Client 1 connected, client 2 half open.
pub fn victim(seed: u64) -> Victim {
    // These tests try more tokens at one instant than a server would.
    let mut world = World::with_server(seed, |config| config.admission.token_opens = None);
    world.has_forger = true;
    let token = world.token(1);
    let (client, flow) = world.connect_with(&token, client_address(1));
    let half_open = world.token(2);
    world.inject(client_address(2), &request_of(&half_open));
    let public = PublicToken::read(&token).unwrap();
    let keys = (public.client_to_server_key, public.server_to_client_key);
    Victim {
        world,
        client,
        flow,
        keys,
    }
}

impl Victim {
    /// The connection still carries payloads both ways, and nothing leaked into it.
    pub fn is_unharmed(&mut self) {
        let Self {
            world,
            client,
            flow,
            ..
        } = self;
        world.servers[0].server.check_invariants();
        world.client_send(*client, b"still in");
        world.server_send(0, *flow, b"still out");
        world.run_for(20_000);
        assert_eq!(world.servers[0].payloads, [(*flow, b"still in".to_vec())]);
        assert_eq!(world.clients[*client].payloads, [b"still out".to_vec()]);
        assert_eq!(world.servers[0].events.len(), 1);
        assert_eq!(world.clients[*client].events.len(), 1);
    }
}

#[test]
fn every_length_from_0_to_1500_with_every_first_byte_is_dropped_at_the_server() {
    let mut victim = victim(1);
    let clock = victim.world.clock();
    let mut random = Random::from_number(1);
    let noise: [u8; 1500] = random.bytes();
    let sources = [client_address(1), client_address(2), client_address(3)];
    let server = &mut victim.world.servers[0].server;
    let gauges = server.gauges();
    let mut count = 0;
    for length in 0..=1500 {
        for first in 0..=255u8 {
            let remote = sources[(length + usize::from(first)) % 3];
            let mut datagram = noise;
            datagram[0] = first;
            let path = Path {
                remote,
                local: None,
            };
            let received = server.handle_datagram(clock, path, &mut datagram[..length]);
            assert!(
                matches!(received, Received::Dropped(_)),
                "{length} {first}: {received:?}"
            );
            count += 1;
        }
    }
    assert_eq!(server.gauges(), gauges);
    assert_eq!(server.counters().dropped_total(), count);
    assert!(server.poll_event().is_none());
    victim.is_unharmed();
}

#[test]
fn every_length_from_0_to_1500_with_every_first_byte_is_dropped_at_the_client() {
    let mut victim = victim(2);
    let clock = victim.world.clock();
    let noise: [u8; 1500] = Random::from_number(2).bytes();
    let path = Path {
        remote: server_address(0),
        local: None,
    };
    let client = &mut victim.world.clients[victim.client].client;
    for length in 0..=1500 {
        for first in 0..=255u8 {
            let mut datagram = noise;
            datagram[0] = first;
            let received = client.handle_datagram(clock, path, &mut datagram[..length]);
            assert!(
                matches!(received, Received::Dropped(_)),
                "{length} {first}: {received:?}"
            );
        }
    }
    victim.is_unharmed();
}

#[test]
fn requests_of_every_wrong_length_are_dropped() {
    let mut victim = victim(3);
    let token = victim.world.token(3);
    let mut long = request_of(&token);
    long.resize(1500, 0);
    for length in 1..=1500 {
        let received = victim.world.inject(client_address(3), &long[..length]);
        let expected = if length == 1078 {
            Received::Consumed
        } else {
            dropped(DropReason::RequestLength)
        };
        assert_eq!(received, expected, "{length}");
    }
    victim.is_unharmed();
}

#[test]
fn a_request_with_any_byte_flipped_is_dropped_without_a_trace() {
    let mut victim = victim(4);
    let token = victim.world.token(3);
    let good = request_of(&token);
    let before = victim.world.servers[0].server.gauges();
    for at in 0..good.len() {
        for bit in [1u8, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            let received = victim.world.inject(client_address(3), &bad);
            assert!(
                matches!(received, Received::Dropped(_)),
                "byte {at}: {received:?}"
            );
        }
    }
    assert_eq!(victim.world.servers[0].server.gauges(), before);
    assert_eq!(
        victim.world.inject(client_address(3), &good),
        Received::Consumed
    );
    victim.is_unharmed();
}

#[test]
fn tokens_of_another_key_protocol_or_time_are_dropped() {
    let mut victim = victim(5);
    let expire = UNIX_S + 30;
    let cases = [
        (
            request(&[], expire, PROTOCOL_ID, &[1; 32]),
            DropReason::TokenOpenFailed,
        ),
        (
            request(&[], expire, PROTOCOL_ID ^ 1, &PRIVATE_KEY),
            DropReason::RequestProtocolId,
        ),
        (
            request(&[], UNIX_S, PROTOCOL_ID, &PRIVATE_KEY),
            DropReason::TokenExpired,
        ),
        (
            request(&[], 0, PROTOCOL_ID, &PRIVATE_KEY),
            DropReason::TokenExpired,
        ),
        (
            request(&[], u64::MAX, PROTOCOL_ID, &[1; 32]),
            DropReason::TokenOpenFailed,
        ),
    ];
    for (bytes, reason) in cases {
        assert_eq!(
            victim.world.inject(client_address(3), &bytes),
            dropped(reason)
        );
    }
    victim.is_unharmed();
}

#[test]
fn tokens_with_impossible_address_lists_are_dropped() {
    let mut victim = victim(6);
    for (count, kind) in [(0, 1), (33, 1), (u32::MAX, 1), (1, 0), (1, 3), (32, 255)] {
        let bytes = request_with_addresses(count, kind, UNIX_S + 30);
        let received = victim.world.inject(client_address(3), &bytes);
        assert_eq!(
            received,
            dropped(DropReason::TokenMalformed),
            "{count} {kind}"
        );
    }
    let bytes = request_with_addresses(1, 1, UNIX_S + 30);
    assert_eq!(
        victim.world.inject(client_address(3), &bytes),
        Received::Consumed
    );
    victim.is_unharmed();
}

#[test]
fn sequence_lengths_of_0_and_9_to_15_are_dropped() {
    let mut victim = victim(7);
    let good = sealed(&victim.keys.0, 5, SEQUENCE, b"payload");
    for nibble in [0u8, 9, 10, 11, 12, 13, 14, 15] {
        let mut bad = good.clone();
        bad[0] = nibble << 4 | 5;
        let received = victim.world.inject(client_address(1), &bad);
        assert_eq!(received, dropped(DropReason::BadPrefix));
    }
    victim.is_unharmed();
}

#[test]
fn a_forged_sequence_of_2_to_the_64_minus_1_does_not_move_the_window() {
    let mut victim = victim(8);
    let near = SEQUENCE + (1 << 26);
    for (sequence, reason) in [
        (u64::MAX, DropReason::Replayed),
        (u64::MAX - 1, DropReason::Replayed),
        (1 << 63, DropReason::Replayed),
        (near, DropReason::OpenFailed),
    ] {
        let forged = sealed(&[0; 32], 5, sequence, b"forged");
        let received = victim.world.inject(client_address(1), &forged);
        assert_eq!(received, dropped(reason));
        let received = victim
            .world
            .inject_client(victim.client, server_address(0), &forged);
        assert_eq!(received, dropped(DropReason::OpenFailed));
    }
    let stats = victim.world.servers[0]
        .server
        .flow_stats(victim.flow)
        .unwrap();
    assert_eq!(stats.failed_opens, 1);
    victim.is_unharmed();
}

#[test]
fn a_replayed_datagram_is_delivered_once_however_often_and_from_wherever_it_comes() {
    let mut victim = victim(9);
    victim.world.sent = Some(Vec::new());
    let (client, flow) = (victim.client, victim.flow);
    for n in 0..300u16 {
        victim.world.client_send(client, &n.to_le_bytes());
        victim.world.server_send(0, flow, &n.to_le_bytes());
    }
    victim.world.run_for(20_000);
    let sent = victim.world.sent.take().unwrap();
    for datagram in &sent {
        let again = if datagram.to == server_address(0) {
            let elsewhere = victim.world.inject(client_address(9), &datagram.bytes);
            assert_eq!(elsewhere, dropped(DropReason::UnknownAddress));
            victim.world.inject(datagram.from, &datagram.bytes)
        } else {
            victim
                .world
                .inject_client(client, datagram.from, &datagram.bytes)
        };
        assert_eq!(again, dropped(DropReason::Replayed));
    }
    assert_eq!(victim.world.servers[0].payloads.len(), 300);
    assert_eq!(victim.world.clients[client].payloads.len(), 300);
    victim.world.servers[0].payloads.clear();
    victim.world.clients[client].payloads.clear();
    victim.is_unharmed();
}

#[test]
fn replayed_responses_never_open_a_second_flow_and_prove_no_life() {
    let mut world = World::with_server(10, |_| {});
    world.sent = Some(Vec::new());
    let token = world.token(1);
    let client = world.add_client(&token, client_address(1));
    let end = world.now_us + 100_000;
    world.run_until(end, |world| !world.servers[0].events.is_empty());
    let sent = world.sent.take().unwrap();
    let response = sent
        .iter()
        .find(|d| d.bytes[0] & 15 == 3)
        .unwrap()
        .bytes
        .clone();
    world.vanish(client);
    // unconfirmed: each one is answered with a keep-alive, yet the flow times out
    for _ in 0..60 {
        world.inject(client_address(1), &response);
        world.run_for(100_000);
    }
    assert_eq!(world.servers[0].events.len(), 2);
    assert_eq!(world.servers[0].server.counters().opened, 1);
    let gone = world.inject(client_address(1), &response);
    assert_eq!(gone, dropped(DropReason::UnknownAddress));
}

#[test]
fn payloads_of_0_and_1201_are_dropped_and_1200_passes_and_a_higher_limit_admits_1300() {
    let mut victim = victim(11);
    let payload = |n: u64, length: usize| sealed(&victim.keys.0, 5, SEQUENCE + n, &vec![7; length]);
    let cases = [
        (payload(1, 0), Err(DropReason::PayloadEmpty)),
        (payload(2, 1), Ok(1)),
        (payload(3, 1200), Ok(1200)),
        (payload(4, 1201), Err(DropReason::PayloadTooLarge)),
        (payload(5, 1300), Err(DropReason::TooLong)),
    ];
    for (bytes, expected) in cases {
        match (victim.world.inject(client_address(1), &bytes), expected) {
            (Received::Payload { length, .. }, Ok(expected)) => assert_eq!(length, expected),
            (Received::Dropped(reason), Err(expected)) => assert_eq!(reason, expected),
            other => panic!("{other:?}"),
        }
    }
    let mut world = World::with_server(11, |config| config.max_payload_bytes = 1300);
    world.has_forger = true;
    let token = world.token(1);
    world.connect_with(&token, client_address(1));
    let key = PublicToken::read(&token).unwrap().client_to_server_key;
    let large = world.inject(client_address(1), &sealed(&key, 5, SEQUENCE, &[7; 1300]));
    assert!(matches!(large, Received::Payload { length: 1300, .. }));
    let larger = world.inject(
        client_address(1),
        &sealed(&key, 5, SEQUENCE + 1, &[7; 1301]),
    );
    assert_eq!(larger, dropped(DropReason::PayloadTooLarge));
}

#[test]
fn sealed_packets_of_unknown_types_and_wrong_lengths_do_nothing_on_either_end() {
    let mut victim = victim(12);
    let mut sequence = SEQUENCE;
    for kind in 1..16u8 {
        for length in [0usize, 1, 7, 8, 9, 307, 308, 309] {
            let ordinary = matches!((kind, length), (4, 8) | (5, 1..) | (6, 0));
            if ordinary {
                continue;
            }
            sequence += 1;
            let bytes = sealed(&victim.keys.0, kind, sequence, &vec![0; length]);
            let received = victim.world.inject(client_address(1), &bytes);
            assert!(
                matches!(received, Received::Dropped(_)),
                "{kind} {length}: {received:?}"
            );
            let bytes = sealed(&victim.keys.1, kind, sequence, &vec![0; length]);
            let received = victim
                .world
                .inject_client(victim.client, server_address(0), &bytes);
            assert!(
                matches!(received, Received::Dropped(_)),
                "{kind} {length}: {received:?}"
            );
        }
    }
    // Types 7 and 15 were opened; 8 and 9 belong to NX, 10–14 are grease.
    let counters = victim.world.servers[0].server.counters();
    assert_eq!(counters.dropped(DropReason::UnknownType), 2 * 8);
    assert_eq!(counters.dropped(DropReason::Grease), 5 * 8);
    // those were authentic and moved the window; the ends' own sequences are older now
    victim.world.servers[0].server.check_invariants();
    assert_eq!(victim.world.servers[0].events.len(), 1);
    assert_eq!(victim.world.clients[victim.client].events.len(), 1);
}

#[test]
fn a_denial_or_challenge_that_is_replayed_at_a_connected_client_does_nothing() {
    let mut world = World::with_server(13, |_| {});
    world.sent = Some(Vec::new());
    let token = world.token(1);
    let (client, _) = world.connect_with(&token, client_address(1));
    let key = PublicToken::read(&token).unwrap().server_to_client_key;
    let sent = world.sent.take().unwrap();
    let challenge = sent.iter().find(|d| d.bytes[0] & 15 == 2).unwrap();
    assert!(opened(&key, &challenge.bytes).is_some());
    let received = world.inject_client(client, server_address(0), &challenge.bytes);
    assert_eq!(received, dropped(DropReason::WrongState));
    let denied = sealed(&key, 1, (1 << 63) + 5, &[]);
    let received = world.inject_client(client, server_address(0), &denied);
    assert_eq!(received, dropped(DropReason::WrongState));
    assert_eq!(world.clients[client].events.len(), 1);
}
