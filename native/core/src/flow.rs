//! One connection on the server: everything that a packet touches, without a heap.

use crate::admission::FlowBudget;
use crate::event::FlowStats;
use crate::history::TokenTag;
use crate::limits::{
    KEEP_ALIVES_PER_TIMEOUT, KEEP_ALIVE_INTERVAL_MAX_US, TIMEOUT_S_MAX, TIMEOUT_S_MIN,
};
use crate::path::{pack_local, unpack_local, PackedAddress, Path};
use crate::replay::ReplayWindow;
use crate::seal::PacketKey;
use crate::side::Side;
use crate::table::Addressed;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlowState {
    /// Open; the client has not shown that it knows.
    Unconfirmed,
    Open,
    /// Reported as closed; its disconnects wait to be sent.
    Closing,
}

/// How far a flow has come with NX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NxState {
    /// Plain netcode under the token's keys.
    Base,
    /// ACCEPT is on its way; both keys lie in `side`.
    Accepted,
    /// The client has used the new keys.
    Confirmed,
}

/// What waits in the outbox for a flow, a bit each, so that nothing waits there twice.
#[derive(Clone, Copy, Default)]
pub(crate) struct Queued(u8);

impl Queued {
    pub const KEEP_ALIVE: u8 = 1;
    pub const ACCEPT: u8 = 2;
    pub const PATH_NEW: u8 = 4;
    pub const PATH_OLD: u8 = 8;
    pub const NEW_CID: u8 = 16;
    pub const GREASE: u8 = 32;
    /// How many there are.
    pub const KINDS: usize = 6;

    /// False when it waits already.
    pub fn set(&mut self, kind: u8) -> bool {
        let is_new = self.0 & kind == 0;
        self.0 |= kind;
        is_new
    }

    pub fn clear(&mut self, kind: u8) {
        self.0 &= !kind;
    }
}

pub(crate) struct Flow {
    pub receive: PacketKey,
    pub send: PacketKey,
    pub replay: ReplayWindow,
    pub next_sequence: u64,
    pub client_id: u64,
    pub last_receive_us: u64,
    pub last_send_us: u64,
    pub counts: FlowCounts,
    pub budget: FlowBudget,
    /// What a quiet flow does not need: negotiations, changes of address, its end under way.
    pub side: Option<Box<Side>>,
    pub remote: PackedAddress,
    pub local: [u8; 16],
    pub token_tag: TokenTag,
    /// The connection id's random part; means nothing in `NxState::Base`.
    pub cid_random: u32,
    pub migrations: u32,
    pub timeout_s: i32,
    pub state: FlowState,
    pub nx: NxState,
    pub nx_required: bool,
    /// HELLOs that were answered with an ACCEPT of their own.
    pub negotiations: u8,
    pub queued: Queued,
    /// Its token says that the client reads a refusal.
    pub hears_refusals: bool,
    pub refusals_left: u8,
    pub disconnects_left: u8,
}

impl Flow {
    pub fn path(&self) -> Path {
        Path {
            remote: self.remote.unpack(),
            local: unpack_local(self.local),
        }
    }

    /// Where a datagram of this length goes: to a candidate path as far as its budget allows, for
    /// if it is the client's new address, nothing reaches the old one.
    pub fn route(&mut self, length: usize) -> Path {
        let candidate = self.side.as_mut().and_then(|side| side.candidate.as_mut());
        if let Some(candidate) = candidate {
            if candidate.spend(length) {
                return candidate.path();
            }
        }
        self.path()
    }

    /// Reads something of every cache line that a packet in and a packet out will need.
    #[inline]
    pub fn touch(&self) -> u64 {
        let [first, .., last] = self.receive.key();
        let [send_first, .., send_last] = self.send.key();
        u64::from(*first ^ *last ^ *send_first ^ *send_last ^ self.queued.0)
            ^ self.replay.touch()
            ^ self.next_sequence
            ^ self.last_receive_us
            ^ self.counts.packets_in
            ^ self.counts.lost
            ^ u64::from(self.remote.port)
            ^ u64::from(self.cid_random)
    }

    pub fn set_local(&mut self, path: &Path) {
        self.local = pack_local(path.local);
    }

    /// Its client's flow: it counts toward `max_flows`.
    pub fn is_live(&self) -> bool {
        self.is_served() && !self.is_replaced()
    }

    /// Datagrams pass both ways.
    pub fn is_served(&self) -> bool {
        self.state != FlowState::Closing
    }

    /// Another flow of its client has its place.
    pub fn is_replaced(&self) -> bool {
        self.served_until_us().is_some()
    }

    /// Of a replaced flow: when it closes itself.
    pub fn served_until_us(&self) -> Option<u64> {
        self.side.as_ref().and_then(|side| side.served_until_us)
    }

    /// Payloads pass neither way before the NX keys are in use.
    pub fn awaits_nx(&self) -> bool {
        self.nx_required && self.nx != NxState::Confirmed
    }

