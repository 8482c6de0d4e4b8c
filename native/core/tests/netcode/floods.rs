//! Many at once: half-open handshakes, requests that do not open, flows that come and go.

use ggscale_transport_core::{Client, Clock, DropReason, Path, Random, Received, Server};

use crate::forge::request_of;
use crate::hostile::victim;
use crate::world::{client_address, World};

fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

#[test]
fn a_half_open_flood_fills_the_pending_table_and_nothing_else_and_then_drains() {
    let limit = 500;
    let mut world = World::with_server(14, |config| config.admission.max_pending = limit);
    let (client, flow) = world.connect(60_000);
    let requests: Vec<_> = (0..2000u16)
        .map(|n| {
            let token = world.token(u64::from(n));
            (client_address(n), request_of(&token))
        })
        .collect();
    let clock = world.clock();
    let mut full = 0;
    for (from, bytes) in &requests {
        let received = handle(&mut world.servers[0].server, clock, *from, bytes);
        full += u32::from(received == dropped(DropReason::PendingFull));
    }
    assert_eq!(full, 1500);
    let gauges = world.servers[0].server.gauges();
    assert_eq!((gauges.pending, gauges.flows), (500, 1));
    // refused tokens are not remembered, so they are good for another try
    assert_eq!(gauges.token_history, 501);
    world.servers[0].server.check_invariants();
    // the flow lives through it
    world.client_send(client, b"alive");
    world.run_for(20_000);
    assert_eq!(world.servers[0].payloads, [(flow, b"alive".to_vec())]);
    world.run_for(6_000_000);
    assert_eq!(world.servers[0].server.gauges().pending, 0);
    let (from, bytes) = &requests[1999];
    assert_eq!(world.inject(*from, bytes), Received::Consumed);
}

#[test]
fn a_request_flood_leaves_memory_flat_and_the_flow_undisturbed() {
    let mut victim = victim(15);
    let token = victim.world.token(3);
    let good = request_of(&token);
    let mut random = Random::from_number(15);
    let before = victim.world.servers[0].server.gauges();
    let clock = victim.world.clock();
    for n in 0..50_000u32 {
        let mut bad = good.clone();
        random.fill(&mut bad[60..80]);
        let from = client_address((n % 60_000) as u16 + 100);
        let received = handle(&mut victim.world.servers[0].server, clock, from, &bad);
        assert_eq!(received, dropped(DropReason::TokenOpenFailed));
    }
    assert_eq!(victim.world.servers[0].server.gauges(), before);
    victim.is_unharmed();
}

#[test]
fn churn_of_flows_leaves_the_tables_as_they_were() {
    let mut world = World::with_server(16, |config| config.max_flows = 8);
    for round in 0..200u64 {
        let (client, flow) = world.connect(round);
        assert!(flow.slot < 8);
        let clock = world.clock();
        match round % 3 {
            0 => world.clients[client].client.close_flow(clock, Client::FLOW),
            1 => world.servers[0].server.close_flow(clock, flow),
            _ => world.vanish(client),
        }
        world.drain_client(client);
        world.drain_server(0);
        world.run_for(if round % 3 == 2 { 6_000_000 } else { 100_000 });
        assert_eq!(world.servers[0].server.gauges().flows, 0);
        world.clients.clear();
    }
    world.run_for(40_000_000);
    assert_eq!(world.servers[0].server.deadline_us(), None);
    assert_eq!(world.servers[0].server.counters().opened, 200);
    assert_eq!(world.servers[0].server.counters().closed, 200);
}

fn handle(server: &mut Server, clock: Clock, from: std::net::SocketAddr, bytes: &[u8]) -> Received {
    let path = Path {
        remote: from,
        local: None,
    };
    server.handle_datagram(clock, path, &mut bytes.to_vec())
}
