//! What admission allows, with every default and its reason. docs/ADMISSION.md is the same for
//! operators.
//!
//! Relations: the handshakes of one burst fit the pending table; prefixes whose bucket is not full
//! number at most `handshakes.burst + handshakes.per_s / handshakes_per_prefix.per_s` (each charge
//! keeps a bucket from being full for 1 / per_s), which is a quarter of the prefix table.

use core::fmt;

use super::block_list::{BlockList, Cidr};
use super::bucket::Rate;
use crate::limits::{
    BLOCKED_PREFIXES_MAX, DATAGRAM_BYTES_MAX, MAX_PENDING_DEFAULT, PENDING_CAPACITY,
    PREFIX_CAPACITY, RETRY_AFTER_S,
};

/// Connect tokens tried, 2.5 µs each when they do not open: at most 5 % of a core, however many
/// requests arrive. Waiting clients ask 10 times a second, so at 100,000 bad requests a second one
/// of them is heard after half a second on average.
const TOKEN_OPENS: Rate = Rate::new(20_000, 2_000);
/// Twice the 1,000 connects a second that a large game sees, and a restart of the server with 4,000
/// players on it. A handshake costs 10 µs here and a join costs JavaScript ten times that: a fifth
/// of a core.
const HANDSHAKES: Rate = Rate::new(2_000, 4_000);
/// 250 players of one campus or one carrier's gateway connect at once, and some of them twice.
const HANDSHAKES_PER_PREFIX: Rate = Rate::new(50, 300);
/// Forty times the 128 packets a second of a fast game. At 3 µs each in all of the process, one
/// hostile player costs 1.5 % of a core. The burst is five times what RL1 keeps in flight.
const PACKETS_PER_FLOW: Rate = Rate::new(5_000, 5_000);
/// 32 Mbit/s, far above what a player's uplink gives a game; the burst is four times what RL1
/// queues.
const BYTES_PER_FLOW: Rate = Rate::new(4 << 20, 4 << 20);

/// Live settings of a server; see [`crate::Server::set_admission`]. `None` means no limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdmissionSettings {
    /// Tokens of requests that are tried, over all sources. Bounds what strangers cost. No source
    /// is charged for it: source addresses of requests can be forged.
    pub token_opens: Option<Rate>,
    /// Handshakes begun, over all sources.
    pub handshakes: Option<Rate>,
    /// Handshakes begun per IPv4 /24 or IPv6 /64. Each takes a token that was not seen before, so
    /// nobody spends a prefix's budget with forged addresses.
    pub handshakes_per_prefix: Option<Rate>,
    /// Half-open handshakes, 1..=65,536. When it is lowered, those that are open may finish.
    pub max_pending: u32,
    /// Open flows, 0..=`ServerConfig::max_flows`; `None`: as many. When it is lowered, nobody is
    /// sent away.
    pub max_flows: Option<u32>,
    /// Sources from which every datagram is dropped; their flows end. At most 65,536.
    pub blocked: Vec<Cidr>,
    /// New clients are denied at once; who has a flow may replace it.
    pub busy: bool,
    /// Told to refused clients that can hear it (NX).
    pub retry_after_s: u16,
    /// Packets of one flow, disconnects apart.
    pub packets_per_flow: Option<Rate>,
    /// Their bytes, UDP payload.
    pub bytes_per_flow: Option<Rate>,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            token_opens: Some(TOKEN_OPENS),
            handshakes: Some(HANDSHAKES),
            handshakes_per_prefix: Some(HANDSHAKES_PER_PREFIX),
            max_pending: MAX_PENDING_DEFAULT,
            max_flows: None,
            blocked: Vec::new(),
            busy: false,
            retry_after_s: RETRY_AFTER_S,
            packets_per_flow: Some(PACKETS_PER_FLOW),
            bytes_per_flow: Some(BYTES_PER_FLOW),
        }
    }
}

impl AdmissionSettings {
    /// No rates at all: measurements and simulations.
    pub fn unlimited() -> Self {
        Self {
            token_opens: None,
            handshakes: None,
            handshakes_per_prefix: None,
            packets_per_flow: None,
            bytes_per_flow: None,
            ..Self::default()
        }
    }

    /// `capacity`: the `max_flows` that the server was made for.
    pub(crate) fn check(&self, capacity: u32) -> Result<(), AdmissionError> {
        for (rate, error) in [
            (self.token_opens, AdmissionError::TokenOpens),
            (self.handshakes, AdmissionError::Handshakes),
            (
                self.handshakes_per_prefix,
                AdmissionError::HandshakesPerPrefix,
            ),
            (self.packets_per_flow, AdmissionError::PacketsPerFlow),
        ] {
            if rate.is_some_and(|rate| rate.per_s == 0 || rate.burst == 0) {
                return Err(error);
            }
        }
        let bytes = self.bytes_per_flow;
        if bytes.is_some_and(|rate| rate.per_s == 0 || rate.burst < DATAGRAM_BYTES_MAX as u32) {
            return Err(AdmissionError::BytesPerFlow);
        }
        if !(1..=PENDING_CAPACITY).contains(&self.max_pending) {
            return Err(AdmissionError::MaxPending);
        }
        if self.max_flows.is_some_and(|flows| flows > capacity) {
            return Err(AdmissionError::MaxFlows { capacity });
        }
        if self.blocked.len() > BLOCKED_PREFIXES_MAX {
            return Err(AdmissionError::Blocked);
        }
        Ok(())
    }