    /// When its next timer is due: silence of the client, our own, or something under way.
    pub fn due_us(&self) -> u64 {
        let timeout = self.timeout_due_us().unwrap_or(u64::MAX);
        let side = self.side.as_ref().map_or(u64::MAX, |side| side.due_us());
        timeout.min(self.keep_alive_due_us()).min(side)
    }

    pub fn keep_alive_due_us(&self) -> u64 {
        self.last_send_us + keep_alive_interval_us(self.timeout_s)
    }

    pub fn timeout_due_us(&self) -> Option<u64> {
        timeout_us(self.timeout_s).map(|timeout| self.last_receive_us + timeout)
    }

    pub fn side(&mut self) -> &mut Side {
        self.side.get_or_insert_default()
    }

    pub fn stats(&self) -> FlowStats {
        let nx = self.nx == NxState::Confirmed;
        FlowStats {
            nx,
            epoch: u8::from(nx),
            migrations: self.migrations,
            under_way: self.side.is_some(),
            ..self.counts.stats(self.path())
        }
    }
}

impl Addressed for Flow {
    fn remote(&self) -> PackedAddress {
        self.remote
    }
}

/// Figures of one flow, for both ends.
#[derive(Clone, Copy, Default)]
pub(crate) struct FlowCounts {
    packets_in: u64,
    bytes_in: u64,
    packets_out: u64,
    bytes_out: u64,
    /// Gaps in the peer's sequences, less what came late.
    lost: u64,
    pub failed_opens: u64,
}

impl FlowCounts {
    pub fn received(&mut self, bytes: usize) {
        self.packets_in += 1;
        self.bytes_in += bytes as u64;
    }

    /// Behind `received` and before the window is told. What a peer sent before the first packet
    /// that came is not known (responses are no packets of a flow), unless its counter begins at
    /// zero: see `began_at`.
    pub fn received_sequence(&mut self, replay: &ReplayWindow, sequence: u64) {
        match replay.latest().filter(|_| self.packets_in > 1) {
            None => {}
            Some(latest) if sequence > latest => {
                self.lost = self.lost.saturating_add(sequence - latest - 1);
            }
            Some(_) => self.received_late(),
        }
    }

    /// The first packet under keys whose counter begins at zero.
    pub fn began_at(&mut self, sequence: u64) {
        self.lost = self.lost.saturating_add(sequence);
    }

    /// Overtaken, not lost.
    pub fn received_late(&mut self) {
        self.lost = self.lost.saturating_sub(1);
    }

    pub fn sent(&mut self, bytes: usize) {
        self.packets_out += 1;
        self.bytes_out += bytes as u64;
    }

    pub fn stats(&self, path: Path) -> FlowStats {
        FlowStats {
            packets_in: self.packets_in,
            bytes_in: self.bytes_in,
            packets_out: self.packets_out,
            bytes_out: self.bytes_out,
            lost: self.lost,
            failed_opens: self.failed_opens,
            path,
            nx: false,
            epoch: 0,
            migrations: 0,
            under_way: false,
        }
    }
}

/// A token's timeout as both ends apply it: 1–60 s, or never when negative.
pub(crate) fn clamp_timeout_s(timeout_s: i32) -> i32 {
    if timeout_s < 0 {
        -1
    } else {
        timeout_s.clamp(TIMEOUT_S_MIN, TIMEOUT_S_MAX)
    }
}

/// Of a clamped timeout.
pub(crate) fn timeout_us(timeout_s: i32) -> Option<u64> {
    u64::try_from(timeout_s)
        .ok()
        .map(|seconds| seconds * 1_000_000)
}

/// min(1 s, timeout / 5), of a clamped timeout.
pub(crate) fn keep_alive_interval_us(timeout_s: i32) -> u64 {
    timeout_us(timeout_s).map_or(KEEP_ALIVE_INTERVAL_MAX_US, |timeout| {
        KEEP_ALIVE_INTERVAL_MAX_US.min(timeout / KEEP_ALIVES_PER_TIMEOUT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_lean() {
        // The goal is ≤ 512 B native per flow, with its shares of maps and timers (about 100 B).
        assert!(size_of::<Flow>() <= 320, "{}", size_of::<Flow>());
    }

    #[test]
    fn timeouts_are_clamped_and_keep_alives_come_five_in_a_timeout() {
        let cases = [
            (-7, -1, 3_000_000),
            (0, 1, 200_000),
            (1, 1, 200_000),
            (5, 5, 1_000_000),
            (30, 30, 3_000_000),
        ];
        for (asked, applied, interval) in cases {
            assert_eq!(clamp_timeout_s(asked), applied);
            assert_eq!(keep_alive_interval_us(applied), interval);
        }
        assert_eq!(clamp_timeout_s(i32::MAX), 60);
        assert_eq!(timeout_us(-1), None);
    }
}
