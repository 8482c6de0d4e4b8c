//! A second hand at NX: keys and datagrams made from docs/wire/nx.md alone, out of what was seen on
//! the wire and the token.

use ggscale_transport_core::token::PublicToken;
use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, CHACHA20_POLY1305};
use ring::hkdf::{KeyType, Salt, HKDF_SHA256};

use crate::forge::{opened, sealed};
use crate::world::{Datagram, World, PROTOCOL_ID, SERVER};

pub struct Direction {
    key: [u8; 32],
    iv: [u8; 12],
}

/// Everything that the two ends of one flow know.
pub struct Keys {
    pub token_up: [u8; 32],
    pub token_down: [u8; 32],
    pub up: Direction,
    pub down: Direction,
    pub cid: [u8; 8],
}

impl Keys {
    /// Connects a client with this token and works out its keys from what it said.
    pub fn of_new_client(world: &mut World) -> (usize, Keys) {
        let id = world.clients.len() as u64;
        let token = world.token(id, ggscale_transport_core::token::TokenNx::Known);
        world.sent = Some(Vec::new());
        let client = world.dial_with(&token, id, |_| {});
        world.run_for(500_000);
        assert!(world.is_nx(client));
        let sent = world.sent.take().unwrap();
        (client, Self::of(&token, &sent))
    }

    pub fn of(token: &[u8], sent: &[Datagram]) -> Self {
        let token = PublicToken::read(token).unwrap();
        let (token_up, token_down) = (token.client_to_server_key, token.server_to_client_key);
        let body_of = |key: &[u8; 32], up: bool, first: u8| {
            sent.iter()
                .filter(|d| d.kind() == 7 && (d.to == SERVER) == up)
                .find_map(|d| opened(key, &d.bytes).filter(|body| body[0] == first))
                .expect("sent")
        };
        let hello = body_of(&token_up, true, 1);
        let accept = body_of(&token_down, false, 2);
        let cid: [u8; 8] = accept[6 + 32..6 + 40].try_into().unwrap();
        let salt = [&hello[6..38], &accept[6..38]].concat();
        let secret = [token_up, token_down].concat();
        let tag = &token.private_data[1008..];
        let prk = Salt::new(HKDF_SHA256, &salt).extract(&secret);
        let expand = |label: &str, out: &mut [u8]| {
            let info = [label.as_bytes(), tag, &cid];
            prk.expand(&info, Length(out.len()))
                .unwrap()
                .fill(out)
                .unwrap();
        };
        let direction = |name: &str| {
            let (mut key, mut iv) = ([0; 32], [0; 12]);
            expand(&format!("ggscale nx1 {name} key"), &mut key);
            expand(&format!("ggscale nx1 {name} iv"), &mut iv);
            Direction { key, iv }
        };
        Self {
            token_up,
            token_down,
            up: direction("c2s"),
            down: direction("s2c"),
            cid,
        }
    }

    /// From the client under the new key, with any connection id.
    pub fn seal_up(&self, kind: u8, cid: [u8; 8], sequence: u64, body: &[u8]) -> Vec<u8> {
        self.up.seal(kind, &cid, sequence, body)
    }

    pub fn seal_down(&self, kind: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
        self.down.seal(kind, &[], sequence, body)
    }

    /// From the client under the token's key.
    pub fn seal_old(&self, kind: u8, sequence: u64, body: &[u8]) -> Vec<u8> {
        sealed(&self.token_up, kind, sequence, body)
    }

    pub fn open_down(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        self.down.open(0, datagram)
    }

    pub fn open_up(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        self.up.open(8, datagram)
    }
}

impl Direction {
    fn seal(&self, kind: u8, cid: &[u8], sequence: u64, body: &[u8]) -> Vec<u8> {
        let count = (1..8)
            .find(|count| sequence >> (8 * count) == 0)
            .unwrap_or(8);
        let prefix = (count as u8) << 4 | kind;
        let mut body = body.to_vec();
        self.cipher()
            .seal_in_place_append_tag(self.nonce(sequence), aad(prefix, cid), &mut body)
            .unwrap();
        let mut datagram = vec![prefix];
        datagram.extend_from_slice(cid);
        datagram.extend_from_slice(&sequence.to_le_bytes()[..count]);
        datagram.extend_from_slice(&body);
        datagram
    }

    fn open(&self, cid_bytes: usize, datagram: &[u8]) -> Option<Vec<u8>> {
        let count = usize::from(datagram[0] >> 4);
        let at = 1 + cid_bytes;
        let mut sequence = [0; 8];
        sequence[..count].copy_from_slice(&datagram[at..at + count]);
        let mut body = datagram[at + count..].to_vec();
        let nonce = self.nonce(u64::from_le_bytes(sequence));
        let aad = aad(datagram[0], &datagram[1..at]);
        let length = self
            .cipher()
            .open_in_place(nonce, aad, &mut body)
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &self.key).unwrap())
    }

    fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, other) in nonce[4..].iter_mut().zip(sequence.to_le_bytes()) {
            *byte ^= other;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

fn aad(prefix: u8, cid: &[u8]) -> Aad<Vec<u8>> {
    let mut data = b"NETCODE 1.02\0".to_vec();
    data.extend_from_slice(&PROTOCOL_ID.to_le_bytes());
    data.push(prefix);
    data.extend_from_slice(cid);
    Aad::from(data)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
