//! The endpoint inside Node: uv_poll handles on its descriptors, the wake into JavaScript, and the
//! way out.
//!
//! ```text
//! Open ── close() or the cleanup hook ──▶ Closing ── last uv_close callback ──▶ Closed
//! ```
//! Invariant: no borrow of the endpoint is held while JavaScript runs, so a handler may call anything,
//! `close` included. Each uv handle and the cleanup hook own one count of the `Rc`; the descriptors
//! are closed in the last close callback, when libuv no longer watches them.

mod attachment;

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::sys;

use crate::endpoint::Endpoint;
use crate::error::{Code, Failure, Result};
use crate::layout as l;
use crate::timer::Timer;
use crate::udp::UdpIo;
use crate::uv::{self, Uv};
pub use attachment::Attachment;
use attachment::{internal, needs, raise_pending};

/// When a wake ended without a flush (a handler threw), the next look at the timers.
const UNFLUSHED_RETRY_NS: u64 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closing,
    Closed,
}

pub struct Host {
    attachment: Attachment,
    uv: Uv,
    context: Cell<sys::napi_async_context>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    endpoint: RefCell<Option<Endpoint<UdpIo>>>,
    timer: RefCell<Option<Timer>>,
    flows: Cell<uv::Handle>,
    handshakes: Cell<uv::Handle>,
    clock: Cell<uv::Handle>,
    open_handles: Cell<u32>,
    state: Cell<State>,
    tick_driver: bool,
    watches_write: Cell<bool>,
    flushed: Cell<bool>,
}

impl Host {
    /// Starts watching. The endpoint's sockets are open already.
    pub fn start(
        attachment: Attachment,
        endpoint: Endpoint<UdpIo>,
        tick_driver: bool,
    ) -> Result<Rc<Self>> {
        let (uv, timer, event_loop) = match needs(attachment.env) {
            Ok(found) => found,
            Err(error) => {
                attachment.release();
                return Err(error);
            }
        };
        let fds = (endpoint.io.flows_fd(), endpoint.io.handshakes_fd());
        let host = Rc::new(Self {
            attachment,
            uv,
            context: Cell::new(null_mut()),
            hook: Cell::new(null_mut()),
            endpoint: RefCell::new(Some(endpoint)),
            timer: RefCell::new(Some(timer)),
            flows: Cell::new(null_mut()),
            handshakes: Cell::new(null_mut()),
            clock: Cell::new(null_mut()),
            open_handles: Cell::new(0),
            state: Cell::new(State::Open),
            tick_driver,
            watches_write: Cell::new(false),
            flushed: Cell::new(false),
        });
        let started = host
            .start_handles(event_loop, fds)
            .and_then(|()| host.start_hooks());
        if let Err(error) = started {
            host.close(false);
            return Err(error);
        }
        host.rearm();
        Ok(host)
    }

    pub fn is_open(&self) -> bool {
        self.state.get() == State::Open
    }

    /// Runs `work` on the endpoint; None when it is closed. `work` must not call JavaScript.
    pub fn with<R>(&self, work: impl FnOnce(&mut Endpoint<UdpIo>) -> R) -> Option<R> {
        if !self.is_open() {
            return None;
        }
        let mut endpoint = self.endpoint.try_borrow_mut().ok()?;
        endpoint.as_mut().map(work)
    }

    /// Runs `work`, and turns a panic into a closed endpoint and an error.
    pub fn guarded<R>(
        self: &Rc<Self>,
        work: impl FnOnce(&mut Endpoint<UdpIo>) -> R,
    ) -> Result<Option<R>> {
        catch_unwind(AssertUnwindSafe(|| self.with(work))).map_err(|_| {
            self.close(false);
            internal("a bug in the native endpoint; it was closed")
        })
    }

    /// Flush, then arm the timer and watch for room in the socket if the kernel was full.
    pub fn flush(self: &Rc<Self>) -> Result<u32> {
        let left = self.guarded(Endpoint::flush)?.unwrap_or(0);
        self.flushed.set(true);
        self.rearm();
        Ok(left)
    }

