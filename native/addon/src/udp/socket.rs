//! Opening, binding and tuning of the sockets.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::message::{read_name, write_name, Name, NAME_BYTES};
use super::sys::{Kernel, Sys, UDP_GRO, UDP_SEGMENT};
use crate::features::Features;
use crate::io::Errno;

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

pub(super) fn new_socket(v6: bool, dual_stack: bool) -> io::Result<OwnedFd> {
    let family = if v6 { libc::AF_INET6 } else { libc::AF_INET };
    let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: a plain system call; the descriptor is ours alone.
    let fd = unsafe { OwnedFd::from_raw_fd(check(libc::socket(family, kind, 0))?) };
    if v6 {
        let v6_only = i32::from(!dual_stack);
        set_option(
            &mut Kernel,
            &fd,
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            v6_only,
        )?;
    }
    Ok(fd)
}

pub(super) fn set_option<S: Sys>(
    sys: &mut S,
    fd: &OwnedFd,
    level: i32,
    name: i32,
    value: i32,
) -> io::Result<()> {
    // SAFETY: a number holds no pointer.
    unsafe { sys.setsockopt(fd.as_raw_fd(), (level, name), &value) }
        .map_err(io::Error::from_raw_os_error)
}

pub(super) fn bind(fd: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    // SAFETY: zero bytes are a valid address.
    let mut name: Name = unsafe { zeroed() };
    let length = write_name(&mut name, address, address.is_ipv6());
    // SAFETY: `name` holds a socket address of `length` bytes.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const name).cast(), length) })?;
    Ok(())
}

pub(super) fn local_address(fd: &OwnedFd) -> io::Result<SocketAddr> {
    // SAFETY: zero bytes are a valid address.
    let mut name: Name = unsafe { zeroed() };
    let mut length = NAME_BYTES;
    // SAFETY: `name` has `length` bytes.
    check(unsafe { libc::getsockname(fd.as_raw_fd(), (&raw mut name).cast(), &mut length) })?;
    read_name(&name).ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))
}

/// Asks for the control messages; what the kernel lacks is reported, not fatal. A socket that is bound
/// to one address needs nobody to say which one a datagram came to.
pub(super) fn prepare<S: Sys>(
    sys: &mut S,
    fd: &OwnedFd,
    local: SocketAddr,
    features: &mut Features,
) {
    let mut ask = |level, name| set_option(sys, fd, level, name, 1).is_ok();
    features.timestamps = ask(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS);
    features.rxq_overflow = ask(libc::SOL_SOCKET, libc::SO_RXQ_OVFL);
    features.packet_info = match local {
        _ if !local.ip().is_unspecified() => true,
        SocketAddr::V4(_) => ask(libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => ask(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
}

/// What the flows' socket can do beyond that. The batch calls are tried with nothing to do.
pub(super) fn probe<S: Sys>(sys: &mut S, fd: &OwnedFd, gro: bool, features: &mut Features) {
    // SAFETY: no headers.
    unsafe {
        features.recvmmsg = !refuses_call(sys.recvmmsg(fd.as_raw_fd(), &mut []));
        features.sendmmsg = !refuses_call(sys.sendmmsg(fd.as_raw_fd(), &mut []));
    }
    features.gso = set_option(sys, fd, libc::SOL_UDP, UDP_SEGMENT, 0).is_ok();
    features.gro = gro && set_option(sys, fd, libc::SOL_UDP, UDP_GRO, 1).is_ok();
}

/// Whether a batch call that had nothing to do was refused all the same (seccomp, an old kernel).
pub(super) fn refuses_call<T>(answer: Result<T, Errno>) -> bool {
    matches!(answer, Err(libc::ENOSYS | libc::EPERM))
}

/// Asks for a socket buffer of `bytes` and returns what was obtained. The privileged call goes past
/// rmem_max / wmem_max and is tried only when the plain one gave less.
pub(super) fn set_buffer<S: Sys>(sys: &mut S, fd: &OwnedFd, receive: bool, bytes: usize) -> usize {
    let (plain, forced) = if receive {
        (libc::SO_RCVBUF, libc::SO_RCVBUFFORCE)
    } else {
        (libc::SO_SNDBUF, libc::SO_SNDBUFFORCE)
    };
    let asked = i32::try_from(bytes)
        .unwrap_or(i32::MAX / 2)
        .min(i32::MAX / 2);
    let _ = set_option(sys, fd, libc::SOL_SOCKET, plain, asked);
    if buffer_bytes(fd, plain) < bytes {
        let _ = set_option(sys, fd, libc::SOL_SOCKET, forced, asked);
    }
    buffer_bytes(fd, plain)
}

fn buffer_bytes(fd: &OwnedFd, name: i32) -> usize {
    usize::try_from(get_option(fd, name)).unwrap_or(0) / 2
}

/// A socket-level integer option; 0 when it cannot be read.
pub(super) fn get_option(fd: &OwnedFd, name: i32) -> i32 {
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
