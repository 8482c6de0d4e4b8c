//! Kernel sockets: one for the flows and, for servers, one for handshakes, filled and emptied in
//! batches.

mod group;
#[cfg(test)]
mod group_test;
#[cfg(test)]
mod loop_bench;
mod message;
mod socket;
mod steering;
#[cfg(test)]
mod udp_test;

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use ggscale_transport_core::Path;

use crate::error::{Code, Failure, Result};
use crate::io::{
    canonical, Errno, Io, Now, Outgoing, Queue, Scratch, Tally, BATCH, DATAGRAM_BYTES, ROOM_STRIDE,
};
pub use group::Group;
use message::{
    read_control, read_name, write_control, write_name, Control, Headers, CONTROL_BYTES,
};
use socket::get_option;

/// Receive buffer of the handshake socket. A flood fills this one and nothing else; 256 KiB hold
/// about 110 requests with the kernel's bookkeeping, more than a turn takes.
const HANDSHAKE_BUFFER_BYTES: usize = 256 * 1024;

#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    pub address: SocketAddr,
    pub handshake_socket: bool,
    /// 0 leaves the system's default.
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
}

impl UdpOptions {
    /// A client's socket; a server asks for a handshake socket too.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            handshake_socket: false,
            receive_buffer_bytes: 0,
            send_buffer_bytes: 0,
        }
    }
}

/// What the kernel gave, for `features()`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UdpFeatures {
    pub recvmmsg: bool,
    pub sendmmsg: bool,
    pub timestamps: bool,
    pub rxq_overflow: bool,
    pub packet_info: bool,
    pub handshake_socket: bool,
    pub dual_stack: bool,
    /// The kernel chooses the socket by the steering program.
    pub steering: bool,
    /// As asked for in SO_RCVBUF terms: half of what the kernel reports, which counts bookkeeping.
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
}

struct Socket {
    fd: OwnedFd,
    overflow_total: u32,
}

pub struct UdpIo {
    flows: Socket,
    handshakes: Option<Socket>,
    v6: bool,
    local: SocketAddr,
    features: UdpFeatures,
    tally: Tally,
    receive: Box<Headers>,
    transmit: Box<Headers>,
}

impl UdpIo {
    /// One socket for the flows and, when asked for, one for handshakes.
    pub fn open(options: &UdpOptions) -> Result<Self> {
        let first = Group::open(options, 1)?.pop();
        first.ok_or_else(|| Failure::new(Code::Internal, "a group without sockets"))
    }

    fn new(
        flows: OwnedFd,
        handshakes: Option<OwnedFd>,
        local: SocketAddr,
        features: UdpFeatures,
    ) -> Self {
        let socket = |fd| Socket {
            fd,
            overflow_total: 0,
        };
        Self {
            flows: socket(flows),
            handshakes: handshakes.map(socket),
            v6: local.is_ipv6(),
            local,
            features,
            tally: Tally::default(),
            receive: Headers::new(),
            transmit: Headers::new(),
        }
    }

    /// The bound address as the kernel names it (not canonical: `::` stays IPv6).
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    pub fn features(&self) -> UdpFeatures {
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

    fn receive_batch(&mut self, fd: RawFd, max: usize) -> std::result::Result<usize, Errno> {
        if self.features.recvmmsg {
            // SAFETY: the headers point into live buffers, and `max ≤ BATCH`.
            let count = unsafe {
                libc::recvmmsg(
                    fd,
                    self.receive.messages.as_mut_ptr(),
                    max as libc::c_uint,
                    libc::MSG_DONTWAIT as _,
                    std::ptr::null_mut(),
                )
            };
            if count >= 0 {
                return Ok(count as usize);
            }
            match last_errno() {
                libc::EAGAIN => return Ok(0),
                // A seccomp profile that does not know the call: one datagram at a time from now on.
                libc::ENOSYS | libc::EPERM => self.features.recvmmsg = false,
                errno => return Err(errno),
            }
        }
        for (index, message) in self.receive.messages.iter_mut().take(max).enumerate() {
            // SAFETY: as above.
            let length = unsafe { libc::recvmsg(fd, &mut message.msg_hdr, libc::MSG_DONTWAIT) };
            if length < 0 {
                return match last_errno() {
                    _ if index > 0 => Ok(index),
                    libc::EAGAIN => Ok(0),
                    errno => Err(errno),
                };
            }
            message.msg_len = length as libc::c_uint;
        }
        Ok(max)
    }

    fn send_batch(&mut self, count: usize) -> std::result::Result<usize, Errno> {
        let fd = self.flows.fd.as_raw_fd();
        if self.features.sendmmsg {
            // SAFETY: the first `count ≤ BATCH` headers were filled by the caller.
            let sent = unsafe {
                libc::sendmmsg(
                    fd,
                    self.transmit.messages.as_mut_ptr(),
                    count as libc::c_uint,
                    libc::MSG_DONTWAIT as _,
                )
            };
            if sent > 0 {
                return Ok(sent as usize);
            }
            match last_errno() {
                // Either the call is forbidden (then sendmsg works: remember) or this destination is.
                libc::ENOSYS | libc::EPERM => {}
                errno => return Err(errno),
            }
        }
        let Some(message) = self.transmit.messages.first() else {
            return Err(libc::EINVAL);
        };
        // SAFETY: as above.
        let sent = unsafe { libc::sendmsg(fd, &message.msg_hdr, libc::MSG_DONTWAIT) };
        if sent < 0 {
            return Err(last_errno());
        }
        self.features.sendmmsg = false;
        Ok(1)
    }
}

impl Io for UdpIo {
    fn now(&mut self) -> Now {
        Now {
            mono_ns: clock_ns(libc::CLOCK_MONOTONIC),
            real_ns: clock_ns(libc::CLOCK_REALTIME),
        }
    }

