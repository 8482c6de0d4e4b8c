//! What the driver of an endpoint waits for: the JavaScript schedule, the sockets and netcode's own
//! timers in one answer. Sans-IO, so that the host, the simulator and tests wait alike.

use crate::layout as l;
use crate::moderation::{Decision, Moderation};
use crate::schedule::{Schedule, Wake};

/// When JavaScript takes its turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// At each readable.
    Immediate,
    /// At each readable while that is seldom, else at intervals.
    Auto,
    /// At ticks and deadlines only.
    Tick,
}

/// What an endpoint has waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Descriptors, or events that found no room in the ring.
    pub entries: bool,
    /// Datagrams were left in the socket.
    pub more: bool,
    /// Datagrams were left that the socket no longer tells of: they have been taken off it.
    pub unread: bool,
    /// Netcode's next timer.
    pub netcode_ns: Option<u64>,
}

pub struct Pace {
    pub driver: Driver,
    pub schedule: Schedule,
    moderation: Moderation,
}

impl Pace {
    pub fn new(driver: Driver, schedule: Schedule, now_ns: u64) -> Self {
        Self {
            driver,
            schedule,
            moderation: Moderation::new(now_ns),
        }
    }

    /// The sockets are to be watched, because nothing else will look into them in time.
    pub fn watches(&self) -> bool {
        match self.driver {
            Driver::Immediate => true,
            Driver::Auto => self.moderation.next_drain_ns().is_none(),
            Driver::Tick => false,
        }
    }

    /// A watched socket is readable: whether that is worth a turn now.
    pub fn readable(&mut self, now_ns: u64) -> bool {
        match self.driver {
            Driver::Immediate => true,
            Driver::Auto => self.moderation.readable(now_ns) == Decision::Drain,
            Driver::Tick => false,
        }
    }

    /// A turn that began at `now_ns` took `datagrams` off the sockets.
    pub fn begin_turn(&mut self, now_ns: u64, datagrams: u32) {
        self.schedule.begin_turn(now_ns);
        if self.driver == Driver::Auto {
            self.moderation.drained(now_ns, datagrams);
        }
    }

    /// When to run again, if nothing arrives before.
    pub fn next_wake(&self, now_ns: u64, waiting: &Waiting) -> Option<Wake> {
        let wake = |at_ns, reasons| Some(Wake { at_ns, reasons });
        let mut next = self.schedule.next(now_ns);
        if waiting.entries {
            next = Wake::earlier(next, wake(now_ns, l::WAKE_DEADLINE));
        }
        if let Some(at_ns) = self.socket_ns(now_ns, waiting) {
            next = Wake::earlier(next, wake(at_ns, l::WAKE_READABLE));
        }
        let netcode = waiting.netcode_ns.map(|at_ns| Wake { at_ns, reasons: 0 });
        Wake::earlier(next, netcode)
    }

    /// The wake reasons that are due now: what a fired timer means for JavaScript. 0: netcode only.
    pub fn due(&self, now_ns: u64, waiting: &Waiting) -> u32 {
        let mut reasons = self.schedule.due(now_ns);
        if waiting.entries {
            reasons |= l::WAKE_DEADLINE;
        }
        if self
            .socket_ns(now_ns, waiting)
            .is_some_and(|at| at <= now_ns)
        {
            reasons |= l::WAKE_READABLE;
        }
        reasons
    }

    /// When to look for datagrams without being told that there are any.
    fn socket_ns(&self, now_ns: u64, waiting: &Waiting) -> Option<u64> {
        if waiting.unread || (waiting.more && !self.watches()) {
            return Some(now_ns);
        }
        match self.driver {
            Driver::Auto => self.moderation.next_drain_ns(),
            Driver::Immediate | Driver::Tick => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderation::{INTERVAL_MAX_NS, WINDOW_NS};
    use crate::ring_test::TestMemory;

    fn pace(driver: Driver, tick_interval_us: f64) -> (Pace, TestMemory) {
        let memory = TestMemory::new(8, 8, 16 * 1024);
        let schedule = Schedule::new(memory.memory, 0, tick_interval_us, 0);
        (Pace::new(driver, schedule, 0), memory)
    }

    fn next(pace: &Pace, now_ns: u64, waiting: Waiting) -> Option<(u64, u32)> {
        let wake = pace.next_wake(now_ns, &waiting)?;
        Some((wake.at_ns, wake.reasons))
    }

    #[test]
    fn what_waits_in_the_ring_wakes_at_once_and_netcode_without_a_reason() {
        let (pace, _memory) = pace(Driver::Immediate, 0.0);
        assert_eq!(next(&pace, 5, Waiting::default()), None);
        let netcode = Waiting {
            netcode_ns: Some(900),
            ..Waiting::default()
        };
        assert_eq!(next(&pace, 5, netcode), Some((900, 0)));
        assert_eq!(pace.due(900, &netcode), 0);
        let entries = Waiting {
            entries: true,
            ..netcode
        };
        assert_eq!(next(&pace, 5, entries), Some((5, l::WAKE_DEADLINE)));
        assert_eq!(pace.due(5, &entries), l::WAKE_DEADLINE);
    }

    #[test]
    fn only_a_socket_that_is_not_watched_needs_a_timer_for_what_was_left_in_it() {
        let more = Waiting {
            more: true,
            ..Waiting::default()
        };
        let (immediate, _memory) = pace(Driver::Immediate, 0.0);
        assert!(immediate.watches());
        assert_eq!(next(&immediate, 5, more), None);
        let unread = Waiting {
            unread: true,
            ..more
        };
        assert_eq!(next(&immediate, 5, unread), Some((5, l::WAKE_READABLE)));
        let (tick, _memory) = pace(Driver::Tick, 1000.0);
        assert!(!tick.watches());
        assert_eq!(next(&tick, 5, more), Some((5, l::WAKE_READABLE)));
        assert_eq!(
            next(&tick, 5, Waiting::default()),
            Some((1_000_000, l::WAKE_TICK))
        );
    }

    #[test]
    fn a_busy_auto_driver_waits_for_its_timer_and_a_quiet_one_watches() {
        let (mut pace, _memory) = pace(Driver::Auto, 0.0);
        let mut now_ns = 0;
        while now_ns < WINDOW_NS + 50_000 {
            now_ns += 50_000;
            assert!(pace.watches());
            assert!(pace.readable(now_ns));
            pace.begin_turn(now_ns, 1);
            if now_ns >= WINDOW_NS {
                break;
            }
        }
        assert!(!pace.watches());
        assert!(!pace.readable(now_ns + 1));
        let (at_ns, reasons) = next(&pace, now_ns, Waiting::default()).unwrap();
        assert_eq!(reasons, l::WAKE_READABLE);
        assert!(at_ns > now_ns && at_ns <= now_ns + INTERVAL_MAX_NS);
        assert_eq!(pace.due(at_ns - 1, &Waiting::default()), 0);
        assert_eq!(pace.due(at_ns, &Waiting::default()), l::WAKE_READABLE);
        while !pace.watches() {
            now_ns += INTERVAL_MAX_NS;
            pace.begin_turn(now_ns, 0);
        }
        assert_eq!(next(&pace, now_ns, Waiting::default()), None);
    }
}
