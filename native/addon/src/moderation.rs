//! When to empty a socket: at each wake while it is quiet, at intervals while it is busy.
//!
//! ```text
//!           ENTER_WAKES_PER_S in a window
//!   Quiet ────────────────────────────────▶ Busy        a wake per readable │ the socket is not
//!     ▲                                      │          datagram            │ watched; a timer
//!     └──────────────────────────────────────┘                              │ empties it
//!       LEAVE_WINDOWS with under LEAVE_DATAGRAMS_PER_S
//! ```
//! A wake costs several times what its datagram does, so many of them are put together as soon as
//! there are many; NAPI does the same for interrupts. The interval is what one batch takes to come.
//! Traffic that does not pile up when it is left alone (a peer that waits for each answer) gains
//! nothing from waiting: every time that it proves so soon, the next try comes later.
//!
//! Sans-IO: times are arguments. Measured thresholds: docs/adr/0009-auto-driver.md.
//!
//! Invariant: `next_ns` is set exactly while busy, at most `INTERVAL_MAX_NS` after the last drain.

use crate::io::BATCH;

/// Wakes per second from which the intervals begin. Below it they would save less than 2 % of a
/// core, and cost every datagram up to a millisecond.
pub const ENTER_WAKES_PER_S: u64 = 4_000;
/// Datagrams per second below which waiting puts nothing together: two in the longest interval.
/// Half of `ENTER_WAKES_PER_S`, so that a steady rate never flaps.
pub const LEAVE_DATAGRAMS_PER_S: u64 = 2_000;
/// Such windows in a row: one lull of a bursty load does not end the intervals.
pub const LEAVE_WINDOWS: u32 = 4;
/// Every datagram waits for half of this on average. Also the round trip's budget (p99 ≤ 1.5 ms).
pub const INTERVAL_MAX_NS: u64 = 1_000_000;
/// Shorter ones save nothing over a wake per batch.
pub const INTERVAL_MIN_NS: u64 = 250_000;
/// What a rate is measured over: 20 wakes at `ENTER_WAKES_PER_S`.
pub const WINDOW_NS: u64 = 5_000_000;
/// How long to stay quiet after intervals that soon proved useless, doubled each time.
const PENALTY_MIN_NS: u64 = 20_000_000;
const PENALTY_MAX_NS: u64 = 1_280_000_000;
/// Busy at least this long: the load was worth it.
const WORTHWHILE_NS: u64 = 200_000_000;

/// What a readable socket asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Drain,
    /// Do not watch the socket before this time.
    WaitUntil(u64),
}

#[derive(Clone, Debug)]
pub struct Moderation {
    /// When the socket is emptied next; `None`: quiet.
    next_ns: Option<u64>,
    interval_ns: u64,
    window_start_ns: u64,
    wakes: u64,
    datagrams: u64,
    idle_windows: u32,
    entered_ns: u64,
    penalty_ns: u64,
    quiet_until_ns: u64,
}

impl Moderation {
    pub fn new(now_ns: u64) -> Self {
        Self {
            next_ns: None,
            interval_ns: INTERVAL_MAX_NS,
            window_start_ns: now_ns,
            wakes: 0,
            datagrams: 0,
            idle_windows: 0,
            entered_ns: 0,
            penalty_ns: PENALTY_MIN_NS,
            quiet_until_ns: 0,
        }
    }

    /// The socket has become readable.
    pub fn readable(&mut self, now_ns: u64) -> Decision {
        match self.next_ns {
            Some(at_ns) if at_ns > now_ns => Decision::WaitUntil(at_ns),
            Some(_) => Decision::Drain,
            None => {
                self.wakes += 1;
                Decision::Drain
            }
        }
    }

    /// While busy, when to empty the socket without being asked. `None`: watch it.
    pub fn next_drain_ns(&self) -> Option<u64> {
        self.next_ns
    }

    /// A drain that began at `now_ns` took `datagrams`.
    pub fn drained(&mut self, now_ns: u64, datagrams: u32) {
        self.datagrams += u64::from(datagrams);
        let elapsed_ns = now_ns.saturating_sub(self.window_start_ns);
        if elapsed_ns >= WINDOW_NS {
            self.close_window(now_ns, elapsed_ns);
        }
        if self.next_ns.is_some() {
            self.next_ns = Some(now_ns.saturating_add(self.interval_ns));
        }
    }

