//! Which packet numbers came, and the ack block that says so (rl1.md §3, §5). 512 numbers in a ring of
//! bits; nothing is allocated.

use ggscale_rl1::distance;

const WINDOW: i32 = 512;
pub const BITMAP_BYTES_MAX: usize = 15;

/// `largest`, `run` and as many bytes of the bitmap as count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub largest: u16,
    pub run: u8,
    pub bitmap: [u8; BITMAP_BYTES_MAX],
    pub bitmap_bytes: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Received {
    newest: Option<u16>,
    /// Of the 512 numbers up to the newest, by number modulo 512.
    bits: [u64; 8],
    floor: Option<u16>,
}

impl Received {
    pub fn newest(&self) -> Option<u16> {
        self.newest
    }

    /// False for a packet that came before, or is too old to tell.
    pub fn is_new(&self, number: u16) -> bool {
        let Some(newest) = self.newest else {
            return true;
        };
        let behind = i32::from(distance(newest, number));
        behind < WINDOW && behind != i32::from(i16::MIN) && (behind < 0 || !self.has(number))
    }

    /// Notes a new number; whether it followed the newest directly.
    pub fn insert(&mut self, number: u16) -> bool {
        let ahead = match self.newest {
            None => {
                self.newest = Some(number);
                self.set(number);
                return true;
            }
            Some(newest) => distance(number, newest),
        };
        if ahead > 0 {
            if i32::from(ahead) >= WINDOW {
                self.bits = [0; 8];
            } else {
                for back in 0..ahead as u16 {
                    self.clear(number.wrapping_sub(back));
                }
            }
            self.newest = Some(number);
            if self
                .floor
                .is_some_and(|floor| i32::from(distance(number, floor)) > WINDOW)
            {
                self.floor = None;
            }
        }
        self.set(number);
        if self.floor.is_some_and(|floor| distance(number, floor) <= 0) {
            self.floor = Some(number.wrapping_sub(1));
        }
        ahead == 1
    }

    /// The peer has a block whose `largest` was this.
    pub fn raise_floor(&mut self, largest: u16) {
        let near = self
            .newest
            .is_some_and(|newest| (0..WINDOW).contains(&i32::from(distance(newest, largest))));
        if near && self.floor.is_none_or(|floor| distance(largest, floor) > 0) {
            self.floor = Some(largest);
        }
    }

    /// None before anything came.
    pub fn block(&self) -> Option<Block> {
        let largest = self.newest?;
        let mut run = 0u8;
        while run < u8::MAX && self.is_reported(largest, u16::from(run) + 1) {
            run += 1;
        }
        // A full run implies no gap.
        let first = u16::from(run) + if run == u8::MAX { 1 } else { 2 };
        let (mut bitmap, mut bitmap_bytes) = ([0; BITMAP_BYTES_MAX], 0);
        let last = self.last_back(largest);
        for (byte, bits) in (0u16..).zip(bitmap.iter_mut()) {
            if first + 8 * byte > last {
                break;
            }
            *bits = (0..8).fold(0, |bits, bit| {
                bits | u8::from(self.is_reported(largest, first + 8 * byte + bit)) << bit
            });
            if *bits != 0 {
                bitmap_bytes = usize::from(byte) + 1;
            }
        }
        Some(Block {
            largest,
            run,
            bitmap,
            bitmap_bytes,
        })
    }

    /// How far back a number may be that is still reported.
    fn last_back(&self, newest: u16) -> u16 {
        let floor = self.floor.map_or(WINDOW, |floor| {
            i32::from(distance(newest, floor)).clamp(1, WINDOW)
        });
        (floor - 1) as u16
    }

    fn is_reported(&self, newest: u16, back: u16) -> bool {
        back <= self.last_back(newest) && self.has(newest.wrapping_sub(back))
    }

    fn has(&self, number: u16) -> bool {
        let word = self.bits.get(usize::from(number >> 6 & 7));
        word.is_some_and(|word| word & 1 << (number & 63) != 0)
    }

    fn set(&mut self, number: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(number >> 6 & 7)) {
            *word |= 1 << (number & 63);
        }
    }

    fn clear(&mut self, number: u16) {
        if let Some(word) = self.bits.get_mut(usize::from(number >> 6 & 7)) {
            *word &= !(1 << (number & 63));
        }
    }
}
