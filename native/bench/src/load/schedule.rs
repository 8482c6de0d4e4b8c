//! When each flow sends. Paced: an open loop, every flow at its own fixed times, whatever comes back.

use ggscale_transport_core::Random;

/// Every flow once per period, at a phase drawn from a seed: the same for the floor and for what is
/// compared with it.
pub struct Schedule {
    /// (phase in ns, flow), by phase.
    order: Vec<(u64, u32)>,
    period_ns: u64,
    next: usize,
    cycle_ns: u64,
}

impl Schedule {
    pub fn new(flows: u32, hz: f64, seed: u64) -> Self {
        let period_ns = (1e9 / hz) as u64;
        let mut random = Random::from_number(seed);
        let mut order: Vec<(u64, u32)> = (0..flows)
            .map(|flow| (random.next_u64() % period_ns.max(1), flow))
            .collect();
        order.sort_unstable();
        Self {
            order,
            period_ns,
            next: 0,
            cycle_ns: 0,
        }
    }

    /// The first cycle begins now.
    pub fn start(&mut self, now_ns: u64) {
        self.next = 0;
        self.cycle_ns = now_ns;
    }

    /// When the next send is due.
    pub fn due_ns(&self) -> u64 {
        self.order
            .get(self.next)
            .map_or(u64::MAX, |(phase_ns, _)| self.cycle_ns + phase_ns)
    }

    /// The next flow and its time, if that has come.
    pub fn take(&mut self, now_ns: u64) -> Option<(u32, u64)> {
        let due_ns = self.due_ns();
        if due_ns > now_ns {
            return None;
        }
        let (_, flow) = *self.order.get(self.next)?;
        self.next += 1;
        if self.next == self.order.len() {
            self.next = 0;
            self.cycle_ns += self.period_ns;
        }
        Some((flow, due_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flow_sends_once_per_period_at_its_own_time() {
        let mut schedule = Schedule::new(50, 100.0, 1);
        schedule.start(1_000);
        let mut times = vec![Vec::new(); 50];
        for now_ns in (0..30_001_000u64).step_by(10_000) {
            while let Some((flow, due_ns)) = schedule.take(now_ns) {
                assert!(due_ns <= now_ns);
                times[flow as usize].push(due_ns);
            }
        }
        for times in times {
            assert_eq!(times.len(), 3);
            assert_eq!(times[1] - times[0], 10_000_000);
            assert_eq!(times[2] - times[1], 10_000_000);
        }
    }
}
