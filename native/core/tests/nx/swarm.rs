//! Many seeds, all faults: nothing that must always hold breaks. `NX_SEEDS=100000 cargo test --release
//! -p ggscale-transport-core --test nx swarm` for more of them, `NX_FIRST_SEED` for others.

use ggscale_transport_core::{Client, ClientNx, Event};

use crate::world::{address, Link, World};

const SEEDS_DEFAULT: u64 = 1_000;

#[test]
fn whatever_happens_flows_survive_and_both_ends_agree() {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let first = number("NX_FIRST_SEED").unwrap_or(0);
    let seeds = number("NX_SEEDS").unwrap_or(SEEDS_DEFAULT);
    for seed in first..first + seeds {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut world = World::with_workers(seed, 1 + (seed % 4) as u8, |_| {});
    world.link = faults(&mut world);
    let clients: Vec<_> = (0..3)
        .map(|n| {
            world.dial(|config| {
                config.x25519 = seed % 16 == 5;
                if n == 2 && seed.is_multiple_of(3) {
                    config.nx = ClientNx::Off;
                }
            })
        })
        .collect();
    let mut next_address = 200_000;
    for _ in 0..6 {
        world.run_for(300_000);
        for client in &clients {
            let is_open = world.clients[*client].is_open;
            if is_open && world.is_nx(*client) && world.random.next_u64() & 1 == 0 {
                next_address += 1;
                world.rebind(*client, address(next_address));
            }
        }
    }
    world.link = Link::CLEAN;
    world.run_for(2_500_000);
    for client in clients {
        settles(&world, client, seed);
    }
}

fn faults(world: &mut World) -> Link {
    let mut below = |limit: u64| world.random.next_u64() % limit;
    Link {
        loss: below(250),
        corrupt: below(50),
        duplicate: below(150),
        delay_us: 1_000 + below(40_000),
        jitter_us: below(60_000),
    }
}

fn settles(world: &World, client: usize, seed: u64) {
    let node = &world.clients[client];
    let Some((worker, flow)) = world.find_flow(client) else {
        panic!(
            "seed {seed}: client {client} has no flow: {:?}",
            node.events
        );
    };
    assert!(node.is_open, "seed {seed}");
    let theirs = world.workers[worker].server.flow_stats(flow).unwrap();
    let ours = node.client.flow_stats(Client::FLOW).unwrap();
    assert_eq!(ours.nx, theirs.nx, "seed {seed}");
    assert_eq!(theirs.path.remote, node.address, "seed {seed}");
    let told = world.workers[worker]
        .events
        .iter()
        .filter(|event| matches!(event, Event::Migrated { flow: moved, .. } if *moved == flow));
    assert_eq!(told.count() as u32, theirs.migrations, "seed {seed}");
    let since_us = world.now_us - 500_000;
    let recent = |list: &[(u64, u32)]| list.iter().filter(|(at, _)| *at > since_us).count();
    assert!(recent(&node.received) > 25, "seed {seed}");
    assert!(recent(&node.arrived) > 25, "seed {seed}");
}
