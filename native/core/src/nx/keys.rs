//! New keys of a connection: HKDF-SHA256 (RFC 5869) over what both ends gave and what the token
//! holds, so that they are new even when a token is used again.

use ring::hkdf::{KeyType, Prk, Salt, HKDF_SHA256};
use zeroize::Zeroize;

use super::CID_BYTES;
use crate::history::TokenTag;
use crate::limits::KEY_BYTES;
use crate::seal::PacketKey;

pub(crate) const NONCE_BYTES: usize = 32;

/// What the keys are made of.
pub(crate) struct Rekey<'a> {
    pub client_nonce: &'a [u8; NONCE_BYTES],
    pub server_nonce: &'a [u8; NONCE_BYTES],
    /// The token's keys.
    pub client_to_server: &'a [u8; KEY_BYTES],
    pub server_to_client: &'a [u8; KEY_BYTES],
    /// Of X25519, when both offered it.
    pub shared: Option<&'a [u8; KEY_BYTES]>,
    pub token_tag: &'a TokenTag,
    pub cid: &'a [u8; CID_BYTES],
}

/// One key per direction.
pub(crate) struct NxKeys {
    pub client_to_server: PacketKey,
    pub server_to_client: PacketKey,
}

impl Rekey<'_> {
    /// `None` never happens: all lengths are within what HKDF makes.
    pub fn derive(&self) -> Option<NxKeys> {
        let mut salt = [0; 2 * NONCE_BYTES];
        let (first, second) = salt.split_at_mut(NONCE_BYTES);
        first.copy_from_slice(self.client_nonce);
        second.copy_from_slice(self.server_nonce);
        let mut secret = [0; 3 * KEY_BYTES];
        let mut length = 0;
        let parts = [Some(self.client_to_server), Some(self.server_to_client)];
        for part in parts.into_iter().chain([self.shared]).flatten() {
            secret
                .get_mut(length..length + KEY_BYTES)?
                .copy_from_slice(part);
            length += KEY_BYTES;
        }
        let prk = Salt::new(HKDF_SHA256, &salt).extract(secret.get(..length)?);
        secret.zeroize();
        Some(NxKeys {
            client_to_server: PacketKey::new(
                self.expand(&prk, b"ggscale nx1 c2s key")?,
                self.expand(&prk, b"ggscale nx1 c2s iv")?,
            ),
            server_to_client: PacketKey::new(
                self.expand(&prk, b"ggscale nx1 s2c key")?,
                self.expand(&prk, b"ggscale nx1 s2c iv")?,
            ),
        })
    }

    fn expand<const N: usize>(&self, prk: &Prk, label: &[u8]) -> Option<[u8; N]> {
        let info = [label, self.token_tag, self.cid];
        let mut out = [0; N];
        prk.expand(&info, Length(N)).ok()?.fill(&mut out).ok()?;
        Some(out)
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_changes_all_keys() {
        let base = [[1; 32], [2; 32], [3; 32], [4; 32], [5; 32]];
        let derive = |change: usize| {
            let mut inputs = base;
            if let Some(input) = inputs.get_mut(change) {
                input[0] ^= 1;
            }
            let (tag, cid) = ([u8::from(change == 5); 16], [u8::from(change == 6); 8]);
            let keys = Rekey {
                client_nonce: &inputs[0],
                server_nonce: &inputs[1],
                client_to_server: &inputs[2],
                server_to_client: &inputs[3],
                shared: (change != 7).then_some(&inputs[4]),
                token_tag: &tag,
                cid: &cid,
            }
            .derive()
            .unwrap();
            let (up, down) = (keys.client_to_server, keys.server_to_client);
            [
                up.key().to_vec(),
                up.nonce(0).to_vec(),
                down.key().to_vec(),
                down.nonce(0).to_vec(),
            ]
        };
        let mut seen = std::collections::BTreeSet::new();
        for change in 0..9 {
            for made in derive(change) {
                assert!(seen.insert(made));
            }
        }
    }
}
