//! One packet under one key: ChaCha20-Poly1305, nonce = IV XOR (four zero bytes ‖ sequence),
//! associated data = VERSION ‖ protocol id ‖ prefix ‖ [connection id]. The IV of a token's key is
//! zero. The cipher is made from the raw key each time, so a flow stores 44 B per direction and no
//! key schedule.

use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};
use zeroize::Zeroize;

use crate::bytes::Writer;
use crate::limits::{KEY_BYTES, TAG_BYTES, VERSION};
use crate::nx::CID_BYTES;
use crate::prefix::{write_before, Header};

const PREFIX_AT: usize = 13 + 8;
const IV_BYTES: usize = 12;

/// Key and IV of one direction; wiped where it lies when it is dropped.
#[derive(Clone)]
pub(crate) struct PacketKey {
    key: [u8; KEY_BYTES],
    iv: [u8; IV_BYTES],
}

impl PacketKey {
    pub fn new(key: [u8; KEY_BYTES], iv: [u8; IV_BYTES]) -> Self {
        Self { key, iv }
    }

    /// A key of a connect token.
    pub fn of_token(key: [u8; KEY_BYTES]) -> Self {
        Self::new(key, [0; IV_BYTES])
    }

    pub fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    pub(crate) fn nonce(&self, sequence: u64) -> [u8; IV_BYTES] {
        let mut nonce = self.iv;
        let (_, low) = nonce.split_at_mut(4);
        for (byte, of_sequence) in low.iter_mut().zip(sequence.to_le_bytes()) {
            *byte ^= of_sequence;
        }
        nonce
    }
}

impl Drop for PacketKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.iv.zeroize();
    }
}

/// What stands before a sealed body.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    pub kind: u8,
    /// Of types 8 and 9.
    pub cid: Option<[u8; CID_BYTES]>,
    pub sequence: u64,
}

impl Envelope {
    /// Of a type without a connection id.
    pub fn new(kind: u8, sequence: u64) -> Self {
        Self {
            kind,
            cid: None,
            sequence,
        }
    }
}

/// What all packets of one protocol id have in common.
#[derive(Clone)]
pub(crate) struct PacketCipher {
    associated: [u8; PREFIX_AT + 1 + CID_BYTES],
}

impl PacketCipher {
    pub fn new(protocol_id: u64) -> Self {
        let mut associated = [0; PREFIX_AT + 1 + CID_BYTES];
        let mut writer = Writer::new(&mut associated);
        let written = writer
            .bytes(&VERSION)
            .and_then(|()| writer.u64(protocol_id));
        debug_assert!(written.is_some());
        Self { associated }
    }

    /// Opens `sealed` (body ‖ tag) in place; returns the body's length. After a failure its bytes
    /// are lost.
    pub fn open(&self, key: &PacketKey, header: &Header, sealed: &mut [u8]) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(key.nonce(header.sequence));
        let (associated, length) = self.associated_with(header.prefix, header.cid());
        let aad = Aad::from(associated.get(..length)?);
        aead(&key.key)?
            .open_in_place(nonce, aad, sealed)
            .ok()
            .map(|body| body.len())
    }

    /// Seals the body at `start..start + length` where it lies: header before it, tag after it.
    /// Returns the datagram's start and length; `None` when there is no room.
    pub fn seal_at(
        &self,
        key: &PacketKey,
        envelope: Envelope,
        buffer: &mut [u8],
        start: usize,
        length: usize,
    ) -> Option<(usize, usize)> {
        let (before, rest) = buffer.split_at_mut_checked(start)?;
        let (body, rest) = rest.split_at_mut_checked(length)?;
        let tag_room = rest.get_mut(..TAG_BYTES)?;
        let (header, prefix) = write_before(before, &envelope)?;
        let nonce = Nonce::assume_unique_for_key(key.nonce(envelope.sequence));
        let (associated, length_of_aad) = self.associated_with(prefix, envelope.cid.as_ref());
        let aad = Aad::from(associated.get(..length_of_aad)?);
        let tag = aead(&key.key)?
            .seal_in_place_separate_tag(nonce, aad, body)
            .ok()?;
        tag_room.copy_from_slice(tag.as_ref());
        Some((start - header, header + length + TAG_BYTES))
    }

    /// Seals a whole packet to the front of `out`; returns its length.
    pub fn seal_packet(
        &self,
        key: &PacketKey,
        envelope: Envelope,
        body: &[u8],
        out: &mut [u8],
    ) -> Option<usize> {
        let start = envelope.header_bytes();
        out.get_mut(start..start + body.len())?
            .copy_from_slice(body);
        let (_, length) = self.seal_at(key, envelope, out, start, body.len())?;
        Some(length)
    }

    fn associated_with(
        &self,
        prefix: u8,
        cid: Option<&[u8; CID_BYTES]>,
    ) -> ([u8; PREFIX_AT + 1 + CID_BYTES], usize) {
        let mut associated = self.associated;
        let (_, tail) = associated.split_at_mut(PREFIX_AT);
        if let Some((first, rest)) = tail.split_first_mut() {
            *first = prefix;
            if let Some(cid) = cid {
                rest.copy_from_slice(cid);
                return (associated, PREFIX_AT + 1 + CID_BYTES);
            }
        }
        (associated, PREFIX_AT + 1)
    }
}

