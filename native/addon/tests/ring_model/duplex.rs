//! Both rings and both bells at once: JavaScript sends, the thread answers each payload.

use std::sync::Arc;

use loom::sync::Notify;
use loom::thread;

use crate::doorbell::Doorbell;
use crate::explore_up_to;
use crate::layout as l;
use crate::ring::{RxEntry, RxRing, TxRing};
use crate::ring_memory::{Shared, GEOMETRY};
use crate::script::{Rings, ScriptFault};

const PAYLOADS: i32 = 2;
const PAYLOAD_BYTES: u32 = 8;

fn answer(shared: &Arc<Shared>, script_eventfd: &Notify, own_eventfd: &Notify) {
    let bell = Doorbell::new(shared.memory());
    let mut rx = RxRing::new(shared.memory(), &GEOMETRY);
    let mut tx = TxRing::new(shared.memory(), &GEOMETRY);
    let mut answered = 0;
    while answered < PAYLOADS {
        tx.refresh();
        rx.refresh();
        let mut news = 0;
        while let Some((entry, release)) = tx.take() {
            let (window, _) = tx.window(&entry).unwrap();
            let payload = window[l::HEADROOM_BYTES..][..PAYLOAD_BYTES as usize].to_vec();
            let entry = RxEntry {
                kind: l::RX_PAYLOAD,
                flow: entry.flow,
                arrival_us: 0,
                aux0: 0,
                aux1: 0,
            };
            assert!(rx.push(entry, &payload), "both fit");
            tx.release_to(release);
            answered += 1;
        }
        if rx.publish() {
            news |= l::NEWS_ENTRIES;
        }
        if tx.publish() {
            news |= l::NEWS_ROOM;
        }
        if bell.must_ring(news) {
            script_eventfd.notify();
        }
        let sleeps = answered < PAYLOADS
            && bell.try_sleep(l::NEWS_ENTRIES | l::NEWS_ROOM, || {
                tx.refresh();
                rx.refresh();
                tx.has_more()
            });
        if sleeps {
            own_eventfd.wait();
            bell.wake_up();
        }
    }
}

#[test]
fn every_payload_is_answered_and_neither_side_sleeps_for_ever() {
    explore_up_to(2, || {
        let shared = Shared::new();
        let script_eventfd = Arc::new(Notify::new());
        let thread_eventfd = Arc::new(Notify::new());
        let thread = {
            let (shared, script, own) = (
                Arc::clone(&shared),
                Arc::clone(&script_eventfd),
                Arc::clone(&thread_eventfd),
            );
            thread::spawn(move || answer(&shared, &script, &own))
        };
        let mut rings = Rings::new(shared.memory(), GEOMETRY, ScriptFault::None);
        let (mut sent, mut answered) = (0, 0);
        loop {
            rings.begin_turn();
            while let Some(entry) = rings.rx_poll() {
                answered += 1;
                assert_eq!(entry.generation, answered);
                assert_eq!(entry.bytes, [answered as u8; PAYLOAD_BYTES as usize]);
            }
            rings.rx_release();
            // One in each turn: the thread may be anywhere when the next one comes.
            if sent < PAYLOADS && rings.tx_write(sent + 1, PAYLOAD_BYTES) {
                sent += 1;
            }
            let sleeps = rings.flush(|| thread_eventfd.notify());
            if answered == PAYLOADS {
                break;
            }
            if sleeps && sent == PAYLOADS {
                script_eventfd.wait();
            }
        }
        thread.join().unwrap();
    });
}
