//! The way to the network: in batches where the system has them (`udp`, Linux), one datagram at a time
//! everywhere (`portable`). One type holds either, so that the endpoint above is compiled once.

mod buffers;
mod portable;
#[cfg(test)]
mod sockets_test;

use std::net::SocketAddr;

use crate::error::{Code, Failure, Result};
use crate::features::Features;
use crate::io::{Errno, Io, Now, Outgoing, Queue, Scratch, Tally};
#[cfg(target_os = "linux")]
use crate::udp::{Group, UdpIo};
pub use buffers::{bytes_for, pause_ms};
pub use portable::PortableIo;

#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    pub address: SocketAddr,
    pub handshake_socket: bool,
    /// Take trains of datagrams as one receive (UDP_GRO).
    pub gro: bool,
    /// Peers that are expected to send at 60 Hz each, to all threads of the port together; sizes the
    /// buffers that are asked for with 0.
    pub expected_flows: u32,
    /// 0: for a pause of 50 ms at the expected rate.
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
}

impl UdpOptions {
    /// A client's socket; a server asks for a handshake socket too.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            handshake_socket: false,
            gro: false,
            expected_flows: 1,
            receive_buffer_bytes: 0,
            send_buffer_bytes: 0,
        }
    }

    /// IPv4 peers are served by an IPv6 socket that is bound to every address.
    pub fn is_dual_stack(&self) -> bool {
        self.address.is_ipv6() && self.address.ip().is_unspecified()
    }
}

/// Which way is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IoKind {
    /// `Batch` where there is one.
    #[default]
    Auto,
    Batch,
    Portable,
}

/// Which way it is. The choice is made once per call of a batch, so it costs nothing per datagram.
pub enum AnyIo {
    #[cfg(target_os = "linux")]
    Batch(UdpIo),
    Portable(PortableIo),
}

impl AnyIo {
    /// Opens the sockets of `threads` threads on one port; more than one need batches.
    pub fn open(kind: IoKind, options: &UdpOptions, threads: usize) -> Result<Vec<Self>> {
        #[cfg(target_os = "linux")]
        if kind != IoKind::Portable {
            let group = Group::open(options, threads)?;
            return Ok(group.into_iter().map(Self::Batch).collect());
        }
        if kind == IoKind::Batch {
            return Err(Failure::new(
                Code::UnsupportedPlatform,
                "io 'batch' needs Linux; 'auto' takes what there is",
            ));
        }
        if threads != 1 {
            return Err(Failure::new(
                Code::BadOption,
                "I/O threads need io 'batch', which steers datagrams among their sockets",
            ));
        }
        Ok(vec![Self::Portable(PortableIo::open(options)?)])
    }

    /// The bound address as the system names it (not canonical: `::` stays IPv6).
    pub fn local_address(&self) -> SocketAddr {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.local_address(),
            Self::Portable(io) => io.local_address(),
        }
    }

    pub fn features(&self) -> Features {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.features(),
            Self::Portable(io) => io.features(),
        }
    }

    #[cfg(unix)]
    pub fn flows_fd(&self) -> std::os::fd::RawFd {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.flows_fd(),
            Self::Portable(io) => io.flows_fd(),
        }
    }

    #[cfg(unix)]
    pub fn handshakes_fd(&self) -> Option<std::os::fd::RawFd> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.handshakes_fd(),
            Self::Portable(_) => None,
        }
    }

    /// Takes a pending error (an ICMP answer to an earlier send) off the sockets.
    pub fn clear_errors(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.clear_errors(),
            Self::Portable(io) => io.clear_errors(),
        }
    }
}

impl Io for AnyIo {
    fn now(&mut self) -> Now {
        crate::clock::now()
    }

    fn scratch_bytes(&self) -> usize {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.scratch_bytes(),
            Self::Portable(io) => io.scratch_bytes(),
        }
    }

    fn receive(
        &mut self,
        queue: Queue,
        max: usize,
        scratch: &mut Scratch,
    ) -> std::result::Result<usize, Errno> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.receive(queue, max, scratch),
            Self::Portable(io) => io.receive(queue, max, scratch),
        }
    }

    fn has_unread(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.has_unread(),
            Self::Portable(io) => io.has_unread(),
        }
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> std::result::Result<usize, Errno> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.send(datagrams),
            Self::Portable(io) => io.send(datagrams),
        }
    }

    fn take_tally(&mut self) -> Tally {
        match self {
            #[cfg(target_os = "linux")]
            Self::Batch(io) => io.take_tally(),
            Self::Portable(io) => io.take_tally(),
        }
    }
}
