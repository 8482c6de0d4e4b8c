//! Connect tokens that have been seen, until they expire.
//!
//! Invariant: a token in here is never forgotten before its expiry; when there is no room, new
//! tokens are refused instead. Expiries at or before `purged_s` are over for good, even when the
//! wall clock is set back.

use std::collections::{BTreeMap, HashMap};

use crate::drop_reason::DropReason;
use crate::hash::HashSeed;
use crate::limits::TAG_BYTES;
use crate::path::PackedAddress;

pub(crate) type TokenTag = [u8; TAG_BYTES];

struct Entry {
    address: PackedAddress,
    consumed: bool,
}

pub(crate) struct History {
    entries: HashMap<TokenTag, Entry, HashSeed>,
    /// Tags by the second of their expiry.
    expiries: BTreeMap<u64, Vec<TokenTag>>,
    purged_s: u64,
    capacity: usize,
}

impl History {
    pub fn new(seed: HashSeed) -> Self {
        Self {
            entries: HashMap::with_hasher(seed),
            expiries: BTreeMap::new(),
            purged_s: 0,
            capacity: 0,
        }
    }

    pub fn knows(&self, tag: &TokenTag) -> bool {
        self.entries.contains_key(tag)
    }

    /// Binds a token to the address that shows it first.
    pub fn claim(
        &mut self,
        tag: &TokenTag,
        address: PackedAddress,
        expire_s: u64,
        now_s: u64,
    ) -> Result<(), DropReason> {
        self.purge(now_s);
        if expire_s <= self.purged_s {
            return Err(DropReason::TokenExpired);
        }
        match self.entries.get(tag) {
            Some(entry) if entry.address != address => Err(DropReason::TokenOtherAddress),
            Some(entry) if entry.consumed => Err(DropReason::TokenConsumed),
            Some(_) => Ok(()),
            None if self.entries.len() >= self.capacity => Err(DropReason::HistoryFull),
            None => {
                self.entries.insert(
                    *tag,
                    Entry {
                        address,
                        consumed: false,
                    },
                );
                self.expiries.entry(expire_s).or_default().push(*tag);
                Ok(())
            }
        }
    }

    /// Marks a claimed token as used up, once: of two servers that hold the handshake, one wins.
    pub fn consume(&mut self, tag: &TokenTag, address: PackedAddress) -> Result<(), DropReason> {
        match self.entries.get_mut(tag) {
            Some(entry) if entry.consumed => Err(DropReason::TokenConsumed),
            Some(entry) if entry.address == address => {
                entry.consumed = true;
                Ok(())
            }
            Some(_) => Err(DropReason::TokenOtherAddress),
            // It expired (and was forgotten) while the handshake was half open.
            None => Err(DropReason::TokenExpired),
        }
    }

    pub fn purge(&mut self, now_s: u64) {
        while let Some(first) = self.expiries.first_entry() {
            if *first.key() > now_s {
                break;
            }
            self.purged_s = self.purged_s.max(*first.key());
            for tag in first.remove() {
                self.entries.remove(&tag);
            }
        }
    }

    pub fn grow_capacity(&mut self, capacity: usize) {
        self.capacity = self.capacity.max(capacity);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn history(capacity: usize) -> History {
        let mut history = History::new(HashSeed::new(&mut Random::from_number(1)));
        history.grow_capacity(capacity);
        history
    }

    fn address(n: u8) -> PackedAddress {
        PackedAddress {
            ip: [n; 16],
            scope: 0,
            port: 1,
        }
    }

    #[test]
    fn a_token_belongs_to_its_first_address_and_opens_one_flow() {
        let mut history = history(10);
        assert_eq!(history.claim(&[1; 16], address(1), 100, 50), Ok(()));
        assert_eq!(history.claim(&[1; 16], address(1), 100, 50), Ok(()));
        let other = Err(DropReason::TokenOtherAddress);
        assert_eq!(history.claim(&[1; 16], address(2), 100, 50), other);
        assert_eq!(history.consume(&[1; 16], address(2)), other);
        assert_eq!(history.consume(&[1; 16], address(1)), Ok(()));
        let consumed = Err(DropReason::TokenConsumed);
        assert_eq!(history.consume(&[1; 16], address(1)), consumed);
        assert_eq!(history.claim(&[1; 16], address(1), 100, 99), consumed);
    }

    #[test]
    fn a_full_history_refuses_and_never_evicts() {
        let mut history = history(2);
        history.claim(&[1; 16], address(1), 100, 50).unwrap();
        history.claim(&[2; 16], address(1), 200, 50).unwrap();
        let full = Err(DropReason::HistoryFull);
        assert_eq!(history.claim(&[3; 16], address(1), 300, 99), full);
        assert_eq!(history.claim(&[1; 16], address(1), 100, 99), Ok(()));
        assert_eq!(history.claim(&[3; 16], address(1), 300, 100), Ok(()));
        assert_eq!(history.len(), 2);
    }

    #[test]
    fn a_wall_clock_set_back_does_not_revive_a_forgotten_token() {
        let mut history = history(2);
        history.claim(&[1; 16], address(1), 100, 50).unwrap();
        history.consume(&[1; 16], address(1)).unwrap();
        history.purge(100);
        assert_eq!(history.len(), 0);
        assert_eq!(
            history.claim(&[1; 16], address(1), 100, 50),
            Err(DropReason::TokenExpired)
        );
    }
}
