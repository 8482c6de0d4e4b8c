//! The endpoint inside Node: uv handles on its descriptors, the wake into JavaScript, and the way
//! out.
//!
//! ```text
//! Open ── close() or the cleanup hook ──▶ Closing ── last uv_close callback ──▶ Closed
//! ```
//! Invariant: no borrow of the endpoint is held while JavaScript runs, so a handler may call anything,
//! `close` included. Each uv handle and the cleanup hook own one count of the `Rc`; the descriptors
//! are closed in the last close callback, when libuv no longer watches them.

mod attachment;
mod callbacks;
mod engine;
mod handles;
mod javascript;

use std::cell::{Cell, OnceCell, RefCell};
use std::ffi::{c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;

use crate::c_abi::Handle;
use crate::endpoint::Endpoint;
use crate::error::Result;
use crate::layout as l;
use crate::pace::{Pace, Waiting};
use crate::plant::{self, Point};
use crate::udp::{clock_ns, UdpIo};
use crate::uv::{self, Uv};
pub use attachment::Attachment;
use attachment::{event_loop_of, internal};
pub use engine::Engine;
use handles::Handles;

/// When a wake ended without a flush (a handler threw), the next look at the timers.
const UNFLUSHED_RETRY_NS: u64 = 1_000_000;
const BUG: &str = "a bug in the native endpoint; it was closed";

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
    engine: RefCell<Option<Engine>>,
    pace: RefCell<Pace>,
    handles: Handles,
    is_threaded: bool,
    state: Cell<State>,
    flushed: Cell<bool>,
    /// JavaScript found no room in a tx ring at its last turn.
    wants_room: Cell<bool>,
    /// Time in `drain` and `flush` so far. Both begin with a look at the clock anyway, so this costs one
    /// more at the end of each.
    native_ns: Cell<u64>,
    /// What native neighbours hold of this endpoint, once one has asked.
    neighbours: OnceCell<Arc<Handle>>,
}

impl Host {
    /// Starts watching. The endpoint's sockets are open already.
    pub fn start(
        attachment: Attachment,
        engine: Engine,
        pace: Pace,
        is_portable: bool,
    ) -> Result<Rc<Self>> {
        let found = Uv::load().and_then(|uv| Ok((uv, event_loop_of(attachment.env)?)));
        let (uv, event_loop) = match found {
            Ok(found) => found,
            Err(error) => {
                attachment.release();
                return Err(error);
            }
        };
        let fds = engine.fds();
        let is_threaded = matches!(engine, Engine::Threads(_));
        let host = Rc::new(Self {
            attachment,
            uv,
            context: Cell::new(null_mut()),
            hook: Cell::new(null_mut()),
            engine: RefCell::new(Some(engine)),
            pace: RefCell::new(pace),
            handles: Handles::new(uv),
            is_threaded,
            state: Cell::new(State::Open),
            flushed: Cell::new(false),
            wants_room: Cell::new(false),
            native_ns: Cell::new(0),
            neighbours: OnceCell::new(),
        });
        let started = host
            .handles
            .start(&host, event_loop, fds, is_portable)
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

    /// Runs `work`; None when it is closed. `work` must not call JavaScript.
    fn with<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        if !self.is_open() {
            return None;
        }
        let mut engine = self.engine.try_borrow_mut().ok()?;
        engine.as_mut().map(work)
    }

    /// Runs `work`, and turns a panic into a closed endpoint and an error.
    pub fn guarded<R>(self: &Rc<Self>, work: impl FnOnce(&mut Engine) -> R) -> Result<Option<R>> {
        let planted = |engine: &mut Engine| {
            plant::hit(Point::Call);
            work(engine)
        };
        catch_unwind(AssertUnwindSafe(|| self.with(planted))).map_err(|_| {
            self.close(false);
            internal(BUG)
        })
    }

    /// `guarded` on the endpoint of a slot, as JavaScript counts them.
    pub fn guarded_at<R>(
        self: &Rc<Self>,
        slot: u32,
        work: impl FnOnce(&mut Endpoint<UdpIo>) -> R,
    ) -> Result<Option<R>> {
        Ok(self.guarded(|engine| engine.at(slot, work))?.flatten())
    }

