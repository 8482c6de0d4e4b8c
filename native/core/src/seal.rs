//! One packet under one key: ChaCha20-Poly1305, nonce = four zero bytes ‖ sequence, associated
//! data = VERSION ‖ protocol id ‖ prefix. The cipher is made from the raw key each time, so a flow
//! stores 32 B per direction and no key schedule.

use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};

use crate::bytes::Writer;
use crate::limits::{KEY_BYTES, TAG_BYTES, VERSION};
use crate::prefix::write_before;

const PREFIX_AT: usize = 13 + 8;

/// What all packets of one protocol id have in common.
#[derive(Clone)]
pub(crate) struct PacketCipher {
    associated: [u8; PREFIX_AT + 1],
}

impl PacketCipher {
    pub fn new(protocol_id: u64) -> Self {
        let mut associated = [0; PREFIX_AT + 1];
        let mut writer = Writer::new(&mut associated);
        let written = writer
            .bytes(&VERSION)
            .and_then(|()| writer.u64(protocol_id));
        debug_assert!(written.is_some());
        Self { associated }
    }

    /// Opens `sealed` (body ‖ tag) in place; returns the body's length.
    pub fn open(
        &self,
        key: &[u8; KEY_BYTES],
        sequence: u64,
        prefix: u8,
        sealed: &mut [u8],
    ) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(nonce_of(sequence));
        let aad = Aad::from(self.associated_with(prefix));
        aead(key)?
            .open_in_place(nonce, aad, sealed)
            .ok()
            .map(|body| body.len())
    }

    /// Seals the body at `start..start + length` where it lies: header before it, tag after it.
    /// Returns the datagram's start and length; `None` when there is no room.
    pub fn seal_at(
        &self,
        key: &[u8; KEY_BYTES],
        kind: u8,
        sequence: u64,
        buffer: &mut [u8],
        start: usize,
        length: usize,
    ) -> Option<(usize, usize)> {
        let (before, rest) = buffer.split_at_mut_checked(start)?;
        let (body, rest) = rest.split_at_mut_checked(length)?;
        let tag_room = rest.get_mut(..TAG_BYTES)?;
        let (header, prefix) = write_before(before, kind, sequence)?;
        let nonce = Nonce::assume_unique_for_key(nonce_of(sequence));
        let aad = Aad::from(self.associated_with(prefix));
        let tag = aead(key)?
            .seal_in_place_separate_tag(nonce, aad, body)
            .ok()?;
        tag_room.copy_from_slice(tag.as_ref());
        Some((start - header, header + length + TAG_BYTES))
    }

    /// Seals a whole packet to the front of `out`; returns its length.
    pub fn seal_packet(
        &self,
        key: &[u8; KEY_BYTES],
        kind: u8,
        sequence: u64,
        body: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let start = 1 + crate::prefix::sequence_length(sequence);
        out.get_mut(start..start + body.len())?
            .copy_from_slice(body);
        let (_, length) = self.seal_at(key, kind, sequence, out, start, body.len())?;
        Some(length)
    }

    fn associated_with(&self, prefix: u8) -> [u8; PREFIX_AT + 1] {
        let mut associated = self.associated;
        if let Some(last) = associated.last_mut() {
            *last = prefix;
        }
        associated
    }
}

/// `None` never happens: the key has the cipher's length by its type.
pub(crate) fn aead(key: &[u8; KEY_BYTES]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .ok()
        .map(LessSafeKey::new)
}

pub(crate) fn nonce_of(sequence: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    let (_, low) = nonce.split_at_mut(4);
    low.copy_from_slice(&sequence.to_le_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::{Header, PAYLOAD};

    #[test]
    fn a_sealed_packet_opens_only_with_its_key_sequence_prefix_and_protocol_id() {
        let cipher = PacketCipher::new(7);
        let key = [9; 32];
        let mut sealed = [0; 64];
        let length = cipher
            .seal_packet(&key, PAYLOAD, 513, b"hello", &mut sealed)
            .unwrap();
        assert_eq!(length, 3 + 5 + 16);
        let header = Header::read(&sealed[..length]).unwrap();
        let open = |cipher: &PacketCipher, key: &[u8; 32], sequence, prefix| {
            let mut copy = sealed[header.body..length].to_vec();
            cipher
                .open(key, sequence, prefix, &mut copy)
                .map(|n| copy[..n].to_vec())
        };
        assert_eq!(open(&cipher, &key, 513, header.prefix).unwrap(), b"hello");
        assert_eq!(open(&cipher, &[8; 32], 513, header.prefix), None);
        assert_eq!(open(&cipher, &key, 514, header.prefix), None);
        assert_eq!(open(&cipher, &key, 513, header.prefix ^ 1), None);
        assert_eq!(open(&PacketCipher::new(8), &key, 513, header.prefix), None);
    }

    #[test]
    fn the_nonce_is_four_zero_bytes_and_the_sequence() {
        assert_eq!(nonce_of(0x0102), [0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn sealing_without_room_fails() {
        let cipher = PacketCipher::new(7);
        let mut buffer = [0; 40];
        assert_eq!(
            cipher.seal_at(&[1; 32], PAYLOAD, 1, &mut buffer, 1, 5),
            None
        );
        assert_eq!(
            cipher.seal_at(&[1; 32], PAYLOAD, 1, &mut buffer, 2, 23),
            None
        );
        assert_eq!(
            cipher.seal_at(&[1; 32], PAYLOAD, 1, &mut buffer, 2, 22),
            Some((0, 40))
        );
        assert_eq!(
            cipher.seal_at(&[1; 32], PAYLOAD, 1, &mut buffer, 41, 0),
            None
        );
    }
}
