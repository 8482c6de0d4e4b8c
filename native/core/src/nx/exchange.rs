//! X25519 (RFC 7748), for keys that stay secret when the token leaks later.
//!
//! The private half is drawn from the operating system, not from the given generator: the library
//! makes it so, and nothing that can be observed (sizes, events, time) depends on it.

use ring::agreement::{agree_ephemeral, EphemeralPrivateKey, UnparsedPublicKey, X25519};
use ring::rand::SystemRandom;

use crate::limits::KEY_BYTES;

pub(crate) struct Exchange {
    private: EphemeralPrivateKey,
    public: [u8; KEY_BYTES],
}

impl Exchange {
    /// `None` without entropy.
    pub fn new() -> Option<Self> {
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).ok()?;
        let public = *private
            .compute_public_key()
            .ok()?
            .as_ref()
            .first_chunk::<KEY_BYTES>()?;
        Some(Self { private, public })
    }

    pub fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    /// `None` for a public key of small order (RFC 7748 §6.1).
    pub fn agree(self, peer: &[u8; KEY_BYTES]) -> Option<[u8; KEY_BYTES]> {
        let peer = UnparsedPublicKey::new(&X25519, peer);
        agree_ephemeral(self.private, &peer, |shared| {
            shared.first_chunk::<KEY_BYTES>().copied()
        })
        .ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_agree_and_a_point_of_small_order_is_refused() {
        let (a, b) = (Exchange::new().unwrap(), Exchange::new().unwrap());
        let (public_a, public_b) = (*a.public(), *b.public());
        let shared = a.agree(&public_b).unwrap();
        assert_eq!(b.agree(&public_a), Some(shared));
        assert_eq!(Exchange::new().unwrap().agree(&[0; 32]), None);
    }
}
