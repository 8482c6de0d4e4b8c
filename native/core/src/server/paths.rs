//! Changes of a client's address, and the connection ids that follow them.
//!
//! ```text
//!   newest packet from elsewhere ─▶ candidate, challenged; so is the old address
//!        answered from there ─▶ commit: Migrated, a new connection id
//!        newer packet from the old address ─▶ cancelled (RFC 9000 §9.3.3)
//!        no answer in 3 s ─▶ given up
//! ```
//! A copy of a packet that overtakes the original from another address makes a candidate too. It
//! gets at most three times its bytes, and loses with the next packet from the old address; the
//! challenge to the old address makes an otherwise silent client send that packet.

use super::{Outgoing, Server};
use crate::event::{Event, FlowId};
use crate::flow::Queued;
use crate::limits::{
    NEW_CID_INTERVAL_MAX_US, NEW_CID_INTERVAL_US, PATH_CHALLENGE_INTERVAL_US, PATH_LIFETIME_US,
};
use crate::path::{pack_local, PackedAddress, Path};
use crate::side::{Candidate, NewCid, Side};

impl Server {
    /// After a packet that opened: it came from elsewhere, or something is under way.
    #[cold]
    pub(super) fn follow_path(&mut self, id: FlowId, path: &Path, is_newest: bool, bytes: usize) {
        let remote = PackedAddress::pack(path.remote);
        let now_us = self.now_us;
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        if remote == flow.remote {
            let side = flow.side.as_mut().filter(|_| is_newest);
            if side.and_then(|side| side.candidate.take()).is_some() {
                self.counters.path_cancelled += 1;
                self.arm_flow(id);
            }
            return;
        }
        let side = flow.side();
        if let Some(candidate) = side.candidate.as_mut().filter(|c| c.remote == remote) {
            candidate.local = pack_local(path.local);
            candidate.received(bytes);
            return;
        }
        if !is_newest {
            return;
        }
        if !side.may_begin_path(now_us) {
            self.counters.path_limited += 1;
            return;
        }
        let mut candidate = Candidate {
            remote,
            local: pack_local(path.local),
            challenge: self.random.bytes(),
            old_challenge: self.random.bytes(),
            received_bytes: 0,
            sent_bytes: 0,
            is_proven: false,
            next_challenge_us: now_us + PATH_CHALLENGE_INTERVAL_US,
            until_us: now_us + PATH_LIFETIME_US,
        };
        candidate.received(bytes);
        side.candidate = Some(candidate);
        self.counters.path_candidates += 1;
        self.queue_challenges(id);
        self.arm_flow(id);
    }

    fn queue_challenges(&mut self, id: FlowId) {
        self.queue(id, Queued::PATH_NEW, Outgoing::PathChallenge(id, true));
        self.queue(id, Queued::PATH_OLD, Outgoing::PathChallenge(id, false));
    }

    /// Counts only when it answers the candidate's challenge from the candidate's address.
    pub(super) fn handle_path_response(&mut self, id: FlowId, path: &Path, data: [u8; 8]) {
        self.counters.path_responses_in += 1;
        let remote = PackedAddress::pack(path.remote);
        let flow = self.flows.get_mut(id);
        let candidate = flow.and_then(|flow| flow.side.as_mut()?.candidate.as_mut());
        let Some(candidate) = candidate else {
            return;
        };
        if candidate.remote == remote && candidate.challenge == data {
            candidate.is_proven = true;
            self.try_migrate(id);
            self.arm_flow(id);
        }
    }

    /// The candidate becomes the flow's address, unless the last change was just now.
    fn try_migrate(&mut self, id: FlowId) {
        let now_us = self.now_us;
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        let side = flow.side.as_mut();
        let Some(candidate) = side.and_then(|side| side.take_proven(now_us)) else {
            return;
        };
        let port_only = candidate.remote.ip == flow.remote.ip;
        // The new address is not mapped: an NX flow is found by its id, and an address that it only
        // passes through must not be closed to others.
        self.flows.unmap(id);
        let cid_random = u32::from_le_bytes(self.random.bytes());
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        flow.remote = candidate.remote;
        flow.local = candidate.local;
        flow.migrations = flow.migrations.saturating_add(1);
        let (path, number) = (flow.path(), flow.migrations);
        let side = flow.side();
        side.note_migration(now_us);
        // One at a time, so that an old NEW_CID can never undo a newer one.
        if side.new_cid.is_none() && cid_random != flow.cid_random {
            flow.side().new_cid = Some(NewCid {
                random: cid_random,
                number,
                next_send_us: now_us + NEW_CID_INTERVAL_US,
                interval_us: NEW_CID_INTERVAL_US,
            });
            self.queue(id, Queued::NEW_CID, Outgoing::NewCid(id));
        }
        self.counters.migrations += 1;
        self.events.push_back(Event::Migrated {
            flow: id,
            path,
            port_only,
        });
    }

    /// The client has used the connection id that it was given.
    pub(super) fn take_new_cid(&mut self, id: FlowId) {
        let now_us = self.now_us;
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        let old_random = flow.cid_random;
        let new = flow.side.as_mut().and_then(|side| side.new_cid.take());
        if let Some(new) = new {
            flow.cid_random = new.random;
            flow.side().retire_cid(old_random, now_us);
            self.arm_flow(id);
        }
    }

    /// Whatever of a flow's side is due.
    pub(super) fn run_side_timers(&mut self, id: FlowId) {
        let now_us = self.now_us;
        let Some(flow) = self.flows.get_mut(id) else {
            return;
        };
        let Some(side) = flow.side.as_mut() else {
            return;
        };
        side.drop_what_is_over(now_us);
        let mut challenge = false;
        if let Some(candidate) = side.candidate.as_mut().filter(|c| !c.is_proven) {
            if candidate.until_us <= now_us {
                side.candidate = None;
                self.counters.path_failed += 1;
            } else if candidate.next_challenge_us <= now_us {
                candidate.next_challenge_us = now_us + PATH_CHALLENGE_INTERVAL_US;
                challenge = true;
            }
        }
        let new_cid = side.new_cid.as_mut().filter(|c| c.next_send_us <= now_us);
        let again = new_cid.is_some();
        if let Some(new) = new_cid {
            new.interval_us = (2 * new.interval_us).min(NEW_CID_INTERVAL_MAX_US);
            new.next_send_us = now_us + new.interval_us;
        }
        if side.is_over(now_us) {
            flow.side = None;
        }
        if challenge {
            self.queue_challenges(id);
        }
        if again {
            self.queue(id, Queued::NEW_CID, Outgoing::NewCid(id));
        }
        self.try_migrate(id);
    }
}

impl Side {
    /// The candidate, if it has answered and a change may happen now.
    fn take_proven(&mut self, now_us: u64) -> Option<Candidate> {
        let may = self.next_migration_us <= now_us;
        let is_proven = self.candidate.as_ref().is_some_and(|c| c.is_proven);
        (may && is_proven).then(|| self.candidate.take()).flatten()
    }

    fn drop_what_is_over(&mut self, now_us: u64) {
        if self
            .token_epoch
            .as_ref()
            .is_some_and(|e| e.until_us <= now_us)
        {
            self.token_epoch = None;
        }
        if self
            .previous_cid
            .is_some_and(|(_, until_us)| until_us <= now_us)
        {
            self.previous_cid = None;
        }
    }
}
