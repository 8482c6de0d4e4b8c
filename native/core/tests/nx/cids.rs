//! Connection ids: unknown, freed, guessed, replaced.

use ggscale_transport_core::{Client, DropReason, Received};

use crate::keys::Keys;
use crate::world::{address, World, SERVER};

fn dropped(reason: DropReason) -> Received {
    Received::Dropped(reason)
}

/// Above what the client has used.
const SEQUENCE: u64 = 5_000;

#[test]
fn an_unknown_id_is_dropped_without_an_open_and_a_wrong_tag_costs_one() {
    let mut world = World::new(1);
    let (client, keys) = Keys::of_new_client(&mut world);
    let (worker, flow) = world.flow(client);
    let unknown = dropped(DropReason::CidUnknown);
    for at in 0..8 {
        for bit in 0..8 {
            let mut cid = keys.cid;
            cid[at] ^= 1 << bit;
            let datagram = keys.seal_up(8, cid, SEQUENCE, b"none");
            assert_eq!(world.inject(address(5), &datagram), unknown);
        }
    }
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert_eq!(stats.failed_opens, 0);
    let mut forged = keys.seal_up(8, keys.cid, SEQUENCE, b"none");
    *forged.last_mut().unwrap() ^= 1;
    let failed = dropped(DropReason::OpenFailed);
    assert_eq!(world.inject(address(5), &forged), failed);
    // The id is part of what is sealed.
    let mut moved = keys.seal_up(8, [9; 8], SEQUENCE, b"none");
    moved[1..9].copy_from_slice(&keys.cid);
    assert_eq!(world.inject(address(5), &moved), failed);
    let stats = world.workers[worker].server.flow_stats(flow).unwrap();
    assert_eq!(stats.failed_opens, 2);
    world.run_for(1_000_000);
    assert!(world.is_nx(client));
}

#[test]
fn the_id_of_a_flow_that_ended_names_nothing_even_when_its_slot_has_a_new_owner() {
    let mut world = World::new(2);
    let (client, keys) = Keys::of_new_client(&mut world);
    let (_, flow) = world.flow(client);
    let clock = world.clock();
    world.clients[client].client.close_flow(clock, Client::FLOW);
    world.drain_client(client);
    world.run_for(200_000);
    assert!(world.find_flow(client).is_none());
    let datagram = keys.seal_up(8, keys.cid, SEQUENCE, b"late");
    let unknown = dropped(DropReason::CidUnknown);
    assert_eq!(world.inject(address(5), &datagram), unknown);
    let next = world.connect();
    assert_eq!(world.flow(next).1.slot, flow.slot);
    assert_eq!(world.inject(address(5), &datagram), unknown);
}

#[test]
fn after_a_move_the_client_gets_another_id_and_the_old_one_fades() {
    let mut world = World::new(3);
    let (client, keys) = Keys::of_new_client(&mut world);
    world.sent = Some(Vec::new());
    world.rebind(client, address(77));
    world.run_for(400_000);
    let sent = world.sent.take().unwrap();
    let up: Vec<_> = sent.iter().filter(|d| d.to == SERVER).collect();
    let id_of = |bytes: &[u8]| -> [u8; 8] { bytes[1..9].try_into().unwrap() };
    assert_eq!(id_of(&up[0].bytes), keys.cid);
    let new_cid = id_of(&up[up.len() - 1].bytes);
    assert_ne!(new_cid, keys.cid);
    // Worker and slot name the flow's place and stay.
    assert_eq!(new_cid[..4], keys.cid[..4]);
    let counters = world.workers[0].server.counters();
    assert_eq!((counters.migrations, counters.new_cids_out), (1, 1));
    let payload = |sequence| keys.seal_up(8, keys.cid, sequence, b"\xff\xff\xff\x01overtaken");
    let received = world.inject(address(77), &payload(SEQUENCE));
    assert!(matches!(received, Received::Payload { .. }), "{received:?}");
    world.traffic = false;
    world.run_for(3_000_000);
    let received = world.inject(address(77), &payload(SEQUENCE + 1));
    assert_eq!(received, dropped(DropReason::CidUnknown));
}

#[test]
fn a_new_id_repeats_until_the_client_uses_it() {
    let mut world = World::new(4);
    let client = world.connect();
    // Every NEW_CID is lost: four bytes longer than a challenge.
    world.filter = |datagram| datagram.kind() == 7 && datagram.bytes.len() > 30;
    world.rebind(client, address(77));
    world.run_for(3_000_000);
    assert_eq!(world.workers[0].server.counters().migrations, 1);
    let sent = world.workers[0].server.counters().new_cids_out;
    assert!((3..=6).contains(&sent), "{sent}");
    world.filter = |_| false;
    world.run_for(2_000_000);
    let counters = world.clients[client].client.counters();
    assert_eq!(counters.new_cids_in, 1);
    let settled = world.workers[0].server.counters().new_cids_out;
    world.run_for(5_000_000);
    assert_eq!(world.workers[0].server.counters().new_cids_out, settled);
    assert!(world.is_nx(client));
}

#[test]
fn an_older_new_cid_that_comes_late_brings_nothing_back() {
    let mut world = World::new(5);
    let (client, keys) = Keys::of_new_client(&mut world);
    for n in 0..2 {
        world.rebind(client, address(70 + n));
        world.run_for(2_000_000);
    }
    assert_eq!(world.clients[client].client.counters().new_cids_in, 2);
    // Number 1 once more, with another id, in a packet that is newer than all.
    let mut body = vec![4, 12, 1, 0, 0, 0];
    body.extend_from_slice(&[9; 8]);
    let late = keys.seal_down(7, 1 << 20, &body);
    assert_eq!(
        world.inject_client(client, SERVER, &late),
        Received::Consumed
    );
    world.run_for(2_000_000);
    assert_eq!(world.clients[client].client.counters().new_cids_in, 2);
    let counters = world.workers[0].server.counters();
    assert_eq!(counters.dropped(DropReason::CidUnknown), 0);
}
