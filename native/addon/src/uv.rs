//! The few functions of libuv that the host needs, found in the running process: Node exports them,
//! a test binary does not, so linking against them would break `cargo test`.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::sync::OnceLock;

use crate::error::{Code, Failure, Result};

pub const READABLE: c_int = 1;
pub const WRITABLE: c_int = 2;
/// Places of `UV_POLL` and `UV_TIMER` in `uv_handle_type`; part of libuv's stable ABI.
const HANDLE_TYPE_POLL: c_int = 8;
const HANDLE_TYPE_TIMER: c_int = 13;
/// More than any libuv 1.x needs (160 on Linux); a larger answer means another library.
const HANDLE_BYTES_MAX: usize = 1024;

pub enum Loop {}

pub type Handle = *mut c_void;
pub type PollCallback = unsafe extern "C" fn(Handle, c_int, c_int);
pub type TimerCallback = unsafe extern "C" fn(Handle);
pub type CloseCallback = unsafe extern "C" fn(Handle);

#[derive(Clone, Copy)]
pub struct Uv {
    pub poll_init: unsafe extern "C" fn(*mut Loop, Handle, c_int) -> c_int,
    pub poll_start: unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
    pub poll_stop: unsafe extern "C" fn(Handle) -> c_int,
    pub timer_init: unsafe extern "C" fn(*mut Loop, Handle) -> c_int,
    /// Whole milliseconds, from the time that the loop last took.
    pub timer_start: unsafe extern "C" fn(Handle, TimerCallback, u64, u64) -> c_int,
    pub update_time: unsafe extern "C" fn(*mut Loop),
    pub close: unsafe extern "C" fn(Handle, CloseCallback),
    pub set_data: unsafe extern "C" fn(Handle, *mut c_void),
    pub get_data: unsafe extern "C" fn(Handle) -> *mut c_void,
    pub reference: unsafe extern "C" fn(Handle),
    pub unreference: unsafe extern "C" fn(Handle),
    /// Of the larger of the handles used here.
    pub handle_bytes: usize,
}

impl Uv {
    /// The functions of this process, looked up once.
    pub fn load() -> Result<Self> {
        static FOUND: OnceLock<Option<Uv>> = OnceLock::new();
        let found = FOUND.get_or_init(Self::look_up);
        (*found).ok_or_else(|| {
            Failure::new(
                Code::UnsupportedPlatform,
                "this process does not export libuv's uv_poll",
            )
        })
    }

    fn look_up() -> Option<Self> {
        // SAFETY: each name is a function of libuv's public API with exactly the signature of the
        // field that it is stored in.
        unsafe {
            let handle_size: unsafe extern "C" fn(c_int) -> usize =
                function(symbol(c"uv_handle_size")?);
            let sizes = [HANDLE_TYPE_POLL, HANDLE_TYPE_TIMER].map(|kind| handle_size(kind));
            let handle_bytes = sizes.into_iter().max().unwrap_or(0);
            if sizes.contains(&0) || handle_bytes > HANDLE_BYTES_MAX {
                return None;
            }
            Some(Self {
                poll_init: function(symbol(c"uv_poll_init")?),
                poll_start: function(symbol(c"uv_poll_start")?),
                poll_stop: function(symbol(c"uv_poll_stop")?),
                timer_init: function(symbol(c"uv_timer_init")?),
                timer_start: function(symbol(c"uv_timer_start")?),
                update_time: function(symbol(c"uv_update_time")?),
                close: function(symbol(c"uv_close")?),
                set_data: function(symbol(c"uv_handle_set_data")?),
                get_data: function(symbol(c"uv_handle_get_data")?),
                reference: function(symbol(c"uv_ref")?),
                unreference: function(symbol(c"uv_unref")?),
                handle_bytes,
            })
        }
    }
}

/// A symbol as the function pointer that it is.
///
/// # Safety
/// `F` is a function pointer type, and the one of this symbol.
unsafe fn function<F: Copy>(symbol: *mut c_void) -> F {
    assert!(size_of::<F>() == size_of::<*mut c_void>());
    // SAFETY: the caller's promise, and both are as large as a pointer.
    unsafe { std::mem::transmute_copy(&symbol) }
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    let name: *const c_char = name.as_ptr();
    // SAFETY: a look-up by name in what the process has loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name) };
    (!found.is_null()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_libuv_is_refused_by_name() {
        let refused = Uv::load().err().map(|failure| failure.code);
        assert_eq!(refused, Some(Code::UnsupportedPlatform));
    }
}
