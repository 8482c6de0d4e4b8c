//! Getting in: clean, under loss and corruption, over several servers, and when there is no room.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use ggscale_transport_core::{CloseReason, DropReason, Event};

use crate::world::{client_address, server_address, Link, World, START_US};

#[test]
fn a_clean_handshake_takes_two_round_trips_and_tells_both_sides_who_they_are() {
    let mut world = World::with_server(1, |config| config.max_flows = 7);
    let (client, flow) = world.connect(99);
    // request, challenge, response, keep-alive: four times 10 ms one way
    assert_eq!(world.clients[client].connected_us, Some(START_US + 40_000));
    let Event::Opened {
        client_id,
        user_data,
        timeout_s,
        max_flows,
        path,
        ..
    } = &world.servers[0].events[0]
    else {
        panic!("opened")
    };
    assert_eq!((*client_id, *timeout_s, *max_flows), (99, 5, 7));
    assert_eq!(user_data[..8], 99u64.to_le_bytes());
    assert_eq!(path.remote, client_address(99));
    assert_eq!(path.local, Some(server_address(0).ip()));
    let Event::Opened {
        client_id,
        max_flows,
        ..
    } = &world.clients[client].events[0]
    else {
        panic!("opened")
    };
    assert_eq!((*client_id, *max_flows), (u64::from(flow.slot), 7));
    let gauges = world.servers[0].server.gauges();
    assert_eq!(
        (gauges.flows, gauges.pending, gauges.token_history),
        (1, 0, 1)
    );
}

#[test]
fn payloads_pass_both_ways_from_1_to_1200_bytes() {
    let mut world = World::with_server(2, |_| {});
    let (client, flow) = world.connect(1);
    for length in [1usize, 2, 15, 16, 17, 255, 256, 1199, 1200] {
        let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
        world.client_send(client, &payload);
        world.server_send(0, flow, &payload);
        world.run_for(20_000);
        assert_eq!(
            world.servers[0].payloads.last(),
            Some(&(flow, payload.clone()))
        );
        assert_eq!(world.clients[client].payloads.last(), Some(&payload));
    }
    let counters = world.servers[0].server.counters();
    assert_eq!(
        (
            counters.payloads_in,
            counters.payloads_out,
            counters.dropped_total()
        ),
        (9, 9, 0)
    );
}

#[test]
fn fifty_clients_connect_through_30_percent_loss_in_bursts() {
    let mut world = World::with_server(3, |_| {});
    world.link = Link {
        loss: 300,
        burst: 3,
        ..Link::CLEAN
    };
    connect_many(&mut world, 50);
}

#[test]
fn fifty_clients_connect_through_30_percent_corruption_and_no_corrupt_packet_leaves_state() {
    let mut world = World::with_server(4, |_| {});
    world.link = Link {
        corrupt: 300,
        ..Link::CLEAN
    };
    connect_many(&mut world, 50);
    let gauges = world.servers[0].server.gauges();
    assert_eq!((gauges.flows, gauges.token_history), (50, 50));
    let counters = world.servers[0].server.counters();
    assert!(counters.dropped(DropReason::TokenOpenFailed) > 0);
    assert_eq!(counters.opened, 50);
}

#[test]
fn clients_connect_through_every_fault_at_once_whatever_the_seed() {
    for seed in 0..40 {
        let mut world = World::with_server(1000 + seed, |_| {});
        let (delay_us, jitter_us) = (5_000, 120_000);
        let (loss, burst, corrupt, duplicate) = (150, 3, 100, 200);
        world.link = Link {
            loss,
            burst,
            corrupt,
            duplicate,
            delay_us,
            jitter_us,
        };
        connect_many(&mut world, 8);
    }
}

/// The reason, when all that a client ever heard is its end.
fn end_of(world: &World, client: usize) -> Option<CloseReason> {
    match world.clients[client].events[..] {
        [Event::Closed { reason, .. }] => Some(reason),
        _ => None,
    }
}

