//! The system calls under `UdpIo`: the kernel's, or a test's that answers in its place.

use std::io;
use std::mem::size_of_val;
use std::os::fd::RawFd;

use crate::io::Errno;

/// Numbers of include/uapi/linux/udp.h.
pub(super) const UDP_SEGMENT: i32 = 103;
pub(super) const UDP_GRO: i32 = 104;

type Answer<T> = Result<T, Errno>;

/// None of them waits.
///
/// # Safety
/// Headers and option values are followed where they hold pointers: these must lead to live memory of
/// the length that is told beside them, writable for a receive.
pub trait Sys {
    /// Fills headers from the front and says how many. `msg_len` is the whole length of what arrived,
    /// also where the buffer was shorter (MSG_TRUNC).
    unsafe fn recvmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize>;

    /// One header, its `msg_len` as `recvmmsg` sets it.
    unsafe fn recvmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()>;

    /// Sends from the front and says how many; an error concerns the first.
    unsafe fn sendmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize>;

    unsafe fn sendmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()>;

    /// `option` is (level, name).
    unsafe fn setsockopt<T>(&mut self, fd: RawFd, option: (i32, i32), value: &T) -> Answer<()>;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Kernel;

impl Sys for Kernel {
    unsafe fn recvmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize> {
        // SAFETY: the headers point at live buffers by the caller's promise.
        let count = unsafe {
            libc::recvmmsg(
                fd,
                messages.as_mut_ptr(),
                messages.len() as libc::c_uint,
                (libc::MSG_DONTWAIT | libc::MSG_TRUNC) as _,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(count).map_err(|_| last_errno())
    }

    unsafe fn recvmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()> {
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: as in `recvmmsg`.
        let length = unsafe { libc::recvmsg(fd, &mut message.msg_hdr, flags) };
        message.msg_len = libc::c_uint::try_from(length).map_err(|_| last_errno())?;
        Ok(())
    }

    unsafe fn sendmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize> {
        // SAFETY: as in `recvmmsg`.
        let count = unsafe {
            libc::sendmmsg(
                fd,
                messages.as_mut_ptr(),
                messages.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
            )
        };
        usize::try_from(count).map_err(|_| last_errno())
    }

    unsafe fn sendmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()> {
        // SAFETY: as in `recvmmsg`.
        let sent = unsafe { libc::sendmsg(fd, &message.msg_hdr, libc::MSG_DONTWAIT) };
        if sent < 0 {
            return Err(last_errno());
        }
        Ok(())
    }

    unsafe fn setsockopt<T>(&mut self, fd: RawFd, option: (i32, i32), value: &T) -> Answer<()> {
        let (level, name) = option;
        let length = size_of_val(value) as libc::socklen_t;
        let pointer: *const T = value;
        // SAFETY: `value` has `length` bytes, and is what the option takes by the caller's promise.
        let result = unsafe { libc::setsockopt(fd, level, name, pointer.cast(), length) };
        if result < 0 {
            return Err(last_errno());
        }
        Ok(())
    }
}

pub(super) fn last_errno() -> Errno {
    io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO)
}
