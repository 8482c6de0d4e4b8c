//! JavaScript writes the tx ring, native seals in place, sends and gives back.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use crate::doorbell::Doorbell;
use crate::explore;
use crate::layout as l;
use crate::ring::TxRing;
use crate::ring_memory::{plant, Fault, Shared, GEOMETRY};
use crate::script::{Rings, ScriptFault};

/// The third one needs the first descriptor again, and goes around the end of the arena.
const ENTRIES: i32 = 3;
const PAYLOAD_BYTES: u32 = 8;

/// What a canary breaks in the thread's own order of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ThreadFault {
    None,
    NoSecondLook,
    ReleaseBeforeSend,
}

/// The I/O thread: takes what there is, seals in place, sends, gives back, sleeps for more.
fn consume(
    shared: &Arc<Shared>,
    script_eventfd: &Notify,
    own_eventfd: &Notify,
    fault: ThreadFault,
) {
    let bell = Doorbell::new(shared.memory());
    let mut ring = TxRing::new(shared.memory(), &GEOMETRY);
    let mut next = 1;
    while next <= ENTRIES {
        ring.refresh();
        let mut news = 0;
        while let Some((entry, release)) = ring.take() {
            assert_eq!(
                (entry.kind, entry.flow.generation),
                (l::TX_PAYLOAD, next as u32)
            );
            assert_eq!(entry.flow.slot as i32, -next);
            if fault == ThreadFault::ReleaseBeforeSend {
                ring.release_to(release);
                ring.publish();
                news |= l::NEWS_ROOM;
            }
            let (window, start) = ring.window(&entry).unwrap();
            let length = window.len();
            let (payload, _) = window[l::HEADROOM_BYTES..].split_at_mut(PAYLOAD_BYTES as usize);
            assert!(payload.iter().all(|byte| *byte == next as u8));
            window.fill(!(next as u8)); // sealed
            assert!(ring
                .bytes(start, length)
                .iter()
                .all(|byte| *byte == !(next as u8)));
            ring.release_to(release);
            if ring.publish() {
                news |= l::NEWS_ROOM;
            }
            next += 1;
        }
        if bell.must_ring(news) {
            script_eventfd.notify();
        }
        if next > ENTRIES {
            break;
        }
        let sleeps = bell.try_sleep(l::NEWS_ENTRIES, || {
            ring.refresh();
            fault != ThreadFault::NoSecondLook && ring.has_more()
        });
        if sleeps {
            own_eventfd.wait();
            bell.wake_up();
        }
    }
}

fn scenario(fault: ScriptFault, thread_fault: ThreadFault) {
    let shared = Shared::new();
    let script_eventfd = Arc::new(Notify::new());
    let thread_eventfd = Arc::new(Notify::new());
    let thread = {
        let (shared, script, own) = (
            Arc::clone(&shared),
            Arc::clone(&script_eventfd),
            Arc::clone(&thread_eventfd),
        );
        thread::spawn(move || consume(&shared, &script, &own, thread_fault))
    };
    let mut rings = Rings::new(shared.memory(), GEOMETRY, fault);
    let mut next = 1;
    loop {
        rings.begin_turn();
        while next <= ENTRIES && rings.tx_write(next, PAYLOAD_BYTES) {
            next += 1;
        }
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

#[test]
fn every_tx_entry_is_sent_whole_and_no_wake_is_lost() {
    explore(|| scenario(ScriptFault::None, ThreadFault::None));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_javascript_waiting_for_room_without_a_second_look() {
    explore(|| scenario(ScriptFault::NoSecondLook, ThreadFault::None));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_javascript_ringing_before_it_publishes() {
    explore(|| scenario(ScriptFault::RingBeforePublish, ThreadFault::None));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_a_thread_that_does_not_look_for_entries_again() {
    explore(|| scenario(ScriptFault::None, ThreadFault::NoSecondLook));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_model_notices_a_missing_fence_on_the_way_out() {
    plant(Fault::NoFences);
    explore(|| scenario(ScriptFault::None, ThreadFault::None));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn the_model_notices_a_thread_that_gives_bytes_back_before_it_sent_them() {
    explore(|| scenario(ScriptFault::None, ThreadFault::ReleaseBeforeSend));
}
