//! Both rings between two real threads, with bursts of any size, full rings and real sleeps. The I/O
//! thread's part is the production code. A wake is `unpark`, sticky as an eventfd; a lost one shows as
//! a test that does not end.
//!
//! Every payload goes to the thread and comes back; content, order and number are checked at each end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};

use crate::doorbell::Doorbell;
use crate::layout as l;
use crate::ring::{RxEntry, RxRing, TxEntry, TxRing};
use crate::ring_geometry::Geometry;
use crate::ring_memory::Memory;
use crate::script::{Rings, ScriptFault};
use crate::{geometry, SplitMix};

/// About a second on two CPUs; a checker that is a hundred times slower asks for fewer.
const PAYLOADS: i32 = if cfg!(miri) { 300 } else { 300_000 };
const VARIABLE: &str = "GGSCALE_RING_PAYLOADS";
const LENGTH_MAX: u32 = 150;

fn payloads() -> i32 {
    let asked = std::env::var(VARIABLE).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(PAYLOADS)
}

/// The length of payload `number`, the same for whoever asks.
fn length_of(number: i32) -> u32 {
    1 + (number as u32).wrapping_mul(2_654_435_761) % LENGTH_MAX
}

/// A side that fails ends the other one too, which may sleep.
struct Alarm<'a> {
    rung: &'a AtomicBool,
    other: Thread,
}

impl Alarm<'_> {
    fn park(&self) {
        thread::park();
        assert!(!self.rung.load(Ordering::SeqCst), "the other side failed");
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.rung.store(true, Ordering::SeqCst);
            self.other.unpark();
        }
    }
}

/// Sends every payload back, in whatever pieces the rings allow.
fn answer(memory: Memory, geometry: &Geometry, total: i32, script: &Alarm<'_>) {
    let bell = Doorbell::new(memory);
    let mut rx = RxRing::new(memory, geometry);
    let mut tx = TxRing::new(memory, geometry);
    let mut answered = 0;
    let mut stuck: Option<(TxEntry, u32)> = None;
    while answered < total {
        tx.refresh();
        rx.refresh();
        while let Some((entry, release)) = stuck.take().or_else(|| tx.take()) {
            let number = answered + 1;
            assert_eq!(entry.flow.generation as i32, number);
            assert_eq!(entry.length as u32, length_of(number));
            let (window, _) = tx.window(&entry).unwrap();
            let length = entry.length as usize;
            let (_, rest) = window.split_at_mut(l::HEADROOM_BYTES);
            let (payload, tag) = rest.split_at_mut(length);
            assert!(payload.iter().all(|byte| *byte == number as u8));
            tag.fill(0xee);
            let back = RxEntry {
                kind: l::RX_PAYLOAD,
                flow: entry.flow,
                arrival_us: number,
                aux0: -number,
                aux1: 0,
            };
            if !rx.push(back, payload) {
                stuck = Some((entry, release));
                break;
            }
            tx.release_to(release);
            answered += 1;
        }
        let published = rx.publish();
        let released = tx.publish();
        rx.check_invariants();
        tx.check_invariants();
        let news = (i32::from(published) * l::NEWS_ENTRIES) | (i32::from(released) * l::NEWS_ROOM);
        if bell.must_ring(news) {
            script.other.unpark();
        }
        let waiting = rx.waiting();
        let wants = l::NEWS_ENTRIES | (i32::from(stuck.is_some()) * l::NEWS_ROOM);
        let sleeps = answered < total
            && bell.try_sleep(wants, || {
                tx.refresh();
                rx.refresh();
                (stuck.is_none() && tx.has_more()) || (stuck.is_some() && rx.waiting() < waiting)
            });
        if sleeps {
            script.park();
            bell.wake_up();
        }
    }
    assert_eq!(rx.take_bad_positions() + tx.take_bad_positions(), 0);
}

#[test]
fn every_payload_between_two_threads_comes_back_once_whole_and_in_order() {
    let geometry = geometry(8, 512);
    let total = payloads();
    let mut words = vec![0u64; (geometry.tx_arena + geometry.tx_arena_bytes) / 8];
    // SAFETY: the words live until the thread has ended.
    let memory = unsafe { Memory::new(words.as_mut_ptr().cast(), words.len() * 8) }.unwrap();
    let mut rings = Rings::new(memory, geometry, ScriptFault::None);
    let mut random = SplitMix(1);
    let rung = AtomicBool::new(false);
    let mut sleeps = 0;
    thread::scope(|scope| {
        let (me, rung) = (thread::current(), &rung);
        let thread = scope.spawn(move || {
            let script = Alarm { rung, other: me };
            answer(memory, &geometry, total, &script);
        });
        let other = Alarm {
            rung,
            other: thread.thread().clone(),
        };
        let (mut sent, mut back) = (0, 0);
        loop {
            rings.begin_turn();
            while let Some(entry) = rings.rx_poll() {
                back += 1;
                assert_eq!((entry.generation, entry.arrival_us), (back, back));
                assert_eq!(entry.aux0, -back);
                assert_eq!(entry.bytes, vec![back as u8; length_of(back) as usize]);
            }
            rings.rx_release();
            let mut burst = random.below(12);
            let mut is_full = false;
            while sent < total && burst > 0 && !is_full {
                is_full = !rings.tx_write(sent + 1, length_of(sent + 1));
                sent += i32::from(!is_full);
                burst -= 1;
            }
            let may_sleep = rings.flush(|| other.other.unpark());
            if back == total {
                break;
            }
            if may_sleep && (sent == total || is_full) {
                sleeps += 1;
                other.park();
            }
        }
    });
    println!("{total} payloads, JavaScript slept {sleeps} times");
    assert!(sleeps > 0, "nothing was proved about waking");
    drop(words);
}
