//! Every limit of the netcode layer, with its unit in its name and its reason beside it.

/// Room a caller leaves before a payload so that it can be sealed where it lies: prefix 1 +
/// connection id 8 (NX) + sequence 8, rounded up to a multiple of 8.
pub const HEADROOM: usize = 24;
/// Poly1305 tag; also the room a caller leaves after a payload.
pub const TAG_BYTES: usize = 16;
pub const KEY_BYTES: usize = 32;
pub const USER_DATA_BYTES: usize = 256;

/// "NETCODE 1.02" with its terminating zero; part of every associated data.
pub(crate) const VERSION: [u8; 13] = *b"NETCODE 1.02\0";

/// Whole connect token, as it travels over HTTPS.
pub const TOKEN_BYTES: usize = 2048;
/// Sealed private part of a connect token, tag included.
pub const TOKEN_PRIVATE_BYTES: usize = 1024;
pub(crate) const TOKEN_NONCE_BYTES: usize = 24;
pub(crate) const TOKEN_ADDRESSES_MAX: usize = 32;
/// 1 prefix + 13 version + 8 protocol id + 8 expiry + 24 nonce + 1024 private token.
pub const REQUEST_BYTES: usize = 1078;

/// Sealed challenge token, tag included.
pub(crate) const CHALLENGE_BYTES: usize = 300;
/// Challenge sequence ‖ challenge token: the body of types 2 and 3.
pub(crate) const CHALLENGE_BODY_BYTES: usize = 308;
/// Client index ‖ max clients: the body of type 4.
pub(crate) const KEEP_ALIVE_BODY_BYTES: usize = 8;

/// Largest payload that is ever sent.
pub const PAYLOAD_BYTES_MAX: usize = 1200;
/// Largest receive limit that may be configured (renet peers send up to 1300).
pub const RECEIVE_PAYLOAD_BYTES_MAX: usize = 1300;
/// Prefix + 8 sequence bytes + tag.
pub(crate) const OVERHEAD_BYTES_MAX: usize = 25;
/// Smallest sealed datagram: prefix, one sequence byte, tag.
pub(crate) const SEALED_BYTES_MIN: usize = 18;
/// No datagram of either end is longer: give `poll_transmit` at least this much room.
pub const DATAGRAM_BYTES_MAX: usize = RECEIVE_PAYLOAD_BYTES_MAX + OVERHEAD_BYTES_MAX;

/// Requests and responses go out at 10 Hz, the rate the standard suggests.
pub(crate) const HANDSHAKE_INTERVAL_US: u64 = 100_000;
/// Keep-alives at min(3 s, timeout / 5): five in a row must be lost before a peer gives up.
pub(crate) const KEEP_ALIVE_INTERVAL_MAX_US: u64 = 3_000_000;
pub(crate) const KEEP_ALIVES_PER_TIMEOUT: u64 = 5;
/// Identical disconnects in one burst; the peer's timeout covers the case that all are lost.
pub const DISCONNECT_REPEATS: u8 = 5;
/// A replaced flow is served for this long, so that a last CLOSE reaches the old client: it may take
/// a round trip, or three where keys are still to be agreed.
pub(crate) const REPLACED_GRACE_US: u64 = 1_000_000;

/// NX client to server: datagrams stay within 1232 B, the smallest MTU of IPv6 without its headers.
pub const NX_PAYLOAD_BYTES_MAX: usize = 1192;
/// HELLOs of a client, at least this far apart; then, and after the last, it waits no longer.
pub(crate) const HELLO_INTERVAL_MIN_US: u64 = 100_000;
/// More would leave too few tries where NX is required.
pub(crate) const HELLO_INTERVAL_MAX_US: u64 = 1_000_000;
pub(crate) const HELLOS_MAX: u8 = 10;
/// An ACCEPT that comes later than this behind the last HELLO is ignored.
pub(crate) const ACCEPT_WAIT_US: u64 = 5_000_000;
/// A server forgets an ACCEPT this long after the HELLO, once it sees that the client went on
/// without. Longer than `ACCEPT_WAIT_US` by more than datagrams are on their way.
pub(crate) const OFFER_LIFETIME_US: u64 = 15_000_000;
/// Negotiations on one flow: bounds the X25519 work that one client can ask for.
pub(crate) const NEGOTIATIONS_MAX: u8 = 3;
/// Datagrams under token keys that were overtaken by the first one under NX keys.
pub(crate) const TOKEN_KEY_GRACE_US: u64 = 1_000_000;
/// An old connection id lives on this long, for datagrams that were overtaken.
pub(crate) const CID_GRACE_US: u64 = 3_000_000;
/// Where NX is required, from the open flow to CONFIRM.
pub(crate) const NX_REQUIRED_WAIT_US: u64 = 3_000_000;