    fn receive(
        &mut self,
        queue: Queue,
        max: usize,
        scratch: &mut Scratch,
    ) -> std::result::Result<usize, Errno> {
        let fd = match queue {
            Queue::Flows => self.flows.fd.as_raw_fd(),
            Queue::Handshakes => match &self.handshakes {
                Some(socket) => socket.fd.as_raw_fd(),
                None => return Ok(0),
            },
        };
        let max = max.min(BATCH);
        let Headers { parts, messages } = &mut *self.receive;
        let rooms = scratch.memory_mut().chunks_exact_mut(ROOM_STRIDE);
        let slots = parts.iter_mut().zip(messages).zip(rooms);
        for ((part, message), room) in slots.take(max) {
            part.vector = libc::iovec {
                iov_base: room.as_mut_ptr().cast(),
                iov_len: DATAGRAM_BYTES,
            };
            let control: *mut Control = &mut part.control;
            let header = &mut message.msg_hdr;
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_control = control.cast();
            header.msg_controllen = CONTROL_BYTES as _;
            header.msg_flags = 0;
        }
        let count = self.receive_batch(fd, max)?;
        let port = self.local.port();
        let mut overflow = None;
        let Headers { parts, messages } = &*self.receive;
        let slots = parts.iter().zip(messages).zip(scratch.arrivals.iter_mut());
        for (index, ((part, message), arrival)) in slots.take(count).enumerate() {
            arrival.offset = index * ROOM_STRIDE;
            arrival.length = (message.msg_len as usize).min(DATAGRAM_BYTES);
            arrival.truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let remote = read_name(&part.name);
            let notes = read_control(&message.msg_hdr);
            arrival.path = Path {
                remote: canonical(remote.unwrap_or(SocketAddr::from(([0, 0, 0, 0], port)))),
                local: notes.local.map(|address| address.to_canonical()),
            };
            arrival.stamp_ns = notes.stamp_ns;
            overflow = notes.overflow.or(overflow);
        }
        if let Some(total) = overflow {
            let socket = match queue {
                Queue::Flows => Some(&mut self.flows),
                Queue::Handshakes => self.handshakes.as_mut(),
            };
            if let Some(socket) = socket {
                self.tally.overflowed += u64::from(total.wrapping_sub(socket.overflow_total));
                socket.overflow_total = total;
            }
        }
        Ok(count)
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> std::result::Result<usize, Errno> {
        let count = datagrams.len().min(BATCH);
        let Headers { parts, messages } = &mut *self.transmit;
        let slots = parts.iter_mut().zip(messages).zip(datagrams);
        for ((part, message), datagram) in slots.take(count) {
            part.vector = libc::iovec {
                iov_base: datagram.bytes.as_ptr().cast_mut().cast(),
                iov_len: datagram.bytes.len(),
            };
            let header = &mut message.msg_hdr;
            header.msg_namelen = write_name(&mut part.name, datagram.path.remote, self.v6);
            let control_bytes = write_control(&mut part.control, datagram.path.local, self.v6);
            let control: *mut Control = &mut part.control;
            header.msg_control = if control_bytes > 0 {
                control.cast()
            } else {
                std::ptr::null_mut()
            };
            header.msg_controllen = control_bytes as _;
            header.msg_flags = 0;
        }
        self.send_batch(count)
    }

    fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }
}

pub fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place to write to; the clocks used here always exist.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn last_errno() -> Errno {
    io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO)
}
