//! Every reason to refuse a datagram. Each has a name, a counter and a test that reaches it.

macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a datagram was refused. Shared by server and client.
        #[repr(u8)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum DropReason { $($(#[$doc])* $variant,)* }

        impl DropReason {
            /// All reasons; a reason's position is its discriminant.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$variant,)*];
            pub const COUNT: usize = Self::ALL.len();
            pub(crate) const NAMES: [&'static str; Self::COUNT] = [$($name,)*];

            /// kebab-case, stable: the name of its counter.
            pub const fn name(self) -> &'static str {
                match self { $(DropReason::$variant => $name,)* }
            }
        }
    };
}

drop_reasons! {
    // any datagram
    /// Shorter than 18 B (1 B with the first byte 0), or too short for its sequence and tag.
    TooShort = "too-short",
    /// Longer than the largest payload allowed here plus 25 B.
    TooLong = "too-long",
    /// From a source on the block list.
    Blocked = "blocked",
    /// Sequence length outside 1–8.
    BadPrefix = "bad-prefix",
    /// A type this end never receives (server: 0 sealed, 1, 2; client: 0, 3).
    UnexpectedType = "unexpected-type",
    /// Server: no flow and no handshake at this address. Never trial-decrypted.
    UnknownAddress = "unknown-address",
    /// Client: not from the server it is talking to. Server: from port 0, which nobody can answer
    /// (RFC 768) and no flow may move to.
    WrongSource = "wrong-source",
    /// Type 4 or more on a half-open handshake, or a payload before the client is connected.
    NotConnected = "not-connected",
    /// Client: a handshake packet that its state does not wait for.
    WrongState = "wrong-state",
    /// Client: the flow is over.
    FlowClosed = "flow-closed",
    /// Sequence seen already, older than the window of 256, or (server) so far ahead that it was
    /// recorded from another connection under the same token.
    Replayed = "replayed",
    /// A flow's packet beyond its packet rate. Not opened.
    FlowPacketRate = "flow-packet-rate",
    /// A flow's packet beyond its byte rate. Not opened.
    FlowByteRate = "flow-byte-rate",
    /// Does not open under the flow's key.
    OpenFailed = "open-failed",
    /// Opened, but of a type from 7 to 15 that was not negotiated.
    UnknownType = "unknown-type",
    /// Types 10–14: reserved, sent now and then by ends that know NX. Never opened.
    Grease = "grease",
    /// Opened, but the body has not the length of its type.
    BodyLength = "body-length",
    /// Opened, a payload of no bytes.
    PayloadEmpty = "payload-empty",
    /// Opened, a payload over the limit.
    PayloadTooLarge = "payload-too-large",

    // connection requests
    /// Not 1078 B.
    RequestLength = "request-length",
    RequestVersion = "request-version",
    RequestProtocolId = "request-protocol-id",
    /// The token is over.
    TokenExpired = "token-expired",
    /// Issued before this server started (only with a maximum token lifetime).
    TokenBeforeStart = "token-before-start",
    /// Expires further away than tokens may (only with a maximum token lifetime).
    TokenLifetime = "token-lifetime",
    /// Too many tokens are being tried; this one was not.
    RateOpens = "rate-opens",
    /// Does not open under the private key.
    TokenOpenFailed = "token-open-failed",
    /// Opened, but 0 or more than 32 addresses, or a bad address type.
    TokenMalformed = "token-malformed",
    /// Negative timeout outside development.
    TokenTimeout = "token-timeout",
    /// Does not name this server's address.
    TokenWrongServer = "token-wrong-server",
    /// A flow of another client id lives at this address.
    AddressConnected = "address-connected",
    /// A handshake of another client id is half open at this address.
    AddressPending = "address-pending",
    /// The token was first used by another address.
    TokenOtherAddress = "token-other-address",
    /// The token has opened a flow already.
    TokenConsumed = "token-consumed",
    /// Too many handshakes from this /24 or /64.
    RatePrefix = "rate-prefix",
    /// Too many handshakes from everywhere.
    RateGlobal = "rate-global",
    /// No room to remember another token; tokens are never forgotten early.
    HistoryFull = "history-full",
    /// No room for another half-open handshake.
    PendingFull = "pending-full",
    /// New clients are not wanted now; answered with a denial.
    Busy = "busy",
    /// All flows are taken; answered with a denial.
    ServerFull = "server-full",
    /// Busy or full, and too many denials wait already; not answered.
    DenialsFull = "denials-full",

    // connection responses
    /// The challenge token is not ours or was altered.
    ChallengeOpenFailed = "challenge-open-failed",
    ChallengeExpired = "challenge-expired",
    /// The challenge was given to another address, token or client id.
    ChallengeMismatch = "challenge-mismatch",
    /// A response on a flow that is confirmed already.
    ResponseRepeated = "response-repeated",

    // NX
    /// Server: a connection id that names no flow of this worker, or not any more.
    CidUnknown = "cid-unknown",
    /// Server: under the token's key, a second or more after the flow went over to NX keys; or a
    /// disconnect under it.
    TokenKeyLate = "token-key-late",
    /// A payload before CONFIRM where NX is required, or a token that requires what this server
    /// does not speak.
    NxRequired = "nx-required",
    /// Opened, but not a list of controls with their lengths.
    ControlMalformed = "control-malformed",
    /// Opened, with a control that must not be overlooked and is not known; the flow is closed.
    ControlUnknown = "control-unknown",
    /// Opened, with a control that this end or its state does not take.
    ControlUnexpected = "control-unexpected",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case_and_distinct_and_positions_are_discriminants() {
        let mut seen = std::collections::BTreeSet::new();
        for (index, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            assert_eq!(DropReason::NAMES[index], reason.name());
            assert!(reason
                .name()
                .bytes()
                .all(|b| b == b'-' || b.is_ascii_lowercase()));
            assert!(seen.insert(reason.name()));
        }
        assert_eq!(seen.len(), DropReason::COUNT);
    }
}
