//! The libuv handles of a host: what the event loop watches for it.
//!
//! Invariant: each handle owns one count of the host's `Rc`, given back in its close callback.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::os::fd::RawFd;
use std::ptr::null_mut;
use std::rc::Rc;

use super::attachment::internal;
use super::Host;
use crate::error::{Code, Failure, Result};
use crate::timer::Timer;
use crate::uv::{self, Uv};

/// A poll handle that remembers what it watches, so that asking again costs nothing.
pub(super) struct Poll {
    handle: Cell<uv::Handle>,
    events: Cell<c_int>,
}

impl Poll {
    fn unused() -> Self {
        Self {
            handle: Cell::new(null_mut()),
            events: Cell::new(0),
        }
    }

    pub fn is(&self, handle: uv::Handle) -> bool {
        self.handle.get() == handle
    }

    /// libuv stopped the handle by itself.
    pub fn forget_events(&self) {
        self.events.set(0);
    }

    pub fn watch(&self, uv: &Uv, events: c_int) {
        let handle = self.handle.get();
        if handle.is_null() || self.events.replace(events) == events {
            return;
        }
        // SAFETY: a live handle of this loop.
        unsafe {
            if events == 0 {
                (uv.poll_stop)(handle);
            } else {
                (uv.poll_start)(handle, events, super::callbacks::on_socket);
            }
        }
    }
}

/// The one timer: a timerfd, right within about 300 µs, or libuv's own of whole milliseconds.
enum Alarm {
    Fd(Timer),
    Uv {
        event_loop: *mut uv::Loop,
        armed_ns: Option<u64>,
    },
}

pub(super) struct Handles {
    uv: Uv,
    pub flows: Poll,
    pub handshakes: Poll,
    clock: Cell<uv::Handle>,
    alarm: RefCell<Option<Alarm>>,
    open: Cell<u32>,
}

impl Handles {
    pub fn new(uv: Uv) -> Self {
        Self {
            uv,
            flows: Poll::unused(),
            handshakes: Poll::unused(),
            clock: Cell::new(null_mut()),
            alarm: RefCell::new(None),
            open: Cell::new(0),
        }
    }

    pub fn start(
        &self,
        host: &Rc<Host>,
        event_loop: *mut uv::Loop,
        (flows, handshakes): (RawFd, Option<RawFd>),
        is_portable: bool,
    ) -> Result<()> {
        self.start_alarm(host, event_loop, is_portable)?;
        self.flows
            .handle
            .set(self.new_poll(host, event_loop, flows)?);
        if let Some(fd) = handshakes {
            self.handshakes
                .handle
                .set(self.new_poll(host, event_loop, fd)?);
        }
        Ok(())
    }

    fn start_alarm(
        &self,
        host: &Rc<Host>,
        event_loop: *mut uv::Loop,
        is_portable: bool,
    ) -> Result<()> {
        let alarm = if is_portable {
            let handle = self.allocate()?;
            // SAFETY: memory of a timer's size; the loop is the one of this thread.
            if unsafe { (self.uv.timer_init)(event_loop, handle) } != 0 {
                // SAFETY: libuv did not take it.
                unsafe { libc::free(handle) };
                return Err(internal("uv_timer_init failed"));
            }
            self.own(host, handle);
            self.clock.set(handle);
            Alarm::Uv {
                event_loop,
                armed_ns: None,
            }
        } else {
            let timer = Timer::new()?;
            let handle = self.new_poll(host, event_loop, timer.fd())?;
            self.clock.set(handle);
            // SAFETY: a live handle of this loop.
            unsafe { (self.uv.poll_start)(handle, uv::READABLE, super::callbacks::on_timer_fd) };
            Alarm::Fd(timer)
        };
        *self.alarm.borrow_mut() = Some(alarm);
        Ok(())
    }

