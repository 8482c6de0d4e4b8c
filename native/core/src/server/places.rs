//! Who may still come in: `max_flows`, counted here or over all servers that share it.

use core::sync::atomic::{AtomicU32, Ordering};

use super::Server;

impl Server {
    /// Full, and this client would not take the place of its own earlier flow.
    pub(super) fn is_full_for(&self, client_id: u64) -> bool {
        self.flows.is_full() || (!self.has_place() && !self.replaces_itself(client_id))
    }

    /// Counts one more flow, unless all places are taken meanwhile: threads that share the count may
    /// open the last one together. Give the place back with `release_place`.
    pub(super) fn claim_place(&mut self, client_id: u64) -> bool {
        if self.flows.is_full() {
            return false;
        }
        let replaces = self.replaces_itself(client_id);
        let max = self.max_flows();
        let claimed = match &self.config.shared_flows {
            Some(shared) => claim(shared, if replaces { u32::MAX } else { max }),
            None => replaces || self.has_place(),
        };
        self.live_flows += usize::from(claimed);
        claimed
    }

    pub(super) fn release_place(&mut self) {
        self.live_flows = self.live_flows.saturating_sub(1);
        if let Some(shared) = &self.config.shared_flows {
            shared.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn has_place(&self) -> bool {
        let taken = match &self.config.shared_flows {
            Some(shared) => shared.load(Ordering::Relaxed) as usize,
            None => self.live_flows,
        };
        taken < self.max_flows() as usize
    }

    /// Its earlier flow ends with this one: here, or at a server that counts with us.
    pub(super) fn replaces_itself(&self, client_id: u64) -> bool {
        self.member.has_flow(client_id)
    }
}

fn claim(shared: &AtomicU32, max: u32) -> bool {
    shared
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            (taken < max).then_some(taken + 1)
        })
        .is_ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(shared) = &self.config.shared_flows {
            shared.fetch_sub(self.live_flows as u32, Ordering::Relaxed);
        }
    }
}
