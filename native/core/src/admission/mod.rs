//! Who may come in, and how much of the server one of them may take.
//!
//! ```text
//! datagram ─▶ blocked? ─▶ request: length, version, protocol id, expiry      nothing is charged
//!                │          ─▶ token opens          charged to all together, before the crypto
//!                │          ─▶ busy, flows, pending nothing is charged
//!                │          ─▶ token not seen before: prefix, global     charged when it is bound
//!                │
//!                └───────▶ flow packet: packets, bytes   looked at before, charged after it opens
//! ```
//! What is charged to a source is what a forger cannot spend for it. A request can carry anybody's
//! address, so a prefix is charged only when a connect token is seen for the first time and gets
//! bound to an address: each charge costs a token that a backend made, and a token is charged once.
//! Requests that fail are bounded by one bucket for all of them (`token_opens`). A flow is charged
//! only for what opened under its key.
//!
//! `Admission` is shared by the servers (threads) of one game; each server keeps a copy of what its
//! hot path reads (`Rules`) and takes a new one when the version has changed.

mod block_list;
mod bucket;
mod filter;
mod prefix_table;
mod settings;

use core::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use block_list::{Cidr, CidrError};
pub use bucket::Rate;
pub use settings::{AdmissionError, AdmissionSettings};

use block_list::BlockList;
use bucket::{Bucket, FlowLimit, FlowLimits};
use prefix_table::{PrefixTable, SourcePrefix};

pub(crate) use bucket::FlowBudget;

use crate::drop_reason::DropReason;
use crate::hash::HashSeed;
use crate::path::PackedAddress;
use crate::random::Random;

/// Settings and buckets; clones share them.
#[derive(Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

struct Shared {
    /// Changes with the settings.
    version: AtomicU32,
    state: Mutex<State>,
}

struct State {
    settings: AdmissionSettings,
    blocked: Arc<BlockList>,
    token_opens: Bucket,
    handshakes: Bucket,
    prefixes: PrefixTable,
}

/// How much of the handshake budgets is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdmissionGauges {
    /// `None`: no limit.
    pub token_opens_left: Option<u32>,
    pub handshakes_left: Option<u32>,
    /// Source prefixes that have spent some of their budget, and room for them.
    pub prefixes: usize,
    pub prefix_capacity: usize,
    /// Budgets of prefixes that were forgotten early for want of room, since the start.
    pub prefixes_evicted: u64,
}

impl Admission {
    /// Unchecked: a server checks settings against what it was made for.
    pub(crate) fn new(settings: AdmissionSettings, random: &mut Random) -> Self {
        let state = State {
            blocked: Arc::new(settings.block_list()),
            settings,
            token_opens: Bucket::default(),
            handshakes: Bucket::default(),
            prefixes: PrefixTable::new(HashSeed::new(random)),
        };
        Self {
            shared: Arc::new(Shared {
                version: AtomicU32::new(0),
                state: Mutex::new(state),
            }),
        }
    }

    pub(crate) fn set(&self, settings: AdmissionSettings) {
        let mut state = self.lock();
        if settings.blocked != state.settings.blocked {
            state.blocked = Arc::new(settings.block_list());
        }
        state.settings = settings;
        self.shared.version.fetch_add(1, Ordering::Release);
    }

    pub fn settings(&self) -> AdmissionSettings {
        self.lock().settings.clone()
    }

    pub(crate) fn rules(&self) -> Rules {
        let state = self.lock();
        let settings = &state.settings;
        Rules {
            version: self.shared.version.load(Ordering::Acquire),
            has_blocked: !state.blocked.is_empty(),
            blocked: state.blocked.clone(),
            busy: settings.busy,
            max_flows: settings.max_flows.unwrap_or(u32::MAX),
            max_pending: settings.max_pending,
            retry_after_s: settings.retry_after_s,
            flow_limits: FlowLimits {
                packets: settings.packets_per_flow,
                bytes: settings.bytes_per_flow,
            },
        }
    }

