//! Challenge tokens: what the server hands to an address and wants back from it.
//!
//! Opaque to clients. Ours names the client id, the address, the connect token and the moment,
//! under a key that this server drew when it started; each is sealed with its own sequence.

use ring::aead::{Aad, Nonce};

use crate::bytes::{Reader, Writer};
use crate::limits::{CHALLENGE_BODY_BYTES, CHALLENGE_BYTES, KEY_BYTES, TAG_BYTES};
use crate::path::PackedAddress;
use crate::seal::{aead, PacketKey};

const OPEN_BYTES: usize = CHALLENGE_BYTES - TAG_BYTES;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Challenge {
    pub client_id: u64,
    pub address: PackedAddress,
    pub token_tag: [u8; TAG_BYTES],
    pub issued_us: u64,
}

pub(crate) struct Challenger {
    key: PacketKey,
    next_sequence: u64,
}

impl Challenger {
    pub fn new(key: [u8; KEY_BYTES]) -> Self {
        Self {
            key: PacketKey::of_token(key),
            next_sequence: 0,
        }
    }

    /// The body of a challenge packet: u64 sequence ‖ sealed token.
    pub fn seal(&mut self, challenge: &Challenge) -> Option<[u8; CHALLENGE_BODY_BYTES]> {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let mut body = [0; CHALLENGE_BODY_BYTES];
        let (head, token) = body.split_at_mut(8);
        head.copy_from_slice(&sequence.to_le_bytes());
        let (plain, tag) = token.split_at_mut(OPEN_BYTES);
        challenge.write(&mut Writer::new(plain))?;
        let nonce = Nonce::assume_unique_for_key(self.key.nonce(sequence));
        let made = aead(self.key.key())?
            .seal_in_place_separate_tag(nonce, Aad::empty(), plain)
            .ok()?;
        tag.copy_from_slice(made.as_ref());
        Some(body)
    }

    /// Opens the body of a response in place; `None` unless this server sealed it.
    pub fn open(&self, body: &mut [u8]) -> Option<Challenge> {
        if body.len() != CHALLENGE_BODY_BYTES {
            return None;
        }
        let (head, token) = body.split_at_mut_checked(8)?;
        let sequence = u64::from_le_bytes(*head.first_chunk()?);
        let nonce = Nonce::assume_unique_for_key(self.key.nonce(sequence));
        let plain = aead(self.key.key())?
            .open_in_place(nonce, Aad::empty(), token)
            .ok()?;
        Challenge::read(&mut Reader::new(plain))
    }
}

impl Challenge {
    fn write(&self, writer: &mut Writer) -> Option<()> {
        writer.u64(self.client_id)?;
        writer.bytes(&self.address.ip)?;
        writer.u32(self.address.scope)?;
        writer.u16(self.address.port)?;
        writer.bytes(&self.token_tag)?;
        writer.u64(self.issued_us)
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let client_id = reader.u64()?;
        let ip = *reader.array()?;
        let address = PackedAddress {
            ip,
            scope: reader.u32()?,
            port: reader.u16()?,
        };
        Some(Self {
            client_id,
            address,
            token_tag: *reader.array()?,
            issued_us: reader.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Challenge {
        Challenge {
            client_id: 77,
            address: PackedAddress {
                ip: [3; 16],
                scope: 0,
                port: 9,
            },
            token_tag: [5; 16],
            issued_us: 1 << 40,
        }
    }

    #[test]
    fn a_challenge_comes_back_as_it_went_and_each_has_its_own_sequence() {
        let mut challenger = Challenger::new([1; 32]);
        for sequence in 0..3u64 {
            let mut body = challenger.seal(&sample()).unwrap();
            assert_eq!(body[..8], sequence.to_le_bytes());
            assert_eq!(challenger.open(&mut body), Some(sample()));
        }
    }

    #[test]
    fn an_altered_challenge_or_another_servers_does_not_open() {
        let mut challenger = Challenger::new([1; 32]);
        let body = challenger.seal(&sample()).unwrap();
        for at in 0..body.len() {
            let mut altered = body;
            altered[at] ^= 1;
            assert_eq!(challenger.open(&mut altered), None, "byte {at}");
        }
        assert_eq!(Challenger::new([2; 32]).open(&mut body.clone()), None);
        assert_eq!(challenger.open(&mut body.to_vec()[..307]), None);
    }
}
