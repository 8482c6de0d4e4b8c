//! When to drain: at each readable, or, under load, at most every so often (the driver `auto`).

/// As long as the turns are busy, the sockets are not watched and a timer drains them.
const INTERVAL_NS: u64 = 1_000_000;
/// A drain that finds at least this much stays in the busy state.
const BUSY_DATAGRAMS: u64 = 4;

pub struct Pace {
    auto: bool,
    until_ns: Option<u64>,
}

impl Pace {
    pub fn new(auto: bool) -> Self {
        Self {
            auto,
            until_ns: None,
        }
    }

    pub fn is_auto(&self) -> bool {
        self.auto
    }

    /// Something woke the loop: whether to drain now.
    pub fn is_due(&mut self, now_ns: u64, readable: bool) -> bool {
        match self.until_ns {
            Some(until_ns) => now_ns >= until_ns,
            None => readable,
        }
    }

    pub fn drained(&mut self, now_ns: u64, datagrams: u64) {
        self.until_ns = (self.auto
            && datagrams >= 1
            && (self.until_ns.is_none() || datagrams >= BUSY_DATAGRAMS))
            .then_some(now_ns + INTERVAL_NS);
    }

    pub fn wait_until_ns(&self) -> Option<u64> {
        self.until_ns
    }

    pub fn polls(&self) -> bool {
        self.until_ns.is_none()
    }
}