fn connect_many(world: &mut World, count: u64) {
    for id in 1..=count {
        let token = world.token(id);
        world.add_client(&token, client_address(id as u16));
    }
    let end = world.now_us + 10_000_000;
    world.run_until(end, |world| {
        world.clients.iter().all(|c| c.connected_us.is_some())
    });
    assert!(
        world.clients.iter().all(|c| c.connected_us.is_some()),
        "all within 10 s"
    );
    assert!(world.clients.iter().all(|c| c.events.len() == 1));
    let opened = world.servers[0]
        .events
        .iter()
        .filter(|e| matches!(e, Event::Opened { .. }));
    assert_eq!(opened.count() as u64, count);
}

#[test]
fn a_round_trip_of_one_and_a_half_seconds_connects() {
    let mut world = World::with_server(5, |_| {});
    world.link.delay_us = 750_000;
    let token = world.token(1);
    let client = world.add_client(&token, client_address(1));
    world.run_for(4_000_000);
    assert_eq!(
        world.clients[client].connected_us,
        Some(START_US + 3_000_000)
    );
    world.run_for(20_000_000);
    assert_eq!(world.clients[client].events.len(), 1);
    assert_eq!(world.servers[0].events.len(), 1);
}

#[test]
fn while_a_client_is_unconfirmed_a_keep_alive_goes_before_each_payload() {
    let mut world = World::with_server(6, |_| {});
    let token = world.token(1);
    let client = world.add_client(&token, client_address(1));
    world.run_until(START_US + 30_000, |world| {
        !world.servers[0].events.is_empty()
    });
    let Event::Opened { flow, .. } = world.servers[0].events[0] else {
        panic!("opened")
    };
    // its first keep-alive is on the way: lose it, so that only the prefixed one connects
    world.run_for(0);
    world.sent = Some(Vec::new());
    world.server_send(0, flow, b"early");
    let kinds: Vec<u8> = world
        .sent
        .take()
        .unwrap()
        .iter()
        .map(|d| d.bytes[0] & 15)
        .collect();
    assert_eq!(kinds, [4, 5]);
    world.run_for(15_000);
    assert_eq!(world.clients[client].payloads, [b"early".to_vec()]);
    // confirmed by now: a payload travels alone
    world.run_for(100_000);
    world.sent = Some(Vec::new());
    world.server_send(0, flow, b"late");
    let kinds: Vec<u8> = world
        .sent
        .take()
        .unwrap()
        .iter()
        .map(|d| d.bytes[0] & 15)
        .collect();
    assert_eq!(kinds, [5]);
}

#[test]
fn a_full_server_denies_and_has_room_again_when_a_flow_ends() {
    let mut world = World::with_server(7, |config| config.max_flows = 2);
    world.connect(1);
    let (_, second) = world.connect(2);
    let token = world.token(3);
    let denied = world.add_client(&token, client_address(3));
    world.run_for(100_000);
    assert_eq!(end_of(&world, denied), Some(CloseReason::Denied));
    let counters = world.servers[0].server.counters();
    assert_eq!(
        (
            counters.denials_out,
            counters.dropped(DropReason::ServerFull)
        ),
        (1, 1)
    );
    let clock = world.clock();
    world.servers[0].server.close_flow(clock, second);
    world.drain_server(0);
    // the token of the denied client was not used up
    world.connect_with(&token, client_address(3));
    assert_eq!(world.servers[0].server.gauges().flows, 2);
}

#[test]
fn two_clients_racing_for_the_last_place_leave_one_denied_at_its_response() {
    let mut world = World::with_server(8, |config| config.max_flows = 1);
    let (a, b) = (world.token(1), world.token(2));
    let first = world.add_client(&a, client_address(1));
    let second = world.add_client(&b, client_address(2));
    world.run_for(1_000_000);
    assert!(world.clients[first].connected_us.is_some());
    assert_eq!(end_of(&world, second), Some(CloseReason::Denied));
}

