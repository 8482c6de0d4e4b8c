//! Admission where flows have connection ids: they move, and they are found without an address.

use std::net::SocketAddr;

use ggscale_transport_core::token::{PublicToken, TokenNx};
use ggscale_transport_core::{
    AdmissionSettings, Client, ClientNx, CloseReason, DropReason, Event, Rate, Received, Refusal,
};

use crate::forge::sealed;
use crate::keys::Keys;
use crate::world::{address, Datagram, World, SEQUENCE};

fn set(world: &mut World, change: impl FnOnce(&mut AdmissionSettings)) {
    let clock = world.clock();
    let server = &mut world.workers[0].server;
    let mut settings = server.admission().settings();
    change(&mut settings);
    server.set_admission(clock, settings).expect("settings");
    world.drain_worker(0);
    world.workers[0].server.check_invariants();
}

fn block(world: &mut World, source: SocketAddr) {
    set(world, |settings| {
        settings.blocked = vec![source.ip().to_string().parse().unwrap()];
    });
}

fn dropped(world: &World, reason: DropReason) -> u64 {
    world.workers[0].server.counters().dropped(reason)
}

#[test]
fn a_client_that_roams_into_a_blocked_network_is_not_heard_from_there() {
    let mut world = World::new(70);
    let client = world.connect();
    let (home, away) = (world.clients[client].address, address(100));
    block(&mut world, away);
    world.run_for(500_000);
    let arrived = world.clients[client].arrived.len();
    world.rebind(client, away);
    world.run_for(1_000_000);
    assert_eq!(world.address_at_server(client), home);
    // What left home before the move still came.
    assert!(world.clients[client].arrived.len() <= arrived + 2);
    assert!(dropped(&world, DropReason::Blocked) > 50);
    assert_eq!(world.workers[0].server.counters().path_candidates, 0);
    world.rebind(client, home);
    world.run_for(1_000_000);
    assert!(world.clients[client].arrived.len() > arrived + 50);
}

#[test]
fn a_move_under_way_ends_when_its_destination_is_blocked() {
    let mut world = World::new(71);
    let client = world.connect();
    let (home, away) = (world.clients[client].address, address(100));
    world.run_for(500_000);
    world.rebind(client, away);
    let end_us = world.now_us + 1_000_000;
    world.run_until(end_us, |world| {
        world.workers[0].server.counters().path_candidates == 1
    });
    assert_eq!(world.address_at_server(client), home);
    block(&mut world, away);
    world.sent = Some(Vec::new());
    world.run_for(2_000_000);
    let counters = world.workers[0].server.counters();
    assert_eq!((counters.path_cancelled, counters.migrations), (1, 0));
    let sent: Vec<Datagram> = world.sent.take().unwrap();
    assert!(sent.iter().all(|datagram| datagram.to != away));
}

#[test]
fn a_flow_that_has_moved_ends_with_the_network_that_it_is_in() {
    let mut world = World::new(72);
    let client = world.connect();
    let home = world.clients[client].address;
    world.run_for(500_000);
    world.rebind(client, address(100));
    world.run_for(2_000_000);
    block(&mut world, home);
    assert_eq!(world.workers[0].server.gauges().flows, 1);
    let (_, flow) = world.flow(client);
    block(&mut world, address(100));
    assert_eq!(world.workers[0].server.gauges().flows, 0);
    let closed = Event::Closed {
        flow,
        reason: CloseReason::Blocked,
        refusal: None,
    };
    assert_eq!(world.workers[0].events.last(), Some(&closed));
}

#[test]
fn rates_of_a_flow_hold_under_its_connection_id() {
    let mut world = World::new(73);
    let client = world.connect();
    assert!(world.is_nx(client));
    world.run_for(500_000);
    let arrived = world.clients[client].arrived.len();
    // A sixth of what the client sends.
    set(&mut world, |s| s.packets_per_flow = Some(Rate::new(10, 10)));
    world.run_for(3_000_000);
    let heard = world.clients[client].arrived.len() - arrived;
    assert!((15..=40).contains(&heard), "{heard}");
    assert!(dropped(&world, DropReason::FlowPacketRate) > 100);
    // It lives, and its goodbye is heard whatever it has spent.
    world.traffic = false;
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.drain_client(client);
    world.run_for(100_000);
    assert_eq!(world.workers[0].server.gauges().flows, 0);
    assert_eq!(world.workers[0].server.counters().timeouts, 0);
}

