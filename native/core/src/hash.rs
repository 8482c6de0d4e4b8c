//! Keyed hashing with a seed that is given: an attacker cannot aim for one bucket, and a simulation
//! repeats.

use core::hash::BuildHasher;

use siphasher::sip::SipHasher13;

use crate::random::Random;

#[derive(Clone, Copy, Debug)]
pub struct HashSeed {
    key0: u64,
    key1: u64,
}

impl HashSeed {
    pub fn new(random: &mut Random) -> Self {
        Self {
            key0: random.next_u64(),
            key1: random.next_u64(),
        }
    }

    pub fn hash(&self, bytes: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.key0, self.key1).hash(bytes)
    }
}

impl BuildHasher for HashSeed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.key0, self.key1)
    }
}
