//! The runtime's half of `native/include/ggscale_transport.h`, which says what each function promises.
//! `tests/c_abi.rs` holds the layouts and numbers of both against each other.
//!
//! A handle has one count for each of: the host, every JavaScript value, every `retain`.

use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::counters::{all_names, COUNT};
use crate::published::Published;

pub const ABI_VERSION: u32 = 1;
/// Of the JavaScript values that hold a handle: lower, upper.
pub const TYPE_TAG: (u64, u64) = (0x9d5a_1f0e_7c3b_4862, 0x6767_7363_616c_6501);

pub const OK: i32 = 0;
pub const CLOSED: i32 = 1;
pub const BAD_ARGUMENT: i32 = 2;
pub const BAD_ABI: i32 = 3;
pub const INTERNAL: i32 = 4;

/// `ggscale_api`. Grows at its end only.
#[repr(C)]
pub struct Api {
    pub abi_version: u32,
    pub size: u32,
    pub counter_count: unsafe extern "C" fn() -> u32,
    pub counter_name: unsafe extern "C" fn(u32) -> *const c_char,
    pub read_counters: unsafe extern "C" fn(*const Handle, *mut u64, u32) -> i32,
    pub retain: unsafe extern "C" fn(*const Handle),
    pub release: unsafe extern "C" fn(*const Handle),
}

/// `ggscale_endpoint`. Foreign code knows the first field only.
#[repr(C)]
pub struct Handle {
    api: &'static Api,
    is_closed: AtomicBool,
    /// One for each I/O thread.
    parts: Vec<Arc<Published<COUNT>>>,
}

static API: Api = Api {
    abi_version: ABI_VERSION,
    size: size_of::<Api>() as u32,
    counter_count,
    counter_name,
    read_counters,
    retain,
    release,
};

impl Handle {
    pub fn new(parts: Vec<Arc<Published<COUNT>>>) -> Arc<Self> {
        Arc::new(Self {
            api: &API,
            is_closed: AtomicBool::new(false),
            parts,
        })
    }

    pub fn api(&self) -> &'static Api {
        self.api
    }

    /// Everything that will ever be published has been.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    fn status(&self) -> i32 {
        if self.is_closed.load(Ordering::Acquire) {
            CLOSED
        } else {
            OK
        }
    }

    fn read(&self) -> [u64; COUNT] {
        let mut sums = [0; COUNT];
        for part in &self.parts {
            for (sum, value) in sums.iter_mut().zip(part.read()) {
                *sum += value;
            }
        }
        sums
    }
}

/// Runs what foreign code called; no panic crosses into C.
pub fn enter<R>(after_a_bug: R, work: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(after_a_bug)
}

unsafe extern "C" fn counter_count() -> u32 {
    enter(0, || COUNT as u32)
}

unsafe extern "C" fn counter_name(index: u32) -> *const c_char {
    static NAMES: OnceLock<Vec<CString>> = OnceLock::new();
    enter(null(), || {
        let made = || all_names().filter_map(|name| CString::new(name).ok());
        let names = NAMES.get_or_init(|| made().collect());
        names
            .get(index as usize)
            .map_or(null(), |name| name.as_ptr())
    })
}

unsafe extern "C" fn read_counters(handle: *const Handle, values: *mut u64, count: u32) -> i32 {
    enter(INTERNAL, || {
        // SAFETY: null, or a handle that the caller keeps alive during the call.
        let Some(handle) = (unsafe { handle.as_ref() }) else {
            return BAD_ARGUMENT;
        };
        if values.is_null() && count > 0 {
            return BAD_ARGUMENT;
        }
        // Before the figures: those of a closed endpoint are the last.
        let status = handle.status();
        if count > 0 {
            // SAFETY: the caller has room for `count` values there, and nobody else uses it meanwhile.
            let out = unsafe { std::slice::from_raw_parts_mut(values, count as usize) };
            out.fill(0);
            for (slot, value) in out.iter_mut().zip(handle.read()) {
                *slot = value;
            }
        }
        status
    })
}

unsafe extern "C" fn retain(handle: *const Handle) {
    enter((), || {
        if !handle.is_null() {
            // SAFETY: made by `Arc::into_raw`, and alive because the caller holds a count.
            unsafe { Arc::increment_strong_count(handle) };
        }
    });
}

unsafe extern "C" fn release(handle: *const Handle) {
    enter((), || {
        if !handle.is_null() {
            // SAFETY: made by `Arc::into_raw`; the count is the caller's, who gives it away here.
            unsafe { Arc::decrement_strong_count(handle) };
        }
    });
}
