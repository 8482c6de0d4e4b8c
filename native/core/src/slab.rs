//! Slots with generations, in chunks: growing moves nothing, and a stale id finds nothing.

use crate::event::FlowId;

const CHUNK_SHIFT: u32 = 8;
const CHUNK: usize = 1 << CHUNK_SHIFT;
const NONE: u32 = u32::MAX;

struct Entry<T> {
    /// Starts at 1 and changes when the slot is freed.
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

pub(crate) struct Slab<T> {
    chunks: Vec<Vec<Entry<T>>>,
    first_free: u32,
    /// Slots ever used; the next new one.
    used: u32,
    count: usize,
    limit: u32,
}

impl<T> Slab<T> {
    pub fn new(limit: u32) -> Self {
        Self {
            chunks: Vec::new(),
            first_free: NONE,
            used: 0,
            count: 0,
            limit,
        }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_full(&self) -> bool {
        self.first_free == NONE && self.used >= self.limit
    }

    pub fn insert(&mut self, value: T) -> Option<FlowId> {
        if self.first_free != NONE {
            let slot = self.first_free;
            let entry = self.entry_mut(slot)?;
            entry.value = Some(value);
            let id = FlowId {
                slot,
                generation: entry.generation,
            };
            self.first_free = entry.next_free;
            self.count += 1;
            return Some(id);
        }
        if self.used >= self.limit {
            return None;
        }
        let slot = self.used;
        if (slot as usize).is_multiple_of(CHUNK) {
            self.chunks
                .push(Vec::with_capacity(CHUNK.min((self.limit - slot) as usize)));
        }
        let entry = Entry {
            generation: 1,
            next_free: NONE,
            value: Some(value),
        };
        self.chunks.last_mut()?.push(entry);
        self.used += 1;
        self.count += 1;
        Some(FlowId {
            slot,
            generation: 1,
        })
    }

    /// Drops the value where it lies, so that what it wipes on drop is wiped in the slot itself.
    /// False for a stale id.
    pub fn remove(&mut self, id: FlowId) -> bool {
        let first_free = self.first_free;
        let Some(entry) = self.entry_mut(id.slot) else {
            return false;
        };
        if entry.generation != id.generation || entry.value.is_none() {
            return false;
        }
        entry.value = None;
        entry.generation = entry.generation.wrapping_add(1).max(1);
        entry.next_free = first_free;
        self.first_free = id.slot;
        self.count -= 1;
        true
    }

    pub fn get(&self, id: FlowId) -> Option<&T> {
        let entry = self.entry(id.slot)?;
        if entry.generation == id.generation {
            entry.value.as_ref()
        } else {
            None
        }
    }

    pub fn get_mut(&mut self, id: FlowId) -> Option<&mut T> {
        let entry = self.entry_mut(id.slot)?;
        if entry.generation == id.generation {
            entry.value.as_mut()
        } else {
            None
        }
    }

    /// The living value of a slot, whatever its generation.
    pub fn at(&self, slot: u32) -> Option<&T> {
        self.entry(slot)?.value.as_ref()
    }

    pub fn id_at(&self, slot: u32) -> Option<FlowId> {
        let entry = self.entry(slot)?;
        entry.value.as_ref()?;
        Some(FlowId {
            slot,
            generation: entry.generation,
        })
    }

    /// The living value of a slot, and its id.
    pub fn at_mut(&mut self, slot: u32) -> Option<(FlowId, &mut T)> {
        let entry = self.entry_mut(slot)?;
        let id = FlowId {
            slot,
            generation: entry.generation,
        };
        entry.value.as_mut().map(|value| (id, value))
    }

    pub fn ids(&self) -> impl Iterator<Item = FlowId> + '_ {
        (0..self.used).filter_map(|slot| self.id_at(slot))
    }

    fn entry(&self, slot: u32) -> Option<&Entry<T>> {
        self.chunks
            .get((slot >> CHUNK_SHIFT) as usize)?
            .get(slot as usize % CHUNK)
    }

    fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry<T>> {
        self.chunks
            .get_mut((slot >> CHUNK_SHIFT) as usize)?
            .get_mut(slot as usize % CHUNK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_comes_back_with_another_generation() {
        let mut slab = Slab::new(2);
        let a = slab.insert('a').unwrap();
        let b = slab.insert('b').unwrap();
        assert_eq!((a.slot, a.generation, b.slot), (0, 1, 1));
        assert!(slab.is_full());
        assert_eq!(slab.insert('c'), None);
        assert!(slab.remove(a));
        assert!(!slab.remove(a));
        let c = slab.insert('c').unwrap();
        assert_eq!((c.slot, c.generation), (0, 2));
        assert_eq!(
            (slab.get(a), slab.get(c), slab.len()),
            (None, Some(&'c'), 2)
        );
        assert_eq!(slab.id_at(0), Some(c));
    }

    /// Notes where it lies when it is dropped.
    struct Secret<'a>(&'a std::cell::Cell<usize>);

    impl Drop for Secret<'_> {
        fn drop(&mut self) {
            self.0.set(core::ptr::from_ref(self) as usize);
        }
    }

    #[test]
    fn a_value_is_dropped_where_it_lies_so_that_what_it_wipes_is_the_slot() {
        let dropped_at = std::cell::Cell::new(0);
        let mut slab = Slab::new(1);
        let id = slab.insert(Secret(&dropped_at)).unwrap();
        let lies_at = core::ptr::from_ref(slab.get(id).unwrap()) as usize;
        assert!(slab.remove(id));
        assert_eq!(dropped_at.get(), lies_at);
    }

    #[test]
    fn many_slots_span_chunks() {
        let mut slab = Slab::new(1000);
        let ids: Vec<_> = (0..1000).map(|n| slab.insert(n).unwrap()).collect();
        assert!(slab.is_full());
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(slab.get(*id), Some(&n));
            assert!(slab.remove(*id));
        }
        assert_eq!(slab.len(), 0);
        assert!(!slab.is_full());
    }
}
