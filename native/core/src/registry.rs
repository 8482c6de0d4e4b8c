//! Who has used which token, and which client id lives where.
//!
//! One registry per process in production, shared by all endpoints on all threads, so that a token
//! opens one flow and a client id has one flow however many servers hold the same private key. It
//! is split by (private key, protocol id); handshakes and closes touch it, packets never do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ring::digest::{Context, SHA256};

use crate::drop_reason::DropReason;
use crate::event::FlowId;
use crate::hash::HashSeed;
use crate::history::{History, TokenTag};
use crate::limits::KEY_BYTES;
use crate::path::PackedAddress;
use crate::random::Random;

/// A handle; clones share one registry.
#[derive(Clone, Default)]
pub struct Registry {
    domains: Arc<Mutex<HashMap<[u8; 32], Arc<Domain>>>>,
}

impl Registry {
    /// The registry of this process.
    pub fn process() -> Self {
        static PROCESS: OnceLock<Registry> = OnceLock::new();
        PROCESS.get_or_init(Self::default).clone()
    }

    /// A registry of its own, for tests and simulated machines.
    pub fn isolated() -> Self {
        Self::default()
    }

    pub(crate) fn join(
        &self,
        private_key: &[u8; KEY_BYTES],
        protocol_id: u64,
        capacity: usize,
        now_s: u64,
        random: &mut Random,
    ) -> Member {
        let mut domains = lock(&self.domains);
        // What nobody serves any more and remembers nothing goes.
        domains.retain(|_, domain| {
            let mut state = lock(&domain.state);
            state.history.purge(now_s);
            !state.mailboxes.is_empty() || state.history.len() > 0
        });
        let domain = domains
            .entry(name_of(private_key, protocol_id))
            .or_insert_with(|| Arc::new(Domain::new(now_s, random)))
            .clone();
        let mailbox = Arc::new(Mailbox::default());
        let mut state = lock(&domain.state);
        state.history.grow_capacity(capacity);
        let endpoint = state.next_endpoint;
        state.next_endpoint += 1;
        state.mailboxes.insert(endpoint, mailbox.clone());
        drop(state);
        // Held until the domain has a member: before, another thread that joins would take it for
        // one that nobody serves, and make a second one.
        drop(domains);
        Member {
            domain,
            mailbox,
            endpoint,
            count: None,
        }
    }
}

impl core::fmt::Debug for Registry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Registry")
    }
}

struct Domain {
    /// When this process began to serve this key: it knows all tokens used since.
    start_s: u64,
    state: Mutex<State>,
}

struct State {
    history: History,
    clients: HashMap<u64, Owner, HashSeed>,
    mailboxes: HashMap<u64, Arc<Mailbox>, HashSeed>,
    next_endpoint: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner {
    endpoint: u64,
    /// Names the count of flows that this endpoint shares with others; 0: none.
    group: usize,
    flow: FlowId,
}

/// Flows of an endpoint that were replaced by another endpoint.
#[derive(Default)]
struct Mailbox {
    waiting: AtomicBool,
    flows: Mutex<Vec<FlowId>>,
}

impl Domain {
    fn new(start_s: u64, random: &mut Random) -> Self {
        let state = State {
            history: History::new(HashSeed::new(random)),
            clients: HashMap::with_hasher(HashSeed::new(random)),
            mailboxes: HashMap::with_hasher(HashSeed::new(random)),
            next_endpoint: 1,
        };
        Self {
            start_s,
            state: Mutex::new(state),
        }
    }
}

/// One endpoint's access to its domain; leaving frees its client ids.
pub(crate) struct Member {
    domain: Arc<Domain>,
    mailbox: Arc<Mailbox>,
    endpoint: u64,
    /// Held so that its address is nobody else's while flows are known by it.
    count: Option<Arc<AtomicU32>>,
}

impl Member {
    /// An endpoint whose flows are counted with those of others.
    pub fn counted_by(self, count: Option<Arc<AtomicU32>>) -> Self {
        let mut member = self;
        member.count = count;
        member
    }

    fn owner(&self, flow: FlowId) -> Owner {
        let count = self.count.as_ref();
        Owner {
            endpoint: self.endpoint,
            group: count.map_or(0, |count| Arc::as_ptr(count) as usize),
            flow,
        }
    }

    pub fn start_s(&self) -> u64 {
        self.domain.start_s
    }

    /// Whether somebody has shown this token before.
    pub fn knows_token(&self, tag: &TokenTag) -> bool {
        lock(&self.domain.state).history.knows(tag)
    }

    pub fn claim_token(
        &self,
        tag: &TokenTag,
        address: PackedAddress,
        expire_s: u64,
        now_s: u64,
    ) -> Result<(), DropReason> {
        lock(&self.domain.state)
            .history
            .claim(tag, address, expire_s, now_s)
    }

    pub fn consume_token(&self, tag: &TokenTag, address: PackedAddress) -> Result<(), DropReason> {
        lock(&self.domain.state).history.consume(tag, address)
    }

    /// Makes `flow` the one of this client id. Returns the flow of this endpoint that it replaces;
    /// a flow of another endpoint is told through that endpoint's mailbox.
    pub fn claim_client(&self, client_id: u64, flow: FlowId) -> Option<FlowId> {
        let mut state = lock(&self.domain.state);
        let previous = state.clients.insert(client_id, self.owner(flow))?;
        if previous.endpoint == self.endpoint {
            return Some(previous.flow);
        }
        if let Some(mailbox) = state.mailboxes.get(&previous.endpoint) {
            lock(&mailbox.flows).push(previous.flow);
            mailbox.waiting.store(true, Ordering::Release);
        }
        None
    }

