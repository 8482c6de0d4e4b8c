//! Clients that move: NATs that forget, hosts that roam, and those who only pretend.

use std::net::SocketAddr;

use ggscale_transport_core::{CloseReason, DropReason, Event};

use crate::world::{address, Link, World, SERVER, TICK_US};

fn migrations(world: &World) -> Vec<(SocketAddr, bool)> {
    let events = world.workers.iter().flat_map(|worker| &worker.events);
    events
        .filter_map(|event| match event {
            Event::Migrated {
                path, port_only, ..
            } => Some((path.remote, *port_only)),
            _ => None,
        })
        .collect()
}

fn with_port(address: SocketAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address.ip(), port)
}

fn longest_gap_us(arrivals: &[(u64, u32)]) -> u64 {
    let gaps = arrivals.windows(2).map(|pair| pair[1].0 - pair[0].0);
    gaps.max().expect("arrivals")
}

/// Moves at 1 s, then every 5 s, and looks at what was lost and how long nothing came.
fn moves(seed: u64, next: impl Fn(u16) -> SocketAddr) -> (World, usize) {
    let mut world = World::new(seed);
    let client = world.connect();
    world.run_for(500_000);
    for n in 0..6 {
        let to = next(n);
        world.rebind(client, to);
        world.run_for(5_000_000);
        assert_eq!(world.address_at_server(client), to);
    }
    world.traffic = false;
    world.run_for(100_000);
    let rtt_us = 2 * world.link.delay_us;
    let node = &world.clients[client];
    // What is on its way to the old address is lost, for as long as the server does not know.
    let down_lost = u64::from(node.next_number_down) - node.received.len() as u64;
    assert!(down_lost <= 6 * (rtt_us / TICK_US + 2), "{down_lost}");
    assert_eq!(
        node.arrived.len() as u32,
        node.next_number,
        "nothing is lost upwards"
    );
    // Without a move one tick lies between two arrivals.
    let gap_us = longest_gap_us(&node.received) - TICK_US;
    assert!(gap_us <= rtt_us + TICK_US, "{gap_us}");
    assert!(longest_gap_us(&node.arrived) <= TICK_US);
    (world, client)
}

/// T14.
#[test]
fn a_nat_that_gives_another_port_costs_one_round_trip_and_no_flow() {
    let home = address(0);
    let (world, _) = moves(14, |n| with_port(home, 6_000 + n));
    let seen = migrations(&world);
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|(_, port_only)| *port_only));
}

/// T15.
#[test]
fn a_client_that_roams_to_another_network_costs_one_round_trip_and_no_flow() {
    let (world, client) = moves(15, |n| address(100 + u32::from(n)));
    let seen = migrations(&world);
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|(_, port_only)| !*port_only));
    let (worker, flow) = world.flow(client);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert_eq!((stats.migrations, stats.lost), (6, 0));
}

#[test]
fn an_idle_client_that_moves_is_found_with_its_next_keep_alive() {
    let mut world = World::new(3);
    let client = world.connect();
    world.traffic = false;
    world.rebind(client, address(9));
    world.run_for(1_200_000);
    assert_eq!(world.address_at_server(client), address(9));
    world.run_for(20_000_000);
    assert!(world.is_nx(client) && world.clients[client].is_open);
}

/// T14 and T15 at a peer that speaks plain netcode: no roaming, but a clean end and a way back.
#[test]
fn a_base_client_that_moves_times_out_on_both_sides_and_may_connect_again() {
    let mut world = World::new(4);
    let client = world.dial(|config| config.nx = ggscale_transport_core::ClientNx::Off);
    world.run_for(500_000);
    world.rebind(client, address(9));
    world.run_for(6_000_000);
    let closed = |events: &[Event]| {
        events.iter().any(|event| {
            matches!(event, Event::Closed { reason, .. } if *reason == CloseReason::Timeout)
        })
    };
    assert!(closed(&world.workers[0].events) && closed(&world.clients[client].events));
    let again = world.dial(|_| {});
    world.run_for(500_000);
    assert!(world.is_nx(again));
}

