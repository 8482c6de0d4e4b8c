//! The rings against a simple model, with random operations.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use ggscale_transport_core::{FlowId, Random};

use crate::doorbell::Doorbell;
use crate::layout as l;
use crate::ring::{Geometry, Memory, RxEntry, RxRing, TxRing};

/// A ring memory as `ring-memory.ts` makes it, kept alive beside its view.
pub struct TestMemory {
    words: Vec<u64>,
    pub memory: Memory,
    pub geometry: Geometry,
}

impl TestMemory {
    pub fn new(rx_capacity: usize, tx_capacity: usize, arena_bytes: usize) -> Self {
        let line = |n: usize| n.div_ceil(64) * 64;
        let rx_descriptors = line(l::CONTROL_BYTES);
        let tx_descriptors = line(rx_descriptors + rx_capacity * l::DESCRIPTOR_BYTES);
        let rx_arena = line(tx_descriptors + tx_capacity * l::DESCRIPTOR_BYTES);
        let tx_arena = line(rx_arena + arena_bytes);
        let total = tx_arena + arena_bytes;
        let mut words = vec![0u64; total / 8];
        // SAFETY: the words live beside their view.
        let memory = unsafe { Memory::new(words.as_mut_ptr().cast(), total) }.unwrap();
        let fields = [
            (l::I_MAGIC, l::MAGIC as usize),
            (l::I_LAYOUT_VERSION, l::LAYOUT_VERSION as usize),
            (l::I_RX_CAPACITY, rx_capacity),
            (l::I_TX_CAPACITY, tx_capacity),
            (l::I_RX_DESCRIPTORS, rx_descriptors),
            (l::I_TX_DESCRIPTORS, tx_descriptors),
            (l::I_RX_ARENA, rx_arena),
            (l::I_RX_ARENA_BYTES, arena_bytes),
            (l::I_TX_ARENA, tx_arena),
            (l::I_TX_ARENA_BYTES, arena_bytes),
        ];
        for (index, value) in fields {
            memory.store(index, value as i32);
        }
        let geometry = Geometry::read(&memory).unwrap();
        Self {
            words,
            memory,
            geometry,
        }
    }

    pub fn int(&self, index: usize) -> i32 {
        self.memory.load(index)
    }

    /// One field of a descriptor, as JavaScript reads it.
    pub fn field(&self, descriptors: usize, slot: usize, field: usize) -> i32 {
        self.int(descriptors / 4 + slot * l::DESCRIPTOR_INTS + field)
    }

    pub fn set_field(&self, descriptors: usize, slot: usize, field: usize, value: i32) {
        self.memory
            .store(descriptors / 4 + slot * l::DESCRIPTOR_INTS + field, value);
    }

    pub fn bytes(&self, offset: usize, length: usize) -> Vec<u8> {
        std::sync::atomic::fence(Ordering::SeqCst);
        let base: *const u8 = self.words.as_ptr().cast();
        assert!(offset + length <= self.words.len() * 8);
        // SAFETY: inside by the assertion; one thread.
        unsafe { std::slice::from_raw_parts(base.add(offset), length) }.to_vec()
    }

    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        let base: *mut u8 = self.words.as_mut_ptr().cast();
        assert!(offset + bytes.len() <= self.words.len() * 8);
        // SAFETY: as above, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(base.add(offset), bytes.len()) }
            .copy_from_slice(bytes);
    }
}

const FLOW: FlowId = FlowId {
    slot: 3,
    generation: 9,
};

fn entry(number: i32) -> RxEntry {
    RxEntry {
        kind: l::RX_PAYLOAD,
        flow: FLOW,
        arrival_us: number,
        aux0: -number,
        aux1: 7,
    }
}

