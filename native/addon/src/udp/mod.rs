//! Kernel sockets: one for the flows and, for servers, one for handshakes, filled and emptied in
//! batches.
//!
//! How a second server is kept off the port although both sockets share it: the first socket binds
//! **without** SO_REUSEPORT, which the kernel grants to one socket only, atomically. Only then does
//! it set the option, and the handshake socket joins. A second copy of this program fails at its own
//! exclusive bind with EADDRINUSE. A foreign program of the same user that sets SO_REUSEPORT itself
//! may still bind, but the steering program returns the indices 0 and 1 only, so it never gets a
//! datagram.

mod message;
mod socket;
#[cfg(test)]
mod udp_test;

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use ggscale_transport_core::Path;

use crate::error::{Failure, Result};
use crate::io::{canonical, Errno, Io, Now, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES};
use message::{
    read_control, read_name, write_control, write_name, Control, Headers, CONTROL_BYTES,
};
use socket::{
    bind, get_option, join_handshakes, local_address, new_socket, prepare, set_buffer, set_option,
};

/// Receive buffer of the handshake socket. A flood fills this one and nothing else; 256 KiB hold
/// about 110 requests with the kernel's bookkeeping, more than a turn takes.
const HANDSHAKE_BUFFER_BYTES: usize = 256 * 1024;

pub struct UdpOptions {
    pub address: SocketAddr,
    pub handshake_socket: bool,
    pub receive_buffer_bytes: usize,
    pub send_buffer_bytes: usize,
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
    overflowed: u64,
    receive: Box<Headers>,
    transmit: Box<Headers>,
}

impl UdpIo {
    pub fn open(options: &UdpOptions) -> Result<Self> {
        let v6 = options.address.is_ipv6();
        let mut features = UdpFeatures {
            recvmmsg: true,
            sendmmsg: true,
            dual_stack: v6 && options.address.ip().is_unspecified(),
            ..UdpFeatures::default()
        };
        let what = format!("bind {}", options.address);
        let flows = new_socket(v6, features.dual_stack)
            .and_then(|fd| bind(&fd, options.address).map(|()| fd))
            .map_err(|error| Failure::from_io(&what, &error))?;
        let local =
            local_address(&flows).map_err(|error| Failure::from_io("getsockname", &error))?;
        prepare(&flows, v6, &mut features);
        features.receive_buffer_bytes = set_buffer(&flows, true, options.receive_buffer_bytes);
        features.send_buffer_bytes = set_buffer(&flows, false, options.send_buffer_bytes);
        let mut handshakes = None;
        if options.handshake_socket {
            // Without it (an old kernel, a sandbox) handshakes share the flows' socket, which then
            // gives up sharing its port.
            handshakes = join_handshakes(&flows, v6, features.dual_stack, local).ok();
            if handshakes.is_none() {
                let _ = set_option(&flows, libc::SOL_SOCKET, libc::SO_REUSEPORT, 0i32);
            }
        }
        if let Some(fd) = &handshakes {
            prepare(fd, v6, &mut UdpFeatures::default());
            set_buffer(fd, true, HANDSHAKE_BUFFER_BYTES);
            features.handshake_socket = true;
        }
        Ok(Self {
            flows: Socket {
                fd: flows,
                overflow_total: 0,
            },
            handshakes: handshakes.map(|fd| Socket {
                fd,
                overflow_total: 0,
            }),
            v6,
            local,
            features,
            overflowed: 0,
            receive: Headers::new(),
            transmit: Headers::new(),
        })
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
        let slots = parts
            .iter_mut()
            .zip(messages)
            .zip(scratch.buffers.iter_mut());
        for ((part, message), buffer) in slots.take(max) {
            part.vector = libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
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
        for ((part, message), arrival) in slots.take(count) {
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
                self.overflowed += u64::from(total.wrapping_sub(socket.overflow_total));
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

    fn take_overflowed(&mut self) -> u64 {
        std::mem::take(&mut self.overflowed)
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
