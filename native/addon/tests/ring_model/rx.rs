//! Native writes the rx ring, JavaScript reads it; both sleep when they have nothing to do.

use std::sync::Arc;

use ggscale_transport_core::FlowId;
use loom::sync::Notify;
use loom::thread;

use crate::doorbell::Doorbell;
use crate::explore;
use crate::layout as l;
use crate::ring::{RxEntry, RxRing};
use crate::ring_memory::{plant, Fault, Shared, GEOMETRY};
use crate::script::{Entry, Rings, ScriptFault};

/// The third one needs the first descriptor again, and goes around the end of the arena.
const ENTRIES: i32 = 3;
const PAYLOAD_BYTES: usize = 24;

/// One way to run the scenario.
#[derive(Clone, Copy)]
struct Plan {
    script: ScriptFault,
    thread_looks_again: bool,
    payload_bytes: usize,
}

const CORRECT: Plan = Plan {
    script: ScriptFault::None,
    thread_looks_again: true,
    payload_bytes: PAYLOAD_BYTES,
};

fn entry(number: i32) -> RxEntry {
    RxEntry {
        kind: l::RX_PAYLOAD,
        flow: FlowId {
            slot: 1,
            generation: number as u32,
        },
        arrival_us: number,
        aux0: -number,
        aux1: 0,
    }
}

fn expected(number: i32, payload_bytes: usize) -> Entry {
    Entry {
        kind: l::RX_PAYLOAD,
        generation: number,
        arrival_us: number,
        aux0: -number,
        bytes: vec![number as u8; payload_bytes],
    }
}

/// The I/O thread: pushes while there is room, publishes each, sleeps for room.
fn produce(shared: &Arc<Shared>, script_eventfd: &Notify, own_eventfd: &Notify, plan: Plan) {
    let bell = Doorbell::new(shared.memory());
    let mut ring = RxRing::new(shared.memory(), &GEOMETRY);
    let payload = |number: i32| vec![number as u8; plan.payload_bytes];
    let mut number = 1;
    while number <= ENTRIES {
        ring.refresh();
        let mut news = 0;
        while number <= ENTRIES && ring.push(entry(number), &payload(number)) {
            number += 1;
            if ring.publish() {
                news |= l::NEWS_ENTRIES;
            }
        }
        if bell.must_ring(news) {
            script_eventfd.notify();
        }
        if number > ENTRIES {
            break;
        }
        let sleeps = bell.try_sleep(l::NEWS_ROOM, || {
            ring.refresh();
            plan.thread_looks_again && ring.waiting() < 2
        });
        if sleeps {
            own_eventfd.wait();
            bell.wake_up();
        }
    }
}

fn scenario(plan: Plan) {
    let shared = Shared::new();
    let script_eventfd = Arc::new(Notify::new());
    let thread_eventfd = Arc::new(Notify::new());
    let thread = {
        let (shared, script, own) = (
            Arc::clone(&shared),
            Arc::clone(&script_eventfd),
            Arc::clone(&thread_eventfd),
        );
        thread::spawn(move || produce(&shared, &script, &own, plan))
    };
    let mut rings = Rings::new(shared.memory(), GEOMETRY, plan.script);
    let mut next = 1;
    loop {
        rings.begin_turn();
        while let Some(entry) = rings.rx_poll() {
            assert_eq!(entry, expected(next, plan.payload_bytes));
            next += 1;
        }
        rings.rx_release();
        let sleeps = rings.flush(|| thread_eventfd.notify());
        if next > ENTRIES {
            break;
        }
        if sleeps {
            script_eventfd.wait();
        }
    }
    thread.join().unwrap();
}

fn with_script(script: ScriptFault) -> Plan {
    Plan { script, ..CORRECT }
}

#[test]
fn every_rx_entry_arrives_whole_and_no_wake_is_lost() {
    explore(|| scenario(CORRECT));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_javascript_sleeping_without_a_second_look() {
    explore(|| scenario(with_script(ScriptFault::NoSecondLook)));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_a_thread_waiting_for_room_without_a_second_look() {
    let thread_looks_again = false;
    explore(move || {
        scenario(Plan {
            thread_looks_again,
            ..CORRECT
        });
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_a_missing_fence_on_the_way_in() {
    plant(Fault::NoFences);
    explore(|| scenario(CORRECT));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_notices_bytes_shown_without_release() {
    plant(Fault::RelaxedStores);
    explore(|| scenario(CORRECT));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_notices_bytes_read_without_acquire() {
    plant(Fault::RelaxedLoads);
    explore(|| scenario(CORRECT));
}

#[test]
#[should_panic(expected = "left == right")]
fn the_model_notices_a_torn_descriptor() {
    plant(Fault::RelaxedLoads);
    let payload_bytes = 0;
    explore(move || {
        scenario(Plan {
            payload_bytes,
            ..CORRECT
        });
    });
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_notices_javascript_releasing_before_it_reads() {
    explore(|| scenario(with_script(ScriptFault::ReleaseBeforeRead)));
}