#[test]
fn the_rx_ring_gives_every_entry_once_in_order_and_whole() {
    for seed in 0..20 {
        let memory = TestMemory::new(32, 32, 16 * 1024);
        let mut ring = RxRing::new(memory.memory, &memory.geometry);
        let mut random = Random::from_number(seed);
        let mut model: VecDeque<(i32, Vec<u8>)> = VecDeque::new();
        let mut head = 0u32;
        let mut pushed = 0;
        for _ in 0..4_000 {
            let draw = random.next_u64();
            if !draw.is_multiple_of(3) {
                let length = (draw >> 8) as usize % 1300;
                let payload = random_bytes(&mut random, length);
                let had_room = ring.has_room(1, length as u32);
                let done = ring.push(entry(pushed), &payload);
                assert!(done || !had_room, "room was promised");
                if done {
                    model.push_back((pushed, payload));
                    pushed += 1;
                }
            } else {
                ring.publish();
                let tail = memory.int(l::I_RX_TAIL) as u32;
                let count = tail.wrapping_sub(head) as u64;
                let take = if count == 0 {
                    0
                } else {
                    (draw >> 8) % (count + 1)
                };
                for _ in 0..take {
                    let (number, payload) = model.pop_front().unwrap();
                    let slot = head as usize % 32;
                    let field = |at| memory.field(memory.geometry.rx_descriptors, slot, at);
                    assert_eq!(field(l::D_ARRIVAL_US), number);
                    assert_eq!(field(l::D_AUX0), -number);
                    assert_eq!(field(l::D_SLOT), 3);
                    assert_eq!(field(l::D_GENERATION), 9);
                    let offset = field(l::D_OFFSET) as usize;
                    let length = field(l::D_LENGTH) as usize;
                    let arena = memory.geometry.rx_arena;
                    assert!(offset >= arena && offset + length <= arena + 16 * 1024);
                    assert_eq!(memory.bytes(offset, length), payload);
                    head = head.wrapping_add(1);
                }
                memory.memory.store(l::I_RX_HEAD, head as i32);
                ring.refresh();
            }
            ring.check_invariants();
        }
        assert!(pushed > 500);
    }
}

#[test]
fn a_head_that_javascript_cannot_have_meant_changes_nothing() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let mut ring = RxRing::new(memory.memory, &memory.geometry);
    assert!(ring.push(entry(1), &[1; 10]));
    memory.memory.store(l::I_RX_HEAD, 1);
    ring.refresh();
    assert_eq!(ring.waiting(), 1, "released before it was published");
    assert!(ring.publish() && !ring.publish());
    for head in [2, -1, i32::MAX, i32::MIN] {
        memory.memory.store(l::I_RX_HEAD, head);
        ring.refresh();
        assert_eq!(ring.waiting(), 1);
    }
    memory.memory.store(l::I_RX_HEAD, 1);
    ring.refresh();
    assert_eq!(ring.waiting(), 0);
    ring.check_invariants();
}

#[test]
fn a_full_rx_ring_refuses_and_goes_on_after_a_release() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let mut ring = RxRing::new(memory.memory, &memory.geometry);
    for number in 0..8 {
        assert!(ring.push(entry(number), &[]));
    }
    assert!(!ring.push(entry(8), &[]));
    assert!(!ring.has_room(1, 0));
    ring.publish();
    memory.memory.store(l::I_RX_HEAD, 8);
    ring.refresh();
    assert!(ring.has_room(8, 0));
    assert!(!ring.push(entry(8), &[0; 20_000]), "larger than the arena");
}