/// `None` never happens: the key has the cipher's length by its type.
pub(crate) fn aead(key: &[u8; KEY_BYTES]) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key)
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::{NX_PAYLOAD, PAYLOAD};

    fn key(byte: u8) -> PacketKey {
        PacketKey::new([byte; 32], [byte; 12])
    }

    #[test]
    fn a_sealed_packet_opens_only_with_its_key_sequence_prefix_id_and_protocol_id() {
        let cipher = PacketCipher::new(7);
        for cid in [None, Some([1, 2, 3, 4, 5, 6, 7, 8])] {
            let kind = if cid.is_some() { NX_PAYLOAD } else { PAYLOAD };
            let envelope = Envelope {
                kind,
                cid,
                sequence: 513,
            };
            let mut sealed = [0; 64];
            let length = cipher
                .seal_packet(&key(9), envelope, b"hello", &mut sealed)
                .unwrap();
            assert_eq!(length, envelope.header_bytes() + 5 + 16);
            let header = Header::read(&sealed[..length]).unwrap();
            let open = |cipher: &PacketCipher, key: &PacketKey, header: &Header| {
                let mut copy = sealed[header.body..length].to_vec();
                cipher
                    .open(key, header, &mut copy)
                    .map(|n| copy[..n].to_vec())
            };
            assert_eq!(open(&cipher, &key(9), &header).unwrap(), b"hello");
            assert_eq!(open(&cipher, &key(8), &header), None);
            assert_eq!(open(&cipher, &PacketKey::of_token([9; 32]), &header), None);
            assert_eq!(open(&PacketCipher::new(8), &key(9), &header), None);
            let sequence = header.sequence + 1;
            assert_eq!(open(&cipher, &key(9), &Header { sequence, ..header }), None);
            let prefix = header.prefix ^ 0x10;
            assert_eq!(open(&cipher, &key(9), &Header { prefix, ..header }), None);
            let cid = [9; 8];
            let opened = open(&cipher, &key(9), &Header { cid, ..header });
            assert_eq!(opened.is_none(), envelope.cid.is_some());
        }
    }

    #[test]
    fn the_nonce_is_the_iv_xor_four_zero_bytes_and_the_sequence() {
        let token = PacketKey::of_token([1; 32]);
        assert_eq!(token.nonce(0x0102), [0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
        let nonce = key(0xff).nonce(0x0102);
        let (low, high) = (!2, !1);
        let expected = [255, 255, 255, 255, low, high, 255, 255, 255, 255, 255, 255];
        assert_eq!(nonce, expected);
    }

    #[test]
    fn sealing_without_room_fails() {
        let cipher = PacketCipher::new(7);
        let mut buffer = [0; 40];
        let mut seal = |start, length| {
            let envelope = Envelope::new(PAYLOAD, 1);
            cipher.seal_at(&key(1), envelope, &mut buffer, start, length)
        };
        assert_eq!(seal(1, 5), None);
        assert_eq!(seal(2, 23), None);
        assert_eq!(seal(2, 22), Some((0, 40)));
        assert_eq!(seal(41, 0), None);
    }
}
