//! Which packet numbers have come, and the ack block that says so (rl1.md §3, §5).

use crate::distance;
use crate::header::{first_below, Ack};
use crate::reason::Reason;
use std::collections::BTreeSet;

/// How many numbers below and including the newest are remembered.
const WINDOW: u16 = 512;
const BITMAP_BYTES_MAX: usize = 15;

#[derive(Clone, Debug, Default)]
pub struct Received {
    newest: Option<u16>,
    /// Of the window up to the newest.
    seen: BTreeSet<u16>,
    /// The peer knows of everything at and below; `None`: of nothing.
    floor: Option<u16>,
}

impl Received {
    /// Whether a packet of this number may still be taken.
    pub fn check(&self, number: u16) -> Result<(), Reason> {
        let Some(newest) = self.newest else {
            return Ok(());
        };
        let behind = i32::from(distance(newest, number));
        // The distance of 2^15 is its own negative: neither newer nor near.
        if behind >= i32::from(WINDOW) || behind == i32::from(i16::MIN) {
            return Err(Reason::PacketOld);
        }
        if self.seen.contains(&number) {
            return Err(Reason::PacketDuplicate);
        }
        Ok(())
    }

    /// Notes a number that [`Self::check`] let pass.
    pub fn insert(&mut self, number: u16) {
        let ahead = self
            .newest
            .map_or(i16::MAX, |newest| distance(number, newest));
        if ahead > 0 {
            let in_window =
                |seen: &u16| (0..i32::from(WINDOW)).contains(&i32::from(distance(number, *seen)));
            self.seen.retain(in_window);
            self.newest = Some(number);
            // Serial numbers compare only near each other: a floor out of reach is no floor.
            if self
                .floor
                .is_some_and(|floor| distance(number, floor) > 512)
            {
                self.floor = None;
            }
        }
        self.seen.insert(number);
        if self.floor.is_some_and(|floor| distance(number, floor) <= 0) {
            self.floor = Some(number.wrapping_sub(1));
        }
    }

    /// The peer has a block whose `largest` was this.
    pub fn raise_floor(&mut self, largest: u16) {
        let near = self
            .newest
            .is_some_and(|newest| (0..512).contains(&distance(newest, largest)));
        if near && self.floor.is_none_or(|floor| distance(largest, floor) > 0) {
            self.floor = Some(largest);
        }
    }

    fn is_reported(&self, newest: u16, number: u16) -> bool {
        distance(newest, number) < 512
            && self.floor.is_none_or(|floor| distance(number, floor) > 0)
            && self.seen.contains(&number)
    }

    /// `largest`, `run` and bitmap of the next packet; `None` before anything was received.
    #[must_use]
    pub fn block(&self) -> Option<(u16, u8, Vec<u8>)> {
        let newest = self.newest?;
        let mut run = 0u8;
        while run < u8::MAX && self.is_reported(newest, newest.wrapping_sub(u16::from(run) + 1)) {
            run += 1;
        }
        let first = first_below(newest, run);
        let mut bitmap = Vec::new();
        for byte in 0..BITMAP_BYTES_MAX as u16 {
            bitmap.push((0..8u16).fold(0u8, |bits, bit| {
                let named = self.is_reported(newest, first.wrapping_sub(8 * byte + bit));
                bits | u8::from(named) << bit
            }));
        }
        while bitmap.last() == Some(&0) {
            bitmap.pop();
        }
        Some((newest, run, bitmap))
    }

    /// Whether a packet sent now may carry this block: all of it received, nothing left out that is
    /// above the floor and in reach. A sender that forgot some of the floor may name more.
    pub fn judge(&self, ack: Option<&Ack<'_>>) -> Result<(), &'static str> {
        let Some(newest) = self.newest else {
            return ack.map_or(Ok(()), |_| Err("nothing was received"));
        };
        let ack = ack.ok_or("missing")?;
        if ack.largest != newest {
            return Err("largest is not the newest");
        }
        let named: Vec<u16> = ack.named().collect();
        if !named.iter().all(|number| self.seen.contains(number)) {
            return Err("names what was not received");
        }
        let below_run = newest.wrapping_sub(u16::from(ack.run) + 1);
        if ack.run < u8::MAX && self.is_reported(newest, below_run) {
            return Err("the run ends early");
        }
        let reach = first_below(newest, ack.run).wrapping_sub(8 * BITMAP_BYTES_MAX as u16 - 1);
        let mut number = newest;
        while number != reach.wrapping_sub(1) {
            if self.is_reported(newest, number) && !named.contains(&number) {
                return Err("leaves out what was received above the floor");
            }
            number = number.wrapping_sub(1);
        }
        Ok(())
    }
}
