//! Token buckets in integers (RFC 2697's single rate, one colour).
//!
//! A bucket holds what is *owed*, in millionths of a token: a microsecond at `per_s` tokens a
//! second pays back exactly `per_s` of them, so nothing is rounded, and all zeros is a full bucket.
//! What is owed is cut to the burst before it is looked at, so a setting that shrinks takes effect
//! at once and locks nobody out for longer than it takes to refill.

/// Tokens that a bucket holds when it is full are owed in these units.
const MICRO: u64 = 1_000_000;

/// `per_s` tokens flow in, up to `burst` of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    pub per_s: u32,
    pub burst: u32,
}

impl Rate {
    pub const fn new(per_s: u32, burst: u32) -> Self {
        Self { per_s, burst }
    }

    const fn burst_micro(self) -> u64 {
        self.burst as u64 * MICRO
    }

    /// What is still owed after `elapsed_us`.
    fn after(self, owed: u64, elapsed_us: u64) -> u64 {
        owed.min(self.burst_micro())
            .saturating_sub(elapsed_us.saturating_mul(u64::from(self.per_s)))
    }

    fn fits(self, owed: u64, tokens: u32) -> bool {
        owed + u64::from(tokens) * MICRO <= self.burst_micro()
    }
}

/// One bucket. Its owner keeps the rate.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Bucket {
    owed: u64,
    at_us: u64,
}

impl Bucket {
    /// Millionths of a token owed at `now_us`; 0: full. A time before the last one is that time.
    pub fn owed(&self, rate: Rate, now_us: u64) -> u64 {
        rate.after(self.owed, now_us.saturating_sub(self.at_us))
    }

    pub fn has(&self, rate: Rate, now_us: u64) -> bool {
        rate.fits(self.owed(rate, now_us), 1)
    }

    /// Takes a token; what is not there is owed, up to the burst.
    pub fn take(&mut self, rate: Rate, now_us: u64) {
        self.owed = self.owed(rate, now_us) + MICRO;
        self.at_us = self.at_us.max(now_us);
    }

    /// Whole tokens left.
    pub fn left(&self, rate: Rate, now_us: u64) -> u32 {
        let left = rate.burst_micro() - self.owed(rate, now_us);
        u32::try_from(left / MICRO).unwrap_or(u32::MAX)
    }
}

/// The two limits of one flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FlowLimits {
    /// `None`: no limit.
    pub packets: Option<Rate>,
    pub bytes: Option<Rate>,
}

/// Which of a flow's limits a packet meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlowLimit {
    Packets,
    Bytes,
}

/// Both buckets of a flow. They are settled together, so one time serves both.
#[derive(Clone, Copy, Default)]
pub(crate) struct FlowBudget {
    packets_owed: u64,
    bytes_owed: u64,
    at_us: u64,
}

impl FlowBudget {
    /// Pays back what time has earned and looks whether a datagram of `bytes` fits. Nothing is
    /// charged yet: the datagram may be forged.
    #[inline]
    pub fn check(
        &mut self,
        limits: &FlowLimits,
        now_us: u64,
        bytes: usize,
    ) -> Result<(), FlowLimit> {
        let elapsed_us = now_us.saturating_sub(self.at_us);
        self.at_us = self.at_us.max(now_us);
        // Both are paid back before either may refuse: the time counts for both. Without a limit
        // nothing is owed, so one that is set later begins with a full bucket.
        let paid = |limit: Option<Rate>, owed| limit.map_or(0, |rate| rate.after(owed, elapsed_us));
        self.packets_owed = paid(limits.packets, self.packets_owed);
        self.bytes_owed = paid(limits.bytes, self.bytes_owed);
        let fits =
            |limit: Option<Rate>, owed, tokens| limit.is_none_or(|rate| rate.fits(owed, tokens));
        if !fits(limits.packets, self.packets_owed, 1) {
            return Err(FlowLimit::Packets);
        }
        if !fits(limits.bytes, self.bytes_owed, bytes as u32) {
            return Err(FlowLimit::Bytes);
        }
        Ok(())
    }

