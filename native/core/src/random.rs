//! Randomness as an argument: a ChaCha20 generator, seeded by the operating system in production
//! and by a number in tests and simulations.

use core::fmt;

use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroize;

use crate::error::RandomError;

const BLOCK_BYTES: usize = 512;
const SEED_BYTES: usize = 32;

/// A generator with fast key erasure: each refill makes the next key first, so that a copy of the
/// memory does not tell what was drawn before.
pub struct Random {
    seed: [u8; SEED_BYTES],
    block: [u8; BLOCK_BYTES],
    used: usize,
}

impl Random {
    /// Seeded from the operating system.
    pub fn from_os() -> Result<Self, RandomError> {
        let mut seed = [0; SEED_BYTES];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| RandomError)?;
        Ok(Self::from_seed(seed))
    }

    /// Reproducible: the same seed gives the same bytes.
    pub fn from_seed(seed: [u8; SEED_BYTES]) -> Self {
        Self {
            seed,
            block: [0; BLOCK_BYTES],
            used: BLOCK_BYTES,
        }
    }

    /// Reproducible, from one number.
    pub fn from_number(number: u64) -> Self {
        let mut seed = [0; SEED_BYTES];
        let (head, _) = seed.split_at_mut(8);
        head.copy_from_slice(&number.to_le_bytes());
        Self::from_seed(seed)
    }

    pub fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.used == BLOCK_BYTES {
                self.refill();
            }
            *byte = self.block.get(self.used).copied().unwrap_or(0);
            self.used += 1;
        }
    }

    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    fn refill(&mut self) {
        self.block = [0; BLOCK_BYTES];
        // The keystream of ChaCha20 under a key that is used for one block only, so nonce 0.
        if let Ok(key) = UnboundKey::new(&CHACHA20_POLY1305, &self.seed) {
            let nonce = Nonce::assume_unique_for_key([0; 12]);
            let sealed = LessSafeKey::new(key).seal_in_place_separate_tag(
                nonce,
                Aad::empty(),
                &mut self.block,
            );
            debug_assert!(sealed.is_ok());
        }
        let (seed, _) = self.block.split_at_mut(SEED_BYTES);
        self.seed.copy_from_slice(seed);
        seed.fill(0);
        self.used = SEED_BYTES;
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        self.seed.zeroize();
        self.block.zeroize();
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream_and_two_seeds_are_two() {
        let mut a = Random::from_number(1);
        let mut b = Random::from_number(1);
        let mut c = Random::from_number(2);
        let from_a: [u8; 2000] = a.bytes();
        let mut from_b = [0; 2000];
        for part in from_b.chunks_mut(7) {
            b.fill(part);
        }
        assert_eq!(from_a, from_b);
        assert_ne!(from_a, c.bytes());
    }

    #[test]
    fn bytes_are_spread_and_never_repeat_a_block() {
        let mut random = Random::from_number(3);
        let mut ones = 0u32;
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let value = random.next_u64();
            ones += value.count_ones();
            assert!(seen.insert(value));
        }
        assert!((310_000..330_000).contains(&ones), "{ones}");
        assert_ne!(
            Random::from_os().unwrap().next_u64(),
            Random::from_os().unwrap().next_u64()
        );
    }
}
