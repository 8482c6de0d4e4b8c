//! Datagrams that no client would send, under keys that are real.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use ggscale_transport_core::fuzzing::{Packet, Sealer};
use ggscale_transport_core::token::{PrivateToken, PublicToken};
use ggscale_transport_core::DATAGRAM_BYTES_MAX;

use super::tokens::{client_to_server_key, nonce, token, EXPIRE_S, PRIVATE_KEY, PROTOCOL_ID};
use crate::input::Input;

const PRIVATE_BYTES: usize = 1008;

/// Under the key of a token; types 8 and 9 with a connection id of nobody.
pub fn sealed(index: usize, kind: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
    let sealer = Sealer::new(PROTOCOL_ID, client_to_server_key(index), [0; 12]);
    let packet = Packet {
        kind,
        cid: matches!(kind, 8 | 9).then_some([0, 0, 0, 0, 1, 2, 3, 4]),
        sequence,
        header: 0,
    };
    let mut room = [0; DATAGRAM_BYTES_MAX];
    let length = sealer.seal(&packet, body, &mut room);
    room[..length.expect("bodies are short")].to_vec()
}

/// A request whose private part has pieces written over it, sealed with the real key.
pub fn request(index: usize, input: &mut Input) -> Vec<u8> {
    let public = PublicToken::read(token(index)).expect("a token");
    let nonce = nonce(index);
    let mut private = public.private_data;
    let opened = PrivateToken::open(&mut private, PROTOCOL_ID, EXPIRE_S, &nonce, &PRIVATE_KEY);
    assert!(opened.is_ok());
    let mut head = [0; 1 + 13 + 8 + 8 + 24];
    head[1..14].copy_from_slice(b"NETCODE 1.02\0");
    head[14..22].copy_from_slice(&PROTOCOL_ID.to_le_bytes());
    head[22..30].copy_from_slice(&(EXPIRE_S + u64::from(input.u8()) - 16).to_le_bytes());
    head[30..].copy_from_slice(&nonce);
    let (body, tag) = private.split_at_mut(PRIVATE_BYTES);
    input.patch(body, 2);
    let made = XChaCha20Poly1305::new(&PRIVATE_KEY.into())
        .encrypt_inout_detached(&nonce.into(), &head[1..30], body.into())
        .expect("it is short enough");
    tag.copy_from_slice(&made);
    [&head[..], &private[..]].concat()
}