    /// The datagram that was checked has opened.
    #[inline]
    pub fn charge(&mut self, limits: &FlowLimits, bytes: usize) {
        if limits.packets.is_some() {
            self.packets_owed += MICRO;
        }
        if limits.bytes.is_some() {
            self.bytes_owed += bytes as u64 * MICRO;
        }
    }
}

// What is owed never overflows: at most a burst, and one datagram on top.
const _: () = assert!(u32::MAX as u64 * MICRO < u64::MAX / 2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate() {
        let rate = Rate::new(10, 3);
        let mut bucket = Bucket::default();
        let mut take = |now_us| {
            let has = bucket.has(rate, now_us);
            if has {
                bucket.take(rate, now_us);
            }
            has
        };
        let start = 5 * SECOND;
        assert!(take(start) && take(start) && take(start));
        assert!(!take(start) && !take(start + 99_999));
        assert!(take(start + 100_000));
        assert!(!take(start + 199_999));
        assert!(take(start + 200_000));
        // ten idle seconds fill it, and no more than fill it
        let later = start + 10 * SECOND;
        assert!(take(later) && take(later) && take(later));
        assert!(!take(later));
    }

    #[test]
    fn odd_rates_lose_nothing_to_rounding() {
        // 7 a second, asked once in a millisecond for 1000 s: exactly the burst and 7000.
        let rate = Rate::new(7, 1);
        let mut bucket = Bucket::default();
        let mut taken = 0;
        for ms in 0..=1_000_000u64 {
            if bucket.has(rate, ms * 1000) {
                bucket.take(rate, ms * 1000);
                taken += 1;
            }
        }
        // Between two asks less than a token can lie beyond the full bucket.
        assert!((6_950..=7_001).contains(&taken), "{taken}");
        let wide = Rate::new(7, 100);
        let mut bucket = Bucket::default();
        let mut taken = 0;
        for ms in 0..=1_000_000u64 {
            if bucket.has(wide, ms * 1000) {
                bucket.take(wide, ms * 1000);
                taken += 1;
            }
        }
        assert_eq!(taken, 7_100);
    }

    #[test]
    fn time_that_goes_backwards_gives_nothing_and_takes_nothing() {
        let rate = Rate::new(10, 2);
        let mut bucket = Bucket::default();
        bucket.take(rate, 10 * SECOND);
        bucket.take(rate, 9 * SECOND);
        assert!(!bucket.has(rate, 10 * SECOND) && !bucket.has(rate, 0));
        assert!(bucket.has(rate, 10 * SECOND + 100_000));
        let limits = FlowLimits {
            packets: Some(rate),
            bytes: None,
        };
        let mut budget = FlowBudget::default();
        for now_us in [10 * SECOND, 9 * SECOND] {
            assert_eq!(budget.check(&limits, now_us, 100), Ok(()));
            budget.charge(&limits, 100);
        }
        let refused = budget.check(&limits, 10 * SECOND + 99_999, 100);
        assert_eq!(refused, Err(FlowLimit::Packets));
        assert_eq!(budget.check(&limits, 10 * SECOND + 100_000, 100), Ok(()));
    }

    #[test]
    fn the_largest_rates_and_the_end_of_time_do_not_overflow() {
        let rate = Rate::new(u32::MAX, u32::MAX);
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            bucket.take(rate, u64::MAX);
        }
        assert_eq!(bucket.left(rate, u64::MAX), u32::MAX - 3);
        assert_eq!(bucket.left(rate, 0), u32::MAX - 3);
        let slow = Rate::new(1, 1);
        assert_eq!(Bucket::default().owed(slow, u64::MAX), 0);
        let limits = FlowLimits {
            packets: Some(rate),
            bytes: Some(rate),
        };
        let mut budget = FlowBudget::default();
        assert_eq!(budget.check(&limits, u64::MAX, 1300), Ok(()));
        budget.charge(&limits, 1300);
        assert_eq!(budget.check(&limits, u64::MAX, 1300), Ok(()));
    }

    #[test]
    fn a_smaller_burst_locks_out_for_no_longer_than_it_takes_to_fill() {
        let mut bucket = Bucket::default();
        let wide = Rate::new(1_000, 1_000);
        for _ in 0..1_000 {
            bucket.take(wide, SECOND);
        }
        let narrow = Rate::new(1, 2);
        assert!(!bucket.has(narrow, SECOND));
        assert!(bucket.has(narrow, 2 * SECOND));
        assert_eq!(bucket.left(narrow, 3 * SECOND), 2);
    }

    #[test]
    fn a_limit_that_is_set_later_begins_full() {
        let none = FlowLimits {
            packets: None,
            bytes: None,
        };
        let mut budget = FlowBudget::default();
        for _ in 0..1_000 {
            assert_eq!(budget.check(&none, SECOND, 1200), Ok(()));
            budget.charge(&none, 1200);
        }
        let limits = FlowLimits {
            packets: Some(Rate::new(1, 2)),
            bytes: Some(Rate::new(1, 2400)),
        };
        for _ in 0..2 {
            assert_eq!(budget.check(&limits, SECOND, 1200), Ok(()));
            budget.charge(&limits, 1200);
        }
        let refused = budget.check(&limits, SECOND, 1);
        assert_eq!(refused, Err(FlowLimit::Packets));
        let refused = budget.check(&limits, 2 * SECOND, 1200);
        assert_eq!(refused, Err(FlowLimit::Bytes));
    }

    #[test]
    fn the_byte_bucket_fills_while_packets_are_refused() {
        let limits = FlowLimits {
            packets: Some(Rate::new(10, 10)),
            bytes: Some(Rate::new(10_000, 10_000)),
        };
        let mut budget = FlowBudget::default();
        let mut taken = 0;
        // A packet of 1000 B in each millisecond: both limits let ten a second pass.
        for ms in 0..=10_000u64 {
            if budget.check(&limits, SECOND + ms * 1_000, 1_000).is_ok() {
                budget.charge(&limits, 1_000);
                taken += 1;
            }
        }
        assert_eq!(taken, 110);
    }

    #[test]
    fn a_limit_that_was_lifted_for_a_while_owes_nothing_when_it_comes_back() {
        let some = FlowLimits {
            packets: Some(Rate::new(1, 10)),
            bytes: Some(Rate::new(1_000, 10_000)),
        };
        let none = FlowLimits {
            packets: None,
            bytes: None,
        };
        let mut budget = FlowBudget::default();
        for _ in 0..10 {
            assert_eq!(budget.check(&some, SECOND, 1_000), Ok(()));
            budget.charge(&some, 1_000);
        }
        for second in 2..100 {
            assert_eq!(budget.check(&none, second * SECOND, 1_000), Ok(()));
            budget.charge(&none, 1_000);
        }
        for _ in 0..10 {
            assert_eq!(budget.check(&some, 99 * SECOND, 1_000), Ok(()));
            budget.charge(&some, 1_000);
        }
    }

    #[test]
    fn both_buckets_agree_with_exact_arithmetic_under_random_calls() {
        let mut random = Random::from_number(4);
        let limits = FlowLimits {
            packets: Some(Rate::new(14, 11)),
            bytes: Some(Rate::new(9_001, 5_000)),
        };
        let mut budget = FlowBudget::default();
        // What is left, in millionths, by u128 arithmetic from the other side.
        let full = [11_000_000u128, 5_000_000_000];
        let (mut left, mut now_us) = (full, SECOND);
        let mut refused = [0; 2];
        for _ in 0..20_000 {
            let step = random.next_u64() % 60_000;
            now_us += step;
            left[0] = (left[0] + u128::from(step) * 14).min(full[0]);
            left[1] = (left[1] + u128::from(step) * 9_001).min(full[1]);
            let bytes = 20 + (random.next_u64() % 1200) as usize;
            let cost = bytes as u128 * 1_000_000;
            let expected = if left[0] < 1_000_000 {
                refused[0] += 1;
                Err(FlowLimit::Packets)
            } else if left[1] < cost {
                refused[1] += 1;
                Err(FlowLimit::Bytes)
            } else {
                Ok(())
            };
            assert_eq!(budget.check(&limits, now_us, bytes), expected);
            if expected.is_ok() {
                budget.charge(&limits, bytes);
                left = [left[0] - 1_000_000, left[1] - cost];
            }
        }
        assert!(refused.iter().all(|count| *count > 100), "{refused:?}");
    }
}
