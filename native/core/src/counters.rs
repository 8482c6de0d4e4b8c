//! Endpoint-wide counters.
//!
//! Invariant: `datagrams_in` = `payloads_in` + `consumed` + the sum of all drops.

use core::ops::{Deref, DerefMut};

use crate::drop_reason::DropReason;
use crate::error::SealError;
use crate::event::{Received, Sealed};

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// Monotonic counts since the endpoint was made. Bytes are UDP payload bytes.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct Counters {
            $($(#[$doc])* pub $field: u64,)*
            /// By `DropReason as usize`.
            pub drops: [u64; DropReason::COUNT],
        }

        const PLAIN_NAMES: &[&str] = &[$($name,)*];
        const PLAIN_COUNT: usize = PLAIN_NAMES.len();

        impl Counters {
            fn plain(&self) -> [u64; PLAIN_COUNT] {
                [$(self.$field,)*]
            }
        }

        impl Counters {
            const ZERO: Self = Self { $($field: 0,)* drops: [0; DropReason::COUNT] };
        }

        impl Default for Counters {
            fn default() -> Self {
                Self::ZERO
            }
        }
    };
}

counters! {
    datagrams_in = "datagrams-in",
    bytes_in = "bytes-in",
    /// Authentic, but nothing for the application: handshake, keep-alive, disconnect.
    consumed = "consumed",
    payloads_in = "payloads-in",
    datagrams_out = "datagrams-out",
    bytes_out = "bytes-out",
    payloads_out = "payloads-out",
    keep_alives_in = "keep-alives-in",
    keep_alives_out = "keep-alives-out",
    requests_accepted = "requests-accepted",
    requests_out = "requests-out",
    challenges_in = "challenges-in",
    challenges_out = "challenges-out",
    responses_accepted = "responses-accepted",
    responses_out = "responses-out",
    denials_in = "denials-in",
    denials_out = "denials-out",
    disconnects_in = "disconnects-in",
    disconnects_out = "disconnects-out",
    opened = "opened",
    closed = "closed",
    replaced = "replaced",
    timeouts = "timeouts",
    pending_expired = "pending-expired",
    /// Flows and half-open handshakes ended because their source was put on the block list.
    flows_blocked = "flows-blocked",
    pending_blocked = "pending-blocked",
    seal_refused = "seal-refused",
    hellos_in = "hellos-in",
    hellos_out = "hellos-out",
    accepts_in = "accepts-in",
    accepts_out = "accepts-out",
    /// Flows that went over to NX keys.
    nx_confirmed = "nx-confirmed",
    /// Flows that ended because NX is required and did not come.
    nx_required_closed = "nx-required-closed",
    refusals_in = "refusals-in",
    refusals_out = "refusals-out",
    /// Server: addresses that might become a flow's new one.
    path_candidates = "path-candidates",
    /// Server: given up because a newer packet came from the old address, or the new one is blocked.
    path_cancelled = "path-cancelled",
    /// Server: given up unanswered.
    path_failed = "path-failed",
    /// Server: not looked at, too many on one flow in a second.
    path_limited = "path-limited",
    path_challenges_in = "path-challenges-in",
    path_challenges_out = "path-challenges-out",
    path_responses_in = "path-responses-in",
    path_responses_out = "path-responses-out",
    migrations = "migrations",
    new_cids_in = "new-cids-in",
    new_cids_out = "new-cids-out",
    grease_out = "grease-out",
}

/// Plain counters, then one per drop reason.
pub const COUNTER_COUNT: usize = PLAIN_COUNT + DropReason::COUNT;

/// In the order of [`Counters::values`]; a drop is called what [`DropReason::name`] gives.
pub const COUNTER_NAMES: [&str; COUNTER_COUNT] = {
    let mut names = [""; COUNTER_COUNT];
    let mut index = 0;
    // `split_at` and `first` are not usable in a constant; the bounds are the constants above.
    #[allow(clippy::indexing_slicing)]
    while index < COUNTER_COUNT {
        names[index] = if index < PLAIN_COUNT {
            PLAIN_NAMES[index]
        } else {
            DropReason::NAMES[index - PLAIN_COUNT]
        };
        index += 1;
    }
    names
};

/// Counters that can be lent: of the many clients of a process each counts on the one sheet that its
/// owner lends it for a call, instead of 600 B of its own. One that is lent nothing makes its own.
#[derive(Default)]
pub(crate) struct Sheet(pub Option<Box<Counters>>);

impl Deref for Sheet {
    type Target = Counters;

    fn deref(&self) -> &Counters {
        static ZERO: Counters = Counters::ZERO;
        self.0.as_deref().unwrap_or(&ZERO)
    }
}

impl DerefMut for Sheet {
    fn deref_mut(&mut self) -> &mut Counters {
        self.0.get_or_insert_default()
    }
}

impl Counters {
    /// All values, in the order of [`COUNTER_NAMES`].
    pub fn values(&self) -> impl Iterator<Item = u64> + '_ {
        self.plain().into_iter().chain(self.drops.iter().copied())
    }

    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops.get(reason as usize).copied().unwrap_or(0)
    }

    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().sum()
    }

    pub(crate) fn count_datagram(&mut self, bytes: usize, received: &Received) {
        self.datagrams_in += 1;
        self.bytes_in += bytes as u64;
        match received {
            Received::Payload { .. } => self.payloads_in += 1,
            Received::Consumed => self.consumed += 1,
            Received::Dropped(reason) => self.count_drop(*reason),
        }
    }

    /// A payload that was asked to be sealed.
    pub(crate) fn count_seal(&mut self, sealed: &Result<Sealed, SealError>) {
        match sealed {
            Ok(sealed) => {
                self.payloads_out += 1;
                self.count_out(sealed.length);
            }
            Err(_) => self.seal_refused += 1,
        }
    }

    pub(crate) fn count_out(&mut self, bytes: usize) {
        self.datagrams_out += 1;
        self.bytes_out += bytes as u64;
    }

    fn count_drop(&mut self, reason: DropReason) {
        if let Some(count) = self.drops.get_mut(reason as usize) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_go_together() {
        let mut counters = Counters {
            payloads_in: 7,
            ..Counters::default()
        };
        counters.count_drop(DropReason::Replayed);
        let values: Vec<u64> = counters.values().collect();
        assert_eq!(values.len(), COUNTER_COUNT);
        let find = |name| COUNTER_NAMES.iter().position(|n| *n == name).unwrap();
        assert_eq!(values[find("payloads-in")], 7);
        assert_eq!(values[find("replayed")], 1);
        assert_eq!(counters.dropped(DropReason::Replayed), 1);
        let distinct: std::collections::BTreeSet<_> = COUNTER_NAMES.iter().collect();
        assert_eq!(distinct.len(), COUNTER_COUNT);
    }
}
