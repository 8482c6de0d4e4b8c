//! What libuv and Node call. Each goes through `enter`: no panic crosses into C.

use std::ffi::{c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;

use napi::sys;

use super::Host;
use crate::plant::{self, Point};
use crate::uv::{self, Uv};

/// Runs a callback of libuv on its host, which stays alive meanwhile. A panic closes the endpoint.
///
/// # Safety
/// `host` is null or came from `Rc::into_raw`, and the handle or hook that is called still owns that
/// count; this is the host's thread.
unsafe fn enter(host: *const Host, work: impl FnOnce(&Rc<Host>)) {
    if host.is_null() {
        return;
    }
    // SAFETY: the count of the caller keeps it alive while another one is made.
    let host = unsafe {
        Rc::increment_strong_count(host);
        Rc::from_raw(host)
    };
    if catch_unwind(AssertUnwindSafe(|| work(&host))).is_err() {
        let _ = catch_unwind(AssertUnwindSafe(|| host.fail()));
    }
}

/// # Safety
/// `handle` is one of a host's: its data is what `Handles::own` stored.
unsafe fn host_of(handle: uv::Handle) -> *const Host {
    match Uv::load() {
        // SAFETY: libuv hands over a live handle.
        Ok(uv) => unsafe { (uv.get_data)(handle) }.cast_const().cast(),
        Err(_) => std::ptr::null(),
    }
}

pub(super) unsafe extern "C" fn on_socket(handle: uv::Handle, status: c_int, events: c_int) {
    // SAFETY: libuv calls with a handle that a host owns, on its thread.
    unsafe {
        enter(host_of(handle), |host| {
            host.on_socket_event(handle, status, events)
        });
    }
}

pub(super) unsafe extern "C" fn on_timer_fd(handle: uv::Handle, _status: c_int, _events: c_int) {
    // SAFETY: as in `on_socket`.
    unsafe { enter(host_of(handle), Host::on_clock_event) };
}

pub(super) unsafe extern "C" fn on_timer(handle: uv::Handle) {
    // SAFETY: as in `on_socket`.
    unsafe { enter(host_of(handle), Host::on_clock_event) };
}

pub(super) unsafe extern "C" fn on_handle_closed(handle: uv::Handle) {
    // SAFETY: as in `on_socket`; libuv is done with the memory, which `Handles::allocate` got, and
    // the count that the handle owned goes last.
    unsafe {
        let host = host_of(handle);
        libc::free(handle);
        enter(host, |host| {
            if host.handles.closed_one() {
                host.finish_close();
            }
        });
        if !host.is_null() {
            Rc::decrement_strong_count(host);
        }
    }
}

pub(super) unsafe extern "C" fn on_cleanup(
    _hook: sys::napi_async_cleanup_hook_handle,
    data: *mut c_void,
) {
    // SAFETY: Node calls with what `start_hooks` gave it, once, on the host's thread.
    unsafe {
        enter(data.cast_const().cast::<Host>(), |host| {
            plant::hit(Point::Cleanup);
            host.close(true);
        });
    }
}
