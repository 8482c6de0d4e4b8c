//! When JavaScript wants to run, whatever the sockets do: its ticks and its one deadline. Owned by
//! whoever drives on the JavaScript thread, so that an endpoint can live on another one.

use crate::layout as l;
use crate::ring::Memory;

/// The next moment at which something is due, and what JavaScript is told then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    pub at_ns: u64,
    /// The wake reasons for JavaScript; 0 when the native side can serve it alone.
    pub reasons: u32,
}

impl Wake {
    /// The earlier one; at the same moment both reasons.
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) if a.at_ns == b.at_ns => Some(Self {
                at_ns: a.at_ns,
                reasons: a.reasons | b.reasons,
            }),
            (Some(a), Some(b)) => Some(if a.at_ns < b.at_ns { a } else { b }),
            (a, b) => a.or(b),
        }
    }
}

pub struct Schedule {
    memory: Memory,
    ticks: Ticks,
    /// Added to the monotonic clock; lets a test begin near a wrap.
    clock_offset_us: u64,
}

impl Schedule {
    pub fn new(memory: Memory, now_ns: u64, tick_interval_us: f64, clock_offset_us: u64) -> Self {
        Self {
            memory,
            ticks: Ticks::new(now_ns, tick_interval_us),
            clock_offset_us,
        }
    }

    /// Tells JavaScript the time of its turn and takes the ticks that are due off the schedule.
    pub fn begin_turn(&mut self, now_ns: u64) {
        let due = self.ticks.take_due(now_ns).min(i32::MAX as u32);
        self.memory.store(l::I_NOW_US, self.clock_us(now_ns) as i32);
        self.memory.store(l::I_TICKS_DUE, due as i32);
    }

    /// Ticks begin anew; 0 stops them.
    pub fn set_tick_interval_us(&mut self, now_ns: u64, interval_us: f64) {
        self.ticks = Ticks::new(now_ns, interval_us);
    }

    /// The next tick or deadline.
    pub fn next(&self, now_ns: u64) -> Option<Wake> {
        let tick = self.ticks.next_ns().map(|at_ns| Wake {
            at_ns,
            reasons: l::WAKE_TICK,
        });
        let deadline = self.deadline_ns(now_ns).map(|at_ns| Wake {
            at_ns,
            reasons: l::WAKE_DEADLINE,
        });
        Wake::earlier(tick, deadline)
    }

    /// The reasons that are due now; 0: none.
    pub fn due(&self, now_ns: u64) -> u32 {
        let mut reasons = 0;
        if self.ticks.next_ns().is_some_and(|at| at <= now_ns) {
            reasons |= l::WAKE_TICK;
        }
        if self.deadline_ns(now_ns).is_some_and(|at| at <= now_ns) {
            reasons |= l::WAKE_DEADLINE;
        }
        reasons
    }

    fn clock_us(&self, now_ns: u64) -> u64 {
        now_ns / 1000 + self.clock_offset_us
    }

    /// JavaScript's deadline is the low 32 bits of a time within ±2^31 µs of now.
    fn deadline_ns(&self, now_ns: u64) -> Option<u64> {
        if self.memory.load(l::I_DEADLINE_ARMED) == 0 {
            return None;
        }
        let now_us = self.clock_us(now_ns);
        let low = self.memory.load(l::I_DEADLINE_US);
        let ahead = low.wrapping_sub(now_us as i32);
        let at_us = now_us.saturating_add_signed(i64::from(ahead));
        Some(at_us.saturating_sub(self.clock_offset_us) * 1000)
    }
}

/// Tick n is due at `start + n · interval`, computed from n each time, so that it never drifts
/// however late the turns run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ticks {
    start_ns: u64,
    /// Nanoseconds, possibly with a fraction: 60 Hz is 16,666,666.67.
    interval_ns: f64,
    taken: u64,
}

impl Ticks {
    /// No ticks when `interval_us` is 0 (or not a usable number).
    fn new(start_ns: u64, interval_us: f64) -> Self {
        let usable = interval_us.is_finite() && interval_us > 0.0;
        Self {
            start_ns,
            // Nothing is due more often than the clock of JavaScript can tell.
            interval_ns: if usable {
                interval_us.max(1.0) * 1000.0
            } else {
                0.0
            },
            taken: 0,
        }
    }

    /// When the next tick is due.
    fn next_ns(&self) -> Option<u64> {
        (self.interval_ns > 0.0).then(|| self.at(self.taken + 1))
    }

