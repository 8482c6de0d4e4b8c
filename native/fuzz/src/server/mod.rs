//! A server among clients of its own make, over a network that the input plays.
//!
//! Input: `u8 flags` (bit 0: NX off, else bit 1: required; bit 2: development; bit 3: two flows only;
//! bits 4–5: NX of the clients; bit 6: tight admission; bit 7: tokens live 29 s at most), then steps, each `u8 step`: its low four bits say what, the high four by
//! whom. Clients, forgers and replays use real keys, so that the fuzzer stands behind the AEAD; what must
//! hold is in `network.rs`.

mod forge;
mod network;
mod tokens;
mod world;

use ggscale_transport_core::COUNTER_NAMES;
use world::World;

use crate::input::Input;

/// More would only be slower.
const STEPS: usize = 48;

pub fn run(data: &[u8]) {
    play(data);
}

/// The counters of the server that are not zero after this input: how deep it led.
#[must_use]
pub fn reached(data: &[u8]) -> Vec<&'static str> {
    let world = play(data);
    let counters = world.server.counters().clone();
    let values = COUNTER_NAMES.into_iter().zip(counters.values());
    values
        .filter_map(|(name, value)| (value > 0).then_some(name))
        .collect()
}

fn play(data: &[u8]) -> World {
    let mut input = Input::new(data);
    let mut world = World::new(input.u8());
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut world, &mut input);
        world.check();
    }
    world
}

fn step(world: &mut World, input: &mut Input) {
    let code = input.u8();
    let who = usize::from(code >> 4);
    match code & 15 {
        0 => world.dial(who),
        1 => world.dial_and_connect(who),
        2 => world.client_payload(who, usize::from(input.u8())),
        3 => world.server_payload(who, usize::from(input.u8())),
        4 => world.pass(u64::from(input.u8()) * 1_000),
        5 => world.pass(u64::from(input.u8()) * 100_000),
        6 => world.replay(usize::from(input.u8()), who),
        7 => {
            let which = usize::from(input.u8());
            let from_end = usize::from(input.u16());
            world.alter(which, from_end, input.u8().max(1), who);
        }
        8 => {
            let (kind, ahead) = (input.u8(), input.u8());
            let length = usize::from(input.u8());
            world.forge(who, kind, ahead, input.take(length));
        }
        9 => {
            let kind = input.u8();
            let length = usize::from(input.u8());
            world.say_anything(who, kind, input.take(length));
        }
        10 => world.patched_request(who, input),
        11 => {
            let length = usize::from(input.u8());
            world.raw(who, input.take(length));
        }
        12 => world.close_client(who),
        13 => world.close_flow(who),
        14 => world.move_client(who, usize::from(input.u8())),
        _ if who < 8 => world.lose(who),
        _ => world.admit(who),
    }
}
