//! A client that says what it never would: for native/fuzz only.

use super::Client;
use crate::seal::Envelope;

impl Client {
    /// Seals any type and body under the keys in use now, with the next sequence, to the front of
    /// `out`; returns the datagram's length. Types 8 and 9 carry the connection id; before there is
    /// one they cannot be made, and this is `None`.
    pub fn seal_any(&mut self, kind: u8, body: &[u8], out: &mut [u8]) -> Option<usize> {
        let cid = match crate::prefix::has_cid(kind) {
            true => Some(self.cid?),
            false => None,
        };
        let envelope = Envelope {
            kind,
            cid,
            sequence: self.next_sequence,
        };
        self.next_sequence += 1;
        self.cipher.seal_packet(&self.send, envelope, body, out)
    }
}