    pub fn release_client(&self, client_id: u64, flow: FlowId) {
        let mut state = lock(&self.domain.state);
        if state.clients.get(&client_id) == Some(&self.owner(flow)) {
            state.clients.remove(&client_id);
        }
    }

    /// Whether a client id has a living flow that is counted here: at this endpoint, or at one of
    /// the domain that shares its count.
    pub fn has_flow(&self, client_id: u64) -> bool {
        let state = lock(&self.domain.state);
        let Some(owner) = state.clients.get(&client_id) else {
            return false;
        };
        let group = self.owner(owner.flow).group;
        owner.endpoint == self.endpoint || (group != 0 && owner.group == group)
    }

    /// Whether `take_replaced` has something: one atomic load.
    #[inline]
    pub fn has_replaced(&self) -> bool {
        self.mailbox.waiting.load(Ordering::Relaxed)
    }

    /// Flows of this endpoint that another one has replaced.
    pub fn take_replaced(&self) -> Vec<FlowId> {
        if !self.mailbox.waiting.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        core::mem::take(&mut *lock(&self.mailbox.flows))
    }

    /// Tokens remembered, and room for them.
    pub fn history_use(&self) -> (usize, usize) {
        let state = lock(&self.domain.state);
        (state.history.len(), state.history.capacity())
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = lock(&self.domain.state);
        state.mailboxes.remove(&self.endpoint);
        state
            .clients
            .retain(|_, owner| owner.endpoint != self.endpoint);
    }
}

/// A hash, so that the map holds no second copy of a private key.
fn name_of(private_key: &[u8; KEY_BYTES], protocol_id: u64) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(private_key);
    context.update(&protocol_id.to_le_bytes());
    let mut name = [0; 32];
    name.copy_from_slice(context.finish().as_ref());
    name
}

/// A thread that panicked while it held the lock left a map that is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW_A: FlowId = FlowId {
        slot: 1,
        generation: 1,
    };
    const FLOW_B: FlowId = FlowId {
        slot: 2,
        generation: 1,
    };

    fn join(registry: &Registry, key: u8, protocol_id: u64) -> Member {
        registry.join(&[key; 32], protocol_id, 8, 10, &mut Random::from_number(1))
    }

    #[test]
    fn two_endpoints_of_one_key_share_tokens_and_two_keys_do_not() {
        let registry = Registry::isolated();
        let (a, b) = (join(&registry, 1, 5), join(&registry, 1, 5));
        let (other_key, other_id) = (join(&registry, 2, 5), join(&registry, 1, 6));
        let here = PackedAddress {
            ip: [1; 16],
            scope: 0,
            port: 1,
        };
        assert_eq!(a.claim_token(&[9; 16], here, 100, 10), Ok(()));
        assert_eq!(b.claim_token(&[9; 16], here, 100, 10), Ok(()));
        assert_eq!(a.consume_token(&[9; 16], here), Ok(()));
        assert_eq!(
            b.consume_token(&[9; 16], here),
            Err(DropReason::TokenConsumed)
        );
        assert_eq!(other_key.claim_token(&[9; 16], here, 100, 10), Ok(()));
        assert_eq!(other_id.claim_token(&[9; 16], here, 100, 10), Ok(()));
        assert_eq!(a.history_use(), (1, 8));
    }

    #[test]
    fn the_newest_flow_of_a_client_id_wins_across_endpoints() {
        let registry = Registry::isolated();
        let (a, b) = (join(&registry, 1, 5), join(&registry, 1, 5));
        assert_eq!(a.claim_client(7, FLOW_A), None);
        assert_eq!(a.claim_client(7, FLOW_B), Some(FLOW_A));
        assert!(a.take_replaced().is_empty());
        assert_eq!(b.claim_client(7, FLOW_A), None);
        assert_eq!(a.take_replaced(), vec![FLOW_B]);
        assert!(a.take_replaced().is_empty());
        a.release_client(7, FLOW_B);
        assert!(b.has_flow(7) && !a.has_flow(7));
        drop(b);
        assert_eq!(a.claim_client(7, FLOW_A), None);
    }

    #[test]
    fn threads_that_begin_together_meet_in_one_domain() {
        for _ in 0..2_000 {
            let registry = Registry::isolated();
            let start = std::sync::Barrier::new(2);
            let begin = || {
                start.wait();
                join(&registry, 1, 5)
            };
            let (a, b) = std::thread::scope(|scope| {
                let a = scope.spawn(begin);
                let b = scope.spawn(begin);
                (a.join().unwrap(), b.join().unwrap())
            });
            assert!(Arc::ptr_eq(&a.domain, &b.domain));
        }
    }

    #[test]
    fn a_domain_outlives_its_servers_while_its_tokens_live() {
        let registry = Registry::isolated();
        let here = PackedAddress {
            ip: [1; 16],
            scope: 0,
            port: 1,
        };
        let first = join(&registry, 1, 5);
        first.claim_token(&[9; 16], here, 100, 10).unwrap();
        first.consume_token(&[9; 16], here).unwrap();
        drop(first);
        let random = &mut Random::from_number(2);
        let second = registry.join(&[1; 32], 5, 8, 99, random);
        assert_eq!(second.start_s(), 10);
        let again = second.claim_token(&[9; 16], here, 100, 99);
        assert_eq!(again, Err(DropReason::TokenConsumed));
        drop(second);
        let third = registry.join(&[1; 32], 5, 8, 100, random);
        assert_eq!((third.start_s(), third.history_use().0), (100, 0));
    }
}
