//! Kernel sockets: one for the flows and, for servers, one for handshakes, filled and emptied in
//! batches.

#[cfg(test)]
mod gro_test;
mod group;
#[cfg(test)]
mod group_test;
mod inbox;
#[cfg(test)]
mod loop_bench;
mod message;
#[cfg(test)]
mod namespace_test;
mod outbox;
#[cfg(test)]
mod script_sys;
#[cfg(test)]
mod seccomp_test;
mod socket;
mod steering;
mod sys;
#[cfg(test)]
mod train_test;
#[cfg(test)]
mod traps_test;
#[cfg(test)]
mod udp_test;

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

pub use crate::clock::clock_ns;
use crate::clock::now;
use crate::error::{Code, Failure, Result};
use crate::features::Features;
use crate::io::{
    Errno, Io, Now, Outgoing, Queue, Scratch, Tally, BATCH, SCRATCH_BYTES, SEND_BATCH,
};
pub use crate::sockets::UdpOptions;
pub use group::Group;
use inbox::{Inbox, SCRATCH_WITH_HALLS_BYTES};
use outbox::Outbox;
use socket::{get_option, refuses_call};
use sys::{Kernel, Sys};

/// Receive buffer of the handshake socket. A flood fills this one and nothing else; 256 KiB hold
/// about 110 requests with the kernel's bookkeeping, more than a turn takes.
const HANDSHAKE_BUFFER_BYTES: usize = 256 * 1024;
/// Trains refused one after the other because of their size, without one taken in between, before
/// they are given up. A path with a small MTU refuses its own trains only.
const TRAINS_REFUSED_MAX: u32 = 8;

struct Socket {
    fd: OwnedFd,
    inbox: Box<Inbox>,
}

pub struct UdpIo<S: Sys = Kernel> {
    sys: S,
    flows: Socket,
    handshakes: Option<Socket>,
    v6: bool,
    local: SocketAddr,
    /// The only address of a socket that is bound to one: the kernel neither tells nor is told it with
    /// each datagram.
    home: Option<IpAddr>,
    features: Features,
    tally: Tally,
    outbox: Box<Outbox>,
    trains_refused: u32,
}

impl UdpIo {
    /// One socket for the flows and, when asked for, one for handshakes.
    pub fn open(options: &UdpOptions) -> Result<Self> {
        let first = Group::open(options, 1)?.pop();
        first.ok_or_else(|| Failure::new(Code::Internal, "a group without sockets"))
    }
}

impl<S: Sys> UdpIo<S> {
    fn new(
        sys: S,
        flows: OwnedFd,
        handshakes: Option<OwnedFd>,
        local: SocketAddr,
        features: Features,
    ) -> Self {
        let socket = |fd| Socket {
            fd,
            inbox: Inbox::new(),
        };
        Self {
            sys,
            flows: socket(flows),
            handshakes: handshakes.map(socket),
            v6: local.is_ipv6(),
            local,
            home: (!local.ip().is_unspecified()).then_some(local.ip().to_canonical()),
            features,
            tally: Tally::default(),
            outbox: Outbox::new(),
            trains_refused: 0,
        }
    }

    /// The bound address as the kernel names it (not canonical: `::` stays IPv6).
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    pub fn features(&self) -> Features {
        self.features
    }

    pub fn flows_fd(&self) -> RawFd {
        self.flows.fd.as_raw_fd()
    }

    pub fn handshakes_fd(&self) -> Option<RawFd> {
        self.handshakes.as_ref().map(|socket| socket.fd.as_raw_fd())
    }

    /// Takes a pending error (an ICMP answer to an earlier send) off both sockets.
    pub fn clear_errors(&mut self) {
        for socket in [Some(&self.flows), self.handshakes.as_ref()]
            .into_iter()
            .flatten()
        {
            get_option(&socket.fd, libc::SO_ERROR);
        }
    }

    /// Hands the first `count` staged messages over; how many were taken.
    fn send_messages(&mut self, count: usize) -> std::result::Result<usize, Errno> {
        let fd = self.flows.fd.as_raw_fd();
        let messages = self.outbox.messages(count);
        if self.features.sendmmsg {
            // SAFETY: `stage` made these headers from datagrams that the caller still borrows.
            match unsafe { self.sys.sendmmsg(fd, messages) } {
                Ok(sent) => return Ok(sent),
                // The call is forbidden, or this destination is: a call that sends nothing tells.
                Err(errno @ (libc::ENOSYS | libc::EPERM)) => {
                    // SAFETY: no header.
                    let probe = unsafe { self.sys.sendmmsg(fd, &mut []) };
                    if !refuses_call(probe) {
                        return Err(errno);
                    }
                    self.features.sendmmsg = false;
                }
                Err(errno) => return Err(errno),
            }
        }
        let Some(message) = messages.first_mut() else {
            return Ok(0);
        };
        // SAFETY: as above.
        unsafe { self.sys.sendmsg(fd, message) }.map(|()| 1)
    }

