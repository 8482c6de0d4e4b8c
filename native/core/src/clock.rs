//! Time as an argument.

/// One reading of both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Monotonic time in microseconds since any fixed moment: timers, timeouts, challenges.
    pub mono_us: u64,
    /// Wall time in seconds since 1970: only the expiry of connect tokens.
    pub unix_s: u64,
}