    /// The beginning of a turn: receives, and tells JavaScript the time and its ticks. Returns the
    /// descriptors that wait in the rx rings.
    pub fn drain(self: &Rc<Self>) -> Result<u32> {
        let Some(drained) = self.guarded(Engine::drain)? else {
            return Ok(0);
        };
        self.with_pace(|pace| pace.begin_turn(drained.now_ns, drained.datagrams));
        self.count_native(drained.now_ns);
        Ok(drained.waiting)
    }

    /// The end of a turn: sends, and waits for whatever is next. `wants_room`: JavaScript has more to
    /// send than the tx rings hold. Returns the descriptors left in them.
    pub fn flush(self: &Rc<Self>, wants_room: bool) -> Result<u32> {
        let flushed = self.guarded(Engine::flush)?;
        self.flushed.set(true);
        self.wants_room.set(wants_room);
        self.rearm();
        let Some((left, began_ns)) = flushed else {
            return Ok(0);
        };
        self.count_native(began_ns);
        Ok(left)
    }

    /// Nanoseconds that turns of JavaScript have spent in `drain` and `flush`.
    pub fn native_ns(&self) -> u64 {
        self.native_ns.get()
    }

    fn count_native(&self, began_ns: u64) {
        let passed_ns = now_ns().saturating_sub(began_ns);
        self.native_ns.set(self.native_ns.get() + passed_ns);
    }

    /// The handle for native neighbours; from the first call on the counters are published. None when
    /// it is closed.
    pub fn neighbour_handle(self: &Rc<Self>) -> Result<Option<Arc<Handle>>> {
        self.guarded(|engine| {
            let handle = self.neighbours.get_or_init(|| {
                let mut parts = Vec::new();
                engine.each(|endpoint| parts.push(endpoint.publish_counters()));
                Handle::new(parts)
            });
            Arc::clone(handle)
        })
    }

    pub fn set_tick_interval_us(self: &Rc<Self>, interval_us: f64) {
        let now_ns = now_ns();
        self.with_pace(|pace| pace.schedule.set_tick_interval_us(now_ns, interval_us));
        self.rearm();
    }

    pub fn set_referenced(&self, referenced: bool) {
        if self.is_open() {
            self.handles.set_referenced(referenced);
        }
    }

