//! A JavaScript that writes any value into any word at any time. The native side must not panic, and
//! must stay inside: everything outside the parts that it owns keeps its bytes. (Reads outside the
//! memory are what AddressSanitizer and Miri look for, docs/TESTING.md.)

use ggscale_transport_core::FlowId;

use crate::doorbell::Doorbell;
use crate::layout as l;
use crate::ring::{RxEntry, RxRing, TxRing};
use crate::ring_memory::Memory;
use crate::{geometry, SplitMix};

const STEPS: u64 = if cfg!(miri) { 300 } else { 20_000 };

/// Values that are likely to be just wrong.
fn any_value(random: &mut SplitMix, current: i32, bytes: usize) -> i32 {
    let near = random.below(17) as i32 - 8;
    match random.below(8) {
        0 => current.wrapping_add(near),
        1 => near,
        2 => i32::MIN.wrapping_add(near),
        3 => bytes as i32 + near,
        4 => geometry(8, 512).tx_arena as i32 + near * 8,
        5 => random.below(bytes as u64) as i32,
        _ => random.next_u64() as i32,
    }
}

/// Mostly counters that can be, so that the rings go on; everything else may be anything.
fn scribble(random: &mut SplitMix, memory: Memory, rx: &RxRing, tx: &TxRing) {
    let geometry = geometry(8, 512);
    let given = tx.released().wrapping_add(random.below(9) as u32);
    memory.store(l::I_TX_TAIL, given as i32);
    memory.store(l::I_RX_HEAD, rx.pushed() as i32);
    for slot in 0..8 {
        let at = geometry.tx_descriptors / 4 + slot * l::DESCRIPTOR_INTS;
        let offset = geometry.tx_arena + random.below(560) as usize;
        memory.store(at + l::D_OFFSET, offset as i32);
        memory.store(at + l::D_LENGTH, random.below(560) as i32);
    }
    for _ in 0..random.below(16) {
        let index = random.below(geometry.rx_arena as u64 / 4) as usize;
        let value = any_value(random, memory.load(index), memory.bytes());
        memory.store(index, value);
    }
    for index in [l::I_RX_HEAD, l::I_TX_TAIL] {
        if random.below(4) == 0 {
            let value = any_value(random, memory.load(index), memory.bytes());
            memory.store(index, value);
        }
    }
}

#[test]
fn no_word_that_javascript_writes_makes_the_native_side_panic_or_leave_its_parts() {
    let (mut bad, mut windows, mut refused) = (0, 0, 0);
    for seed in 0..4 {
        let mut random = SplitMix(seed);
        let geometry = geometry(8, 512);
        let mut words = vec![0u64; geometry.tx_arena / 8 + 512 / 8];
        // SAFETY: the words live longer than the rings.
        let memory = unsafe { Memory::new(words.as_mut_ptr().cast(), words.len() * 8) }.unwrap();
        let bell = Doorbell::new(memory);
        let mut rx = RxRing::new(memory, &geometry);
        let mut tx = TxRing::new(memory, &geometry);
        let flow = FlowId {
            slot: 0,
            generation: 1,
        };
        for _ in 0..STEPS {
            scribble(&mut random, memory, &rx, &tx);
            rx.refresh();
            tx.refresh();
            let entry = RxEntry {
                kind: l::RX_PAYLOAD,
                flow,
                arrival_us: 0,
                aux0: 0,
                aux1: 0,
            };
            rx.push(entry, &[0xaa; 100][..random.below(100) as usize]);
            while let Some((entry, release)) = tx.take() {
                match tx.window(&entry) {
                    Some((window, start)) => {
                        let length = window.len();
                        assert!(start >= geometry.tx_arena && start + length <= memory.bytes());
                        window.fill(0xbb);
                        assert_eq!(tx.bytes(start, length).len(), length);
                        windows += 1;
                    }
                    None => refused += 1,
                }
                tx.release_to(release);
            }
            let news = i32::from(rx.publish()) | i32::from(tx.publish());
            bell.must_ring(news);
            bell.try_sleep(l::NEWS_ENTRIES, || tx.has_more());
            bell.wake_up();
            rx.check_invariants();
            tx.check_invariants();
        }
        bad += rx.take_bad_positions() + tx.take_bad_positions();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let (rx_arena, tx_arena) = bytes[geometry.rx_arena..].split_at(512);
        assert!(rx_arena.iter().all(|byte| [0, 0xaa].contains(byte)));
        assert!(tx_arena.iter().all(|byte| [0, 0xbb].contains(byte)));
    }
    println!("{bad} bad positions, {windows} windows, {refused} refused");
    assert!(bad > 100 && windows > 100 && refused > 100);
}
