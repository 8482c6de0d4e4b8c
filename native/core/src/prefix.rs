//! The first bytes of a sealed datagram: `type | sequence length << 4`, for types 8 and 9 a
//! connection id, then 1–8 sequence bytes, little-endian, high zero bytes left out.

use crate::drop_reason::DropReason;
use crate::limits::{SEALED_BYTES_MIN, TAG_BYTES};
use crate::nx::CID_BYTES;
use crate::seal::Envelope;

pub(crate) const REQUEST: u8 = 0;
pub(crate) const DENIED: u8 = 1;
pub(crate) const CHALLENGE: u8 = 2;
pub(crate) const RESPONSE: u8 = 3;
pub(crate) const KEEP_ALIVE: u8 = 4;
pub(crate) const PAYLOAD: u8 = 5;
pub(crate) const DISCONNECT: u8 = 6;
/// TLVs under the keys of types 4–6.
pub(crate) const CONTROL: u8 = 7;
/// Client to server under NX keys, with a connection id.
pub(crate) const NX_PAYLOAD: u8 = 8;
pub(crate) const NX_CONTROL: u8 = 9;
/// Reserved and sent now and then, so that nobody comes to rely on their absence.
pub(crate) const GREASE_FIRST: u8 = 10;
pub(crate) const GREASE_LAST: u8 = 14;

/// A sealed datagram's header. Nothing of it is authentic before the body opens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub prefix: u8,
    pub kind: u8,
    /// Zeros but in types 8 and 9.
    pub cid: [u8; CID_BYTES],
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
        let kind = prefix & 15;
        let (mut at, mut cid) = (1, [0; CID_BYTES]);
        if has_cid(kind) {
            cid = *datagram
                .get(1..)
                .and_then(|rest| rest.first_chunk())
                .ok_or(DropReason::TooShort)?;
            at += CID_BYTES;
        }
        let body = at + sequence_bytes;
        if datagram.len() < body + TAG_BYTES {
            return Err(DropReason::TooShort);
        }
        // With the tag behind it, eight bytes can always be read.
        let bytes = datagram.get(at..).and_then(|rest| rest.first_chunk());
        let bytes = u64::from_le_bytes(*bytes.ok_or(DropReason::TooShort)?);
        Ok(Self {
            prefix,
            kind,
            cid,
            sequence: bytes & u64::MAX >> (64 - 8 * sequence_bytes),
            body,
        })
    }

    /// Types 1–3 are not replay protected: they repeat, and no window exists yet.
    pub fn is_replay_protected(&self) -> bool {
        self.kind >= KEEP_ALIVE
    }

    pub fn cid(&self) -> Option<&[u8; CID_BYTES]> {
        has_cid(self.kind).then_some(&self.cid)
    }
}

pub(crate) fn has_cid(kind: u8) -> bool {
    matches!(kind, NX_PAYLOAD | NX_CONTROL)
}

/// Bytes that a sequence takes on the wire; at least one.
pub(crate) fn sequence_length(sequence: u64) -> usize {
    8 - (sequence | 1).leading_zeros() as usize / 8
}

impl Envelope {
    /// Of the whole header: prefix, connection id and sequence.
    pub fn header_bytes(&self) -> usize {
        1 + self.cid.map_or(0, |cid| cid.len()) + sequence_length(self.sequence)
    }
}

/// Writes the header to the end of `room`; returns its length and the prefix byte.
pub(crate) fn write_before(room: &mut [u8], envelope: &Envelope) -> Option<(usize, u8)> {
    let count = sequence_length(envelope.sequence);
    let length = envelope.header_bytes();
    let start = room.len().checked_sub(length)?;
    let prefix = envelope.kind | (count as u8) << 4;
    let (first, mut rest) = room.get_mut(start..)?.split_first_mut()?;
    *first = prefix;
    if let Some(cid) = &envelope.cid {
        let (head, tail) = rest.split_at_mut_checked(CID_BYTES)?;
        head.copy_from_slice(cid);
        rest = tail;
    }
    rest.copy_from_slice(envelope.sequence.to_le_bytes().get(..count)?);
    Some((length, prefix))
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
                for (kind, id) in [(PAYLOAD, None), (NX_CONTROL, Some([7; 8]))] {
                    let mut datagram = [0xee; 17 + 16];
                    let envelope = Envelope {
                        kind,
                        cid: id,
                        sequence: value,
                    };
                    let (length, prefix) = write_before(&mut datagram[..17], &envelope).unwrap();
                    assert_eq!(length, envelope.header_bytes());
                    let header = Header::read(&datagram[17 - length..]).unwrap();
                    let expected = Header {
                        prefix,
                        kind,
                        cid: id.unwrap_or([0; 8]),
                        sequence: value,
                        body: length,
                    };
                    assert_eq!(header, expected);
                }
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
        assert_eq!(
            write_before(&mut room, &Envelope::new(PAYLOAD, 1000)),
            Some((3, 0x25))
        );
        assert_eq!(room, [0x25, 0xe8, 0x03]);
    }

    #[test]
    fn bad_nibbles_and_short_datagrams_are_refused() {
        for nibble in [0u8, 9, 10, 11, 12, 13, 14, 15] {
            let mut datagram = [0; 64];
            datagram[0] = nibble << 4 | PAYLOAD;
            assert_eq!(Header::read(&datagram), Err(DropReason::BadPrefix));
        }
        for (nibble, kind) in (1..=8u8).flat_map(|n| [(n, PAYLOAD), (n, NX_PAYLOAD)]) {
            let datagram = [nibble << 4 | kind; 64];
            let cid = if kind == NX_PAYLOAD { 8 } else { 0 };
            let least = 1 + cid + usize::from(nibble) + 16;
            for length in 0..64 {
                let read = Header::read(&datagram[..length]);
                assert_eq!(read.is_ok(), length >= least, "{nibble} {length}");
            }
        }
    }
}