#[test]
fn moving_under_loss_and_reordering_always_ends_at_the_right_address() {
    for seed in 0..40 {
        let mut world = World::new(500 + seed);
        let client = world.connect();
        world.link = Link {
            loss: 200,
            corrupt: 20,
            duplicate: 100,
            delay_us: 20_000,
            jitter_us: 60_000,
        };
        for n in 0..5 {
            let to = address(100 + n);
            world.rebind(client, to);
            world.run_for(4_000_000);
            assert_eq!(world.address_at_server(client), to, "seed {seed}");
        }
    }
}

#[test]
fn a_client_whose_address_flaps_is_served_and_costs_little() {
    let mut world = World::new(6);
    let client = world.connect();
    let (a, b) = (world.clients[client].address, address(9));
    world.sent = Some(Vec::new());
    let before = world.clients[client].arrived.len();
    for n in 0..600 {
        let to = if n % 2 == 0 { b } else { a };
        // Both addresses reach the client.
        world.clients[client].former = vec![a, b];
        world.clients[client].address = to;
        world.run_for(TICK_US);
    }
    let counters = world.workers[0].server.counters();
    // Ten seconds: three candidates in each, two challenges for each of them at once and with
    // every repetition.
    assert!(
        counters.path_candidates <= 36,
        "{}",
        counters.path_candidates
    );
    assert!(
        counters.path_challenges_out <= 100,
        "{}",
        counters.path_challenges_out
    );
    assert!(counters.path_limited > 200 && counters.path_cancelled > 10);
    assert!(counters.migrations <= 11, "{}", counters.migrations);
    assert!(world.clients[client].arrived.len() - before > 590);
    assert!(world.is_nx(client));
}

/// Someone on the way who copies datagrams and is faster than the way itself.
struct Racer {
    address: SocketAddr,
    seen: usize,
}

impl Racer {
    /// Copies what `wants` says, and passes on what the server sends it.
    fn race(&mut self, world: &mut World, wants: impl Fn(usize) -> bool) {
        loop {
            let sent = world.sent.as_ref().expect("recorded");
            let Some(datagram) = sent.get(self.seen).cloned() else {
                return;
            };
            self.seen += 1;
            if datagram.to == SERVER && wants(self.seen) {
                world.inject(self.address, &datagram.bytes);
            } else if datagram.to == self.address {
                world.inject_client(0, SERVER, &datagram.bytes);
            }
        }
    }
}

#[test]
fn a_copy_that_overtakes_its_original_steals_nothing() {
    let mut world = World::new(7);
    let client = world.connect();
    let home = world.clients[client].address;
    world.sent = Some(Vec::new());
    let mut racer = Racer {
        address: address(66),
        seen: 0,
    };
    for _ in 0..10_000 {
        world.run_for(1_000);
        racer.race(&mut world, |n| n % 7 == 0);
    }
    let counters = world.workers[0].server.counters();
    assert!(counters.path_candidates > 10 && counters.path_cancelled > 10);
    assert_eq!(counters.migrations, 0);
    assert_eq!(world.address_at_server(client), home);
    // What went astray is what was sent to the candidate before it was cancelled.
    let node = &world.clients[client];
    assert!(node.received.len() as u32 + 80 > node.next_number_down);
    let sent = world.sent.take().unwrap();
    let bytes = |to: SocketAddr| -> usize {
        let list = sent.iter().filter(|d| d.to == to);
        list.map(|d| d.bytes.len()).sum()
    };
    assert!(bytes(racer.address) < bytes(home) / 10);
}

#[test]
fn who_wins_every_race_is_a_relay_and_loses_the_flow_as_soon_as_it_stops() {
    let mut world = World::new(8);
    let client = world.connect();
    let home = world.clients[client].address;
    world.sent = Some(Vec::new());
    let mut racer = Racer {
        address: address(66),
        seen: 0,
    };
    for _ in 0..2_000 {
        world.run_for(1_000);
        racer.race(&mut world, |_| true);
    }
    assert_eq!(world.address_at_server(client), racer.address);
    world.sent = None;
    world.run_for(2_000_000);
    assert_eq!(world.address_at_server(client), home);
    assert!(world.is_nx(client));
}

