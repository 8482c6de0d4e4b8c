//! Small limits and long pauses.

use std::sync::atomic::AtomicU32;
use std::sync::Arc;

use ggscale_transport_core::{DropReason, Received};

use crate::forge::request_of;
use crate::world::{client_address, server_address, World};

#[test]
fn a_flow_at_a_server_that_counts_apart_gives_no_place_here() {
    let mut world = World::new(3);
    for _ in 0..2 {
        world.add_server(|config| {
            config.max_flows = 1;
            config.shared_flows = Some(Arc::new(AtomicU32::new(0)));
        });
    }
    let dial = |world: &mut World, client_id: u64, server: usize, from: u16| {
        let to = vec![server_address(server)];
        let token = world.token_with(client_id, |spec| spec.server_addresses = to);
        let client = world.add_client(&token, client_address(from));
        world.run_for(300_000);
        world.clients[client].connected_us.is_some()
    };
    assert!(dial(&mut world, 1, 0, 1) && dial(&mut world, 2, 1, 2));
    assert!(!dial(&mut world, 2, 0, 3), "server 0 is full");
    assert!(dial(&mut world, 2, 1, 4), "takes its own place");
    for server in &world.servers {
        assert_eq!(server.server.gauges().flows, 1);
    }
}

/// To send to port 0 is an error that a batch or a train of datagrams would suffer from.
#[test]
fn nobody_who_cannot_be_answered_is_heard() {
    let mut world = World::with_server(4, |_| {});
    let token = world.token(1);
    let mut from = client_address(1);
    from.set_port(0);
    world.sent = Some(Vec::new());
    let received = world.inject(from, &request_of(&token));
    assert_eq!(received, Received::Dropped(DropReason::WrongSource));
    assert!(world.sent.take().is_some_and(|sent| sent.is_empty()));
    assert_eq!(world.servers[0].server.gauges().token_history, 0);
}

#[test]
fn a_server_that_takes_small_payloads_only_takes_handshakes_all_the_same() {
    for max in [1, 100, 290, 1200] {
        let mut world = World::with_server(1, |config| config.max_payload_bytes = max);
        let (client, _) = world.connect(1);
        world.client_send(client, &vec![1; max]);
        if max < 1200 {
            world.client_send(client, &vec![2; max + 1]);
        }
        world.run_for(100_000);
        assert_eq!(world.servers[0].payloads.len(), 1, "{max}");
        let counters = world.servers[0].server.counters();
        let refused = counters.dropped(DropReason::PayloadTooLarge);
        assert_eq!(refused, u64::from(max < 1200), "{max}");
    }
}

#[test]
fn the_first_client_after_an_hour_without_any_is_challenged_at_once() {
    let mut world = World::with_server(2, |_| {});
    world.now_us += 3_600_000_000;
    let token = world.token(1);
    let received = world.inject(client_address(1), &request_of(&token));
    assert_eq!(received, Received::Consumed);
    // A driver takes datagrams, then runs the timers that are due, then sends.
    let clock = world.clock();
    let server = &mut world.servers[0].server;
    assert!(server.deadline_us().is_some());
    server.handle_timeout(clock);
    assert_eq!(server.counters().pending_expired, 0);
    assert_eq!(server.gauges().pending, 1);
    // The token's timeout is five seconds.
    world.run_for(4_900_000);
    assert_eq!(world.servers[0].server.gauges().pending, 1);
    world.run_for(200_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    assert_eq!(world.servers[0].server.counters().pending_expired, 1);
}
