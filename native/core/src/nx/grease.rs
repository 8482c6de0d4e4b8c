//! Packets of types 10–14 that mean nothing, about one in a thousand between ends that know NX, so
//! that nobody on the way or at the other end comes to rely on their absence. They carry no
//! sequence, are sealed under no key and are dropped before anything is opened.

use crate::limits::SEALED_BYTES_MIN;
use crate::prefix::{GREASE_FIRST, GREASE_LAST};

/// One packet in so many; a power of two.
pub(crate) const GREASE_INTERVAL: u64 = 1024;
const _: () = assert!(GREASE_INTERVAL.is_power_of_two());
const EXTRA_BYTES: u64 = 32;
const ROUNDED_BYTES_MAX: usize = 56;

/// Whether the packet with this sequence is followed by one; `phase` differs from flow to flow.
pub(crate) fn is_due(sequence: u64, phase: u32) -> bool {
    (sequence ^ u64::from(phase)) & (GREASE_INTERVAL - 1) == 0
}

/// Writes one to the front of `out`, from random numbers; returns its length.
pub(crate) fn write(mut next: impl FnMut() -> u64, out: &mut [u8]) -> Option<usize> {
    let choice = next();
    let length = SEALED_BYTES_MIN + 1 + (choice >> 32 & (EXTRA_BYTES - 1)) as usize;
    let kinds = u64::from(GREASE_LAST - GREASE_FIRST) + 1;
    let kind = GREASE_FIRST + (choice % kinds) as u8;
    let sequence_bytes = 1 + (choice >> 16 & 1) as u8;
    let body = out.get_mut(..ROUNDED_BYTES_MAX)?;
    for word in body.chunks_exact_mut(8) {
        word.copy_from_slice(&next().to_le_bytes());
    }
    *body.first_mut()? = sequence_bytes << 4 | kind;
    Some(length)
}

/// SplitMix64, for an end that keeps no generator; nothing of grease is secret.
pub(crate) fn step(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Header;

    #[test]
    fn grease_has_a_good_header_of_a_reserved_type() {
        let mut state = 1;
        let mut kinds = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut out = [0; 64];
            let length = write(|| step(&mut state), &mut out).unwrap();
            assert!((19..=50).contains(&length));
            kinds.insert(Header::read(&out[..length]).unwrap().kind);
        }
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [10, 11, 12, 13, 14]);
    }

    #[test]
    fn one_packet_in_a_thousand_is_followed_by_one() {
        for phase in [0, 5, u32::MAX] {
            let due = (0..10 * GREASE_INTERVAL).filter(|sequence| is_due(*sequence, phase));
            assert_eq!(due.count(), 10);
        }
    }
}