    pub fn set_referenced(&self, referenced: bool) {
        for handle in [self.flows.get(), self.handshakes.get(), self.clock.get()] {
            if handle.is_null() || !self.is_open() {
                continue;
            }
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

    /// Idempotent. `polite` sends what is queued and says goodbye to every flow.
    pub fn close(self: &Rc<Self>, polite: bool) {
        if !self.is_open() {
            return;
        }
        if polite {
            let _ = catch_unwind(AssertUnwindSafe(|| self.with(Endpoint::finish)));
        }
        self.state.set(State::Closing);
        for cell in [&self.flows, &self.handshakes, &self.clock] {
            let handle = cell.replace(null_mut());
            if !handle.is_null() {
                // SAFETY: a live handle of this loop, closed once because its cell is empty now.
                unsafe {
                    (self.uv.poll_stop)(handle);
                    (self.uv.close)(handle, on_handle_closed);
                }
            }
        }
        if self.open_handles.get() == 0 {
            self.finish_close();
        }
    }

    /// Arms the timer for the next wake and watches WRITABLE exactly while the kernel is full.
    pub fn rearm(&self) {
        let Some((wake, blocked)) =
            self.with(|endpoint| (endpoint.next_wake(), endpoint.blocked()))
        else {
            return;
        };
        self.arm(wake.map(|wake| wake.at_ns));
        if blocked != self.watches_write.get() {
            self.watches_write.set(blocked);
            self.watch_flows();
        }
    }

    fn arm(&self, at_ns: Option<u64>) {
        self.with_timer(|timer| timer.set(at_ns));
    }

    fn with_timer<R>(&self, work: impl FnOnce(&mut Timer) -> R) -> Option<R> {
        let mut timer = self.timer.try_borrow_mut().ok()?;
        timer.as_mut().map(work)
    }

    fn start_handles(
        self: &Rc<Self>,
        event_loop: *mut uv::Loop,
        (flows, handshakes): (RawFd, Option<RawFd>),
    ) -> Result<()> {
        let clock = self.timer.borrow().as_ref().map(Timer::fd);
        let clock = clock.ok_or_else(|| internal("the timer is gone"))?;
        self.clock.set(self.new_poll(event_loop, clock)?);
        self.flows.set(self.new_poll(event_loop, flows)?);
        if let Some(fd) = handshakes.filter(|_| !self.tick_driver) {
            let handle = self.new_poll(event_loop, fd)?;
            self.handshakes.set(handle);
            // SAFETY: a live handle of this loop.
            unsafe { (self.uv.poll_start)(handle, uv::READABLE, on_socket) };
        }
        // SAFETY: as above.
        unsafe { (self.uv.poll_start)(self.clock.get(), uv::READABLE, on_clock) };
        self.watch_flows();
        Ok(())
    }

    fn start_hooks(self: &Rc<Self>) -> Result<()> {
        let env = self.attachment.env;
        let name = c"ggscale-transport";
        let mut text = null_mut();
        let mut context = null_mut();
        let mut hook = null_mut();
        let data = Rc::into_raw(Rc::clone(self)).cast_mut().cast::<c_void>();
        // SAFETY: `env` is the environment of the running call; `data` owns one count of the Rc,
        // given back when the hook is removed.
        let status = unsafe {
            sys::napi_create_string_utf8(
                env,
                name.as_ptr(),
                name.count_bytes() as isize,
                &mut text,
            );
            sys::napi_async_init(env, null_mut(), text, &mut context);
            sys::napi_add_async_cleanup_hook(env, Some(on_cleanup), data, &mut hook)
        };
        self.context.set(context);
        self.hook.set(hook);
        if status != sys::Status::napi_ok || context.is_null() {
            if hook.is_null() {
                // SAFETY: the hook was not added, so its count comes back here.
                drop(unsafe { Rc::from_raw(data.cast_const().cast::<Self>()) });
            }
            return Err(internal("the environment takes no cleanup hook"));
        }
        Ok(())
    }

    fn new_poll(self: &Rc<Self>, event_loop: *mut uv::Loop, fd: RawFd) -> Result<uv::Handle> {
        // SAFETY: zeroed memory of the size that libuv itself named; freed in the close callback.
        unsafe {
            let handle = libc::calloc(1, self.uv.handle_bytes);
            if handle.is_null() {
                return Err(Failure::new(
                    Code::OutOfMemory,
                    "no memory for a poll handle",
                ));
            }
            if (self.uv.poll_init)(event_loop, handle, fd) != 0 {
                libc::free(handle);
                return Err(internal("uv_poll_init refused the descriptor"));
            }
            (self.uv.set_data)(handle, Rc::into_raw(Rc::clone(self)).cast_mut().cast());
            self.open_handles.set(self.open_handles.get() + 1);
            Ok(handle)
        }
    }

    fn watch_flows(&self) {
        let handle = self.flows.get();
        if handle.is_null() {
            return;
        }
        let readable = if self.tick_driver { 0 } else { uv::READABLE };
        let events = readable
            | if self.watches_write.get() {
                uv::WRITABLE
            } else {
                0
            };
        // SAFETY: a live handle of this loop.
        unsafe {
            if events == 0 {
                (self.uv.poll_stop)(handle);
            } else {
                (self.uv.poll_start)(handle, events, on_socket);
            }
        }
    }

    /// Calls JavaScript. Nothing of the endpoint is borrowed here.
    fn wake(self: &Rc<Self>, reasons: u32) {
        if !self.is_open() {
            return;
        }
        self.flushed.set(false);
        self.call(reasons);
        if self.is_open() && !self.flushed.get() {
            // A handler threw before the flush. Ticks and deadlines go on, not faster than this.
            let wake = self.with(|endpoint| (endpoint.next_wake(), endpoint.mono_ns()));
            if let Some((Some(wake), now_ns)) = wake {
                self.arm(Some(wake.at_ns.max(now_ns + UNFLUSHED_RETRY_NS)));
            }
        }
    }

    fn call(&self, reasons: u32) {
        let env = self.attachment.env;
        let mut scope = null_mut();
        // SAFETY: the environment lives until the cleanup hook is removed, which is after the last
        // handle closed; this runs in a callback of a handle.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
                return;
            }
            let mut global = null_mut();
            let mut function = null_mut();
            let mut argument = null_mut();
            let mut result = null_mut();
            sys::napi_get_global(env, &mut global);
            sys::napi_get_reference_value(env, self.attachment.on_wake, &mut function);
            sys::napi_create_uint32(env, reasons, &mut argument);
            if !global.is_null() && !function.is_null() && !argument.is_null() {
                let status = sys::napi_make_callback(
                    env,
                    self.context.get(),
                    global,
                    function,
                    1,
                    &argument,
                    &mut result,
                );
                if status != sys::Status::napi_ok {
                    raise_pending(env);
                }
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }

    fn on_socket_event(self: &Rc<Self>, handle: uv::Handle, status: c_int, events: c_int) {
        if status < 0 {
            // libuv stopped the handle because of POLLERR: take the error off the socket, go on.
            self.restart(handle);
            self.wake(l::WAKE_READABLE);
            return;
        }
        let mut reasons = 0;
        if events & uv::READABLE != 0 {
            reasons |= l::WAKE_READABLE;
        }
        if events & uv::WRITABLE != 0 {
            reasons |= l::WAKE_WRITABLE;
        }
        self.wake(reasons);
    }

    fn restart(&self, handle: uv::Handle) {
        self.with(|endpoint| endpoint.io.clear_errors());
        if handle == self.flows.get() {
            self.watch_flows();
        } else if handle == self.handshakes.get() {
            // SAFETY: a live handle of this loop.
            unsafe { (self.uv.poll_start)(handle, uv::READABLE, on_socket) };
        }
    }

    fn on_clock_event(self: &Rc<Self>) {
        let expired = self.with_timer(Timer::take_expired).unwrap_or(false);
        if !expired || !self.is_open() {
            return;
        }
        let reasons = self.with(Endpoint::due_reasons).unwrap_or(0);
        if reasons != 0 {
            self.wake(reasons);
            return;
        }
        if self.with(Endpoint::service).unwrap_or(false) {
            self.wake(l::WAKE_DEADLINE);
        } else {
            self.rearm();
        }
    }

    fn finish_close(self: &Rc<Self>) {
        if self.state.replace(State::Closed) == State::Closed {
            return;
        }
        // The wrapper that JavaScript holds may live on until it is collected; descriptors do not.
        *self.endpoint.borrow_mut() = None;
        *self.timer.borrow_mut() = None;
        let env = self.attachment.env;
        let mut scope = null_mut();
        // SAFETY: the environment lives until its cleanup hook is removed, which is the last step.
        unsafe {
            let scoped = sys::napi_open_handle_scope(env, &mut scope) == sys::Status::napi_ok;
            let context = self.context.replace(null_mut());
            if !context.is_null() {
                sys::napi_async_destroy(env, context);
            }
            self.attachment.release();
            if scoped {
                sys::napi_close_handle_scope(env, scope);
            }
            let hook = self.hook.replace(null_mut());
            if !hook.is_null() {
                sys::napi_remove_async_cleanup_hook(hook);
                // The count that the hook owned.
                Rc::decrement_strong_count(Rc::as_ptr(self));
            }
        }
    }
}

/// Runs a callback of libuv on its host, which stays alive meanwhile. A panic closes the endpoint.
unsafe fn enter(host: *const Host, work: impl FnOnce(&Rc<Host>)) {
    if host.is_null() {
        return;
    }
    Rc::increment_strong_count(host);
    let host = Rc::from_raw(host);
    if catch_unwind(AssertUnwindSafe(|| work(&host))).is_err() {
        let _ = catch_unwind(AssertUnwindSafe(|| host.fail()));
    }
}

impl Host {
    /// A bug: close, and tell JavaScript as an uncaught exception.
    fn fail(self: &Rc<Self>) {
        self.close(false);
        let env = self.attachment.env;
        let code = "internal-error";
        let message = "a bug in the native endpoint; it was closed";
        let mut scope = null_mut();
        // SAFETY: the environment lives while handles are closing.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
                return;
            }
            let (mut code_text, mut text, mut error) = (null_mut(), null_mut(), null_mut());
            let length = code.len() as isize;
            sys::napi_create_string_utf8(env, code.as_ptr().cast(), length, &mut code_text);
            let length = message.len() as isize;
            sys::napi_create_string_utf8(env, message.as_ptr().cast(), length, &mut text);
            if sys::napi_create_error(env, code_text, text, &mut error) == sys::Status::napi_ok {
                sys::napi_fatal_exception(env, error);
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }
}

unsafe extern "C" fn on_socket(handle: uv::Handle, status: c_int, events: c_int) {
    let Ok(uv) = Uv::load() else { return };
    let host = (uv.get_data)(handle).cast_const().cast::<Host>();
    enter(host, |host| host.on_socket_event(handle, status, events));
}

unsafe extern "C" fn on_clock(handle: uv::Handle, _status: c_int, _events: c_int) {
    let Ok(uv) = Uv::load() else { return };
    let host = (uv.get_data)(handle).cast_const().cast::<Host>();
    enter(host, Host::on_clock_event);
}

unsafe extern "C" fn on_handle_closed(handle: uv::Handle) {
    let Ok(uv) = Uv::load() else { return };
    let host = (uv.get_data)(handle).cast_const().cast::<Host>();
    libc::free(handle);
    enter(host, |host| {
        let left = host.open_handles.get().saturating_sub(1);
        host.open_handles.set(left);
        if left == 0 {
            host.finish_close();
        }
    });
    // The count that this handle owned.
    Rc::decrement_strong_count(host);
}

unsafe extern "C" fn on_cleanup(_hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
    enter(data.cast_const().cast::<Host>(), |host| host.close(true));
}
