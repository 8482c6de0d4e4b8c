//! Flows that live, end, and are replaced.

use ggscale_transport_core::{
    Client, CloseReason, DropReason, Event, FlowId, Received, SealError, HEADROOM,
};

use crate::world::{client_address, server_address, Link, World};

fn closed(reason: CloseReason) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Closed { reason: found, .. } if *found == reason)
}

#[test]
fn an_idle_connection_is_kept_alive_by_both_ends_with_one_datagram_a_second() {
    let mut world = World::with_server(1, |_| {});
    let (client, flow) = world.connect(1);
    world.run_for(100_000_000);
    assert_eq!(world.clients[client].events.len(), 1);
    assert_eq!(world.servers[0].events.len(), 1);
    let stats = world.servers[0].server.flow_stats(flow).unwrap();
    assert!(
        (98..=104).contains(&stats.packets_in),
        "{}",
        stats.packets_in
    );
    assert!(
        (98..=104).contains(&stats.packets_out),
        "{}",
        stats.packets_out
    );
    assert_eq!(stats.lost, 0);
}

#[test]
fn payloads_take_the_place_of_keep_alives() {
    let mut world = World::with_server(2, |_| {});
    let (client, flow) = world.connect(1);
    let before = world.servers[0].server.counters().clone();
    for _ in 0..100 {
        world.client_send(client, b"in");
        world.server_send(0, flow, b"out");
        world.run_for(100_000);
    }
    let after = world.servers[0].server.counters();
    assert_eq!(after.keep_alives_in, before.keep_alives_in);
    assert_eq!(after.keep_alives_out, before.keep_alives_out);
    assert_eq!((after.payloads_in, after.payloads_out), (100, 100));
}

#[test]
fn a_partition_ends_the_flow_on_both_sides_within_ten_percent_of_the_timeout() {
    for timeout_s in [1, 5, 30, 60] {
        let mut world = World::with_server(3, |_| {});
        let token = world.token_with(1, |options| options.timeout_s = timeout_s);
        let (client, _) = world.connect_with(&token, client_address(1));
        world.link.loss = 1000;
        let timeout_us = timeout_s as u64 * 1_000_000;
        world.run_for(timeout_us * 7 / 10);
        assert_eq!(
            (
                world.clients[client].events.len(),
                world.servers[0].events.len()
            ),
            (1, 1)
        );
        world.run_for(timeout_us * 4 / 10);
        assert!(world.clients[client]
            .events
            .iter()
            .any(closed(CloseReason::Timeout)));
        assert!(world.servers[0]
            .events
            .iter()
            .any(closed(CloseReason::Timeout)));
        let gauges = world.servers[0].server.gauges();
        assert_eq!((gauges.flows, gauges.pending), (0, 0));
        assert_eq!(world.servers[0].server.deadline_us(), None);
    }
}

#[test]
fn a_negative_timeout_never_ends_a_flow_in_development() {
    let mut world = World::with_server(4, |config| config.development = true);
    let token = world.token_with(1, |options| options.timeout_s = -1);
    let (client, _) = world.connect_with(&token, client_address(1));
    world.link.loss = 1000;
    world.run_for(1_000_000_000);
    assert_eq!(
        (
            world.clients[client].events.len(),
            world.servers[0].events.len()
        ),
        (1, 1)
    );
}

#[test]
fn a_client_that_leaves_tells_the_server_even_when_most_disconnects_are_lost() {
    let mut world = World::with_server(5, |_| {});
    let (client, flow) = world.connect(1);
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.link = Link {
        loss: 500,
        ..Link::CLEAN
    };
    world.drain_client(client);
    world.run_for(50_000);
    assert!(world.clients[client]
        .events
        .iter()
        .any(closed(CloseReason::Local)));
    let gone = Event::Closed {
        flow,
        reason: CloseReason::PeerDisconnect,
        refusal: None,
    };
    assert_eq!(world.servers[0].events.last(), Some(&gone));
    assert_eq!(world.servers[0].server.flow_stats(flow), None);
    // the disconnects that came after the first find nobody
    assert_eq!(world.servers[0].server.gauges().flows, 0);
}

