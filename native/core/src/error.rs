//! Errors of API calls (bytes off the wire have drop reasons instead).

use core::fmt;

use crate::admission::AdmissionError;
use crate::limits::{HEADROOM, NX_PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX, TAG_BYTES};

/// No entropy from the operating system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RandomError;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// `max_flows` is 0 or over 2^22.
    MaxFlows,
    Admission(AdmissionError),
    /// `token_history` is 0.
    TokenHistory,
    /// `max_payload_bytes` is outside 1..=1300.
    MaxPayloadBytes,
}

/// Why a connect token cannot be made or read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenError {
    /// Not 2048 B (public) or 1024 B (private).
    Length,
    /// Not "NETCODE 1.02".
    Version,
    /// Created after it expires, or an expiry that overflows.
    Times,
    /// Not 1..=32 server addresses.
    AddressCount,
    /// An address type other than 1 (IPv4) and 2 (IPv6).
    AddressType,
    /// The private part does not open under the key.
    Open,
    /// The token requires NX, or a version of it, that this client does not speak.
    NxRequired,
}

/// Why a payload was not sealed. All of them are found before the buffer is written to and before a
/// sequence is used, so the call may be repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealError {
    /// The flow is closed, or its slot belongs to another flow by now.
    Stale,
    /// The client is not connected yet, or NX is required and not agreed yet.
    NotConnected,
    /// Length 0 or over 1200 B (1192 B from an NX client).
    Length,
    /// Less than `HEADROOM` before or `TAG_BYTES` after the payload.
    Room,
    /// All sequences of this key are used up.
    Exhausted,
}

impl ConfigError {
    pub fn name(self) -> &'static str {
        match self {
            Self::MaxFlows => "max-flows",
            Self::Admission(error) => error.name(),
            Self::TokenHistory => "token-history",
            Self::MaxPayloadBytes => "max-payload-bytes",
        }
    }
}

impl TokenError {
    pub fn name(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Version => "version",
            Self::Times => "times",
            Self::AddressCount => "address-count",
            Self::AddressType => "address-type",
            Self::Open => "open",
            Self::NxRequired => "nx-required",
        }
    }
}

impl SealError {
    pub fn name(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::NotConnected => "not-connected",
            Self::Length => "length",
            Self::Room => "room",
            Self::Exhausted => "exhausted",
        }
    }
}

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no randomness")
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admission(error) => write!(f, "bad configuration: {error}"),
            _ => write!(f, "bad configuration: {}", self.name()),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad connect token: {}", self.name())
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::Stale => "the flow is closed",
            Self::NotConnected => "the flow is not connected yet, or waits for the NX it requires",
            Self::Length => {
                return write!(
                f,
                "payload not sealed: it must have 1 to {PAYLOAD_BYTES_MAX} B, from an NX client \
                     {NX_PAYLOAD_BYTES_MAX} B at most"
            )
            }
            Self::Room => {
                return write!(
                    f,
                    "payload not sealed: the buffer needs {HEADROOM} B before it and {TAG_BYTES} B \
                     behind"
                )
            }
            Self::Exhausted => "all sequences of the flow's key are used up",
        };
        write!(f, "payload not sealed: {why}")
    }
}

impl std::error::Error for RandomError {}
impl std::error::Error for ConfigError {}
impl std::error::Error for TokenError {}
impl std::error::Error for SealError {}
