//! A small mutator without coverage, for machines without libFuzzer: it keeps the targets and their
//! plants honest in `cargo test`. The long runs are libFuzzer's.

/// SplitMix64.
pub struct Prng(u64);

impl Prng {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit as u64) as usize
    }
}

/// Numbers that sit at edges.
const EDGES: [u8; 10] = [0, 1, 3, 7, 8, 16, 32, 64, 127, 255];

/// A corpus entry, changed in one to eight places; never longer than `max_length`.
pub fn mutant(corpus: &[Vec<u8>], max_length: usize, prng: &mut Prng) -> Vec<u8> {
    let mut bytes = match corpus.len() {
        0 => Vec::new(),
        count => corpus[prng.below(count)].clone(),
    };
    for _ in 0..=prng.below(8) {
        change(&mut bytes, corpus, prng);
    }
    bytes.truncate(max_length);
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], prng: &mut Prng) {
    if bytes.is_empty() {
        let length = 1 + prng.below(64);
        bytes.extend((0..length).map(|_| prng.draw() as u8));
        return;
    }
    let at = prng.below(bytes.len());
    match prng.below(8) {
        0 => bytes[at] ^= 1 << prng.below(8),
        1 => bytes[at] = prng.draw() as u8,
        2 => bytes[at] = EDGES[prng.below(EDGES.len())],
        3 => bytes[at] = bytes[at].wrapping_add(prng.below(9) as u8).wrapping_sub(4),
        4 => {
            let length = 1 + prng.below(8);
            let new = (0..length).map(|_| prng.draw() as u8);
            bytes.splice(at..at, new.collect::<Vec<_>>());
        }
        5 => {
            let end = bytes.len().min(at + 1 + prng.below(16));
            bytes.drain(at..end);
        }
        6 => {
            let end = bytes.len().min(at + 1 + prng.below(64));
            let copy = bytes[at..end].to_vec();
            let to = prng.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        _ => {
            let Some(other) = corpus.get(prng.below(corpus.len().max(1))) else {
                return;
            };
            let from = prng.below(other.len() + 1);
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
    }
}
