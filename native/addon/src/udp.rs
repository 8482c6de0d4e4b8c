//! Kernel sockets: one for the flows and, for servers, one for handshakes, filled and emptied in
//! batches.
//!
//! How a second server is kept off the port although both sockets share it: the first socket binds
//! **without** SO_REUSEPORT, which the kernel grants to one socket only, atomically. Only then does
//! it set the option, and the handshake socket joins. A second copy of this program fails at its own
//! exclusive bind with EADDRINUSE. A foreign program of the same user that sets SO_REUSEPORT itself
//! may still bind, but the steering program returns the indices 0 and 1 only, so it never gets a
//! datagram.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use ggscale_transport_core::Path;

use crate::error::{Failure, Result};
use crate::io::{canonical, Errno, Io, Now, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES};

/// Receive buffer of the handshake socket. A flood fills this one and nothing else; 256 KiB hold
/// about 110 requests with the kernel's bookkeeping, more than a turn takes.
const HANDSHAKE_BUFFER_BYTES: usize = 256 * 1024;
/// Control messages of one datagram: timestamp (16), overflow (4), packet info (20), with headers.
const CONTROL_BYTES: usize = 128;

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

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL_BYTES]);

/// Message headers that point at each other; boxed, so that they never move.
struct Headers {
    names: [libc::sockaddr_storage; BATCH],
    vectors: [libc::iovec; BATCH],
    controls: [Control; BATCH],
    messages: [libc::mmsghdr; BATCH],
}

