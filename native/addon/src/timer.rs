//! The one timer of an endpoint: a timerfd, armed at an absolute monotonic time. libuv's own timers
//! have whole milliseconds; this one is right within about 300 µs.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::error::{Failure, Result};

pub struct Timer {
    fd: OwnedFd,
    armed_ns: Option<u64>,
}

impl Timer {
    pub fn new() -> Result<Self> {
        // SAFETY: a plain system call; the descriptor is ours alone.
        let fd = unsafe {
            libc::timerfd_create(
                libc::CLOCK_MONOTONIC,
                libc::TFD_NONBLOCK | libc::TFD_CLOEXEC,
            )
        };
        if fd < 0 {
            return Err(Failure::from_io(
                "timerfd_create",
                &io::Error::last_os_error(),
            ));
        }
        // SAFETY: just made and checked.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, armed_ns: None })
    }

    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Fires at `at_ns` at the latest (a time in the past: at once). It may fire earlier, at a time
    /// that was set before: deadlines mostly move away from turn to turn, and one wake too early
    /// costs less than a system call per turn.
    pub fn set(&mut self, at_ns: Option<u64>) {
        let Some(at_ns) = at_ns else { return };
        if self.armed_ns.is_some_and(|armed_ns| armed_ns <= at_ns) {
            return;
        }
        // Zero means disarmed to the kernel.
        let value_ns = at_ns.max(1);
        let zero = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let value = libc::timespec {
            tv_sec: (value_ns / 1_000_000_000) as libc::time_t,
            tv_nsec: (value_ns % 1_000_000_000) as _,
        };
        let spec = libc::itimerspec {
            it_interval: zero,
            it_value: value,
        };
        // SAFETY: `spec` is valid and nothing is written back.
        let result = unsafe {
            libc::timerfd_settime(
                self.fd(),
                libc::TFD_TIMER_ABSTIME,
                &spec,
                std::ptr::null_mut(),
            )
        };
        self.armed_ns = (result == 0).then_some(at_ns);
    }

    /// Takes the expiry; true when there was one. The timer is disarmed then.
    pub fn take_expired(&mut self) -> bool {
        let mut count = [0u8; 8];
        // SAFETY: `count` has the 8 bytes that a timerfd gives.
        let read = unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
        if read != count.len() as isize {
            return false;
        }
        self.armed_ns = None;
        true
    }
}