    fn close_window(&mut self, now_ns: u64, elapsed_ns: u64) {
        if self.next_ns.is_none() {
            let is_loud = per_second(self.wakes, elapsed_ns) >= ENTER_WAKES_PER_S;
            if is_loud && now_ns >= self.quiet_until_ns {
                self.next_ns = Some(now_ns);
                self.entered_ns = now_ns;
                self.idle_windows = 0;
            }
        } else if per_second(self.datagrams, elapsed_ns) < LEAVE_DATAGRAMS_PER_S {
            self.idle_windows += 1;
            if self.idle_windows >= LEAVE_WINDOWS {
                self.leave(now_ns);
            }
        } else {
            self.idle_windows = 0;
        }
        // One batch's worth at the rate of this window.
        let batch_ns = elapsed_ns.saturating_mul(BATCH as u64) / self.datagrams.max(1);
        self.interval_ns = batch_ns.clamp(INTERVAL_MIN_NS, INTERVAL_MAX_NS);
        self.window_start_ns = now_ns;
        self.wakes = 0;
        self.datagrams = 0;
    }

    fn leave(&mut self, now_ns: u64) {
        self.next_ns = None;
        if now_ns.saturating_sub(self.entered_ns) >= WORTHWHILE_NS {
            self.penalty_ns = PENALTY_MIN_NS;
            return;
        }
        self.quiet_until_ns = now_ns.saturating_add(self.penalty_ns);
        self.penalty_ns = (self.penalty_ns * 2).min(PENALTY_MAX_NS);
    }
}