    fn new_poll(
        &self,
        host: &Rc<Host>,
        event_loop: *mut uv::Loop,
        fd: RawFd,
    ) -> Result<uv::Handle> {
        let handle = self.allocate()?;
        // SAFETY: memory of a poll handle's size; the loop is the one of this thread.
        if unsafe { (self.uv.poll_init)(event_loop, handle, fd) } != 0 {
            // SAFETY: libuv did not take it.
            unsafe { libc::free(handle) };
            return Err(internal("uv_poll_init refused the descriptor"));
        }
        self.own(host, handle);
        Ok(handle)
    }

    fn allocate(&self) -> Result<uv::Handle> {
        // SAFETY: zeroed memory of the size that libuv itself named; freed in the close callback.
        let handle = unsafe { libc::calloc(1, self.uv.handle_bytes) };
        if handle.is_null() {
            return Err(Failure::new(
                Code::OutOfMemory,
                "no memory for a libuv handle",
            ));
        }
        Ok(handle)
    }

    fn own(&self, host: &Rc<Host>, handle: uv::Handle) {
        // SAFETY: a handle that libuv has just initialised.
        unsafe { (self.uv.set_data)(handle, Rc::into_raw(Rc::clone(host)).cast_mut().cast()) };
        self.open.set(self.open.get() + 1);
    }

    /// Fires at `at_ns` at the latest; see `Timer::set`.
    pub fn arm(&self, now_ns: u64, at_ns: Option<u64>) {
        let Ok(mut alarm) = self.alarm.try_borrow_mut() else {
            return;
        };
        match (&mut *alarm, at_ns) {
            (Some(Alarm::Fd(timer)), _) => timer.set(at_ns),
            (
                Some(Alarm::Uv {
                    event_loop,
                    armed_ns,
                }),
                Some(at_ns),
            ) if armed_ns.is_none_or(|armed| armed > at_ns) => {
                let wait_ms = at_ns.saturating_sub(now_ns).div_ceil(1_000_000);
                // SAFETY: a live handle of this loop. Its idea of now may be a whole turn old.
                unsafe {
                    (self.uv.update_time)(*event_loop);
                    (self.uv.timer_start)(self.clock.get(), super::callbacks::on_timer, wait_ms, 0);
                }
                *armed_ns = Some(at_ns);
            }
            _ => {}
        }
    }

    /// Takes the expiry; true when there was one.
    pub fn take_expired(&self) -> bool {
        let Ok(mut alarm) = self.alarm.try_borrow_mut() else {
            return false;
        };
        match &mut *alarm {
            Some(Alarm::Fd(timer)) => timer.take_expired(),
            Some(Alarm::Uv { armed_ns, .. }) => armed_ns.take().is_some(),
            None => false,
        }
    }

    pub fn set_referenced(&self, referenced: bool) {
        for handle in self.all() {
            // SAFETY: a live handle of this loop.
            unsafe {
                if referenced {
                    (self.uv.reference)(handle);
                } else {
                    (self.uv.unreference)(handle);
                }
            }
        }
    }

    /// Closes every handle; false when there was none.
    pub fn close(&self) -> bool {
        for handle in self.all() {
            // SAFETY: a live handle of this loop, closed once because its cell is emptied below.
            unsafe { (self.uv.close)(handle, super::callbacks::on_handle_closed) };
        }
        for cell in [&self.flows.handle, &self.handshakes.handle, &self.clock] {
            cell.set(null_mut());
        }
        self.open.get() > 0
    }

    /// One handle is closed; true when it was the last.
    pub fn closed_one(&self) -> bool {
        let left = self.open.get().saturating_sub(1);
        self.open.set(left);
        left == 0
    }

    /// Once libuv watches nothing any more: the timer's descriptor.
    pub fn free(&self) {
        *self.alarm.borrow_mut() = None;
    }

    fn all(&self) -> impl Iterator<Item = uv::Handle> {
        [
            self.flows.handle.get(),
            self.handshakes.handle.get(),
            self.clock.get(),
        ]
        .into_iter()
        .filter(|handle| !handle.is_null())
    }
}