    /// Remembers that a train was not taken although its datagrams were, one by one.
    fn remember_refusal(&mut self, errno: Errno) {
        self.tally.trains_refused += 1;
        match errno {
            // The device cannot (EIO), or this kernel does not know how (EINVAL).
            libc::EIO | libc::EINVAL => self.features.gso = false,
            libc::EMSGSIZE => {
                self.trains_refused += 1;
                self.features.gso = self.trains_refused < TRAINS_REFUSED_MAX;
            }
            _ => {}
        }
    }

    /// Counts what the first `count` messages carried.
    fn count_sent(&mut self, count: usize) -> usize {
        let mut datagrams = 0;
        for run in self.outbox.runs(count) {
            datagrams += run;
            if run > 1 {
                self.tally.trains_out += 1;
                self.tally.train_datagrams_out += run as u64;
                self.trains_refused = 0;
            }
        }
        datagrams
    }
}

impl<S: Sys> Io for UdpIo<S> {
    fn now(&mut self) -> Now {
        now()
    }

    fn scratch_bytes(&self) -> usize {
        if self.features.gro {
            SCRATCH_WITH_HALLS_BYTES
        } else {
            SCRATCH_BYTES
        }
    }

    fn receive(
        &mut self,
        queue: Queue,
        max: usize,
        scratch: &mut Scratch,
    ) -> std::result::Result<usize, Errno> {
        let trains = self.features.gro && queue == Queue::Flows;
        let socket = match queue {
            Queue::Flows => &mut self.flows,
            Queue::Handshakes => match &mut self.handshakes {
                Some(socket) => socket,
                None => return Ok(0),
            },
        };
        let inbox = &mut socket.inbox;
        if !inbox.has_filled() {
            let messages = inbox.prepare(max, scratch, trains);
            let asked = messages.len();
            let fd = socket.fd.as_raw_fd();
            let count = receive_messages(&mut self.sys, fd, messages, &mut self.features);
            inbox.filled(count.unwrap_or(0), asked, trains);
            count?;
        }
        let count = if trains {
            inbox.hand_out(max.min(BATCH), scratch, &mut self.tally)
        } else {
            inbox.hand_out_all(scratch, &mut self.tally)
        };
        if self.home.is_some() {
            for arrival in scratch.arrivals.iter_mut().take(count) {
                arrival.path.local = self.home;
            }
        }
        Ok(count)
    }

    fn has_unread(&self) -> bool {
        self.features.gro && self.flows.inbox.has_unread()
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> std::result::Result<usize, Errno> {
        let datagrams = datagrams.get(..SEND_BATCH).unwrap_or(datagrams);
        let count = self
            .outbox
            .stage(datagrams, self.v6, self.home, self.features.gso);
        match self.send_messages(count) {
            Ok(sent) => Ok(self.count_sent(sent)),
            Err(errno) if self.outbox.runs(1).any(|run| run > 1) && concerns_size(errno) => {
                let count = self.outbox.stage(datagrams, self.v6, self.home, false);
                let sent = self.send_messages(count)?;
                self.remember_refusal(errno);
                Ok(self.count_sent(sent))
            }
            Err(errno) => Err(errno),
        }
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

/// Errors that a train may get where its datagrams do not: it is too large for the path (EMSGSIZE), for
/// the memory at hand (ENOBUFS, ENOMEM), or unknown to the device or the kernel (EIO, EINVAL).
fn concerns_size(errno: Errno) -> bool {
    matches!(
        errno,
        libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::ENOBUFS | libc::ENOMEM
    )
}

fn receive_messages<S: Sys>(
    sys: &mut S,
    fd: RawFd,
    messages: &mut [libc::mmsghdr],
    features: &mut Features,
) -> std::result::Result<usize, Errno> {
    if features.recvmmsg {
        // SAFETY: `prepare` aimed the headers at the scratch, which the caller still borrows.
        match unsafe { sys.recvmmsg(fd, messages) } {
            Err(libc::EAGAIN) => return Ok(0),
            // A sandbox that does not know the call: one datagram at a time from now on.
            Err(libc::ENOSYS | libc::EPERM) => features.recvmmsg = false,
            answer => return answer,
        }
    }
    for (index, message) in messages.iter_mut().enumerate() {
        // SAFETY: as above.
        match unsafe { sys.recvmsg(fd, message) } {
            Ok(()) => {}
            // What is in hand comes first; an error that lasts shows again at the next call.
            Err(_) if index > 0 => return Ok(index),
            Err(libc::EAGAIN) => return Ok(0),
            Err(errno) => return Err(errno),
        }
    }
    Ok(messages.len())
}