/// A candidate path is challenged this often, for this long.
pub(crate) const PATH_CHALLENGE_INTERVAL_US: u64 = 200_000;
pub(crate) const PATH_LIFETIME_US: u64 = 3_000_000;
/// Bytes to an address that has not answered, for each byte from it (RFC 9000 §8.1).
pub(crate) const PATH_AMPLIFICATION: u32 = 3;
/// New candidates of one flow in `PATH_WINDOW_US`: bounds what a flapping address can cause.
pub(crate) const PATH_CANDIDATES_MAX: u8 = 3;
pub(crate) const PATH_WINDOW_US: u64 = 1_000_000;
/// Between two changes of a flow's address.
pub(crate) const MIGRATION_INTERVAL_US: u64 = 1_000_000;
/// NEW_CID repeats until it is acknowledged, at intervals that double up to the second.
pub(crate) const NEW_CID_INTERVAL_US: u64 = 200_000;
pub(crate) const NEW_CID_INTERVAL_MAX_US: u64 = 1_600_000;

/// What a full or busy server asks its clients to wait, as the ticket endpoint does.
pub(crate) const RETRY_AFTER_S: u16 = 5;

pub(crate) const TIMEOUT_S_MIN: i32 = 1;
pub(crate) const TIMEOUT_S_MAX: i32 = 60;
/// A half-open handshake, and the challenge in it, lives this long at most.
pub(crate) const PENDING_LIFETIME_US: u64 = 10_000_000;

pub(crate) const MAX_FLOWS_MAX: u32 = 1 << 22;
pub(crate) const MAX_FLOWS_DEFAULT: u32 = 1024;
/// About 400 B each: 1.6 MiB of half-open handshakes at most.
pub(crate) const MAX_PENDING_DEFAULT: u32 = 4096;
/// What the live setting may raise it to: 26 MiB.
pub(crate) const PENDING_CAPACITY: u32 = 65_536;
/// About 100 B each, only while a token lives: 1,000 connects/s for tokens of two minutes.
pub(crate) const TOKEN_HISTORY_DEFAULT: usize = 131_072;
/// Denials waiting to be sent; more in one turn are dropped and counted.
pub(crate) const DENIALS_QUEUED_MAX: usize = 256;

/// Buckets of source prefixes, 24 B each: 384 KiB per game, whatever arrives.
pub(crate) const PREFIX_WAYS: usize = 8;
pub(crate) const PREFIX_SETS: usize = 2048;
pub(crate) const PREFIX_CAPACITY: usize = PREFIX_WAYS * PREFIX_SETS;
/// Prefixes of a block list, 8 B (IPv4) or 32 B (IPv6) each.
pub(crate) const BLOCKED_PREFIXES_MAX: usize = 65_536;

/// Sequences of a connection stay below 2^62, those of challenges and denials start at 2^63: the
/// two share the server-to-client key and must never meet.
pub(crate) const SEQUENCE_END: u64 = 1 << 62;
/// A connection's first sequence is random in 40 bits, so that a restarted endpoint with the same
/// token does not repeat nonces.
pub(crate) const SEQUENCE_START_MASK: u64 = (1 << 40) - 1;
/// Datagrams of a client that may be lost in a row before the next one is taken for another
/// connection's: 15 hours of the most that a flow is granted by default. A recorded datagram of
/// another connection under the same token passes once in 4,096 times.
pub(crate) const SEQUENCE_JUMP_MAX: u64 = 1 << 28;
/// Forged packets under one key before the flow is closed (RFC 9001 §6.6, ChaCha20-Poly1305).
pub(crate) const FAILED_OPENS_MAX: u64 = 1 << 36;

// Relations that the code relies on.
const _: () = {
    assert!(HEADROOM >= 1 + 8 + 8);
    assert!(NX_PAYLOAD_BYTES_MAX + 1 + 8 + 8 + TAG_BYTES <= 1280 - 40 - 8);
    assert!(NX_PAYLOAD_BYTES_MAX + 8 == PAYLOAD_BYTES_MAX);
    // slots have 24 bits in a connection id, and there are a quarter more of them than flows
    assert!(MAX_FLOWS_MAX < 1 << 23);
    assert!(OFFER_LIFETIME_US > ACCEPT_WAIT_US);
    assert!(SEALED_BYTES_MIN == 1 + 1 + TAG_BYTES);
    assert!(REQUEST_BYTES == 1 + 13 + 8 + 8 + TOKEN_NONCE_BYTES + TOKEN_PRIVATE_BYTES);
    assert!(DATAGRAM_BYTES_MAX >= REQUEST_BYTES);
    assert!(CHALLENGE_BODY_BYTES == 8 + CHALLENGE_BYTES);
    // every reply is smaller than its trigger
    assert!(OVERHEAD_BYTES_MAX + CHALLENGE_BODY_BYTES < REQUEST_BYTES);
    assert!(OVERHEAD_BYTES_MAX + KEEP_ALIVE_BODY_BYTES < SEALED_BYTES_MIN + CHALLENGE_BODY_BYTES);
    // a timer is never armed further away than the wheel reaches
    assert!(TIMEOUT_S_MAX as u64 * 1_000_000 < 1 << 27);
};
