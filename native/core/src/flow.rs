//! One connection on the server: everything that a packet touches, without a heap.

use crate::admission::FlowBudget;
use crate::event::FlowStats;
use crate::history::TokenTag;
use crate::limits::{
    KEEP_ALIVES_PER_TIMEOUT, KEEP_ALIVE_INTERVAL_MAX_US, KEY_BYTES, TIMEOUT_S_MAX, TIMEOUT_S_MIN,
};
use crate::path::{pack_local, unpack_local, PackedAddress, Path};
use crate::replay::ReplayWindow;
use crate::table::Addressed;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlowState {
    /// Open; the client has not shown that it knows.
    Unconfirmed,
    Open,
    /// Receives nothing more, can be sealed until the grace ends.
    Replaced,
    /// Reported as closed; its disconnects wait to be sent.
    Closing,
}

pub(crate) struct Flow {
    pub receive_key: [u8; KEY_BYTES],
    pub send_key: [u8; KEY_BYTES],
    pub replay: ReplayWindow,
    pub next_sequence: u64,
    pub client_id: u64,
    pub last_receive_us: u64,
    pub last_send_us: u64,
    pub counts: FlowCounts,
    pub budget: FlowBudget,
    pub remote: PackedAddress,
    pub local: [u8; 16],
    pub token_tag: TokenTag,
    pub timeout_s: i32,
    pub state: FlowState,
    pub keep_alive_queued: bool,
    pub disconnects_left: u8,
}

impl Flow {
    pub fn path(&self) -> Path {
        Path {
            remote: self.remote.unpack(),
            local: unpack_local(self.local),
        }
    }

    pub fn set_local(&mut self, path: &Path) {
        self.local = pack_local(path.local);
    }

    /// Counts toward `max_flows` and takes part in keep-alives.
    pub fn is_live(&self) -> bool {
        matches!(self.state, FlowState::Unconfirmed | FlowState::Open)
    }

    /// When its next timer is due: silence of the client, or our own.
    pub fn due_us(&self) -> u64 {
        let keep_alive = self.last_send_us + keep_alive_interval_us(self.timeout_s);
        self.timeout_due_us()
            .map_or(keep_alive, |timeout| timeout.min(keep_alive))
    }

    pub fn timeout_due_us(&self) -> Option<u64> {
        timeout_us(self.timeout_s).map(|timeout| self.last_receive_us + timeout)
    }

    pub fn stats(&self) -> FlowStats {
        self.counts.stats(&self.replay, self.path())
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
    /// Of the peer's packets that move the replay window: the first sequence, and how many.
    first_sequence: u64,
    sequenced_in: u64,
    pub failed_opens: u64,
}

impl FlowCounts {
    pub fn received(&mut self, bytes: usize) {
        self.packets_in += 1;
        self.bytes_in += bytes as u64;
    }

    pub fn received_sequence(&mut self, sequence: u64) {
        if self.sequenced_in == 0 {
            self.first_sequence = sequence;
        }
        // Reordering before the first packet that came: what was sent earlier counts from there.
        self.first_sequence = self.first_sequence.min(sequence);
        self.sequenced_in += 1;
    }

    pub fn sent(&mut self, bytes: usize) {
        self.packets_out += 1;
        self.bytes_out += bytes as u64;
    }

    pub fn stats(&self, replay: &ReplayWindow, path: Path) -> FlowStats {
        let expected = replay
            .latest()
            .map_or(0, |l| (l - self.first_sequence).saturating_add(1));
        FlowStats {
            packets_in: self.packets_in,
            bytes_in: self.bytes_in,
            packets_out: self.packets_out,
            bytes_out: self.bytes_out,
            lost: expected.saturating_sub(self.sequenced_in),
            failed_opens: self.failed_opens,
            path,
            nx: false,
            epoch: 0,
            migrations: 0,
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
            (-7, -1, 1_000_000),
            (0, 1, 200_000),
            (1, 1, 200_000),
            (5, 5, 1_000_000),
        ];
        for (asked, applied, interval) in cases {
            assert_eq!(clamp_timeout_s(asked), applied);
            assert_eq!(keep_alive_interval_us(applied), interval);
        }
        assert_eq!(clamp_timeout_s(i32::MAX), 60);
        assert_eq!(timeout_us(-1), None);
    }
}
