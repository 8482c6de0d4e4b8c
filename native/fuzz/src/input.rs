//! A fuzzer's bytes as numbers and pieces: whatever they are, they mean something.

/// Reads from the front; past the end everything is zero and empty.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// At most this many bytes.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }

    pub fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }

    pub fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// Little-endian.
    fn number(&mut self, bytes: usize) -> u64 {
        let taken = self.take(bytes).iter().rev();
        taken.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Writes pieces over `bytes`: `u16 position, u8 length, bytes`, `count` times at most.
    pub fn patch(&mut self, bytes: &mut [u8], count: usize) {
        for _ in 0..count {
            if self.is_empty() || bytes.is_empty() {
                return;
            }
            let at = usize::from(self.u16()) % bytes.len();
            let length = usize::from(self.u8());
            let piece = self.take(length);
            for (byte, new) in bytes[at..].iter_mut().zip(piece) {
                *byte = *new;
            }
        }
    }
}
