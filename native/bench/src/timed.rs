//! An `Io` whose batches are timed: how long a call into the kernel keeps the turn.

use std::os::fd::RawFd;

use ggscale_transport_addon::io::{Errno, Io, Now, Outgoing, Queue, Scratch, Tally};
use ggscale_transport_addon::threads::Sockets;

use crate::histogram::Histogram;
use crate::meter::wall_ns;

pub struct Timed<I: Io> {
    pub inner: I,
    /// For how long the process was paused: its monotonic clock stands still meanwhile, so that no
    /// timer of 100,000 flows is overdue afterwards.
    pub paused_ns: u64,
    /// Nanoseconds of each receive and send, headers filled and read included.
    pub batches: Histogram,
}

impl<I: Io> Timed<I> {
    pub fn new(inner: I) -> Self {
        Self {
            inner,
            paused_ns: 0,
            batches: Histogram::default(),
        }
    }
}

impl<I: Io> Io for Timed<I> {
    fn now(&mut self) -> Now {
        let Now { mono_ns, real_ns } = self.inner.now();
        Now {
            mono_ns: mono_ns.saturating_sub(self.paused_ns),
            real_ns,
        }
    }

    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno> {
        let start = wall_ns();
        let result = self.inner.receive(queue, max, scratch);
        self.batches.record(wall_ns().saturating_sub(start));
        result
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno> {
        let start = wall_ns();
        let result = self.inner.send(datagrams);
        self.batches.record(wall_ns().saturating_sub(start));
        result
    }

    fn take_tally(&mut self) -> Tally {
        self.inner.take_tally()
    }

    fn scratch_bytes(&self) -> usize {
        self.inner.scratch_bytes()
    }

    fn has_unread(&self) -> bool {
        self.inner.has_unread()
    }
}

impl<I: Sockets> Sockets for Timed<I> {
    fn flows_fd(&self) -> RawFd {
        self.inner.flows_fd()
    }

    fn handshakes_fd(&self) -> Option<RawFd> {
        self.inner.handshakes_fd()
    }

    fn clear_errors(&mut self) {
        self.inner.clear_errors();
    }
}
