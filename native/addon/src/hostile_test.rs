//! Whole endpoints whose JavaScript writes nonsense into the ring memory between any two calls.

use ggscale_transport_core::{FlowId, Random};

use crate::counters::Counter;
use crate::fault_world::{Side, World};
use crate::layout as l;
use crate::ring::Memory;
use crate::schedule::Schedule;

const STEPS: u32 = 3_000;

/// Values that are likely to be just wrong.
fn any_value(random: &mut Random, current: i32, bytes: usize) -> i32 {
    let draw = random.next_u64();
    let near = (draw >> 32) as i32 % 9;
    match draw % 6 {
        0 => current.wrapping_add(near),
        1 => near,
        2 => i32::MIN.wrapping_add(near),
        3 => bytes as i32 + near,
        4 => (draw >> 33) as i32 % bytes as i32,
        _ => (draw >> 32) as i32,
    }
}

/// Any word outside the arenas, most often those that are read in every turn.
fn scribble(random: &mut Random, memory: Memory, words: usize) {
    const HOT: [usize; 6] = [
        l::I_RX_HEAD,
        l::I_TX_TAIL,
        l::I_DEADLINE_US,
        l::I_DEADLINE_ARMED,
        l::I_RX_SLEEPING,
        l::I_TX_SLEEPING,
    ];
    for _ in 0..random.next_u64() % 40 {
        let draw = random.next_u64() as usize;
        let index = if draw.is_multiple_of(8) {
            HOT[(draw >> 8) % HOT.len()]
        } else {
            (draw >> 8) % words
        };
        let value = any_value(random, memory.load(index), memory.bytes());
        memory.store(index, value);
    }
}

/// A script that knows how the rings stand: it takes everything, and offers up to eight entries.
fn behave(random: &mut Random, side: &mut Side, flow: FlowId) {
    let (pushed, taken) = side.endpoint.positions();
    side.memory.memory.store(l::I_RX_HEAD, pushed as i32);
    let count = random.next_u64() as u32 % 9;
    side.tx_tail = taken;
    for number in 0..count {
        let kind =
            [l::TX_PAYLOAD, l::TX_PAYLOAD, l::TX_PAYLOAD, 77][random.next_u64() as usize % 4];
        side.commit(kind, flow, &[number as u8; 40]);
    }
}

#[test]
fn an_endpoint_survives_a_javascript_that_writes_nonsense_into_every_word() {
    let mut random = Random::from_number(11);
    let mut world = World::new();
    let flow = world.client_flow;
    let mut arrived = 0;
    for _ in 0..STEPS {
        world.step();
        let side = &mut world.client;
        let memory = side.memory.memory;
        let words = side.memory.geometry.rx_arena / 4;
        let now_ns = side.endpoint.mono_ns();
        let mut schedule = Schedule::new(memory, now_ns, 1_000.0, 0);
        behave(&mut random, side, flow);
        scribble(&mut random, memory, words);
        side.endpoint.drain();
        schedule.begin_turn(now_ns + 5_000_000);
        schedule.next(now_ns);
        schedule.due(now_ns);
        side.endpoint.check_invariants();
        side.endpoint.flush();
        scribble(&mut random, memory, words);
        side.endpoint.service();
        side.endpoint.waiting();
        side.endpoint.check_invariants();
        let entries = world.server.turn();
        arrived += entries.iter().filter(|it| it.kind == l::RX_PAYLOAD).count();
    }
    world.client.endpoint.finish();
    let client = &world.client;
    let bad = client.count(Counter::RingBadPosition);
    let refused = client.count(Counter::TxBadDescriptor);
    let stale = client.count(Counter::TxStale);
    println!("{arrived} arrived, {bad} bad positions, {refused} refused, {stale} stale");
    assert!(arrived > 100 && bad > 100 && refused > 100 && stale > 10);
}
