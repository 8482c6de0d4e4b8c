//! Flow slots of several endpoints as JavaScript sees them: `slot · threads + thread`, so that one
//! table there holds the flows of all.

use ggscale_transport_core::FlowId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    threads: u32,
    thread: u32,
}

impl Slots {
    /// The only endpoint: slots are the same on both sides.
    pub const ONE: Self = Self {
        threads: 1,
        thread: 0,
    };

    /// Endpoint `thread` of `threads`.
    pub fn of(thread: u32, threads: u32) -> Self {
        let threads = threads.max(1);
        Self {
            threads,
            thread: thread.min(threads - 1),
        }
    }

    /// Whose flow has this slot in JavaScript.
    pub fn thread_of(slot: u32, threads: u32) -> usize {
        (slot % threads.max(1)) as usize
    }

    /// As JavaScript names the flow.
    pub fn outer(self, flow: FlowId) -> FlowId {
        if flow == FlowId::ELSEWHERE {
            return flow;
        }
        let slot = flow.slot.saturating_mul(self.threads);
        FlowId {
            slot: slot.saturating_add(self.thread),
            ..flow
        }
    }

    /// As the core names it. A flow of another endpoint is none here: `ELSEWHERE`, which is always
    /// stale.
    pub fn inner(self, flow: FlowId) -> FlowId {
        if flow.slot % self.threads != self.thread {
            return FlowId::ELSEWHERE;
        }
        FlowId {
            slot: flow.slot / self.threads,
            ..flow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_slots_of_its_own_and_finds_them_again() {
        let mut seen = std::collections::BTreeSet::new();
        for thread in 0..3 {
            let slots = Slots::of(thread, 3);
            for slot in 0..100 {
                let flow = FlowId {
                    slot,
                    generation: 7,
                };
                let outer = slots.outer(flow);
                assert!(seen.insert(outer.slot));
                assert_eq!(slots.inner(outer), flow);
                assert_eq!(Slots::thread_of(outer.slot, 3), thread as usize);
                let other = Slots::of((thread + 1) % 3, 3);
                assert_eq!(other.inner(outer), FlowId::ELSEWHERE);
            }
            assert_eq!(slots.outer(FlowId::ELSEWHERE), FlowId::ELSEWHERE);
        }
        assert_eq!(seen.last(), Some(&299), "slots are dense");
    }

    #[test]
    fn a_lone_endpoint_keeps_its_slots() {
        let flow = FlowId {
            slot: 4_000_000,
            generation: 1,
        };
        assert_eq!(Slots::ONE.outer(flow), flow);
        assert_eq!(Slots::ONE.inner(flow), flow);
    }
}
