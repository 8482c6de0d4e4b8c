//! What a flow holds only while something is under way: a negotiation, the end of the token's keys,
//! a change of address, the time after its replacement. Quiet flows have none of it.

use crate::limits::{
    CID_GRACE_US, MIGRATION_INTERVAL_US, PATH_AMPLIFICATION, PATH_CANDIDATES_MAX, PATH_WINDOW_US,
};
use crate::nx::control::CONTROL_BYTES_MAX;
use crate::nx::keys::{NxKeys, NONCE_BYTES};
use crate::path::{unpack_local, PackedAddress, Path};
use crate::replay::ReplayWindow;
use crate::seal::PacketKey;

#[derive(Default)]
pub(crate) struct Side {
    pub offer: Option<Offer>,
    pub token_epoch: Option<TokenEpoch>,
    pub candidate: Option<Candidate>,
    pub new_cid: Option<NewCid>,
    /// A connection id that still may come, and until when.
    pub previous_cid: Option<(u32, u64)>,
    /// Where NX is required: CONFIRM comes before this, or the flow ends.
    pub required_by_us: Option<u64>,
    /// Of a replaced flow: when it closes itself.
    pub served_until_us: Option<u64>,
    /// No commit before.
    pub next_migration_us: u64,
    /// New candidates are counted from here.
    window_start_us: u64,
    candidates_in_window: u8,
}

/// ACCEPT was sent and the client has not used the new keys yet.
pub(crate) struct Offer {
    pub client_nonce: [u8; NONCE_BYTES],
    /// The ACCEPT: every repeated HELLO gets the same bytes.
    pub accept: [u8; CONTROL_BYTES_MAX],
    pub accept_length: u8,
    pub keys: NxKeys,
    pub hello_us: u64,
}

/// The token's receive key after CONFIRM, for datagrams that were overtaken.
pub(crate) struct TokenEpoch {
    pub receive: PacketKey,
    pub replay: ReplayWindow,
    pub until_us: u64,
}

/// An address that authentic, newest packets come from, and that has not answered yet.
pub(crate) struct Candidate {
    pub remote: PackedAddress,
    pub local: [u8; 16],
    /// What only a receiver at that address can know.
    pub challenge: [u8; 8],
    /// What goes to the old address, to hear from a client that still is there.
    pub old_challenge: [u8; 8],
    pub received_bytes: u32,
    pub sent_bytes: u32,
    pub is_proven: bool,
    pub next_challenge_us: u64,
    pub until_us: u64,
}

/// A connection id that the client has not used yet.
pub(crate) struct NewCid {
    pub random: u32,
    pub number: u32,
    pub next_send_us: u64,
    pub interval_us: u64,
}

impl Side {
    /// Of a flow that ends unless NX is agreed by then.
    pub fn requiring_nx(by_us: u64) -> Self {
        Self {
            required_by_us: Some(by_us),
            ..Self::default()
        }
    }

    /// When the next of it is due; `u64::MAX` for none.
    pub fn due_us(&self) -> u64 {
        let due = [
            self.token_epoch.as_ref().map(|epoch| epoch.until_us),
            self.candidate.as_ref().map(|path| {
                if path.is_proven {
                    self.next_migration_us
                } else {
                    path.next_challenge_us.min(path.until_us)
                }
            }),
            self.new_cid.as_ref().map(|cid| cid.next_send_us),
            self.previous_cid.map(|(_, until_us)| until_us),
            self.required_by_us,
            self.served_until_us,
            (!self.is_busy()).then_some(self.memory_until_us()),
        ];
        due.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// Nothing is under way, and what limits how often things may happen has run out.
    pub fn is_over(&self, now_us: u64) -> bool {
        !self.is_busy() && self.memory_until_us() <= now_us
    }

    fn is_busy(&self) -> bool {
        self.offer.is_some()
            || self.token_epoch.is_some()
            || self.candidate.is_some()
            || self.new_cid.is_some()
            || self.previous_cid.is_some()
            || self.required_by_us.is_some()
            || self.served_until_us.is_some()
    }

    fn memory_until_us(&self) -> u64 {
        self.next_migration_us
            .max(self.window_start_us + PATH_WINDOW_US)
    }

    /// Whether one more address may be looked at now.
    pub fn may_begin_path(&mut self, now_us: u64) -> bool {
        if now_us.saturating_sub(self.window_start_us) >= PATH_WINDOW_US {
            self.window_start_us = now_us;
            self.candidates_in_window = 0;
        }
        let may = self.candidates_in_window < PATH_CANDIDATES_MAX;
        self.candidates_in_window += u8::from(may);
        may
    }

    pub fn note_migration(&mut self, now_us: u64) {
        self.next_migration_us = now_us + MIGRATION_INTERVAL_US;
    }

    pub fn retire_cid(&mut self, random: u32, now_us: u64) {
        self.previous_cid = Some((random, now_us + CID_GRACE_US));
    }
}

impl Candidate {
    pub fn path(&self) -> Path {
        Path {
            remote: self.remote.unpack(),
            local: unpack_local(self.local),
        }
    }

    /// Takes this many bytes out of what may be sent there, if they are left.
    pub fn spend(&mut self, length: usize) -> bool {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let sent = self.sent_bytes.saturating_add(length);
        let may = self.is_proven || sent <= self.received_bytes.saturating_mul(PATH_AMPLIFICATION);
        if may {
            self.sent_bytes = sent;
        }
        may
    }

    pub fn received(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.received_bytes = self.received_bytes.saturating_add(bytes);
    }
}