#[test]
fn servers_that_share_a_count_hold_max_flows_together() {
    let shared = Arc::new(AtomicU32::new(0));
    let mut world = World::new(6);
    for _ in 0..2 {
        world.add_server(|config| {
            config.max_flows = 2;
            config.shared_flows = Some(shared.clone());
        });
    }
    let dial = |world: &mut World, client_id: u64, server: usize| {
        let address = server_address(server);
        let token = world.token_with(client_id, |spec| spec.server_addresses = vec![address]);
        world.add_client(
            &token,
            client_address(100 * server as u16 + client_id as u16),
        )
    };
    let first = dial(&mut world, 1, 0);
    let second = dial(&mut world, 2, 1);
    world.run_for(300_000);
    let third = dial(&mut world, 3, 0);
    let again = dial(&mut world, 2, 0);
    world.run_for(300_000);
    assert_eq!(shared.load(Ordering::Relaxed), 2);
    let connected = |world: &World, index: usize| world.clients[index].connected_us.is_some();
    assert!(connected(&world, first) && connected(&world, second));
    assert!(!connected(&world, third), "no place left");
    assert!(connected(&world, again), "takes the place of its own flow");
    world.servers.remove(0);
    assert_eq!(shared.load(Ordering::Relaxed), 0);
}

#[test]
fn a_client_goes_on_to_the_next_server_of_its_token_without_repeating_a_nonce() {
    let mut world = World::new(9);
    for _ in 0..3 {
        world.add_server(|config| config.max_flows = 1);
    }
    // server 1 is full, server 0 does not answer
    let only_1 = [server_address(1)];
    let taken = world.token_with(50, |options| options.server_addresses = only_1.to_vec());
    world.add_client(&taken, client_address(50));
    world.run_for(500_000);
    world.dead.insert(server_address(0));
    let all = [server_address(0), server_address(1), server_address(2)];
    let token = world.token_with(1, |options| options.server_addresses = all.to_vec());
    let client = world.add_client(&token, client_address(1));
    world.run_for(6_000_000);
    assert!(world.clients[client].connected_us.is_some());
    assert_eq!(world.servers[2].events.len(), 1);
    let stats = world.clients[client]
        .client
        .flow_stats(ggscale_transport_core::Client::FLOW);
    assert_eq!(stats.unwrap().path.remote, server_address(2));
}

#[test]
fn a_client_that_hears_nothing_reports_which_stage_was_silent() {
    let mut world = World::with_server(10, |_| {});
    world.dead.insert(server_address(0));
    let token = world.token(1);
    let client = world.add_client(&token, client_address(1));
    world.run_for(5_100_000);
    assert_eq!(end_of(&world, client), Some(CloseReason::RequestTimeout));

    world.dead.clear();
    let token = world.token(2);
    let client = world.add_client(&token, client_address(2));
    let end = world.now_us + 1_000_000;
    world.run_until(end, |world| {
        world.clients[client].client.counters().challenges_in == 1
    });
    // its response arrives, but what the server answers does not
    world.dead.insert(client_address(2));
    world.run_for(5_200_000);
    assert_eq!(end_of(&world, client), Some(CloseReason::ResponseTimeout));
    assert!(world.clients[client].client.is_closed());
    assert_eq!(world.clients[client].client.deadline_us(), None);
}

#[test]
fn an_attempt_ends_with_the_token() {
    let mut world = World::with_server(11, |_| {});
    world.dead.insert(server_address(0));
    let token = world.token_with(1, |options| {
        options.expire_seconds = 3;
        options.timeout_s = 60;
    });
    let client = world.add_client(&token, client_address(1));
    world.run_for(2_900_000);
    assert!(world.clients[client].events.is_empty());
    world.run_for(200_000);
    assert_eq!(end_of(&world, client), Some(CloseReason::TokenExpired));
}

#[test]
fn every_reply_is_smaller_than_the_datagram_that_caused_it() {
    let mut world = World::with_server(12, |config| config.max_flows = 1);
    world.sent = Some(Vec::new());
    for id in 1..=3 {
        let token = world.token(id);
        world.add_client(&token, client_address(id as u16));
    }
    world.run_for(300_000);
    let size = |kind: u8| {
        let sent = world.sent.as_ref().unwrap();
        let of_kind = sent.iter().filter(move |d| d.bytes[0] & 15 == kind);
        (
            of_kind.clone().map(|d| d.bytes.len()).min(),
            of_kind.map(|d| d.bytes.len()).max(),
        )
    };
    let (request, response) = (size(0).0, size(3).0);
    assert!(size(2).1 < request && size(1).1 < response && size(4).1 < response);
    assert_eq!(request, Some(1078));
}
