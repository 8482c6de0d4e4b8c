//! The few functions of libuv that the host needs, found in the running process: Node exports them,
//! a test binary does not, so linking against them would break `cargo test`.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::sync::OnceLock;

use crate::error::{Code, Failure, Result};

pub const READABLE: c_int = 1;
pub const WRITABLE: c_int = 2;
/// Place of `UV_POLL` in `uv_handle_type`; part of libuv's stable ABI.
const HANDLE_TYPE_POLL: c_int = 8;
/// More than any libuv 1.x needs (160 on Linux); a larger answer means another library.
const HANDLE_BYTES_MAX: usize = 1024;

pub enum Loop {}

pub type Handle = *mut c_void;
pub type PollCallback = unsafe extern "C" fn(Handle, c_int, c_int);
pub type CloseCallback = unsafe extern "C" fn(Handle);

#[derive(Clone, Copy)]
pub struct Uv {
    pub poll_init: unsafe extern "C" fn(*mut Loop, Handle, c_int) -> c_int,
    pub poll_start: unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
    pub poll_stop: unsafe extern "C" fn(Handle) -> c_int,
    pub close: unsafe extern "C" fn(Handle, CloseCallback),
    pub set_data: unsafe extern "C" fn(Handle, *mut c_void),
    pub get_data: unsafe extern "C" fn(Handle) -> *mut c_void,
    pub reference: unsafe extern "C" fn(Handle),
    pub unreference: unsafe extern "C" fn(Handle),
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
        // SAFETY: each name is a function of libuv's public API with exactly this signature.
        unsafe {
            let handle_size: unsafe extern "C" fn(c_int) -> usize =
                std::mem::transmute(symbol(c"uv_handle_size")?);
            let handle_bytes = handle_size(HANDLE_TYPE_POLL);
            if handle_bytes == 0 || handle_bytes > HANDLE_BYTES_MAX {
                return None;
            }
            Some(Self {
                poll_init: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut Loop, Handle, c_int) -> c_int,
                >(symbol(c"uv_poll_init")?),
                poll_start: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Handle, c_int, PollCallback) -> c_int,
                >(symbol(c"uv_poll_start")?),
                poll_stop: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle) -> c_int>(
                    symbol(c"uv_poll_stop")?,
                ),
                close: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Handle, CloseCallback),
                >(symbol(c"uv_close")?),
                set_data: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Handle, *mut c_void),
                >(symbol(c"uv_handle_set_data")?),
                get_data: std::mem::transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(Handle) -> *mut c_void,
                >(symbol(c"uv_handle_get_data")?),
                reference: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle)>(
                    symbol(c"uv_ref")?,
                ),
                unreference: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(Handle)>(
                    symbol(c"uv_unref")?,
                ),
                handle_bytes,
            })
        }
    }
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    let name: *const c_char = name.as_ptr();
    // SAFETY: a look-up by name in what the process has loaded.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name) };
    (!found.is_null()).then_some(found)
}
