//! The system's clocks.

use crate::io::Now;

/// Both clocks, one right after the other.
#[cfg(unix)]
pub fn now() -> Now {
    Now {
        mono_ns: clock_ns(libc::CLOCK_MONOTONIC),
        real_ns: clock_ns(libc::CLOCK_REALTIME),
    }
}

#[cfg(unix)]
pub fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place to write to; the clocks used here always exist.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// As above; the monotonic clock counts from the first call and never is 0.
#[cfg(not(unix))]
pub fn now() -> Now {
    use std::sync::OnceLock;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let real = SystemTime::now().duration_since(UNIX_EPOCH);
    Now {
        mono_ns: start.elapsed().as_nanos() as u64 + 1,
        real_ns: real.map_or(0, |since| since.as_nanos() as u64),
    }
}