    pub(crate) fn block_list(&self) -> BlockList {
        BlockList::new(&self.blocked)
    }
}

/// Which setting is refused, and what is accepted. Nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdmissionError {
    TokenOpens,
    Handshakes,
    HandshakesPerPrefix,
    PacketsPerFlow,
    BytesPerFlow,
    MaxPending,
    MaxFlows { capacity: u32 },
    Blocked,
}

impl AdmissionError {
    /// kebab-case, stable.
    pub fn name(self) -> &'static str {
        match self {
            Self::TokenOpens => "token-opens",
            Self::Handshakes => "handshakes",
            Self::HandshakesPerPrefix => "handshakes-per-prefix",
            Self::PacketsPerFlow => "packets-per-flow",
            Self::BytesPerFlow => "bytes-per-flow",
            Self::MaxPending => "max-pending",
            Self::MaxFlows { .. } => "max-flows",
            Self::Blocked => "blocked",
        }
    }

    /// What would be accepted, as the end of a sentence that begins with the name.
    pub fn accepted(self) -> String {
        match self {
            Self::BytesPerFlow => {
                format!("needs at least 1 B a second and a burst of {DATAGRAM_BYTES_MAX} B")
            }
            Self::MaxPending => format!("must be from 1 to {PENDING_CAPACITY}"),
            Self::MaxFlows { capacity } => {
                format!("must be at most {capacity}: so many flows the server was made for")
            }
            Self::Blocked => format!("takes at most {BLOCKED_PREFIXES_MAX} prefixes"),
            _ => "needs at least 1 a second and a burst of 1".to_owned(),
        }
    }
}

impl fmt::Display for AdmissionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.accepted())
    }
}

impl std::error::Error for AdmissionError {}

const _: () = {
    assert!(MAX_PENDING_DEFAULT >= HANDSHAKES.burst);
    let non_full = HANDSHAKES.burst + HANDSHAKES.per_s / HANDSHAKES_PER_PREFIX.per_s;
    assert!(non_full as usize * 4 <= PREFIX_CAPACITY);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_their_own_check() {
        assert_eq!(AdmissionSettings::default().check(1), Ok(()));
    }

    #[test]
    fn each_refusal_names_its_setting() {
        type Change = fn(&mut AdmissionSettings);
        let cases: [(Change, AdmissionError); 11] = [
            (
                |s| s.token_opens = Some(Rate::new(0, 1)),
                AdmissionError::TokenOpens,
            ),
            (
                |s| s.handshakes = Some(Rate::new(1, 0)),
                AdmissionError::Handshakes,
            ),
            (
                |s| s.handshakes_per_prefix = Some(Rate::new(0, 0)),
                AdmissionError::HandshakesPerPrefix,
            ),
            (
                |s| s.packets_per_flow = Some(Rate::new(0, 9)),
                AdmissionError::PacketsPerFlow,
            ),
            (
                |s| s.bytes_per_flow = Some(Rate::new(0, 9_999)),
                AdmissionError::BytesPerFlow,
            ),
            (
                |s| s.bytes_per_flow = Some(Rate::new(9, DATAGRAM_BYTES_MAX as u32 - 1)),
                AdmissionError::BytesPerFlow,
            ),
            (|s| s.max_pending = 0, AdmissionError::MaxPending),
            (
                |s| s.max_pending = PENDING_CAPACITY + 1,
                AdmissionError::MaxPending,
            ),
            (
                |s| s.max_flows = Some(8),
                AdmissionError::MaxFlows { capacity: 7 },
            ),
            (
                |s| s.max_flows = Some(u32::MAX),
                AdmissionError::MaxFlows { capacity: 7 },
            ),
            (
                |s| s.blocked = vec!["10.0.0.0/8".parse().unwrap(); BLOCKED_PREFIXES_MAX + 1],
                AdmissionError::Blocked,
            ),
        ];
        for (change, error) in cases {
            let mut settings = AdmissionSettings::default();
            change(&mut settings);
            assert_eq!(settings.check(7), Err(error));
            assert!(error.to_string().starts_with(error.name()), "{error}");
        }
    }

    #[test]
    fn no_limit_is_accepted_for_every_rate() {
        let settings = AdmissionSettings {
            max_flows: Some(0),
            ..AdmissionSettings::unlimited()
        };
        assert_eq!(settings.check(7), Ok(()));
    }
}