#[test]
fn a_flow_that_the_server_closes_tells_the_client_and_is_stale_at_once() {
    let mut world = World::with_server(6, |_| {});
    let (client, flow) = world.connect(1);
    let clock = world.clock();
    world.servers[0].server.close_flow(clock, flow);
    world.servers[0].server.close_flow(clock, flow);
    let mut buffer = [0; 100];
    let sealed = world.servers[0]
        .server
        .seal_payload(clock, flow, &mut buffer, HEADROOM, 5);
    assert_eq!(sealed, Err(SealError::Stale));
    world.drain_server(0);
    world.run_for(50_000);
    let local = Event::Closed {
        flow,
        reason: CloseReason::Local,
        refusal: None,
    };
    assert_eq!(world.servers[0].events[1..], [local]);
    assert!(world.clients[client]
        .events
        .iter()
        .any(closed(CloseReason::PeerDisconnect)));
    assert_eq!(world.servers[0].server.counters().disconnects_out, 5);
    // the slot comes back under another generation
    let (_, next) = world.connect(2);
    assert_eq!(
        next,
        FlowId {
            slot: flow.slot,
            generation: flow.generation + 1
        }
    );
    assert_eq!(world.servers[0].server.flow_stats(flow), None);
}

#[test]
fn the_newest_connection_of_a_client_id_wins_and_the_old_one_can_say_goodbye() {
    let mut world = World::with_server(7, |config| config.max_flows = 1);
    let (old_client, old) = world.connect(1);
    let token = world.token(1);
    let (_, new) = world.connect_with(&token, client_address(77));
    assert_ne!(old, new);
    assert!(matches!(world.servers[0].events[1], Event::Opened { flow, .. } if flow == new));
    assert_eq!(
        world.servers[0].events[2],
        Event::Replaced { flow: old, by: new }
    );
    world.server_send(0, old, b"goodbye");
    world.run_for(20_000);
    assert_eq!(world.clients[old_client].payloads, [b"goodbye".to_vec()]);
    // the old client is heard for a second, so that a goodbye which takes a round trip can be said
    world.client_send(old_client, b"hello?");
    world.run_for(20_000);
    assert_eq!(world.servers[0].payloads, [(old, b"hello?".to_vec())]);
    world.run_for(1_100_000);
    let end = Event::Closed {
        flow: old,
        reason: CloseReason::Replaced,
        refusal: None,
    };
    assert_eq!(world.servers[0].events.last(), Some(&end));
    assert!(world.clients[old_client]
        .events
        .iter()
        .any(closed(CloseReason::PeerDisconnect)));
    assert_eq!(world.servers[0].server.gauges().flows, 1);
}

#[test]
fn a_request_alone_replaces_nobody() {
    let mut world = World::with_server(8, |_| {});
    let (_, old) = world.connect(1);
    let token = world.token(1);
    let spoofed = client_address(66);
    world.dead.insert(spoofed);
    world.add_client(&token, spoofed);
    world.run_for(20_000_000);
    assert!(world.servers[0].server.flow_stats(old).is_some());
    assert_eq!(world.servers[0].events.len(), 1);
}

#[test]
fn a_client_that_restarts_on_its_old_port_takes_over_its_own_flow() {
    let mut world = World::with_server(9, |_| {});
    let (first, old) = world.connect(1);
    world.clients.remove(first);
    let token = world.token(1);
    let (client, new) = world.connect_with(&token, client_address(1));
    assert_eq!(
        world.servers[0].events[2],
        Event::Replaced { flow: old, by: new }
    );
    world.client_send(client, b"new");
    world.run_for(2_000_000);
    assert_eq!(world.servers[0].payloads, [(new, b"new".to_vec())]);
    assert!(world.clients[client].events.len() == 1);
}

#[test]
fn the_address_of_a_replaced_flow_is_free_for_another_client_id() {
    let mut world = World::with_server(12, |_| {});
    let (first, _) = world.connect(1);
    let token = world.token(1);
    world.connect_with(&token, client_address(77));
    world.clients.remove(first);
    let token = world.token(2);
    let (client, flow) = world.connect_with(&token, client_address(1));
    world.client_send(client, b"other");
    world.run_for(2_000_000);
    assert_eq!(world.servers[0].payloads, [(flow, b"other".to_vec())]);
    assert_eq!(world.servers[0].server.gauges().flows, 2);
}