    /// Takes the ticks that are due at `now_ns` and says how many.
    fn take_due(&mut self, now_ns: u64) -> u32 {
        match self.next_ns() {
            Some(next) if next <= now_ns => {}
            _ => return 0,
        }
        let elapsed = now_ns.saturating_sub(self.start_ns) as f64;
        let mut index = (elapsed / self.interval_ns) as u64;
        // The division rounds; the schedule itself decides.
        while self.at(index + 1) <= now_ns {
            index += 1;
        }
        while index > self.taken && self.at(index) > now_ns {
            index -= 1;
        }
        let due = index.saturating_sub(self.taken);
        self.taken = index;
        u32::try_from(due).unwrap_or(u32::MAX)
    }

    fn at(&self, index: u64) -> u64 {
        let after_ns = (index as f64 * self.interval_ns) as u64;
        self.start_ns.saturating_add(after_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring_test::TestMemory;

    #[test]
    fn sixty_hertz_does_not_drift_over_a_day() {
        let mut ticks = Ticks::new(1_000, 1_000_000.0 / 60.0);
        let day_ns = 24 * 3600 * 1_000_000_000u64;
        assert_eq!(ticks.take_due(1_000 + day_ns + 1), 60 * 24 * 3600);
        assert_eq!(ticks.take_due(1_000 + day_ns + 1), 0);
    }

    #[test]
    fn each_tick_is_due_once_and_at_its_own_time() {
        let mut ticks = Ticks::new(0, 250.0);
        assert_eq!(ticks.take_due(249_999), 0);
        assert_eq!(ticks.take_due(250_000), 1);
        assert_eq!(ticks.next_ns(), Some(500_000));
        assert_eq!(ticks.take_due(1_100_000), 3);
    }

    #[test]
    fn no_interval_means_no_ticks() {
        assert_eq!(Ticks::new(0, 0.0).next_ns(), None);
        assert_eq!(Ticks::new(0, f64::NAN).next_ns(), None);
        assert_eq!(Ticks::new(0, -1.0).take_due(u64::MAX), 0);
    }

    #[test]
    fn intervals_beyond_reason_end_in_bounds() {
        let mut shortest = Ticks::new(0, f64::MIN_POSITIVE);
        assert_eq!(shortest.take_due(10_000), 10, "a microsecond at least");
        let mut longest = Ticks::new(u64::MAX / 2, f64::MAX);
        assert_eq!(longest.next_ns(), Some(u64::MAX));
        assert_eq!(longest.take_due(u64::MAX - 1), 0);
    }

    #[test]
    fn a_turn_is_told_its_time_and_the_ticks_that_came() {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let mut schedule = Schedule::new(memory.memory, 1_000_000, 200.0, 7);
        let tick = Some(Wake {
            at_ns: 1_200_000,
            reasons: l::WAKE_TICK,
        });
        assert_eq!(schedule.next(1_000_000), tick);
        assert_eq!(schedule.due(1_199_999), 0);
        assert_eq!(schedule.due(1_650_000), l::WAKE_TICK);
        schedule.begin_turn(1_650_000);
        assert_eq!(memory.int(l::I_NOW_US), 1_657);
        assert_eq!(memory.int(l::I_TICKS_DUE), 3);
        schedule.begin_turn(1_650_000);
        assert_eq!(memory.int(l::I_TICKS_DUE), 0);
        schedule.set_tick_interval_us(2_000_000, 0.0);
        assert_eq!(schedule.next(2_000_000), None);
    }

    #[test]
    fn deadlines_wake_with_their_own_reason_across_the_wrap() {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let schedule = Schedule::new(memory.memory, 0, 0.0, 0);
        let store = |index, value| memory.memory.store(index, value);
        assert_eq!(schedule.next(0), None);
        store(l::I_DEADLINE_ARMED, 1);
        for (now_us, deadline_us, at_us) in [
            (1_000_000u64, 1_000_500i32, 1_000_500u64),
            (1_000_000, 999_000, 999_000),
            // The low 32 bits alone order the deadline.
            ((1 << 31) - 100, i32::MIN + 50, (1 << 31) + 50),
            ((1 << 32) + 10, -10, (1 << 32) - 10),
        ] {
            store(l::I_DEADLINE_US, deadline_us);
            let wake = schedule.next(now_us * 1000);
            let expected = Wake {
                at_ns: at_us * 1000,
                reasons: l::WAKE_DEADLINE,
            };
            assert_eq!(wake, Some(expected));
            let due = schedule.due(now_us * 1000);
            assert_eq!(due != 0, at_us <= now_us, "{now_us} {at_us}");
        }
    }

    #[test]
    fn a_tick_and_a_deadline_of_one_moment_are_one_wake() {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let schedule = Schedule::new(memory.memory, 0, 500.0, 0);
        memory.memory.store(l::I_DEADLINE_ARMED, 1);
        memory.memory.store(l::I_DEADLINE_US, 500);
        let wake = schedule.next(0).unwrap();
        assert_eq!(wake.at_ns, 500_000);
        assert_eq!(wake.reasons, l::WAKE_TICK | l::WAKE_DEADLINE);
    }
}
