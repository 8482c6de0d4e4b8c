//! A slab whose entries are found by remote address and carry one timer each.
//!
//! Invariant: an address leads to at most one entry; an entry that is not mapped any more (it ends)
//! is reached by its id only.

use hashbrown::HashTable;

use crate::event::FlowId;
use crate::hash::HashSeed;
use crate::path::PackedAddress;
use crate::slab::Slab;
use crate::wheel::Wheel;

/// Room that the address map takes at the start, so that no single packet pays for rehashing all
/// flows: 5 B each, 1.3 MiB at most.
const ADDRESSES_RESERVED_MAX: u32 = 1 << 17;

pub(crate) trait Addressed {
    fn remote(&self) -> PackedAddress;
}

pub(crate) struct Table<T> {
    slab: Slab<T>,
    by_address: HashTable<u32>,
    seed: HashSeed,
    wheel: Wheel,
}

impl<T: Addressed> Table<T> {
    pub fn new(limit: u32, seed: HashSeed, now_us: u64) -> Self {
        Self {
            slab: Slab::new(limit),
            by_address: HashTable::with_capacity(limit.min(ADDRESSES_RESERVED_MAX) as usize),
            seed,
            wheel: Wheel::new(now_us),
        }
    }

    pub fn len(&self) -> usize {
        self.slab.len()
    }

    pub fn is_full(&self) -> bool {
        self.slab.is_full()
    }

    /// Adds an entry and maps its address, which must be free.
    pub fn insert(&mut self, value: T) -> Option<FlowId> {
        let address = value.remote();
        debug_assert!(self.find(&address).is_none());
        let id = self.slab.insert(value)?;
        let Self {
            slab,
            by_address,
            seed,
            ..
        } = self;
        by_address.insert_unique(seed.hash(&address.key()), id.slot, |slot| {
            slab.at(*slot)
                .map_or(0, |entry| seed.hash(&entry.remote().key()))
        });
        Some(id)
    }

    /// Forgets the address; the entry lives on.
    pub fn unmap(&mut self, id: FlowId) {
        let Some(address) = self.slab.get(id).map(Addressed::remote) else {
            return;
        };
        let hash = self.seed.hash(&address.key());
        if let Ok(found) = self.by_address.find_entry(hash, |slot| *slot == id.slot) {
            found.remove();
        }
    }

    /// False for a stale id.
    pub fn remove(&mut self, id: FlowId) -> bool {
        self.unmap(id);
        let removed = self.slab.remove(id);
        if removed {
            self.wheel.cancel(id.slot);
        }
        removed
    }

    /// The living entry of a slot, to read.
    pub fn at(&self, slot: u32) -> Option<&T> {
        self.slab.at(slot)
    }

    /// The living entry of a slot, found without hashing.
    pub fn at_mut(&mut self, slot: u32) -> Option<(FlowId, &mut T)> {
        self.slab.at_mut(slot)
    }

    pub fn find(&self, address: &PackedAddress) -> Option<FlowId> {
        let matches = |slot: &u32| self.slab.at(*slot).is_some_and(|e| e.remote() == *address);
        let slot = self
            .by_address
            .find(self.seed.hash(&address.key()), matches)?;
        self.slab.id_at(*slot)
    }

    pub fn get(&self, id: FlowId) -> Option<&T> {
        self.slab.get(id)
    }

    pub fn get_mut(&mut self, id: FlowId) -> Option<&mut T> {
        self.slab.get_mut(id)
    }

    /// Linear in the slots ever used.
    pub fn ids(&self) -> impl Iterator<Item = FlowId> + '_ {
        self.slab.ids()
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.slab.ids().filter_map(|id| self.slab.get(id))
    }

    pub fn arm(&mut self, id: FlowId, due_us: u64) {
        if self.slab.get(id).is_some() {
            self.wheel.arm(id.slot, due_us);
        }
    }

    /// The next entry whose timer is due; it must be re-armed or removed.
    pub fn poll_due(&mut self, now_us: u64) -> Option<FlowId> {
        loop {
            let slot = self.wheel.poll(now_us)?;
            if let Some(id) = self.slab.id_at(slot) {
                return Some(id);
            }
        }
    }

    pub fn deadline_us(&self) -> Option<u64> {
        self.wheel.deadline_us()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use std::collections::HashMap;

    #[derive(Debug, PartialEq)]
    struct Item(PackedAddress, u64);

    impl Addressed for Item {
        fn remote(&self) -> PackedAddress {
            self.0
        }
    }

    fn address(n: u64) -> PackedAddress {
        PackedAddress {
            ip: [n as u8; 16],
            scope: 0,
            port: n as u16,
        }
    }

    #[test]
    fn it_agrees_with_a_map_while_entries_come_and_go() {
        let mut random = Random::from_number(9);
        let mut table = Table::new(300, HashSeed::new(&mut random), 0);
        let mut model: HashMap<u64, (FlowId, u64)> = HashMap::new();
        for round in 0..30_000u64 {
            let n = random.next_u64() % 500;
            assert_eq!(table.find(&address(n)), model.get(&n).map(|(id, _)| *id));
            if let Some((id, value)) = model.remove(&n) {
                assert_eq!(table.get(id), Some(&Item(address(n), value)));
                assert!(table.remove(id));
            } else if !table.is_full() {
                let id = table.insert(Item(address(n), round)).unwrap();
                model.insert(n, (id, round));
            }
            assert_eq!(table.len(), model.len());
        }
    }

    #[test]
    fn an_unmapped_entry_makes_its_address_free() {
        let mut table = Table::new(4, HashSeed::new(&mut Random::from_number(1)), 0);
        let old = table.insert(Item(address(1), 1)).unwrap();
        table.unmap(old);
        let new = table.insert(Item(address(1), 2)).unwrap();
        assert_eq!(table.find(&address(1)), Some(new));
        assert!(table.remove(old));
        assert_eq!(table.find(&address(1)), Some(new));
    }
}
