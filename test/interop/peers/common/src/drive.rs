//! The payloads of a run and the check of their echoes.
//!
//! Payload `i` has `1 + (389·i mod max)` bytes: 389 is prime to both 1200 and 1300, so `max` payloads
//! have every size exactly once. Its bytes come from a 32-bit LCG seeded by (seed, i), as in
//! test/interop/payloads.ts.
//!
//! Where datagrams get lost echoes cannot be awaited one by one: payloads of a `Stream` begin with their
//! index, so each is recognised whatever came before it.

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

    /// True when this is the echo that was due; it is then the next one's turn.
    pub fn check_echo(&mut self, echo: &[u8]) -> bool {
        if !self.is_due(echo) {
            return false;
        }
        self.matched += 1;
        self.bytes += echo.len();
        true
    }

    /// True when this is the echo that is due.
    pub fn is_due(&mut self, echo: &[u8]) -> bool {
        if self.matched >= self.sent {
            return false;
        }
        let length = payload_length(self.matched, self.max_bytes);
        fill_payload(self.seed, self.matched, &mut self.scratch[..length]);
        echo == &self.scratch[..length]
    }

    pub fn is_complete(&self) -> bool {
        self.matched == self.count
    }
}

/// The index, little endian, in front of each payload of a stream.
const INDEX_BYTES: usize = 4;

/// Sends `count` payloads, at most `WINDOW` ahead of the newest echo, and checks that each echo is one of
/// them and comes for the first time. Over when something said later is echoed: the path keeps order.
pub struct Stream {
    pub flow: u64,
    pub sent: usize,
    /// Distinct echoes.
    pub arrived: usize,
    count: usize,
    seed: u32,
    max_bytes: usize,
    seen: Vec<bool>,
    /// One more than the newest echo's index.
    newest: usize,
    scratch: Vec<u8>,
}

impl Stream {
    pub fn new(flow: u64, count: usize, seed: u32, max_bytes: usize) -> Self {
        Self {
            flow,
            sent: 0,
            arrived: 0,
            count,
            seed,
            max_bytes,
            seen: vec![false; count],
            newest: 0,
            scratch: vec![0; max_bytes],
        }
    }

    /// The next payload that may be sent now.
    pub fn next_payload(&mut self) -> Option<&[u8]> {
        if self.is_sent() || self.sent - self.newest >= WINDOW {
            return None;
        }
        let length = self.fill(self.sent);
        self.sent += 1;
        Some(&self.scratch[..length])
    }

    /// What is wrong with this echo.
    pub fn check_echo(&mut self, echo: &[u8]) -> Result<(), &'static str> {
        let head = echo.first_chunk().ok_or("an echo without an index")?;
        let index = u32::from_le_bytes(*head) as usize;
        if index >= self.sent {
            return Err("an echo of nothing");
        }
        let length = self.fill(index);
        if echo != &self.scratch[..length] {
            return Err("an echo that is not its payload");
        }
        if std::mem::replace(&mut self.seen[index], true) {
            return Err("an echo that came twice");
        }
        self.arrived += 1;
        self.newest = self.newest.max(index + 1);
        Ok(())
    }

    pub fn is_sent(&self) -> bool {
        self.sent == self.count
    }

    fn fill(&mut self, index: usize) -> usize {
        let length = INDEX_BYTES + payload_length(index, self.max_bytes - INDEX_BYTES);
        let (head, body) = self.scratch[..length].split_at_mut(INDEX_BYTES);
        head.copy_from_slice(&(index as u32).to_le_bytes());
        fill_payload(self.seed, index, body);
        length
    }
}
