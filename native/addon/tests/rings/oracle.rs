//! Random operations of both sides against lists. Where the counters begin is part of the case, so that
//! positions go across 2^31 and 2^32 and the arenas around their ends.

use std::collections::VecDeque;
use std::ops::Range;

use ggscale_transport_core::FlowId;

use crate::layout as l;
use crate::ring::{RxEntry, RxRing, TxRing};
use crate::ring_geometry::Geometry;
use crate::ring_memory::Memory;
use crate::script::{Rings, ScriptFault};
use crate::{geometry, SplitMix};

const STEPS: u64 = if cfg!(miri) { 200 } else { 20_000 };
const LENGTH_MAX: u64 = 150;

/// Bytes of an arena that one side lent to the other, oldest first.
#[derive(Default)]
struct Lent(VecDeque<Range<usize>>);

impl Lent {
    fn lend(&mut self, bytes: Range<usize>, arena: Range<usize>) {
        assert!(arena.start <= bytes.start && bytes.end <= arena.end);
        let is_free = |held: &Range<usize>| held.end <= bytes.start || bytes.end <= held.start;
        assert!(self.0.iter().all(is_free), "{bytes:?} is still in use");
        self.0.push_back(bytes);
    }
}

struct World {
    random: SplitMix,
    geometry: Geometry,
    memory: Memory,
    script: Rings,
    rx: RxRing,
    tx: TxRing,
    rx_model: VecDeque<(i32, usize)>,
    tx_model: VecDeque<(i32, usize)>,
    rx_lent: Lent,
    tx_lent: Lent,
    rx_unpublished: usize,
    tx_unpublished: usize,
    /// Taken by the thread and not given back.
    tx_taken: VecDeque<u32>,
    next: i32,
}

impl World {
    fn new(seed: u64, first: u32, words: &mut [u64]) -> Self {
        let geometry = geometry(8, 512);
        // SAFETY: the caller keeps the words longer than this world.
        let memory = unsafe { Memory::new(words.as_mut_ptr().cast(), words.len() * 8) }.unwrap();
        for index in [l::I_RX_HEAD, l::I_RX_TAIL, l::I_TX_HEAD, l::I_TX_TAIL] {
            memory.store(index, first as i32);
        }
        Self {
            random: SplitMix(seed),
            geometry,
            memory,
            script: Rings::new(memory, geometry, ScriptFault::None),
            rx: RxRing::new(memory, &geometry),
            tx: TxRing::new(memory, &geometry),
            rx_model: VecDeque::new(),
            tx_model: VecDeque::new(),
            rx_lent: Lent::default(),
            tx_lent: Lent::default(),
            rx_unpublished: 0,
            tx_unpublished: 0,
            tx_taken: VecDeque::new(),
            next: 1,
        }
    }

    fn word(&self, descriptors: usize, position: u32, field: usize) -> i32 {
        let slot = position as usize & (self.geometry.rx_capacity - 1);
        self.memory
            .load(descriptors / 4 + slot * l::DESCRIPTOR_INTS + field)
    }

    fn push(&mut self) {
        let length = self.random.below(LENGTH_MAX) as usize;
        let number = self.next;
        let entry = RxEntry {
            kind: l::RX_PAYLOAD,
            flow: FlowId {
                slot: 0,
                generation: number as u32,
            },
            arrival_us: number,
            aux0: -number,
            aux1: 0,
        };
        self.rx.refresh();
        let promised = self.rx.has_room(1, length as u32);
        let position = self.rx.pushed();
        let fits = self.rx.push(entry, &vec![number as u8; length]);
        assert!(fits || !promised, "room was promised");
        assert!(
            fits || self.rx.waiting() > 0,
            "an empty ring takes anything"
        );
        if fits {
            self.next += 1;
            let start = self.word(self.geometry.rx_descriptors, position, l::D_OFFSET) as usize;
            let arena = self.geometry.rx_arena..self.geometry.tx_arena;
            self.rx_lent.lend(start..start + length, arena);
            self.rx_model.push_back((number, length));
            self.rx_unpublished += 1;
        }
    }

