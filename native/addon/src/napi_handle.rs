//! A handle for native neighbours as JavaScript carries it: an object without properties that only native
//! code can look into, with a type tag by which that tells ours from all others. An External would say
//! the same, but Node 24 crashes when one is made the prototype of an object.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::{sys, Env, Unknown};

use crate::c_abi::{enter, Handle, TYPE_TAG};
use crate::error::{Code, Failure, Result};

const TAG: sys::napi_type_tag = sys::napi_type_tag {
    lower: TYPE_TAG.0,
    upper: TYPE_TAG.1,
};

/// A new value that owns `handle` until it is collected.
pub fn value_of(env: &Env, handle: Arc<Handle>) -> Result<Unknown<'static>> {
    let env = env.raw();
    let data = Arc::into_raw(handle);
    let mut value = null_mut();
    // SAFETY: the environment of the running call; `data` owns one count, which the finalizer takes back.
    let made = unsafe {
        sys::napi_create_object(env, &mut value) == sys::Status::napi_ok
            && sys::napi_wrap(
                env,
                value,
                data.cast_mut().cast(),
                Some(on_collected),
                null_mut(),
                null_mut(),
            ) == sys::Status::napi_ok
    };
    if !made {
        // SAFETY: no value owns the count.
        drop(unsafe { Arc::from_raw(data) });
        return Err(refused());
    }
    // SAFETY: the value was made just now; Node copies the tag.
    if unsafe { sys::napi_type_tag_object(env, value, &TAG) } != sys::Status::napi_ok {
        return Err(refused());
    }
    // SAFETY: a value of this call, which hands it to JavaScript.
    Ok(unsafe { Unknown::from_raw_unchecked(env, value) })
}

fn refused() -> Failure {
    Failure::new(
        Code::Internal,
        "the environment makes no value for a handle",
    )
}

unsafe extern "C" fn on_collected(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    enter((), || {
        // SAFETY: Node calls once, with what `value_of` gave it.
        drop(unsafe { Arc::from_raw(data.cast_const().cast::<Handle>()) });
    });
}