#[test]
fn the_tx_ring_takes_what_was_committed_and_checks_every_offset() {
    let mut memory = TestMemory::new(8, 8, 16 * 1024);
    let mut ring = TxRing::new(memory.memory, &memory.geometry);
    let (arena, descriptors) = (memory.geometry.tx_arena, memory.geometry.tx_descriptors);
    let end = arena + 16 * 1024;
    let cases = [
        (arena + l::HEADROOM_BYTES, 100, true),
        (arena + l::HEADROOM_BYTES - 1, 100, false),
        (end - 16 - 50, 50, true),
        (end - 16 - 50, 51, false),
        (0, 10, false),
        (usize::MAX, 10, false),
        (arena + 64, usize::MAX, false),
        (end, 0, false),
    ];
    for (slot, (offset, length, _)) in cases.iter().enumerate() {
        memory.set_field(descriptors, slot, l::D_KIND, l::TX_PAYLOAD);
        memory.set_field(descriptors, slot, l::D_OFFSET, *offset as i32);
        memory.set_field(descriptors, slot, l::D_LENGTH, *length as i32);
    }
    memory.write(arena + l::HEADROOM_BYTES, &[0xaa; 100]);
    memory.memory.store(l::I_TX_TAIL, 8);
    ring.refresh();
    for (number, (offset, length, fits)) in cases.into_iter().enumerate() {
        let (entry, release) = ring.take().unwrap();
        assert_eq!(release, number as u32 + 1);
        assert_eq!(ring.window(&entry).is_some(), fits, "{offset} {length}");
        ring.check_invariants();
    }
    assert!(ring.take().is_none());
    ring.release_to(ring.taken());
    ring.publish();
    assert_eq!(memory.int(l::I_TX_HEAD), 8);
}

#[test]
fn a_tail_beyond_the_capacity_or_behind_the_taken_is_ignored() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let mut ring = TxRing::new(memory.memory, &memory.geometry);
    for tail in [9, -1, i32::MIN] {
        memory.memory.store(l::I_TX_TAIL, tail);
        ring.refresh();
        assert!(ring.take().is_none());
    }
    memory.memory.store(l::I_TX_TAIL, 2);
    ring.refresh();
    assert!(ring.take().is_some() && ring.take().is_some());
    memory.memory.store(l::I_TX_TAIL, 1);
    ring.refresh();
    assert!(ring.take().is_none());
    ring.check_invariants();
}

#[test]
fn a_memory_of_another_layout_or_with_overlapping_parts_is_refused() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let broken = [
        (l::I_MAGIC, 1),
        (l::I_LAYOUT_VERSION, 99),
        (l::I_RX_CAPACITY, 7),
        (l::I_TX_CAPACITY, -8),
        (l::I_RX_ARENA_BYTES, 16 * 1024 + 1),
        (l::I_RX_DESCRIPTORS, 0),
        (l::I_RX_DESCRIPTORS, 513),
        (l::I_TX_ARENA, memory.int(l::I_RX_ARENA)),
        (l::I_TX_ARENA, i32::MAX),
        (l::I_TX_ARENA_BYTES, 1 << 28),
    ];
    for (index, value) in broken {
        let kept = memory.int(index);
        memory.memory.store(index, value);
        assert!(Geometry::read(&memory.memory).is_err(), "{index} = {value}");
        memory.memory.store(index, kept);
    }
    assert!(Geometry::read(&memory.memory).is_ok());
}

fn random_bytes(random: &mut Random, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    bytes
}

#[test]
fn a_bell_rings_once_for_each_sleep_and_only_for_news_that_interest() {
    let memory = TestMemory::new(8, 8, 16 * 1024);
    let bell = Doorbell::new(memory.memory);
    let both = l::NEWS_ENTRIES | l::NEWS_ROOM;
    assert!(!bell.must_ring(both), "awake");
    memory.memory.store(l::I_RX_SLEEPING, l::NEWS_ENTRIES);
    assert!(!bell.must_ring(0) && !bell.must_ring(l::NEWS_ROOM));
    assert!(bell.must_ring(l::NEWS_ENTRIES) && !bell.must_ring(both));
    memory.memory.store(l::I_RX_SLEEPING, both);
    assert!(bell.must_ring(l::NEWS_ROOM) && !bell.must_ring(l::NEWS_ENTRIES));
    assert!(bell.try_sleep(both, || memory.int(l::I_TX_SLEEPING) != both));
    assert_eq!(memory.int(l::I_TX_SLEEPING), both);
    assert!(!bell.try_sleep(l::NEWS_ENTRIES, || true));
    assert_eq!(memory.int(l::I_TX_SLEEPING), 0, "awake again");
}