#[test]
fn forged_packets_with_a_connection_id_do_not_spend_its_budget() {
    let mut world = World::new(74);
    world.connect();
    world.run_for(300_000);
    world.sent = Some(Vec::new());
    world.run_for(100_000);
    let sent = world.sent.take().unwrap();
    let genuine = sent.iter().rfind(|datagram| datagram.kind() == 8).unwrap();
    set(&mut world, |s| s.packets_per_flow = Some(Rate::new(70, 70)));
    world.run_for(2_000_000);
    for n in 0..1_000u64 {
        let mut forged = genuine.bytes.clone();
        // Sequences of their own, far ahead, so that the window does not catch them.
        forged[9..11].copy_from_slice(&(20_000 + n as u16).to_le_bytes());
        forged[0] = 8 | 2 << 4;
        let received = world.inject(genuine.from, &forged);
        assert_eq!(received, Received::Dropped(DropReason::OpenFailed));
    }
    let before = dropped(&world, DropReason::FlowPacketRate);
    world.run_for(1_000_000);
    assert_eq!(dropped(&world, DropReason::FlowPacketRate), before);
}

#[test]
fn a_busy_server_tells_how_long_to_wait() {
    let mut world = World::new(75);
    world.connect();
    set(&mut world, |s| {
        s.busy = true;
        s.retry_after_s = 90;
    });
    let second = world.dial(|_| {});
    world.run_for(300_000);
    let closed = Event::Closed {
        flow: Client::FLOW,
        reason: CloseReason::Denied,
        refusal: Some(Refusal {
            code: Refusal::BUSY,
            retry_after_s: 90,
        }),
    };
    assert_eq!(world.clients[second].events, [closed]);
}

#[test]
fn controls_as_short_as_a_goodbye_are_charged_and_a_goodbye_is_not() {
    let mut world = World::new(76);
    world.traffic = false;
    let (client, keys) = Keys::of_new_client(&mut world);
    let from = world.clients[client].address;
    set(&mut world, |s| s.packets_per_flow = Some(Rate::new(1, 10)));
    let mut taken = 0;
    for n in 0..100 {
        // CONFIRM, which says nothing new; then something unknown that is skipped.
        let body = if n % 2 == 0 { [3, 0] } else { [0x80, 0] };
        let packet = keys.seal_up(9, keys.cid, 5_000 + n, &body);
        taken += u32::from(world.inject(from, &packet) == Received::Consumed);
    }
    assert!((1..=10).contains(&taken), "{taken}");
    assert!(dropped(&world, DropReason::FlowPacketRate) >= 90);
    let goodbye = keys.seal_up(9, keys.cid, 6_000, &[8, 0]);
    assert_eq!(world.inject(from, &goodbye), Received::Consumed);
    assert_eq!(world.workers[0].server.gauges().flows, 0);
}

#[test]
fn a_goodbye_of_the_base_that_is_none_is_charged() {
    let mut world = World::new(77);
    world.has_forger = true;
    world.traffic = false;
    let token = world.token(0, TokenNx::Silent);
    let client = world.dial_with(&token, 0, |config| config.nx = ClientNx::Off);
    world.run_for(300_000);
    let key = PublicToken::read(&token).unwrap().client_to_server_key;
    let from = world.clients[client].address;
    set(&mut world, |s| s.packets_per_flow = Some(Rate::new(1, 10)));
    for n in 0..100 {
        world.inject(from, &sealed(&key, 6, SEQUENCE + n, &[1]));
    }
    assert!(dropped(&world, DropReason::FlowPacketRate) >= 90);
    let goodbye = sealed(&key, 6, SEQUENCE + 1000, &[]);
    assert_eq!(world.inject(from, &goodbye), Received::Consumed);
    assert_eq!(world.workers[0].server.gauges().flows, 0);
}
