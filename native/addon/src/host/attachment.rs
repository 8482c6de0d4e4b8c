//! What the host takes from its JavaScript environment, and gives back.

use std::ptr::null_mut;

use napi::sys;

use crate::error::{Code, Failure, Result};
use crate::uv;

/// What the host needs from JavaScript; the references are made by the caller and owned here.
pub struct Attachment {
    pub env: sys::napi_env,
    pub on_wake: sys::napi_ref,
    /// Keeps the ring memory alive.
    pub memory: sys::napi_ref,
}

impl Attachment {
    pub(super) fn release(&self) {
        // SAFETY: both references were made in this environment, which still lives.
        unsafe {
            sys::napi_delete_reference(self.env, self.on_wake);
            sys::napi_delete_reference(self.env, self.memory);
        }
    }

    /// Gives back everything, the cleanup hook last: the environment may be gone after it.
    pub(super) fn detach(
        &self,
        context: sys::napi_async_context,
        hook: sys::napi_async_cleanup_hook_handle,
    ) {
        let mut scope = null_mut();
        // SAFETY: the environment lives until its cleanup hook is removed.
        unsafe {
            let scoped = sys::napi_open_handle_scope(self.env, &mut scope) == sys::Status::napi_ok;
            if !context.is_null() {
                sys::napi_async_destroy(self.env, context);
            }
            self.release();
            if scoped {
                sys::napi_close_handle_scope(self.env, scope);
            }
            if !hook.is_null() {
                sys::napi_remove_async_cleanup_hook(hook);
            }
        }
    }
}

pub(super) fn event_loop_of(env: sys::napi_env) -> Result<*mut uv::Loop> {
    let mut event_loop: *mut sys::uv_loop_s = null_mut();
    // SAFETY: `env` is the environment of the running call.
    let status = unsafe { sys::napi_get_uv_event_loop(env, &mut event_loop) };
    if status != sys::Status::napi_ok || event_loop.is_null() {
        return Err(internal("this environment has no event loop"));
    }
    Ok(event_loop.cast())
}

pub(super) fn internal(message: &str) -> Failure {
    Failure::new(Code::Internal, message)
}

/// An exception that is left pending makes every later N-API call fail silently.
///
/// # Safety
/// On the thread of `env`, which lives, with a handle scope open.
pub(super) unsafe fn raise_pending(env: sys::napi_env) {
    // SAFETY: `env` lives and this is its thread.
    unsafe {
        let mut pending = false;
        sys::napi_is_exception_pending(env, &mut pending);
        if !pending {
            return;
        }
        let mut exception = null_mut();
        let status = sys::napi_get_and_clear_last_exception(env, &mut exception);
        if status == sys::Status::napi_ok && !exception.is_null() {
            sys::napi_fatal_exception(env, exception);
        }
    }
}