fn per_second(count: u64, elapsed_ns: u64) -> u64 {
    count.saturating_mul(1_000_000_000) / elapsed_ns.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    /// A host in synthetic time: datagrams come at `gaps`, each drain takes what has come.
    struct World {
        moderation: Moderation,
        now_ns: u64,
        drains: u64,
        waited_max_ns: u64,
    }

    impl World {
        fn new() -> Self {
            Self {
                moderation: Moderation::new(0),
                now_ns: 0,
                drains: 0,
                waited_max_ns: 0,
            }
        }

        fn is_busy(&self) -> bool {
            self.moderation.next_drain_ns().is_some()
        }

        fn drain(&mut self, oldest_ns: u64, count: u32) {
            self.waited_max_ns = self.waited_max_ns.max(self.now_ns - oldest_ns);
            self.drains += 1;
            self.moderation.drained(self.now_ns, count);
        }

        /// Datagrams at a steady rate for a while, whatever is waiting emptied at the end.
        fn steady(&mut self, per_second: u64, for_ns: u64) {
            let end_ns = self.now_ns + for_ns;
            let gap_ns = SECOND_NS / per_second;
            let mut arrival_ns = self.now_ns + gap_ns;
            let (mut oldest_ns, mut count) = (0, 0);
            while arrival_ns < end_ns
                || self
                    .moderation
                    .next_drain_ns()
                    .is_some_and(|at| at < end_ns)
            {
                let timer_ns = self.moderation.next_drain_ns();
                if timer_ns.is_some_and(|at| at <= arrival_ns) {
                    self.now_ns = timer_ns.unwrap();
                    let oldest = if count > 0 { oldest_ns } else { self.now_ns };
                    self.drain(oldest, count);
                    count = 0;
                    continue;
                }
                self.now_ns = arrival_ns;
                oldest_ns = if count == 0 { arrival_ns } else { oldest_ns };
                count += 1;
                arrival_ns += gap_ns;
                if self.moderation.next_drain_ns().is_none() {
                    assert_eq!(self.moderation.readable(self.now_ns), Decision::Drain);
                    self.drain(oldest_ns, count);
                    count = 0;
                }
            }
            self.now_ns = end_ns;
        }
    }

    #[test]
    fn a_quiet_socket_is_emptied_at_each_wake() {
        let mut world = World::new();
        world.steady(ENTER_WAKES_PER_S / 2, SECOND_NS);
        assert!(!world.is_busy());
        assert_eq!(world.waited_max_ns, 0);
        assert!(world.drains >= ENTER_WAKES_PER_S / 2 - 1);
    }

    #[test]
    fn a_loud_one_is_emptied_in_batches_after_one_window() {
        let mut world = World::new();
        world.steady(60_000, WINDOW_NS + 1_000_000);
        assert!(world.is_busy());
        world.drains = 0;
        world.waited_max_ns = 0;
        world.steady(60_000, SECOND_NS);
        // One batch of 32 at 60,000 a second: 533 µs, give or take a drain at a window's edge.
        assert!((1_600..2_000).contains(&world.drains), "{}", world.drains);
        assert!(world.waited_max_ns <= 640_000, "{}", world.waited_max_ns);
    }

    #[test]
    fn the_interval_keeps_within_its_bounds_at_any_rate() {
        for per_second in [5_000, 32_000, 200_000, 2_000_000] {
            let mut world = World::new();
            world.steady(per_second, SECOND_NS / 10);
            world.drains = 0;
            world.waited_max_ns = 0;
            world.steady(per_second, SECOND_NS / 10);
            assert!(world.is_busy());
            assert!(world.waited_max_ns <= INTERVAL_MAX_NS);
            assert!(world.drains <= SECOND_NS / 10 / INTERVAL_MIN_NS + 1);
        }
    }

    #[test]
    fn a_load_between_the_thresholds_stays_as_it_is() {
        let between = (ENTER_WAKES_PER_S + LEAVE_DATAGRAMS_PER_S) / 2;
        let mut world = World::new();
        world.steady(between, SECOND_NS);
        assert!(!world.is_busy());
        world.steady(20_000, SECOND_NS);
        assert!(world.is_busy());
        world.steady(between, SECOND_NS);
        assert!(world.is_busy());
    }

    #[test]
    fn a_load_that_ends_is_left_after_some_windows_and_not_in_a_lull() {
        let mut world = World::new();
        world.steady(20_000, SECOND_NS);
        world.steady(100, WINDOW_NS * u64::from(LEAVE_WINDOWS - 1));
        assert!(world.is_busy(), "a lull");
        world.steady(20_000, WINDOW_NS * 2);
        assert!(world.is_busy());
        world.steady(100, WINDOW_NS * u64::from(LEAVE_WINDOWS + 2));
        assert!(!world.is_busy());
        // And it comes back as fast as at first.
        world.steady(20_000, WINDOW_NS * 2);
        assert!(world.is_busy());
    }

    #[test]
    fn a_peer_that_waits_for_each_answer_is_soon_left_alone() {
        let mut world = World::new();
        let round_trip_ns = 30_000;
        let mut answers_late = 0u64;
        let mut answers = 0u64;
        while world.now_ns < 20 * SECOND_NS {
            world.now_ns += round_trip_ns;
            let sent_ns = world.now_ns;
            match world.moderation.readable(world.now_ns) {
                Decision::Drain => {}
                Decision::WaitUntil(at_ns) => world.now_ns = at_ns,
            }
            answers += 1;
            answers_late += u64::from(world.now_ns > sent_ns);
            world.moderation.drained(world.now_ns, 1);
        }
        let late = answers_late as f64 / answers as f64;
        assert!(late < 0.002, "{answers_late} of {answers} waited");
    }

    #[test]
    fn a_socket_that_is_readable_too_early_has_to_wait() {
        let mut world = World::new();
        world.steady(60_000, SECOND_NS);
        let at_ns = world.moderation.next_drain_ns().unwrap();
        let decision = world.moderation.readable(at_ns - 1);
        assert_eq!(decision, Decision::WaitUntil(at_ns));
        assert_eq!(world.moderation.readable(at_ns), Decision::Drain);
    }

    #[test]
    fn an_hour_of_silence_and_clocks_that_stand_still_do_no_harm() {
        let mut moderation = Moderation::new(5);
        for now_ns in [5, 5, 0, 3_600 * SECOND_NS, u64::MAX, u64::MAX] {
            let _ = moderation.readable(now_ns);
            moderation.drained(now_ns, u32::MAX);
        }
    }
}