    fn poll(&mut self) {
        self.script.acquire_rx();
        let ready = self.rx_model.len() - self.rx_unpublished;
        let count = self.random.below(ready as u64 + 1);
        for _ in 0..count {
            let (number, length) = self.rx_model.pop_front().unwrap();
            let entry = self.script.rx_poll().unwrap();
            assert_eq!((entry.generation, entry.aux0), (number, -number));
            assert_eq!(entry.bytes, vec![number as u8; length]);
        }
        if count as usize == ready {
            assert_eq!(self.script.rx_poll(), None);
        }
        self.script.rx_release();
        self.rx_lent.0.drain(..count as usize);
    }

    fn write(&mut self) {
        let length = self.random.below(LENGTH_MAX) as u32;
        let number = self.next;
        self.script.reclaim_tx();
        let position = self.script.committed();
        let fits = self.script.tx_write(number, length);
        assert!(
            fits || !self.tx_lent.0.is_empty(),
            "an empty ring takes anything"
        );
        if fits {
            self.next += 1;
            let offset = self.word(self.geometry.tx_descriptors, position, l::D_OFFSET) as usize;
            let start = offset - l::HEADROOM_BYTES;
            let end = offset + length as usize + l::TAG_BYTES;
            let arena = self.geometry.tx_arena..self.memory.bytes();
            self.tx_lent.lend(start..end, arena);
            self.tx_model.push_back((number, length as usize));
            self.tx_unpublished += 1;
        }
    }

    fn take(&mut self) {
        self.tx.refresh();
        let ready = self.tx_model.len() - self.tx_unpublished;
        let count = self.random.below(ready as u64 + 1);
        for _ in 0..count {
            let (number, length) = self.tx_model.pop_front().unwrap();
            let (entry, release) = self.tx.take().unwrap();
            assert_eq!(entry.flow.generation as i32, number);
            let (window, start) = self.tx.window(&entry).unwrap();
            let (_, payload) = window.split_at_mut(l::HEADROOM_BYTES);
            assert_eq!(payload[..length], vec![number as u8; length]);
            window.fill(0xee);
            let total = l::HEADROOM_BYTES + length + l::TAG_BYTES;
            assert_eq!(self.tx.bytes(start, total), vec![0xee; total]);
            self.tx_taken.push_back(release);
        }
        assert_eq!(self.tx.has_more(), (count as usize) < ready);
    }

    fn release(&mut self) {
        let count = self.random.below(self.tx_taken.len() as u64 + 1) as usize;
        if let Some(position) = self.tx_taken.drain(..count).next_back() {
            self.tx.release_to(position);
        }
        assert_eq!(self.tx.publish(), count > 0);
        // Only now may JavaScript see it.
        self.tx_lent.0.drain(..count);
    }

    fn step(&mut self) {
        match self.random.below(8) {
            0 | 1 => self.push(),
            2 => {
                assert_eq!(self.rx.publish(), self.rx_unpublished > 0);
                self.rx_unpublished = 0;
            }
            3 => self.poll(),
            4 | 5 => self.write(),
            6 => {
                self.script.publish_tx();
                self.tx_unpublished = 0;
                self.take();
            }
            _ => self.release(),
        }
        self.rx.check_invariants();
        self.tx.check_invariants();
    }
}

#[test]
fn both_rings_agree_with_a_list_wherever_their_counters_begin() {
    let last = 0u32.wrapping_sub(1);
    for (seed, first) in [0, 1, last - 40, last, (1 << 31) - 20, 1 << 31]
        .into_iter()
        .enumerate()
    {
        let mut words = vec![0u64; geometry(8, 512).tx_arena / 8 + 512 / 8];
        let mut world = World::new(seed as u64, first, &mut words);
        for _ in 0..STEPS {
            world.step();
        }
        assert!(
            u64::from(world.next as u32) > STEPS / 10,
            "{first}: {}",
            world.next
        );
        let bad = world.rx.take_bad_positions() + world.tx.take_bad_positions();
        assert_eq!(bad, 0);
        drop(words);
    }
}
