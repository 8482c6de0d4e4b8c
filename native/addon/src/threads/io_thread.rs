//! One I/O thread: an endpoint, its sockets and its netcode core, away from JavaScript.
//!
//! ```text
//! loop:  lock ▸ drain (readable, or the moderation's time) ▸ ring JavaScript if it sleeps
//!             ▸ flush what JavaScript committed ▸ what to wait for ▸ unlock
//!        ppoll: its eventfd; the sockets while quiet; room in the kernel while that is full
//! ```
//! The endpoint is behind a mutex for the cold calls of JavaScript (counters, statistics). `gate` lets
//! them in: who waits for the endpoint holds the gate, and the loop passes the gate each time.
//!
//! Invariant: JavaScript is never called from here, and nothing of its heap is reached but the ring
//! memory, which its owner keeps until this thread has ended.

use std::os::fd::RawFd;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::eventfd::EventFd;
use crate::doorbell::Doorbell;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::layout as l;
use crate::moderation::{Decision, Moderation};
use crate::plant::{self, Point};

/// The sockets behind an endpoint, to wait on.
pub trait Sockets: Io {
    fn flows_fd(&self) -> RawFd;
    fn handshakes_fd(&self) -> Option<RawFd>;
    /// Takes pending errors off the sockets.
    fn clear_errors(&mut self);
}

const RUN: u8 = 0;
/// Send what is queued, say goodbye to every flow, end.
const FINISH: u8 = 1;
/// End at once.
const DROP: u8 = 2;

pub struct Shared<I: Sockets> {
    /// Drains at intervals under load; otherwise at each readable.
    is_moderated: bool,
    gate: Mutex<()>,
    endpoint: Mutex<Endpoint<I>>,
    /// Wakes the thread.
    pub bell: EventFd,
    /// Wakes JavaScript; one for all threads of an endpoint.
    javascript: Arc<EventFd>,
    order: AtomicU8,
    failed: AtomicBool,
}

impl<I: Sockets> Shared<I> {
    pub fn new(
        endpoint: Endpoint<I>,
        bell: EventFd,
        javascript: Arc<EventFd>,
        is_moderated: bool,
    ) -> Self {
        Self {
            is_moderated,
            gate: Mutex::new(()),
            endpoint: Mutex::new(endpoint),
            bell,
            javascript,
            order: AtomicU8::new(RUN),
            failed: AtomicBool::new(false),
        }
    }

    /// The endpoint, in turn with whoever else wants it. Microseconds, at most one batch turn.
    pub fn lock(&self) -> MutexGuard<'_, Endpoint<I>> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner);
        drop(gate);
        endpoint
    }

    /// A bug ended the thread; the endpoint must not be used any more.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The thread ends soon; `polite` as `Endpoint::finish`.
    pub fn stop(&self, polite: bool) {
        let order = if polite { FINISH } else { DROP };
        self.order.store(order, Ordering::Release);
        self.bell.ring();
    }
}

/// The body of the thread. A panic ends it and tells JavaScript.
pub fn run<I: Sockets>(shared: &Shared<I>, doorbell: Doorbell) {
    let ended = catch_unwind(AssertUnwindSafe(|| Looper::new(shared, doorbell).run()));
    if ended.is_err() {
        shared.failed.store(true, Ordering::Release);
        shared.javascript.ring();
    }
}

/// What ppoll said.
#[derive(Clone, Copy, Default)]
struct Ready {
    readable: bool,
    error: bool,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wait {
    /// `None`: for ever.
    until_ns: Option<u64>,
    readable: bool,
    writable: bool,
}

struct Looper<'a, I: Sockets> {
    shared: &'a Shared<I>,
    doorbell: Doorbell,
    moderation: Moderation,
    flows: RawFd,
    handshakes: Option<RawFd>,
}

impl<'a, I: Sockets> Looper<'a, I> {
    fn new(shared: &'a Shared<I>, doorbell: Doorbell) -> Self {
        let mut endpoint = shared.lock();
        Self {
            doorbell,
            moderation: Moderation::new(endpoint.mono_ns()),
            flows: endpoint.io.flows_fd(),
            handshakes: endpoint.io.handshakes_fd(),
            shared,
        }
    }

    fn run(&mut self) {
        let mut ready = Ready::default();
        while let Some(wait) = self.turn(ready) {
            ready = match wait {
                Some(wait) => self.wait(wait),
                None => Ready::default(),
            };
        }
    }

