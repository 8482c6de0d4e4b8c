//! What the endpoint itself counts, beside the counters of the core. One name each, in the order of
//! `counters()`; a drop is always one of these or one of the core's drop reasons.

use ggscale_transport_core::{COUNTER_COUNT, COUNTER_NAMES};

macro_rules! counters {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter { $($variant),+ }

        impl Counter {
            pub const NAMES: &'static [&'static str] = &[$($name),+];
            pub const ALL: &'static [Counter] = &[$(Counter::$variant),+];
        }
    };
}

counters! {
    DatagramsIn = "socket-datagrams-in",
    BytesIn = "socket-bytes-in",
    DatagramsOut = "socket-datagrams-out",
    BytesOut = "socket-bytes-out",
    ReceiveCalls = "receive-calls",
    SendCalls = "send-calls",
    Turns = "turns",
    // Dropped by the kernel before the endpoint saw it (SO_RXQ_OVFL).
    RxOverflow = "rx-overflow",
    // Turns that left datagrams in the kernel because the rx ring had no room: nothing is lost yet.
    RxRingFull = "rx-ring-full",
    RxTruncated = "rx-truncated",
    RxError = "rx-error",
    // Datagrams that came several at once (UDP_GRO): how often, and how many.
    RxTrains = "rx-trains",
    RxTrainDatagrams = "rx-train-datagrams",
    TxStale = "tx-stale-generation",
    TxBadDescriptor = "tx-bad-descriptor",
    TxSealRefused = "tx-seal-refused",
    // Flushes that stopped because the kernel's send buffer was full: nothing is lost.
    TxBlocked = "tx-blocked",
    TxNoBuffers = "tx-no-buffers",
    TxTooLarge = "tx-too-large",
    TxUnreachable = "tx-unreachable",
    TxError = "tx-error",
    // Runs to one destination that left as one (UDP_SEGMENT): how often, and of how many datagrams.
    TxTrains = "tx-trains",
    TxTrainDatagrams = "tx-train-datagrams",
    // Runs that the kernel would not take as one; they went one by one.
    TxTrainRefused = "tx-train-refused",
    // A ring counter that JavaScript cannot have meant; it was ignored, and nothing is lost by that.
    RingBadPosition = "ring-bad-position",
}

impl Counter {
    /// Whether each count of it is a datagram lost.
    pub fn is_drop(self) -> bool {
        matches!(
            self,
            Self::RxOverflow
                | Self::RxTruncated
                | Self::TxStale
                | Self::TxBadDescriptor
                | Self::TxSealRefused
                | Self::TxNoBuffers
                | Self::TxTooLarge
                | Self::TxUnreachable
                | Self::TxError
        )
    }

    pub fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or("")
    }
}

/// Counters of an endpoint, those of the core included.
pub const COUNT: usize = COUNTER_COUNT + Counter::NAMES.len();

/// Their names: the core's first.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    COUNTER_NAMES.iter().chain(Counter::NAMES).copied()
}

/// The values, by `Counter`.
#[derive(Clone, Debug)]
pub struct Counters([u64; Counter::NAMES.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self([0; Counter::NAMES.len()])
    }
}

impl Counters {
    pub fn add(&mut self, counter: Counter, count: u64) {
        if let Some(value) = self.0.get_mut(counter as usize) {
            *value += count;
        }
    }

    pub fn get(&self, counter: Counter) -> u64 {
        self.0.get(counter as usize).copied().unwrap_or(0)
    }

    pub fn values(&self) -> &[u64] {
        &self.0
    }
}