    /// One atomic load.
    #[inline]
    pub(crate) fn is_newer_than(&self, rules: &Rules) -> bool {
        self.shared.version.load(Ordering::Relaxed) != rules.version
    }

    /// A token is about to be tried.
    pub(crate) fn take_token_open(&self, now_us: u64) -> Result<(), DropReason> {
        let mut state = self.lock();
        let Some(rate) = state.settings.token_opens else {
            return Ok(());
        };
        if !state.token_opens.has(rate, now_us) {
            return Err(DropReason::RateOpens);
        }
        state.token_opens.take(rate, now_us);
        Ok(())
    }

    /// Whether a handshake from this source fits both budgets. Nothing is charged yet.
    pub(crate) fn check_handshake(
        &self,
        now_us: u64,
        source: &PackedAddress,
    ) -> Result<(), DropReason> {
        let state = self.lock();
        let settings = &state.settings;
        let prefix = SourcePrefix::of(&source.ip);
        let per_prefix = settings.handshakes_per_prefix;
        if per_prefix.is_some_and(|rate| !state.prefixes.has(prefix, rate, now_us)) {
            return Err(DropReason::RatePrefix);
        }
        let global = settings.handshakes;
        if global.is_some_and(|rate| !state.handshakes.has(rate, now_us)) {
            return Err(DropReason::RateGlobal);
        }
        Ok(())
    }

    /// A token was seen for the first time and is bound to this source now.
    pub(crate) fn charge_handshake(&self, now_us: u64, source: &PackedAddress) {
        let mut state = self.lock();
        if let Some(rate) = state.settings.handshakes_per_prefix {
            let prefix = SourcePrefix::of(&source.ip);
            state.prefixes.take(prefix, rate, now_us);
        }
        if let Some(rate) = state.settings.handshakes {
            state.handshakes.take(rate, now_us);
        }
    }

    pub(crate) fn gauges(&self, now_us: u64) -> AdmissionGauges {
        let state = self.lock();
        let settings = &state.settings;
        let left = |rate: Option<Rate>, bucket: &Bucket| rate.map(|rate| bucket.left(rate, now_us));
        AdmissionGauges {
            token_opens_left: left(settings.token_opens, &state.token_opens),
            handshakes_left: left(settings.handshakes, &state.handshakes),
            prefixes: settings
                .handshakes_per_prefix
                .map_or(0, |rate| state.prefixes.in_use(rate, now_us)),
            prefix_capacity: state.prefixes.capacity(),
            prefixes_evicted: state.prefixes.evicted(),
        }
    }

    /// A thread that panicked while it held the lock left a state that is still whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl core::fmt::Debug for Admission {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Admission")
    }
}

/// What one server reads for each datagram.
pub(crate) struct Rules {
    version: u32,
    has_blocked: bool,
    blocked: Arc<BlockList>,
    pub busy: bool,
    /// `u32::MAX`: as many as the server was made for.
    pub max_flows: u32,
    pub max_pending: u32,
    pub retry_after_s: u16,
    flow_limits: FlowLimits,
}

impl Rules {
    /// `ip` is canonical.
    #[inline]
    pub fn blocks(&self, ip: IpAddr) -> bool {
        self.has_blocked && self.blocked.contains(ip)
    }

    pub fn has_same_blocked(&self, other: &Rules) -> bool {
        Arc::ptr_eq(&self.blocked, &other.blocked)
    }

    /// Before a packet of a flow is opened: whether it could be taken.
    #[inline]
    pub fn check_flow(
        &self,
        budget: &mut FlowBudget,
        now_us: u64,
        bytes: usize,
    ) -> Result<(), DropReason> {
        budget
            .check(&self.flow_limits, now_us, bytes)
            .map_err(|limit| match limit {
                FlowLimit::Packets => DropReason::FlowPacketRate,
                FlowLimit::Bytes => DropReason::FlowByteRate,
            })
    }

    /// After it has opened.
    #[inline]
    pub fn charge_flow(&self, budget: &mut FlowBudget, bytes: usize) {
        budget.charge(&self.flow_limits, bytes);
    }
}