    /// None: the end. Some(None): more work is waiting.
    fn turn(&mut self, ready: Ready) -> Option<Option<Wait>> {
        let mut endpoint = self.shared.lock();
        plant::hit(Point::Thread);
        self.doorbell.wake_up();
        match self.shared.order.load(Ordering::Acquire) {
            RUN => {}
            order => {
                if order == FINISH {
                    endpoint.finish();
                }
                return None;
            }
        }
        if ready.error {
            endpoint.io.clear_errors();
        }
        let now_ns = endpoint.mono_ns();
        if self.wants_drain(&mut endpoint, now_ns, ready) {
            let drained = endpoint.drain();
            self.moderation.drained(drained.now_ns, drained.datagrams);
            // Before the flush, so that JavaScript is on its way meanwhile.
            self.tell(&mut endpoint);
        }
        endpoint.flush();
        self.tell(&mut endpoint);
        let wait = self.next_wait(&mut endpoint);
        Some(wait)
    }

    fn wants_drain(&mut self, endpoint: &mut Endpoint<I>, now_ns: u64, ready: Ready) -> bool {
        let waiting = endpoint.waiting();
        if endpoint.is_stalled() {
            return false; // nothing moves, timers included: they come behind what is unread
        }
        let is_readable = match self.moderation.next_drain_ns() {
            Some(at_ns) => at_ns <= now_ns,
            None if self.shared.is_moderated => {
                ready.readable && self.moderation.readable(now_ns) == Decision::Drain
            }
            None => ready.readable,
        };
        let is_netcode_due = waiting.netcode_ns.is_some_and(|at_ns| at_ns <= now_ns);
        is_readable || waiting.more || (is_netcode_due && endpoint.service())
    }

    fn tell(&self, endpoint: &mut Endpoint<I>) {
        if self.doorbell.must_ring(endpoint.take_news()) {
            self.shared.javascript.ring();
        }
    }

    /// None when there is something to do at once.
    fn next_wait(&mut self, endpoint: &mut Endpoint<I>) -> Option<Wait> {
        let waiting = endpoint.waiting();
        let is_stalled = endpoint.is_stalled();
        let is_blocked = endpoint.blocked();
        if waiting.more && !is_stalled {
            return None;
        }
        let mut wants = 0;
        if !is_blocked {
            wants |= l::NEWS_ENTRIES;
        }
        if is_stalled {
            wants |= l::NEWS_ROOM;
        }
        let can_sleep = self.doorbell.try_sleep(wants, || {
            (!is_blocked && endpoint.tx_committed()) || (is_stalled && !endpoint.is_stalled())
        });
        if !can_sleep {
            return None;
        }
        let drain_ns = self.moderation.next_drain_ns();
        let times = [drain_ns, waiting.netcode_ns];
        Some(Wait {
            until_ns: times.into_iter().flatten().min().filter(|_| !is_stalled),
            readable: drain_ns.is_none() && !is_stalled,
            writable: is_blocked,
        })
    }

    fn wait(&self, wait: Wait) -> Ready {
        let mut flows_events = 0;
        if wait.readable {
            flows_events |= libc::POLLIN;
        }
        if wait.writable {
            flows_events |= libc::POLLOUT;
        }
        // A negative descriptor is skipped by the kernel.
        let watched = |fd: RawFd, events: i16| libc::pollfd {
            fd: if events == 0 { -1 } else { fd },
            events,
            revents: 0,
        };
        let handshakes = self.handshakes.filter(|_| wait.readable);
        let mut fds = [
            watched(self.shared.bell.fd(), libc::POLLIN),
            watched(self.flows, flows_events),
            watched(handshakes.unwrap_or(-1), libc::POLLIN),
        ];
        let timeout = wait.until_ns.map(|until_ns| {
            let left_ns = until_ns.saturating_sub(crate::udp::clock_ns(libc::CLOCK_MONOTONIC));
            libc::timespec {
                tv_sec: (left_ns / 1_000_000_000) as libc::time_t,
                tv_nsec: (left_ns % 1_000_000_000) as _,
            }
        });
        let timeout = timeout.as_ref().map_or(null(), |time| &raw const *time);
        // SAFETY: three valid entries and a timeout that lives through the call.
        let count = unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as _, timeout, null()) };
        if count <= 0 {
            return Ready::default();
        }
        let [bell, flows, handshakes] = fds;
        if bell.revents != 0 {
            self.shared.bell.silence();
        }
        let seen = flows.revents | handshakes.revents;
        Ready {
            readable: seen & (libc::POLLIN | libc::POLLERR) != 0,
            error: seen & libc::POLLERR != 0,
        }
    }
}
