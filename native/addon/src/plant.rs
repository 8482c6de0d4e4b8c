//! Panics on request, so that a test can see that none crosses into C. Only with the feature
//! `planted-panics`, which no build that ships has; without it this is nothing.

/// Where a panic can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// An N-API call of an endpoint, in the middle of its work.
    Call,
    /// An N-API call that needs no endpoint.
    Function,
    /// libuv: a socket is readable or writable.
    Socket,
    /// libuv: the timer.
    Clock,
    /// libuv: a handle is closed.
    Closed,
    /// The environment ends.
    Cleanup,
    /// An I/O thread, in the middle of its turn.
    Thread,
}

#[cfg(not(feature = "planted-panics"))]
#[inline(always)]
pub fn hit(_: Point) {}

#[cfg(feature = "planted-panics")]
pub use planted::hit;

#[cfg(feature = "planted-panics")]
mod planted {
    use std::sync::Mutex;

    use napi_derive::napi;

    use super::Point;

    const NAMES: [(&str, Point); 7] = [
        ("call", Point::Call),
        ("function", Point::Function),
        ("socket", Point::Socket),
        ("clock", Point::Clock),
        ("closed", Point::Closed),
        ("cleanup", Point::Cleanup),
        ("thread", Point::Thread),
    ];

    static NEXT: Mutex<Option<Point>> = Mutex::new(None);

    /// Whoever comes by `point` next panics, once. False: there is no such point.
    #[napi(catch_unwind)]
    pub fn plant_panic(point: String) -> bool {
        let found = NAMES.iter().find(|(name, _)| *name == point);
        if let Ok(mut next) = NEXT.lock() {
            *next = found.map(|(_, point)| *point);
        }
        found.is_some()
    }

    #[allow(clippy::panic)]
    pub fn hit(point: Point) {
        let is_here = NEXT.lock().is_ok_and(|mut next| {
            let is_here = *next == Some(point);
            if is_here {
                *next = None;
            }
            is_here
        });
        if is_here {
            panic!("planted at {point:?}");
        }
    }
}
