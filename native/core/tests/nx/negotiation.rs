//! HELLO, ACCEPT, CONFIRM: clean, lossy, and with an end that does not know them.

use ggscale_transport_core::{Client, ClientNx, DropReason, Received, ServerNx};

use crate::world::{Link, World, SERVER};

#[test]
fn a_flow_goes_over_to_nx_within_two_round_trips_and_loses_nothing() {
    let mut world = World::new(1);
    world.sent = Some(Vec::new());
    let client = world.dial(|_| {});
    let rtt_us = 2 * world.link.delay_us;
    world.run_for(2 * rtt_us);
    assert!(world.clients[client].is_open);
    assert!(!world.is_nx(client));
    world.run_for(2 * rtt_us);
    assert!(world.is_nx(client));
    world.run_for(1_000_000);
    world.traffic = false;
    world.run_for(100_000);
    let node = &world.clients[client];
    assert_eq!(node.arrived.len() as u32, node.next_number);
    assert_eq!(node.received.len() as u32, node.next_number_down);
    let (worker, flow) = world.flow(client);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert_eq!((stats.epoch, stats.lost, stats.failed_opens), (1, 0, 0));
    let stats = node.client.flow_stats(Client::FLOW).unwrap();
    assert_eq!((stats.epoch, stats.lost, stats.failed_opens), (1, 0, 0));
    // Upstream only with a connection id then, downstream never.
    let sent = world.sent.take().unwrap();
    let late = &sent[sent.len() - 100..];
    assert!(late
        .iter()
        .all(|d| (d.to == SERVER) == matches!(d.kind(), 8 | 9)));
    assert!(sent.iter().any(|d| d.kind() == 7 && d.to == SERVER));
}

#[test]
fn an_idle_nx_flow_stays_alive_on_empty_control_packets() {
    let mut world = World::new(2);
    let client = world.connect();
    world.traffic = false;
    world.run_for(100_000);
    world.sent = Some(Vec::new());
    world.run_for(10_000_000);
    assert!(world.is_nx(client));
    let sent = world.sent.take().unwrap();
    let up: Vec<_> = sent.iter().filter(|d| d.to == SERVER).collect();
    assert!((9..=11).contains(&up.len()), "{}", up.len());
    // prefix, connection id, sequence, tag: no body
    assert!(up
        .iter()
        .all(|d| d.kind() == 9 && d.bytes.len() <= 1 + 8 + 2 + 16));
    let down = sent.len() - up.len();
    assert!((9..=11).contains(&down), "{down}");
}

#[test]
fn payloads_as_long_as_a_server_takes_pass_with_connection_ids_too() {
    // The payloads of this world are 40 B long.
    let mut world = World::with_workers(30, 1, |config| config.max_payload_bytes = 40);
    let client = world.dial(|_| {});
    world.run_for(1_000_000);
    assert!(world.is_nx(client));
    world.run_for(10_000_000);
    world.traffic = false;
    world.run_for(100_000);
    let node = &world.clients[client];
    assert_eq!(node.arrived.len() as u32, node.next_number);
}

/// A host that slept: what lay in its socket is older than its timers know.
#[test]
fn an_accept_that_waited_until_the_server_may_have_forgotten_it_is_not_taken() {
    let mut world = World::new(31);
    world.traffic = false;
    world.sent = Some(Vec::new());
    world.filter = |datagram| datagram.kind() == 7 && datagram.to != SERVER;
    let client = world.dial(|_| {});
    let end_us = world.now_us + 1_000_000;
    world.run_until(end_us, |world| {
        world.workers[0].server.counters().accepts_out > 0
    });
    let sent = world.sent.take().unwrap();
    let accept = sent.iter().rfind(|d| d.kind() == 7 && d.to != SERVER);
    let accept = accept.unwrap().bytes.clone();
    // The client has sent its last HELLO by now; its timers do not run any more.
    world.now_us += 6_000_000;
    let received = world.inject_client(client, SERVER, &accept);
    let refused = Received::Dropped(DropReason::ControlUnexpected);
    assert_eq!(received, refused);
    assert_eq!(world.clients[client].client.counters().accepts_in, 0);
}

#[test]
fn a_server_without_nx_hears_ten_hellos_and_serves_plain_netcode() {
    let mut world = World::with_workers(3, 1, |config| config.nx = ServerNx::Off);
    let client = world.dial(|_| {});
    world.run_for(20_000_000);
    assert!(!world.is_nx(client));
    let node = &world.clients[client];
    assert_eq!(node.client.counters().hellos_out, 10);
    assert!(node.is_open && node.received.len() > 1000 && node.arrived.len() > 1000);
    let counters = world.workers[0].server.counters();
    assert_eq!(
        counters.dropped(ggscale_transport_core::DropReason::UnknownType),
        10
    );
}

