//! Several I/O threads behind one address.

use crate::world::{address, World};

/// T16.
#[test]
fn a_client_that_moves_stays_with_its_thread() {
    let mut world = World::with_workers(16, 4, |_| {});
    let clients: Vec<_> = (0..24).map(|_| world.dial(|_| {})).collect();
    world.run_for(1_000_000);
    let homes: Vec<_> = clients.iter().map(|client| world.flow(*client)).collect();
    for worker in 0..4 {
        assert!(
            homes.iter().any(|(home, _)| *home == worker),
            "all are used"
        );
    }
    for round in 0..5 {
        for client in &clients {
            assert!(world.is_nx(*client));
            world.rebind(*client, address(50_000 + 100 * round + *client as u32));
        }
        world.run_for(2_000_000);
        for (client, home) in clients.iter().zip(&homes) {
            assert_eq!(world.flow(*client), *home);
            assert_eq!(
                world.address_at_server(*client),
                world.clients[*client].address
            );
        }
    }
    let migrations: u64 = world
        .workers
        .iter()
        .map(|worker| worker.server.counters().migrations)
        .sum();
    assert_eq!(migrations, 5 * 24);
    for client in clients {
        // Nothing that the client sent was lost: each packet reached its thread.
        let node = &world.clients[client];
        let on_the_way = 4;
        assert!(node.arrived.len() as u32 + on_the_way >= node.next_number);
    }
}

#[test]
fn a_connection_id_of_another_thread_finds_nothing() {
    let mut world = World::with_workers(17, 2, |_| {});
    let client = world.connect();
    world.sent = Some(Vec::new());
    world.run_for(100_000);
    let sent = world.sent.take().unwrap();
    let mut datagram = sent.iter().rfind(|d| d.kind() == 8).unwrap().bytes.clone();
    let (home, _) = world.flow(client);
    assert_eq!(usize::from(datagram[1]), home);
    datagram[1] ^= 1;
    let dropped = |world: &World| {
        let counters = world.workers[1 - home].server.counters();
        counters.dropped(ggscale_transport_core::DropReason::CidUnknown)
    };
    let before = dropped(&world);
    world.inject(address(77), &datagram);
    assert_eq!(dropped(&world), before + 1);
}
