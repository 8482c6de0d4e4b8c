//! A second hand at the wire format, for datagrams that an endpoint would never send.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};

use crate::world::{PRIVATE_KEY, PROTOCOL_ID};

const VERSION: &[u8; 13] = b"NETCODE 1.02\0";

/// Seals any type with any body; the sequence takes as few bytes as it can.
pub fn sealed(key: &[u8; 32], kind: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
    let count = (1..8)
        .find(|count| sequence >> (8 * count) == 0)
        .unwrap_or(8);
    let prefix = (count as u8) << 4 | kind;
    let mut body = body.to_vec();
    let aad = Aad::from(associated(prefix));
    cipher(key)
        .seal_in_place_append_tag(nonce(sequence), aad, &mut body)
        .unwrap();
    let mut datagram = vec![prefix];
    datagram.extend_from_slice(&sequence.to_le_bytes()[..count]);
    datagram.extend_from_slice(&body);
    datagram
}

/// The body of a sealed datagram.
pub fn opened(key: &[u8; 32], datagram: &[u8]) -> Option<Vec<u8>> {
    let count = usize::from(datagram[0] >> 4);
    let mut sequence = [0; 8];
    sequence[..count].copy_from_slice(&datagram[1..1 + count]);
    let mut body = datagram[1 + count..].to_vec();
    let aad = Aad::from(associated(datagram[0]));
    let sequence = u64::from_le_bytes(sequence);
    let length = cipher(key)
        .open_in_place(nonce(sequence), aad, &mut body)
        .ok()?
        .len();
    body.truncate(length);
    Some(body)
}

/// A request whose private part is these bytes (zero padded to 1008), sealed with the real key.
pub fn request(private: &[u8], expire: u64, protocol_id: u64, private_key: &[u8; 32]) -> Vec<u8> {
    let mut body = private.to_vec();
    body.resize(1008, 0);
    let token_nonce = [9; 24];
    let mut aad = VERSION.to_vec();
    aad.extend_from_slice(&protocol_id.to_le_bytes());
    aad.extend_from_slice(&expire.to_le_bytes());
    let tag = XChaCha20Poly1305::new(&(*private_key).into())
        .encrypt_inout_detached(&token_nonce.into(), &aad, body.as_mut_slice().into())
        .unwrap();
    let mut request = vec![0];
    request.extend_from_slice(&aad);
    request.extend_from_slice(&token_nonce);
    request.extend_from_slice(&body);
    request.extend_from_slice(&tag);
    assert_eq!(request.len(), 1078);
    request
}

/// A request with this address count and type; the rest is well formed for one IPv4 address.
pub fn request_with_addresses(count: u32, kind: u8, expire: u64) -> Vec<u8> {
    let mut private = vec![];
    private.extend_from_slice(&7u64.to_le_bytes());
    private.extend_from_slice(&5i32.to_le_bytes());
    private.extend_from_slice(&count.to_le_bytes());
    for _ in 0..count.min(40) {
        private.extend_from_slice(&[kind, 10, 0, 0, 1]);
        private.extend_from_slice(&40_000u16.to_le_bytes());
    }
    request(&private, expire, PROTOCOL_ID, &PRIVATE_KEY)
}

/// The request that a client makes of a connect token.
pub fn request_of(token: &[u8]) -> Vec<u8> {
    let mut request = vec![0];
    request.extend_from_slice(&token[..13 + 8]);
    request.extend_from_slice(&token[13 + 16..13 + 24 + 24 + 1024]);
    assert_eq!(request.len(), 1078);
    request
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).unwrap())
}

fn nonce(sequence: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&sequence.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn associated(prefix: u8) -> [u8; 22] {
    let mut data = [0; 22];
    data[..13].copy_from_slice(VERSION);
    data[13..21].copy_from_slice(&PROTOCOL_ID.to_le_bytes());
    data[21] = prefix;
    data
}