    /// Idempotent. `polite` sends what is queued and says goodbye to every flow.
    pub fn close(self: &Rc<Self>, polite: bool) {
        if !self.is_open() {
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| self.with(|it| it.finish(polite))));
        if let Some(handle) = self.neighbours.get() {
            handle.close();
        }
        self.state.set(State::Closing);
        if !self.handles.close() {
            self.finish_close();
        }
    }

    /// Arms the timer for the next wake; watches the sockets while the driver wants to hear of them,
    /// and WRITABLE exactly while the kernel is full.
    pub fn rearm(&self) {
        let Some((now_ns, waiting)) = self.waiting() else {
            return;
        };
        let paced = self.with_pace(|pace| (pace.next_wake(now_ns, &waiting), pace.watches()));
        let Some((wake, watches)) = paced else {
            return;
        };
        self.handles.arm(now_ns, wake.map(|wake| wake.at_ns));
        let blocked = self.with(|engine| engine.blocked()).unwrap_or(false);
        // Threads ring only for a sleeper, so their bell is always watched.
        let readable = if watches || self.is_threaded {
            uv::READABLE
        } else {
            0
        };
        let writable = if blocked { uv::WRITABLE } else { 0 };
        self.handles.flows.watch(&self.uv, readable | writable);
        self.handles.handshakes.watch(&self.uv, readable);
    }

    /// What has to be waited for, and the time at which that was looked at.
    fn waiting(&self) -> Option<(u64, Waiting)> {
        let watches = self.with_pace(|pace| pace.watches())?;
        let room = self.wants_room.get();
        let waiting = self.with(|engine| engine.waiting(watches, room))?;
        Some((now_ns(), waiting))
    }

    fn with_pace<R>(&self, work: impl FnOnce(&mut Pace) -> R) -> Option<R> {
        self.pace
            .try_borrow_mut()
            .ok()
            .map(|mut pace| work(&mut pace))
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
            sys::napi_add_async_cleanup_hook(env, Some(callbacks::on_cleanup), data, &mut hook)
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

    /// Calls JavaScript. Nothing of the endpoint is borrowed here.
    fn wake(self: &Rc<Self>, reasons: u32) {
        if !self.is_open() {
            return;
        }
        self.flushed.set(false);
        let Attachment { env, on_wake, .. } = self.attachment;
        // SAFETY: the environment lives until the cleanup hook is removed, which is after the last
        // handle closed; this runs in a callback of a handle.
        unsafe { javascript::call_wake(env, self.context.get(), on_wake, reasons) };
        if self.is_open() && !self.flushed.get() {
            self.rearm_unflushed();
        }
    }

    /// A handler threw before the flush. Ticks and deadlines go on, not faster than this.
    fn rearm_unflushed(&self) {
        let Some((now_ns, waiting)) = self.waiting() else {
            return;
        };
        let wake = self.with_pace(|pace| pace.next_wake(now_ns, &waiting));
        if let Some(wake) = wake.flatten() {
            let at_ns = wake.at_ns.max(now_ns + UNFLUSHED_RETRY_NS);
            self.handles.arm(now_ns, Some(at_ns));
        }
    }

    fn on_socket_event(self: &Rc<Self>, handle: uv::Handle, status: c_int, events: c_int) {
        plant::hit(Point::Socket);
        if status < 0 {
            // libuv stopped the handle because of POLLERR: take the error off the socket, go on.
            self.with(Engine::clear_errors);
            for poll in [&self.handles.flows, &self.handles.handshakes] {
                if poll.is(handle) {
                    poll.forget_events();
                }
            }
            self.wake(l::WAKE_READABLE);
            // The flush of the turn watches again; a turn that threw has none.
            self.rearm();
            return;
        }
        if self.is_threaded && self.with(Engine::take_ring) == Some(true) {
            self.fail();
            return;
        }
        let mut reasons = 0;
        if events & uv::READABLE != 0
            && self.with_pace(|pace| pace.readable(now_ns())) == Some(true)
        {
            reasons |= l::WAKE_READABLE;
        }
        if events & uv::WRITABLE != 0 || (self.is_threaded && self.wants_room.get()) {
            reasons |= l::WAKE_WRITABLE;
        }
        if reasons == 0 {
            self.rearm();
        } else {
            self.wake(reasons);
        }
    }

    fn on_clock_event(self: &Rc<Self>) {
        plant::hit(Point::Clock);
        if !self.handles.take_expired() || !self.is_open() {
            return;
        }
        let Some((now_ns, waiting)) = self.waiting() else {
            return;
        };
        let reasons = self
            .with_pace(|pace| pace.due(now_ns, &waiting))
            .unwrap_or(0);
        if reasons != 0 {
            self.wake(reasons);
            return;
        }
        let is_netcode_due = waiting.netcode_ns.is_some_and(|at_ns| at_ns <= now_ns);
        if is_netcode_due && self.with(Engine::service).unwrap_or(false) {
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
        // Whatever happens here, the hook goes: the environment waits for it when it ends.
        let freed = catch_unwind(AssertUnwindSafe(|| {
            plant::hit(Point::Closed);
            *self.engine.borrow_mut() = None;
            self.handles.free();
        }));
        if freed.is_err() {
            // SAFETY: the environment waits for its cleanup hook, which is removed below.
            unsafe { javascript::raise_bug(self.attachment.env) };
        }
        let (context, hook) = (
            self.context.replace(null_mut()),
            self.hook.replace(null_mut()),
        );
        self.attachment.detach(context, hook);
        if !hook.is_null() {
            // SAFETY: the count that the hook owned, which is gone; `self` holds another one.
            unsafe { Rc::decrement_strong_count(Rc::as_ptr(self)) };
        }
    }

    /// A bug: close, and tell JavaScript as an uncaught exception.
    fn fail(self: &Rc<Self>) {
        self.close(false);
        // SAFETY: the environment lives while handles are closing; this is its thread.
        unsafe { javascript::raise_bug(self.attachment.env) };
    }
}

fn now_ns() -> u64 {
    clock_ns(libc::CLOCK_MONOTONIC)
}
