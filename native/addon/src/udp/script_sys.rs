//! The kernel with a will of the test's: it refuses calls, options and trains, takes less than it is
//! given, and hands out what a network card could have joined.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::rc::Rc;

use super::sys::{Kernel, Sys, UDP_GRO};
use crate::io::Errno;

type Answer<T> = Result<T, Errno>;

#[derive(Default)]
pub struct Script {
    /// Refused for ever, as by seccomp.
    pub recvmmsg: Option<Errno>,
    pub sendmmsg: Option<Errno>,
    /// Answers to the next sends: how many messages are taken at most, or an error. Then the kernel's.
    pub sends: VecDeque<Answer<usize>>,
    /// Messages that one call takes or gives.
    pub batch_max: Option<usize>,
    /// Errors of any message with several datagrams: for datagrams from that size on.
    pub trains: Option<(usize, Errno)>,
    /// Any message to this port fails.
    pub blocked_port: Option<(u16, Errno)>,
    /// (level, name) that setsockopt does not know.
    pub options: Vec<(i32, i32)>,
    /// Trains that arrive before what the kernel has: (segment, bytes).
    pub arrivals: VecDeque<(i32, Vec<u8>)>,
    pub calls: Calls,
}

/// Calls that had something to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub recvmmsg: usize,
    pub recvmsg: usize,
    pub sendmmsg: usize,
    pub sendmsg: usize,
}

#[derive(Clone, Default)]
pub struct ScriptSys(pub Rc<RefCell<Script>>);

impl ScriptSys {
    pub fn calls(&self) -> Calls {
        self.0.borrow().calls
    }

    /// How many of `messages` the script lets through; an error concerns the first.
    fn admit(&self, messages: &[libc::mmsghdr]) -> Answer<usize> {
        let mut script = self.0.borrow_mut();
        let mut limit = script.batch_max.unwrap_or(usize::MAX).min(messages.len());
        match script.sends.pop_front() {
            Some(Ok(count)) => limit = limit.min(count),
            Some(Err(errno)) => return Err(errno),
            None => {}
        }
        for (index, message) in messages.iter().take(limit).enumerate() {
            let header = &message.msg_hdr;
            let train = script.trains.filter(|(size, _)| {
                // SAFETY: a header with more than one vector has a first one.
                header.msg_iovlen > 1 && unsafe { (*header.msg_iov).iov_len } >= *size
            });
            // SAFETY: IPv4 and IPv6 names have the port at the same place.
            let port = unsafe { (*header.msg_name.cast::<libc::sockaddr_in>()).sin_port };
            let blocked = script
                .blocked_port
                .filter(|(blocked, _)| blocked.to_be() == port)
                .map(|(_, errno)| errno);
            if let Some(errno) = train.map(|(_, errno)| errno).or(blocked) {
                return if index > 0 { Ok(index) } else { Err(errno) };
            }
        }
        Ok(limit)
    }
}

impl Sys for ScriptSys {
    unsafe fn recvmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize> {
        let mut script = self.0.borrow_mut();
        if !messages.is_empty() {
            script.calls.recvmmsg += 1;
        }
        if let Some(errno) = script.recvmmsg {
            return Err(errno);
        }
        let limit = script.batch_max.unwrap_or(usize::MAX).min(messages.len());
        let mut count = 0;
        while count < limit {
            let Some((segment, bytes)) = script.arrivals.pop_front() else {
                break;
            };
            // SAFETY: the caller's promise about headers.
            unsafe { join(&mut messages[count], segment, &bytes) };
            count += 1;
        }
        if count > 0 {
            return Ok(count);
        }
        // SAFETY: as above.
        unsafe { Kernel.recvmmsg(fd, &mut messages[..limit]) }
    }

    unsafe fn recvmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()> {
        self.0.borrow_mut().calls.recvmsg += 1;
        // SAFETY: the caller's promise.
        unsafe { Kernel.recvmsg(fd, message) }
    }

    unsafe fn sendmmsg(&mut self, fd: RawFd, messages: &mut [libc::mmsghdr]) -> Answer<usize> {
        if !messages.is_empty() {
            self.0.borrow_mut().calls.sendmmsg += 1;
        }
        if let Some(errno) = self.0.borrow().sendmmsg {
            return Err(errno);
        }
        if messages.is_empty() {
            // SAFETY: no header.
            return unsafe { Kernel.sendmmsg(fd, messages) };
        }
        let count = self.admit(messages)?;
        // SAFETY: the caller's promise.
        unsafe { Kernel.sendmmsg(fd, &mut messages[..count]) }
    }

    unsafe fn sendmsg(&mut self, fd: RawFd, message: &mut libc::mmsghdr) -> Answer<()> {
        self.0.borrow_mut().calls.sendmsg += 1;
        self.admit(std::slice::from_ref(message))?;
        // SAFETY: the caller's promise.
        unsafe { Kernel.sendmsg(fd, message) }
    }

    unsafe fn setsockopt<T>(&mut self, fd: RawFd, option: (i32, i32), value: &T) -> Answer<()> {
        if self.0.borrow().options.contains(&option) {
            return Err(libc::ENOPROTOOPT);
        }
        // SAFETY: the caller's promise.
        unsafe { Kernel.setsockopt(fd, option, value) }
    }
}

/// Fills a header as the kernel does for a train from 127.0.0.1:9, as far as its buffer reaches.
///
/// # Safety
/// As for `Sys`; the name has room for IPv4, and the control buffer for one message.
unsafe fn join(message: &mut libc::mmsghdr, segment: i32, bytes: &[u8]) {
    let header = &mut message.msg_hdr;
    message.msg_len = bytes.len() as u32;
    header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: the caller's promise; no more is copied than the vector has room for.
    unsafe {
        let vector = &*header.msg_iov;
        let copied = bytes.len().min(vector.iov_len);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), vector.iov_base.cast::<u8>(), copied);
        let name = &mut *header.msg_name.cast::<libc::sockaddr_in>();
        name.sin_family = libc::AF_INET as libc::sa_family_t;
        name.sin_port = 9u16.to_be();
        name.sin_addr.s_addr = u32::from_be_bytes([127, 0, 0, 1]).to_be();
        let control = &mut *header.msg_control.cast::<libc::cmsghdr>();
        control.cmsg_level = libc::SOL_UDP;
        control.cmsg_type = UDP_GRO;
        control.cmsg_len = libc::CMSG_LEN(4) as _;
        let data = libc::CMSG_DATA(control).cast::<i32>();
        data.write_unaligned(segment);
        header.msg_controllen = libc::CMSG_SPACE(4) as _;
    }
}
