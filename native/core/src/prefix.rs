//! The first bytes of a sealed datagram: `type | sequence length << 4`, then 1–8 sequence bytes,
//! little-endian, high zero bytes left out.

use crate::drop_reason::DropReason;
use crate::limits::{SEALED_BYTES_MIN, TAG_BYTES};

pub(crate) const REQUEST: u8 = 0;
pub(crate) const DENIED: u8 = 1;
pub(crate) const CHALLENGE: u8 = 2;
pub(crate) const RESPONSE: u8 = 3;
pub(crate) const KEEP_ALIVE: u8 = 4;
pub(crate) const PAYLOAD: u8 = 5;
pub(crate) const DISCONNECT: u8 = 6;
/// With a connection id between prefix and sequence.
pub(crate) const NX_PAYLOAD: u8 = 8;
pub(crate) const NX_CONTROL: u8 = 9;

/// A sealed datagram's header. Nothing of it is authentic before the body opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub prefix: u8,
    pub kind: u8,
    pub sequence: u64,
    /// Where the sealed body begins.
    pub body: usize,
}

impl Header {
    pub fn read(datagram: &[u8]) -> Result<Self, DropReason> {
        let prefix = match datagram.first() {
            Some(prefix) if datagram.len() >= SEALED_BYTES_MIN => *prefix,
            _ => return Err(DropReason::TooShort),
        };
        let sequence_bytes = usize::from(prefix >> 4);
        if !(1..=8).contains(&sequence_bytes) {
            return Err(DropReason::BadPrefix);
        }
        let body = 1 + sequence_bytes;
        if datagram.len() < body + TAG_BYTES {
            return Err(DropReason::TooShort);
        }
        let mut sequence = 0;
        for byte in datagram.get(1..body).unwrap_or(&[]).iter().rev() {
            sequence = sequence << 8 | u64::from(*byte);
        }
        Ok(Self {
            prefix,
            kind: prefix & 15,
            sequence,
            body,
        })
    }

    /// Types 1–3 are not replay protected: they repeat, and no window exists yet.
    pub fn is_replay_protected(&self) -> bool {
        self.kind >= KEEP_ALIVE
    }
}

/// Bytes that a sequence takes on the wire; at least one.
pub(crate) fn sequence_length(sequence: u64) -> usize {
    8 - (sequence | 1).leading_zeros() as usize / 8
}

/// Writes prefix and sequence to the end of `room`; returns their length and the prefix byte.
pub(crate) fn write_before(room: &mut [u8], kind: u8, sequence: u64) -> Option<(usize, u8)> {
    let count = sequence_length(sequence);
    let start = room.len().checked_sub(1 + count)?;
    let prefix = kind | (count as u8) << 4;
    let (first, rest) = room.get_mut(start..)?.split_first_mut()?;
    *first = prefix;
    rest.copy_from_slice(sequence.to_le_bytes().get(..count)?);
    Some((1 + count, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_length_is_written_short_and_read_back() {
        let mut sequence = 1u64;
        for bits in 0..64 {
            for value in [
                sequence - 1,
                sequence,
                sequence | 1,
                sequence + (sequence - 1),
            ] {
                let mut datagram = [0xee; 9 + 16];
                let (length, prefix) = write_before(&mut datagram[..9], PAYLOAD, value).unwrap();
                assert_eq!(length, 1 + sequence_length(value));
                let header = Header::read(&datagram[9 - length..]).unwrap();
                assert_eq!(
                    header,
                    Header {
                        prefix,
                        kind: PAYLOAD,
                        sequence: value,
                        body: length
                    }
                );
            }
            sequence = 1 << (bits + 1).min(63);
        }
        assert_eq!(sequence_length(0), 1);
        assert_eq!(sequence_length(255), 1);
        assert_eq!(sequence_length(256), 2);
        assert_eq!(sequence_length(u64::MAX), 8);
    }

    #[test]
    fn the_example_of_the_standard_is_two_sequence_bytes() {
        let mut room = [0; 3];
        assert_eq!(write_before(&mut room, PAYLOAD, 1000), Some((3, 0x25)));
        assert_eq!(room, [0x25, 0xe8, 0x03]);
    }

    #[test]
    fn bad_nibbles_and_short_datagrams_are_refused() {
        for nibble in [0u8, 9, 10, 11, 12, 13, 14, 15] {
            let mut datagram = [0; 64];
            datagram[0] = nibble << 4 | PAYLOAD;
            assert_eq!(Header::read(&datagram), Err(DropReason::BadPrefix));
        }
        for nibble in 1..=8u8 {
            let datagram = [nibble << 4 | PAYLOAD; 64];
            let least = 1 + usize::from(nibble) + 16;
            for length in 0..64 {
                let read = Header::read(&datagram[..length]);
                assert_eq!(read.is_ok(), length >= least, "{nibble} {length}");
            }
        }
    }
}
