//! Memory queues in place of sockets and an injected clock: the simulator runs the same drain and
//! flush code as production.

use std::collections::VecDeque;
use std::net::SocketAddr;

use ggscale_transport_core::Path;

use crate::io::{canonical, Errno, Io, Now, Outgoing, Queue, Scratch, BATCH};

/// Datagrams held for the simulator before `send` says EAGAIN, as a full socket buffer would.
pub const SIM_QUEUE_MAX: usize = 65_536;

pub struct SimIo {
    now: Now,
    unix_ns: u64,
    inbound: VecDeque<(Path, Vec<u8>, u64)>,
    outbound: VecDeque<(Path, Vec<u8>)>,
}

impl SimIo {
    /// The clock begins at `start_us`, the wall clock at `unix_s` at that moment.
    pub fn new(start_us: u64, unix_s: u64) -> Self {
        let mono_ns = start_us * 1000;
        let unix_ns = (unix_s * 1_000_000_000).saturating_sub(mono_ns);
        Self {
            now: Now {
                mono_ns,
                real_ns: unix_ns + mono_ns,
            },
            unix_ns,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    /// Moves the clock; it never goes back.
    pub fn set_time_us(&mut self, us: u64) {
        self.now.mono_ns = self.now.mono_ns.max(us * 1000);
        self.now.real_ns = self.unix_ns + self.now.mono_ns;
    }

    /// A datagram arrives now. Longer ones than any socket would take are cut, as there.
    pub fn inject(&mut self, remote: SocketAddr, bytes: &[u8]) {
        let path = Path {
            remote: canonical(remote),
            local: None,
        };
        self.inbound
            .push_back((path, bytes.to_vec(), self.now.real_ns));
    }

    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        self.outbound.pop_front()
    }
}

impl Io for SimIo {
    fn now(&mut self) -> Now {
        self.now
    }

    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno> {
        if queue == Queue::Handshakes {
            return Ok(0);
        }
        let mut count = 0;
        while count < max.min(BATCH) {
            let Some((path, bytes, stamp_ns)) = self.inbound.pop_front() else {
                break;
            };
            scratch.put(count, &bytes, path, Some(stamp_ns));
            count += 1;
        }
        Ok(count)
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno> {
        let room = SIM_QUEUE_MAX - self.outbound.len();
        if room == 0 {
            return Err(libc::EAGAIN);
        }
        let taken = datagrams.len().min(room);
        for datagram in datagrams.iter().take(taken) {
            self.outbound
                .push_back((datagram.path, datagram.bytes.to_vec()));
        }
        Ok(taken)
    }
}
