//! The tick schedule: tick n is due at `start + n · interval`, computed from n each time, so that it
//! never drifts however late the turns run.

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ticks {
    start_ns: u64,
    /// Nanoseconds, possibly with a fraction: 60 Hz is 16,666,666.67.
    interval_ns: f64,
    taken: u64,
}

impl Ticks {
    /// No ticks when `interval_us` is 0 (or not a usable number).
    pub fn new(start_ns: u64, interval_us: f64) -> Self {
        let usable = interval_us.is_finite() && interval_us > 0.0;
        Self {
            start_ns,
            interval_ns: if usable { interval_us * 1000.0 } else { 0.0 },
            taken: 0,
        }
    }

    /// When the next tick is due.
    pub fn next_ns(&self) -> Option<u64> {
        (self.interval_ns > 0.0).then(|| self.at(self.taken + 1))
    }

    /// Takes the ticks that are due at `now_ns` and says how many.
    pub fn take_due(&mut self, now_ns: u64) -> u32 {
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
        self.start_ns + (index as f64 * self.interval_ns) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