/// T17, on a path that has not answered.
#[test]
fn a_spoofed_source_gets_at_most_three_times_its_bytes() {
    let mut world = World::new(17);
    let client = world.connect();
    world.sent = Some(Vec::new());
    let victim = address(99);
    let mut spoofed_bytes = 0;
    for n in 0..40 {
        // The client's own datagrams are lost; only the spoofed copies arrive.
        world.filter = |datagram| datagram.to == SERVER;
        let before = world.sent.as_ref().unwrap().len();
        world.run_for(TICK_US);
        let sent = world.sent.as_ref().unwrap()[before..].to_vec();
        let copy = sent.iter().find(|d| d.to == SERVER && d.kind() == 8);
        if let Some(copy) = copy.filter(|_| n < 30) {
            spoofed_bytes += copy.bytes.len();
            world.inject(victim, &copy.bytes);
        }
    }
    let sent = world.sent.take().unwrap();
    let to_victim = sent.iter().filter(|d| d.to == victim);
    let bytes: usize = to_victim.map(|d| d.bytes.len()).sum();
    assert!(bytes > spoofed_bytes, "the server did try: {bytes}");
    assert!(bytes <= 3 * spoofed_bytes, "{bytes} for {spoofed_bytes}");
    assert_eq!(migrations(&world), []);
    assert_ne!(world.address_at_server(client), victim);
}

/// T17, without a flow.
#[test]
fn nothing_that_does_not_open_is_answered() {
    let mut world = World::new(18);
    let client = world.connect();
    world.traffic = false;
    world.run_for(200_000);
    world.sent = Some(Vec::new());
    let home = world.clients[client].address;
    for first in 0..=255u8 {
        for from in [home, address(98)] {
            let bytes = vec![first; 200];
            world.inject(from, &bytes);
        }
    }
    assert_eq!(world.sent.take().unwrap().len(), 0);
}

#[test]
fn a_candidate_that_does_not_answer_is_given_up_and_the_old_address_stays() {
    let mut world = World::new(19);
    let client = world.connect();
    let home = world.clients[client].address;
    world.traffic = false;
    world.run_for(100_000);
    world.sent = Some(Vec::new());
    world.filter = |datagram| datagram.to == SERVER;
    world.client_send(client);
    let sent = world.sent.take().unwrap();
    world.inject(address(99), &sent[0].bytes);
    world.run_for(3_500_000);
    let counters = world.workers[0].server.counters();
    assert_eq!((counters.path_candidates, counters.path_failed), (1, 1));
    assert_eq!(world.address_at_server(client), home);
    world.filter = |_| false;
    world.run_for(2_000_000);
    assert!(world.is_nx(client));
    let (worker, flow) = world.flow(client);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert!(!stats.under_way, "nothing is left of it");
}

#[test]
fn a_flow_does_not_follow_to_port_0() {
    let mut world = World::new(61);
    let client = world.connect();
    let home = world.clients[client].address;
    world.rebind(client, with_port(home, 0));
    world.run_for(1_000_000);
    let counters = world.workers[0].server.counters();
    assert_eq!(counters.path_candidates, 0);
    assert!(counters.dropped(DropReason::WrongSource) > 10);
    assert_eq!(world.address_at_server(client), home);
}

/// The challenges alone are what goes to the new address, so nothing else uses up its budget.
#[test]
fn a_lone_keep_alive_from_elsewhere_pays_for_two_challenges() {
    let mut world = World::new(60);
    let client = world.connect();
    world.traffic = false;
    world.run_for(100_000);
    world.filter = |datagram| datagram.to == address(9);
    world.rebind(client, address(9));
    world.sent = Some(Vec::new());
    let end_us = world.now_us + 1_500_000;
    world.run_until(end_us, |world| {
        world.workers[0].server.counters().path_candidates == 1
    });
    world.run_for(300_000);
    let sent = world.sent.take().unwrap();
    let there: Vec<_> = sent.iter().filter(|d| d.to == address(9)).collect();
    assert_eq!(there.len(), 2);
    let out: usize = there.iter().map(|d| d.bytes.len()).sum();
    let from_there = sent.iter().filter(|d| d.from == address(9));
    let least = from_there.map(|d| d.bytes.len()).min().unwrap();
    assert!(out <= 3 * least, "{out} {least}");
}
