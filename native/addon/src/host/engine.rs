//! What a host drives: an endpoint on the JavaScript thread, or endpoints on threads of their own.

use std::os::fd::RawFd;

use crate::endpoint::{Drained, Endpoint};
use crate::io::Io;
use crate::pace::Waiting;
use crate::threads::{Sockets, Threads};
use crate::udp::{clock_ns, UdpIo};

// There is one of them for each endpoint, and it is not moved about.
#[allow(clippy::large_enum_variant)]
pub enum Engine {
    Inline(Endpoint<UdpIo>),
    Threads(Threads<UdpIo>),
}

impl Sockets for UdpIo {
    fn flows_fd(&self) -> RawFd {
        UdpIo::flows_fd(self)
    }

    fn handshakes_fd(&self) -> Option<RawFd> {
        UdpIo::handshakes_fd(self)
    }

    fn clear_errors(&mut self) {
        UdpIo::clear_errors(self);
    }
}

impl Engine {
    /// What becomes readable when there is something for JavaScript.
    pub(super) fn fds(&self) -> (RawFd, Option<RawFd>) {
        match self {
            Self::Inline(endpoint) => (endpoint.io.flows_fd(), endpoint.io.handshakes_fd()),
            Self::Threads(threads) => (threads.bell_fd(), None),
        }
    }

    /// The beginning of a turn.
    pub(super) fn drain(&mut self) -> Drained {
        match self {
            Self::Inline(endpoint) => endpoint.drain(),
            Self::Threads(threads) => {
                let (datagrams, waiting) = threads.begin_turn();
                // After the rings were looked at: no arrival in them is later.
                let now_ns = clock_ns(libc::CLOCK_MONOTONIC);
                Drained {
                    now_ns,
                    datagrams,
                    waiting,
                }
            }
        }
    }

    /// The end of a turn. Returns the descriptors left in the tx rings, and when it began.
    pub(super) fn flush(&mut self) -> (u32, u64) {
        match self {
            Self::Inline(endpoint) => {
                let now = endpoint.io.now();
                (endpoint.flush_at(now), now.mono_ns)
            }
            Self::Threads(threads) => {
                let now_ns = clock_ns(libc::CLOCK_MONOTONIC);
                (threads.end_turn(), now_ns)
            }
        }
    }

    /// What has to be waited for. With threads this is where JavaScript falls asleep: `entries` when
    /// it wants to hear of them, `room` when it waits for that.
    pub(super) fn waiting(&self, entries: bool, room: bool) -> Waiting {
        match self {
            Self::Inline(endpoint) => endpoint.waiting(),
            Self::Threads(threads) => Waiting {
                entries: !threads.try_sleep(entries, room),
                ..Waiting::default()
            },
        }
    }

    /// The kernel was full; there is room when the socket is writable.
    pub(super) fn blocked(&self) -> bool {
        match self {
            Self::Inline(endpoint) => endpoint.blocked(),
            Self::Threads(_) => false,
        }
    }

    /// The descriptor of `fds` told an error.
    pub(super) fn clear_errors(&mut self) {
        if let Self::Inline(endpoint) = self {
            endpoint.io.clear_errors();
        }
    }

    /// The timer fired for netcode alone; whether JavaScript should take a turn.
    pub(super) fn service(&mut self) -> bool {
        match self {
            Self::Inline(endpoint) => endpoint.service(),
            Self::Threads(_) => false,
        }
    }

    /// The end. `polite` sends what is queued and says goodbye to every flow.
    pub(super) fn finish(&mut self, polite: bool) {
        match self {
            Self::Inline(endpoint) if polite => endpoint.finish(),
            Self::Inline(_) => {}
            Self::Threads(threads) => threads.stop(polite),
        }
    }

    /// Takes the ring of the threads; true when a bug has ended one of them.
    pub(super) fn take_ring(&mut self) -> bool {
        match self {
            Self::Inline(_) => false,
            Self::Threads(threads) => {
                threads.silence();
                threads.has_failed()
            }
        }
    }

    /// Runs `work` on every endpoint.
    pub fn each(&mut self, mut work: impl FnMut(&mut Endpoint<UdpIo>)) {
        match self {
            Self::Inline(endpoint) => work(endpoint),
            Self::Threads(threads) => threads.each(work),
        }
    }

    /// Runs `work` on the endpoint of this slot, as JavaScript counts them.
    pub fn at<R>(&mut self, slot: u32, work: impl FnOnce(&mut Endpoint<UdpIo>) -> R) -> Option<R> {
        match self {
            Self::Inline(endpoint) => Some(work(endpoint)),
            Self::Threads(threads) => threads.at(slot, work),
        }
    }

    /// Lets the threads look at what was changed by `each` or `at`.
    pub fn poke(&self) {
        if let Self::Threads(threads) = self {
            threads.ring_all();
        }
    }
}