/// A plain netcode server does not count them as life.
#[test]
fn hellos_do_not_take_the_place_of_keep_alives() {
    let mut world = World::with_workers(3, 1, |config| config.nx = ServerNx::Off);
    world.traffic = false;
    world.sent = Some(Vec::new());
    world.dial(|_| {});
    world.run_for(3_500_000);
    let counters = world.workers[0].server.counters();
    // At once when connected, then each second.
    assert_eq!(counters.keep_alives_in, 4);
}

#[test]
fn a_client_without_nx_is_served_plain_netcode() {
    let mut world = World::new(4);
    let client = world.dial(|config| config.nx = ClientNx::Off);
    world.run_for(3_000_000);
    assert!(!world.is_nx(client));
    assert!(world.clients[client].received.len() > 100);
    assert_eq!(world.workers[0].server.counters().hellos_in, 0);
}

#[test]
fn an_accept_that_never_comes_leaves_both_ends_with_plain_netcode_and_no_memory_of_it() {
    let mut world = World::new(5);
    world.filter = |datagram| datagram.from == SERVER && datagram.kind() == 7;
    let client = world.dial(|_| {});
    world.run_for(25_000_000);
    assert!(!world.is_nx(client));
    let node = &world.clients[client];
    assert_eq!(node.client.counters().hellos_out, 10);
    let counters = world.workers[0].server.counters();
    assert_eq!((counters.hellos_in, counters.accepts_out), (10, 10));
    assert!(node.is_open);
    let (worker, flow) = world.flow(client);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert!(!stats.under_way);
    // An ACCEPT that was held back until now changes nothing.
    world.filter = |_| false;
    world.run_for(2_000_000);
    assert!(!world.is_nx(client));
}

#[test]
fn with_x25519_both_ends_agree_too() {
    let mut world = World::new(6);
    world.sent = Some(Vec::new());
    let client = world.dial(|config| config.x25519 = true);
    world.run_for(1_000_000);
    assert!(world.is_nx(client));
    assert!(world.clients[client].received.len() > 30);
    // One byte prefix, five or six of sequence, type and length, HELLO with a public key, tag.
    let sent = world.sent.take().unwrap();
    let hello = sent
        .iter()
        .find(|d| d.kind() == 7 && d.to == SERVER)
        .unwrap();
    assert!(hello.bytes.len() >= 1 + 5 + 2 + 68 + 16);
}

#[test]
fn whatever_the_loss_both_ends_come_to_the_same_keys_and_go_on() {
    for seed in 0..60 {
        let mut world = World::new(1000 + seed);
        world.link = Link {
            loss: 300,
            corrupt: 30,
            duplicate: 100,
            delay_us: 20_000,
            jitter_us: 40_000,
        };
        let clients: Vec<_> = (0..5).map(|_| world.dial(|_| {})).collect();
        world.run_for(25_000_000);
        for client in clients {
            let node = &world.clients[client];
            assert!(node.is_open, "seed {seed}");
            let ours = node.client.flow_stats(Client::FLOW).unwrap();
            assert_eq!(ours.nx, world.is_nx(client), "seed {seed}");
            let recent = |list: &[(u64, u32)]| {
                list.iter()
                    .filter(|(at, _)| *at + 1_000_000 > world.now_us)
                    .count()
            };
            assert!(
                recent(&node.received) > 20 && recent(&node.arrived) > 20,
                "{seed}"
            );
        }
    }
}

#[test]
fn datagrams_under_the_tokens_keys_that_were_overtaken_still_arrive() {
    let mut world = World::new(8);
    // Jitter of five ticks: the first packets under the new keys overtake those before them.
    world.link.jitter_us = 80_000;
    let client = world.dial(|_| {});
    world.run_for(3_000_000);
    world.traffic = false;
    world.run_for(300_000);
    assert!(world.is_nx(client));
    let node = &world.clients[client];
    assert_eq!(node.arrived.len() as u32, node.next_number);
    let (worker, flow) = world.flow(client);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert_eq!(stats.lost, 0);
}

#[test]
fn ends_that_agreed_send_grease_and_drop_it_unopened() {
    let mut world = World::new(9);
    let client = world.connect();
    world.run_for(60_000_000);
    let (worker, flow) = world.flow(client);
    let server = &world.workers[worker].server;
    let node = &world.clients[client];
    let grease = ggscale_transport_core::DropReason::Grease;
    for (ours, theirs) in [
        (server.counters(), node.client.counters()),
        (node.client.counters(), server.counters()),
    ] {
        assert!((2..=5).contains(&ours.grease_out), "{}", ours.grease_out);
        assert_eq!(theirs.dropped(grease), ours.grease_out);
        assert_eq!(ours.dropped_total(), ours.dropped(grease));
    }
    assert_eq!(server.flow_stats(flow).unwrap().lost, 0);
    let mut plain = World::new(10);
    plain.dial(|config| config.nx = ClientNx::Off);
    plain.run_for(60_000_000);
    assert_eq!(plain.workers[0].server.counters().grease_out, 0);
}