impl Headers {
    fn new() -> Box<Self> {
        // SAFETY: all fields are plain C structures for which zero bytes are a valid value.
        let mut headers: Box<Self> = Box::new(unsafe { zeroed() });
        for index in 0..BATCH {
            headers.messages[index].msg_hdr.msg_name = (&raw mut headers.names[index]).cast();
            headers.messages[index].msg_hdr.msg_iov = &raw mut headers.vectors[index];
            headers.messages[index].msg_hdr.msg_iovlen = 1;
        }
        headers
    }
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
        for index in 0..max {
            let message = &mut self.receive.messages[index];
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
        let message = &self.transmit.messages[0];
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
        for index in 0..max {
            let headers = &mut *self.receive;
            headers.vectors[index] = libc::iovec {
                iov_base: scratch.buffers[index].as_mut_ptr().cast(),
                iov_len: DATAGRAM_BYTES,
            };
            let control: *mut Control = &mut headers.controls[index];
            let header = &mut headers.messages[index].msg_hdr;
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_control = control.cast();
            header.msg_controllen = CONTROL_BYTES as _;
            header.msg_flags = 0;
        }
        let count = self.receive_batch(fd, max)?;
        let port = self.local.port();
        let mut overflow = None;
        for index in 0..count.min(max) {
            let message = &self.receive.messages[index];
            let arrival = &mut scratch.arrivals[index];
            arrival.length = (message.msg_len as usize).min(DATAGRAM_BYTES);
            arrival.truncated = message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let remote = read_name(&self.receive.names[index]);
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
        for (index, datagram) in datagrams.iter().take(count).enumerate() {
            let headers = &mut *self.transmit;
            headers.vectors[index] = libc::iovec {
                iov_base: datagram.bytes.as_ptr().cast_mut().cast(),
                iov_len: datagram.bytes.len(),
            };
            let name_bytes = write_name(&mut headers.names[index], datagram.path.remote, self.v6);
            let control_bytes =
                write_control(&mut headers.controls[index], datagram.path.local, self.v6);
            let control: *mut Control = &mut headers.controls[index];
            let header = &mut headers.messages[index].msg_hdr;
            header.msg_namelen = name_bytes;
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

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

fn new_socket(v6: bool, dual_stack: bool) -> io::Result<OwnedFd> {
    let family = if v6 { libc::AF_INET6 } else { libc::AF_INET };
    let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: a plain system call; the descriptor is ours alone.
    let fd = unsafe { OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?) };
    if v6 {
        set_option(
            &fd,
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            i32::from(!dual_stack),
        )?;
    }
    Ok(fd)
}

fn set_option<T>(fd: &OwnedFd, level: i32, name: i32, value: T) -> io::Result<()> {
    let pointer: *const T = &value;
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` lives through the call and `length` is its size.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, pointer.cast(), length) })?;
    Ok(())
}

fn bind(fd: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    // SAFETY: zero bytes are a valid sockaddr_storage.
    let mut name: libc::sockaddr_storage = unsafe { zeroed() };
    let length = write_name(&mut name, address, address.is_ipv6());
    // SAFETY: `name` holds a socket address of `length` bytes.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const name).cast(), length) })?;
    Ok(())
}

fn local_address(fd: &OwnedFd) -> io::Result<SocketAddr> {
    // SAFETY: zero bytes are a valid sockaddr_storage.
    let mut name: libc::sockaddr_storage = unsafe { zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: `name` has `length` bytes.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut name).cast(), &mut length) })?;
    read_name(&name).ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// Asks for the control messages; what the kernel lacks is reported, not fatal.
fn prepare(fd: &OwnedFd, v6: bool, features: &mut UdpFeatures) {
    features.timestamps = set_option(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1i32).is_ok();
    features.rxq_overflow = set_option(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1i32).is_ok();
    features.packet_info = if v6 {
        set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1i32).is_ok()
    } else {
        set_option(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1i32).is_ok()
    };
}

/// Asks for a socket buffer of `bytes` and returns what was obtained. The privileged call goes past
/// rmem_max / wmem_max and is tried only when the plain one gave less.
fn set_buffer(fd: &OwnedFd, receive: bool, bytes: usize) -> usize {
    let (plain, forced) = if receive {
        (libc::SO_RCVBUF, libc::SO_RCVBUFFORCE)
    } else {
        (libc::SO_SNDBUF, libc::SO_SNDBUFFORCE)
    };
    let asked = i32::try_from(bytes)
        .unwrap_or(i32::MAX / 2)
        .min(i32::MAX / 2);
    if bytes > 0 {
        let _ = set_option(fd, libc::SOL_SOCKET, plain, asked);
        if buffer_bytes(fd, plain) < bytes {
            let _ = set_option(fd, libc::SOL_SOCKET, forced, asked);
        }
    }
    buffer_bytes(fd, plain)
}

fn buffer_bytes(fd: &OwnedFd, name: i32) -> usize {
    usize::try_from(get_option(fd, name)).unwrap_or(0) / 2
}

/// A socket-level integer option; 0 when it cannot be read.
fn get_option(fd: &OwnedFd, name: i32) -> i32 {
    let mut value = 0i32;
    let mut length = size_of::<i32>() as libc::socklen_t;
    let pointer: *mut i32 = &mut value;
    // SAFETY: `value` has `length` bytes.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            pointer.cast(),
            &mut length,
        )
    };
    if result < 0 {
        0
    } else {
        value
    }
}

/// Opens the handshake socket beside an exclusively bound one and steers by the first byte.
fn join_handshakes(
    flows: &OwnedFd,
    v6: bool,
    dual_stack: bool,
    local: SocketAddr,
) -> io::Result<OwnedFd> {
    set_option(flows, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1i32)?;
    let fd = new_socket(v6, dual_stack)?;
    set_option(&fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1i32)?;
    bind(&fd, local)?;
    // The program sees the datagram's payload; an empty one makes the load fail, which is index 0.
    //   A = first byte; A == 0 ? return 1 (handshakes) : return 0 (flows)
    let load = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
    let jump = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let ret = (libc::BPF_RET | libc::BPF_K) as u16;
    let mut code = [
        libc::sock_filter {
            code: load,
            jt: 0,
            jf: 0,
            k: 0,
        },
        libc::sock_filter {
            code: jump,
            jt: 0,
            jf: 1,
            k: 0,
        },
        libc::sock_filter {
            code: ret,
            jt: 0,
            jf: 0,
            k: 1,
        },
        libc::sock_filter {
            code: ret,
            jt: 0,
            jf: 0,
            k: 0,
        },
    ];
    let program = libc::sock_fprog {
        len: code.len() as u16,
        filter: code.as_mut_ptr(),
    };
    set_option(
        flows,
        libc::SOL_SOCKET,
        libc::SO_ATTACH_REUSEPORT_CBPF,
        program,
    )?;
    Ok(fd)
}

fn read_name(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let pointer: *const libc::sockaddr_storage = name;
    match i32::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says which structure this is; storage is large and aligned enough.
            let v4 = unsafe { &*pointer.cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some(SocketAddr::V4(SocketAddrV4::new(
                address,
                u16::from_be(v4.sin_port),
            )))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let v6 = unsafe { &*pointer.cast::<libc::sockaddr_in6>() };
            let address = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            let port = u16::from_be(v6.sin6_port);
            // The scope belongs to link-local addresses only; elsewhere it would split one peer.
            let scope = if address.is_unicast_link_local() {
                v6.sin6_scope_id
            } else {
                0
            };
            Some(SocketAddr::V6(SocketAddrV6::new(address, port, 0, scope)))
        }
        _ => None,
    }
}

/// Writes `address` as the socket's family wants it: IPv4 is mapped on an IPv6 socket.
fn write_name(name: &mut libc::sockaddr_storage, address: SocketAddr, v6: bool) -> libc::socklen_t {
    let pointer: *mut libc::sockaddr_storage = name;
    match (address, v6) {
        (SocketAddr::V4(v4), false) => {
            // SAFETY: storage is large and aligned enough for either family.
            let out = unsafe { &mut *pointer.cast::<libc::sockaddr_in>() };
            out.sin_family = libc::AF_INET as libc::sa_family_t;
            out.sin_port = v4.port().to_be();
            out.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
            out.sin_zero = [0; 8];
            size_of::<libc::sockaddr_in>() as libc::socklen_t
        }
        _ => {
            let (ip, scope) = match address {
                SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
                SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
            };
            // SAFETY: as above.
            let out = unsafe { &mut *pointer.cast::<libc::sockaddr_in6>() };
            out.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            out.sin6_port = address.port().to_be();
            out.sin6_flowinfo = 0;
            out.sin6_addr.s6_addr = ip.octets();
            out.sin6_scope_id = scope;
            size_of::<libc::sockaddr_in6>() as libc::socklen_t
        }
    }
}

#[derive(Default)]
struct Notes {
    stamp_ns: Option<u64>,
    overflow: Option<u32>,
    local: Option<IpAddr>,
}

fn read_control(header: &libc::msghdr) -> Notes {
    let mut notes = Notes::default();
    // SAFETY: the kernel wrote msg_controllen bytes of well-formed control messages; each is read
    // only after its length was compared, and unaligned.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while !message.is_null() {
            let data = libc::CMSG_DATA(message);
            let length = ((*message).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            match ((*message).cmsg_level, (*message).cmsg_type) {
                (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)
                    if length >= size_of::<libc::timespec>() =>
                {
                    let time = data.cast::<libc::timespec>().read_unaligned();
                    notes.stamp_ns = Some(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64);
                }
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) if length >= 4 => {
                    notes.overflow = Some(data.cast::<u32>().read_unaligned());
                }
                (libc::IPPROTO_IP, libc::IP_PKTINFO) if length >= size_of::<libc::in_pktinfo>() => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    // ipi_spec_dst is the local address to answer from (for broadcasts it differs).
                    let address = Ipv4Addr::from(u32::from_be(info.ipi_spec_dst.s_addr));
                    notes.local = Some(IpAddr::V4(address));
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
                    if length >= size_of::<libc::in6_pktinfo>() =>
                {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    notes.local = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
                }
                _ => {}
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    notes
}

/// Names the local address to send from; returns the bytes of control data, 0 for the kernel's choice.
fn write_control(control: &mut Control, local: Option<IpAddr>, v6: bool) -> usize {
    let Some(local) = local else { return 0 };
    // SAFETY: `control` is aligned to 8 and larger than one header with the larger structure.
    unsafe {
        let header = control.0.as_mut_ptr().cast::<libc::cmsghdr>();
        match (local, v6) {
            (IpAddr::V4(address), false) => {
                let mut info: libc::in_pktinfo = zeroed();
                info.ipi_spec_dst.s_addr = u32::from(address).to_be();
                let bytes = size_of::<libc::in_pktinfo>() as u32;
                (*header).cmsg_level = libc::IPPROTO_IP;
                (*header).cmsg_type = libc::IP_PKTINFO;
                (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
                libc::CMSG_DATA(header)
                    .cast::<libc::in_pktinfo>()
                    .write_unaligned(info);
                libc::CMSG_SPACE(bytes) as usize
            }
            (_, true) => {
                let address = match local {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                let mut info: libc::in6_pktinfo = zeroed();
                info.ipi6_addr.s6_addr = address.octets();
                let bytes = size_of::<libc::in6_pktinfo>() as u32;
                (*header).cmsg_level = libc::IPPROTO_IPV6;
                (*header).cmsg_type = libc::IPV6_PKTINFO;
                (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
                libc::CMSG_DATA(header)
                    .cast::<libc::in6_pktinfo>()
                    .write_unaligned(info);
                libc::CMSG_SPACE(bytes) as usize
            }
            (IpAddr::V6(_), false) => 0,
        }
    }
}
