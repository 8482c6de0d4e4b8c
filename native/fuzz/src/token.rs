//! Connect tokens, public and private part.
//!
//! Input: `u8 mode`, then pieces ([`Input::patch`]) over a token that is good. Mode bit 0: the private
//! part, sealed with the real key so that the fuzzer stands behind the AEAD; bits 1–2: length wrong;
//! bit 3: the last two bytes of the input name a sealed byte and its change, which must be refused.

use std::net::SocketAddr;
use std::sync::OnceLock;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::XChaCha20Poly1305;
use ggscale_transport_core::token::{
    seal_connect_token, ConnectTokenFields, PrivateToken, PublicToken, TokenNx,
};
use ggscale_transport_core::TokenError;

use crate::input::Input;
use crate::plant;

const PROTOCOL_ID: u64 = 0x6767_7363_616c_6531;
const EXPIRE_S: u64 = 1_800_000_030;
const KEY: [u8; 32] = [0x5a; 32];
const NONCE: [u8; 24] = [9; 24];
const PRIVATE_BYTES: usize = 1008;
/// Where the list of addresses begins: behind client id and timeout, and behind the fixed public part.
const PRIVATE_LIST: usize = 8 + 4;
const PUBLIC_LIST: usize = 13 + 8 + 8 + 8 + 24 + 1024 + 4;
/// More pieces would only be slower.
const PIECES: usize = 8;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mode = input.u8();
    if mode & 1 == 0 {
        public(mode, &mut input);
    } else {
        private(mode, &mut input);
    }
}

fn public(mode: u8, input: &mut Input) {
    let mut bytes = good().to_vec();
    input.patch(&mut bytes, PIECES);
    match mode >> 1 & 3 {
        1 => bytes.truncate(usize::from(input.u16()) % 2048),
        2 => bytes.push(0),
        _ => {}
    }
    let mut shown = bytes.clone();
    forgive(&mut shown, PUBLIC_LIST);
    let Ok(token) = PublicToken::read(&shown) else {
        return;
    };
    assert_eq!(bytes.len(), 2048);
    assert!(token.create_timestamp <= token.expire_timestamp);
    let written = token.write().expect("what was read can be written");
    let again = PublicToken::read(&written).expect("what is written can be read");
    assert!(again == token, "what is written is what was read");
    check_list(&bytes[PUBLIC_LIST..], token.server_addresses.as_slice());
    assert_eq!(written[..PUBLIC_LIST], bytes[..PUBLIC_LIST]);
}

fn private(mode: u8, input: &mut Input) {
    let mut plain = [0; PRIVATE_BYTES];
    plain.copy_from_slice(good_private());
    input.patch(&mut plain, PIECES);
    let mut shown = plain;
    forgive(&mut shown, PRIVATE_LIST);
    let mut sealed = seal(&shown);
    if mode & 8 != 0 {
        return altered(sealed, input);
    }
    let read = PrivateToken::read(&shown);
    let opened = PrivateToken::open(&mut sealed, PROTOCOL_ID, EXPIRE_S, &NONCE, &KEY);
    assert!(opened == read, "opening is reading what was sealed");
    let Ok(token) = opened else {
        return;
    };
    check_list(&plain[PRIVATE_LIST..], token.server_addresses.as_slice());
    let mut again = token
        .seal(PROTOCOL_ID, EXPIRE_S, &NONCE, &KEY)
        .expect("what was read can be sealed");
    let again = PrivateToken::open(&mut again, PROTOCOL_ID, EXPIRE_S, &NONCE, &KEY);
    assert!(again == Ok(token), "what is sealed is what was read");
}

