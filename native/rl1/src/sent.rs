//! What this side has sent, to judge what the peer claims to have received (rl1.md §5).

use crate::distance;
use std::collections::VecDeque;

/// How many numbers are remembered one by one.
const REMEMBERED: usize = 1024;

/// From here on a number behind the next may have been used long ago.
const USED_MAX: u16 = 32767;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Skipped,
    /// With the `largest` of its ack block, if it had one.
    Sent(Option<u16>),
}

#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// One behind the newest number that was used.
    next: u16,
    /// The newest last.
    numbers: VecDeque<Number>,
    /// Numbers used so far, up to [`USED_MAX`].
    used: u16,
}

/// What a number in an ack block means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Sent; the `largest` that it carried.
    Sent(Option<u16>),
    TooOld,
    NeverSent,
    /// Left out, so many numbers behind the next one.
    Skipped(u16),
}

impl Sent {
    /// A packet left. Numbers between it and the one before were skipped.
    pub fn push(&mut self, number: u16, largest: Option<u16>) {
        if self.numbers.is_empty() {
            self.next = number;
        }
        while self.next != number {
            self.append(Number::Skipped);
        }
        self.append(Number::Sent(largest));
    }

    fn append(&mut self, number: Number) {
        self.numbers.push_back(number);
        self.next = self.next.wrapping_add(1);
        if self.numbers.len() > REMEMBERED {
            self.numbers.pop_front();
        }
        self.used = USED_MAX.min(self.used + 1);
    }

    #[must_use]
    pub fn claim(&self, number: u16) -> Claim {
        let behind = distance(self.next, number);
        if behind <= 0 {
            return Claim::NeverSent;
        }
        let from_front = self
            .numbers
            .len()
            .checked_sub(usize::from(behind.unsigned_abs()));
        match from_front.and_then(|index| self.numbers.get(index)) {
            Some(Number::Sent(largest)) => Claim::Sent(*largest),
            Some(Number::Skipped) => Claim::Skipped(behind.unsigned_abs()),
            None if self.used == USED_MAX || behind.unsigned_abs() <= self.used => Claim::TooOld,
            None => Claim::NeverSent,
        }
    }
}
