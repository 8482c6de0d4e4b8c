//! The payloads of a run and the check of their echoes.
//!
//! Payload `i` has `1 + (389·i mod max)` bytes: 389 is prime to both 1200 and 1300, so `max` payloads
//! have every size exactly once. Its bytes come from a 32-bit LCG seeded by (seed, i), as in
//! test/interop/payloads.ts.

/// Payloads sent and not yet echoed. Small enough for the receive queues of both foreign
/// implementations (256 payloads) and for default socket buffers.
const WINDOW: usize = 48;

pub fn payload_length(index: usize, max_bytes: usize) -> usize {
    1 + (389 * index) % max_bytes
}

pub fn fill_payload(seed: u32, index: usize, out: &mut [u8]) {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(index as u32);
    for byte in out {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
}

/// Sends `count` payloads, at most `WINDOW` ahead of the echoes, and compares each echo in order.
pub struct Drive {
    pub flow: u64,
    pub count: usize,
    pub sent: usize,
    pub matched: usize,
    pub bytes: usize,
    seed: u32,
    max_bytes: usize,
    scratch: Vec<u8>,
}

impl Drive {
    pub fn new(flow: u64, count: usize, seed: u32, max_bytes: usize) -> Self {
        let scratch = vec![0; max_bytes];
        Self {
            flow,
            count,
            sent: 0,
            matched: 0,
            bytes: 0,
            seed,
            max_bytes,
            scratch,
        }
    }

    /// The next payload that may be sent now.
    pub fn next_payload(&mut self) -> Option<&[u8]> {
        if self.sent == self.count || self.sent - self.matched >= WINDOW {
            return None;
        }
        let length = payload_length(self.sent, self.max_bytes);
        fill_payload(self.seed, self.sent, &mut self.scratch[..length]);
        self.sent += 1;
        Some(&self.scratch[..length])
    }

    /// True when this is the echo that was due.
    pub fn check_echo(&mut self, echo: &[u8]) -> bool {
        if self.matched >= self.sent {
            return false;
        }
        let length = payload_length(self.matched, self.max_bytes);
        fill_payload(self.seed, self.matched, &mut self.scratch[..length]);
        if echo != &self.scratch[..length] {
            return false;
        }
        self.matched += 1;
        self.bytes += length;
        true
    }

    pub fn is_complete(&self) -> bool {
        self.matched == self.count
    }
}