/// One byte of what is authenticated is another: nonce, associated data, body or tag.
fn altered(mut sealed: [u8; PRIVATE_BYTES + 16], input: &mut Input) {
    let at = usize::from(input.u16()) % (sealed.len() + 24 + 8 + 8);
    let change = input.u8().max(1);
    let (mut nonce, mut protocol_id, mut expire_s) = (NONCE, PROTOCOL_ID, EXPIRE_S);
    let beyond = at.wrapping_sub(sealed.len());
    match at {
        _ if at < sealed.len() => sealed[at] ^= change,
        _ if beyond < 24 => nonce[beyond] ^= change,
        _ if beyond < 32 => protocol_id ^= u64::from(change) << (8 * (beyond - 24)),
        _ => expire_s ^= u64::from(change) << (8 * (beyond - 32)),
    }
    let opened = PrivateToken::open(&mut sealed, protocol_id, expire_s, &nonce, &KEY);
    assert!(
        opened.err() == Some(TokenError::Open),
        "altered byte {at} passed"
    );
}

/// The addresses as this file reads them: count, then type, address and port of each.
fn check_list(bytes: &[u8], addresses: &[SocketAddr]) {
    let mut input = Input::new(bytes);
    let count = usize::from(input.u16());
    assert_eq!(input.u16(), 0);
    assert_eq!(count, addresses.len());
    assert!((1..=32).contains(&count));
    for address in addresses {
        let kind = input.u8();
        assert!(kind == 1 || kind == 2, "an address of type {kind}");
        if kind == 1 {
            let octets: [u8; 4] = input.take(4).try_into().expect("four octets");
            assert_eq!(address.ip(), std::net::IpAddr::from(octets));
        } else {
            let segments = [0; 8].map(|_: u16| input.u16());
            let ip = std::net::Ipv6Addr::from(segments);
            assert_eq!(address.ip(), std::net::IpAddr::from(ip).to_canonical());
        }
        assert_eq!(address.port(), input.u16());
    }
}

/// The plant: a reader that takes type 3 for IPv4, played by making a 1 of it.
fn forgive(bytes: &mut [u8], list: usize) {
    if plant::is_on() && bytes.get(list + 4) == Some(&3) {
        bytes[list + 4] = 1;
    }
}

fn seal(plain: &[u8; PRIVATE_BYTES]) -> [u8; PRIVATE_BYTES + 16] {
    let mut sealed = [0; PRIVATE_BYTES + 16];
    sealed[..PRIVATE_BYTES].copy_from_slice(plain);
    let mut associated = b"NETCODE 1.02\0".to_vec();
    associated.extend(PROTOCOL_ID.to_le_bytes());
    associated.extend(EXPIRE_S.to_le_bytes());
    let (body, tag) = sealed.split_at_mut(PRIVATE_BYTES);
    let made = XChaCha20Poly1305::new(&KEY.into())
        .encrypt_inout_detached(&NONCE.into(), &associated, body.into())
        .expect("it is short enough");
    tag.copy_from_slice(&made);
    sealed
}

fn good() -> &'static [u8; 2048] {
    static GOOD: OnceLock<[u8; 2048]> = OnceLock::new();
    GOOD.get_or_init(|| {
        let addresses = ["10.0.0.1:40000", "[2001:db8::1]:40001"];
        let addresses = addresses.map(|address| address.parse().expect("an address"));
        seal_connect_token(&ConnectTokenFields {
            protocol_id: PROTOCOL_ID,
            private_key: &KEY,
            client_id: 7,
            server_addresses: &addresses,
            public_addresses: None,
            create_timestamp: EXPIRE_S - 30,
            expire_timestamp: EXPIRE_S,
            timeout_s: 5,
            user_data: &[3; 256],
            nx: TokenNx::Known,
            nonce: &NONCE,
            client_to_server_key: &[1; 32],
            server_to_client_key: &[2; 32],
        })
        .expect("a token")
    })
}

/// Opened by the code that seals it: what stands in the private part of [`good`].
fn good_private() -> &'static [u8; PRIVATE_BYTES] {
    static GOOD: OnceLock<[u8; PRIVATE_BYTES]> = OnceLock::new();
    GOOD.get_or_init(|| {
        let token = PublicToken::read(good()).expect("a token");
        let mut sealed = token.private_data;
        assert!(PrivateToken::open(&mut sealed, PROTOCOL_ID, EXPIRE_S, &NONCE, &KEY).is_ok());
        *sealed.first_chunk().expect("it is longer")
    })
}
