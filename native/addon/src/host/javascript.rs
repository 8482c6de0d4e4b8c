//! Calls into JavaScript.

use std::ptr::null_mut;

use napi::sys;

use super::attachment::raise_pending;

/// Calls the wake function with its reasons, as a callback of the event loop: what it throws is an
/// uncaught exception, and microtasks run behind it.
///
/// # Safety
/// On the thread of `env`, which lives, with nothing of the endpoint borrowed.
pub(super) unsafe fn call_wake(
    env: sys::napi_env,
    context: sys::napi_async_context,
    on_wake: sys::napi_ref,
    reasons: u32,
) {
    // SAFETY: `env` lives, this is its thread, and every value is made in the scope opened here.
    unsafe {
        let mut scope = null_mut();
        if sys::napi_open_handle_scope(env, &mut scope) != sys::Status::napi_ok {
            return;
        }
        let (mut global, mut function) = (null_mut(), null_mut());
        let (mut argument, mut result) = (null_mut(), null_mut());
        sys::napi_get_global(env, &mut global);
        sys::napi_get_reference_value(env, on_wake, &mut function);
        sys::napi_create_uint32(env, reasons, &mut argument);
        if !global.is_null() && !function.is_null() && !argument.is_null() {
            let status =
                sys::napi_make_callback(env, context, global, function, 1, &argument, &mut result);
            if status != sys::Status::napi_ok {
                raise_pending(env);
            }
        }
        sys::napi_close_handle_scope(env, scope);
    }
}

/// An uncaught exception with the code `internal-error`.
///
/// # Safety
/// As for `call_wake`.
pub(super) unsafe fn raise_bug(env: sys::napi_env) {
    // SAFETY: as in `call_wake`.
    unsafe {
        let code = "internal-error";
        let message = super::BUG;
        let mut scope = null_mut();
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