#[test]
fn another_endpoint_of_the_process_replaces_a_flow_within_a_second() {
    let mut world = World::new(10);
    world.add_server(|_| {});
    world.add_server(|_| {});
    let (_, old) = world.connect(1);
    let second = [server_address(1)];
    let token = world.token_with(1, |options| options.server_addresses = second.to_vec());
    world.add_client(&token, client_address(2));
    world.run_for(1_100_000);
    let replaced = Event::Replaced {
        flow: old,
        by: FlowId::ELSEWHERE,
    };
    assert_eq!(world.servers[0].events[1], replaced);
    world.run_for(2_000_000);
    let end = Event::Closed {
        flow: old,
        reason: CloseReason::Replaced,
        refusal: None,
    };
    assert_eq!(world.servers[0].events.last(), Some(&end));
    assert_eq!(world.servers[1].server.gauges().flows, 1);
    assert_eq!(world.servers[0].server.gauges().flows, 0);
}

#[test]
fn lost_datagrams_are_counted_from_the_sequences_on_both_ends() {
    let mut world = World::with_server(11, |_| {});
    let (client, flow) = world.connect(1);
    for n in 0..100 {
        world.link.loss = if n % 10 == 3 { 1000 } else { 0 };
        world.client_send(client, b"in");
        world.server_send(0, flow, b"out");
        world.link.loss = 0;
        world.run_for(20_000);
    }
    let server = world.servers[0].server.flow_stats(flow).unwrap();
    let client = world.clients[client]
        .client
        .flow_stats(Client::FLOW)
        .unwrap();
    assert_eq!((server.lost, client.lost), (10, 10));
    assert_eq!(server.path.remote, client_address(1));
}

#[test]
fn sealing_checks_length_room_and_flow_before_it_uses_a_sequence() {
    let mut world = World::with_server(12, |_| {});
    let (client, flow) = world.connect(1);
    let clock = world.clock();
    let mut buffer = [0; 2000];
    let stale = FlowId {
        generation: flow.generation + 1,
        ..flow
    };
    let cases = [
        (flow, HEADROOM, 0, SealError::Length),
        (flow, HEADROOM, 1201, SealError::Length),
        (flow, HEADROOM - 1, 10, SealError::Room),
        (flow, 1985 - 10, 10, SealError::Room),
        (flow, usize::MAX - 5, 10, SealError::Room),
        (stale, HEADROOM, 10, SealError::Stale),
    ];
    for (id, start, length, error) in cases {
        let server = &mut world.servers[0].server;
        assert_eq!(
            server.seal_payload(clock, id, &mut buffer, start, length),
            Err(error)
        );
        let id = if id == stale { stale } else { Client::FLOW };
        let client = &mut world.clients[client].client;
        assert_eq!(
            client.seal_payload(clock, id, &mut buffer, start, length),
            Err(error)
        );
    }
    assert_eq!(world.servers[0].server.counters().seal_refused, 6);
    let token = world.token(2);
    let waiting = world.add_client(&token, client_address(2));
    let sealed =
        world.clients[waiting]
            .client
            .seal_payload(clock, Client::FLOW, &mut buffer, 24, 1);
    assert_eq!(sealed, Err(SealError::NotConnected));
    assert_eq!(
        SealError::Length.to_string(),
        "payload not sealed: it must have 1 to 1200 B, from an NX client 1192 B at most"
    );
}

#[test]
fn time_that_runs_backwards_is_not_followed() {
    let mut world = World::with_server(13, |_| {});
    let (client, flow) = world.connect(1);
    world.run_for(2_000_000);
    world.now_us -= 1_500_000;
    world.client_send(client, b"x");
    world.run_for(4_000_000);
    assert!(world.servers[0].server.flow_stats(flow).is_some());
    assert_eq!(world.clients[client].events.len(), 1);
}

#[test]
fn a_mapped_ipv4_peer_is_the_same_peer() {
    let mut world = World::with_server(14, |_| {});
    let (client, flow) = world.connect(1);
    world.sent = Some(Vec::new());
    world.client_send(client, b"mapped");
    let datagram = world.sent.take().unwrap().pop().unwrap();
    let mapped = format!("[::ffff:192.168.0.1]:{}", datagram.from.port())
        .parse()
        .unwrap();
    let received = world.inject(mapped, &datagram.bytes);
    assert!(matches!(received, Received::Payload { flow: found, length: 6, .. } if found == flow));
    assert_eq!(
        world.inject(datagram.from, &datagram.bytes),
        Received::Dropped(DropReason::Replayed)
    );
}
