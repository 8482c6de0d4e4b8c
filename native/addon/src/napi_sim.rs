//! `SimEndpoint`: the production endpoint over memory queues and an injected clock.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};

use ggscale_transport_core::{Clock, FlowId};
use napi::bindgen_prelude::{Float64Array, Uint8Array};
use napi::{sys, Env, JsValue, Unknown};
use napi_derive::napi;

use crate::endpoint::Endpoint;
use crate::error::{Code, Failure};
use crate::napi_admission::{set_admission, status, AdmissionOptions, AdmissionStatus};
use crate::napi_endpoint::{write_stats, FlowRef};
use crate::napi_options::{
    add_counters, address_of, bad_option, connect_failure, endpoint_options, memory_of, whole,
    SimOptions, Thrown,
};
use crate::pace::{Driver, Pace};
use crate::peer::Peer;
use crate::schedule::Schedule;
use crate::sim::SimIo;

#[napi(object)]
pub struct SimTransmit {
    pub address: String,
    pub length: u32,
}

/// The endpoint and what its driver waits for.
struct Simulation {
    endpoint: Endpoint<SimIo>,
    pace: Pace,
}

#[napi]
pub struct SimEndpoint {
    simulation: RefCell<Option<Simulation>>,
    env: sys::napi_env,
    memory: sys::napi_ref,
}

#[napi(catch_unwind)]
pub fn open_sim(
    env: Env,
    memory: Unknown<'_>,
    options: SimOptions,
) -> napi::Result<SimEndpoint, Code> {
    let sections = memory_of(env.raw(), &memory, 1)?;
    let Some(&(view, geometry)) = sections.first() else {
        return Err(bad_option("no ring memory").into());
    };
    let start_us = whole(options.start_us, "startUs")?;
    let unix_s = whole(options.unix_s, "unixS")?;
    let payload = options.max_payload_bytes;
    let settings = endpoint_options(0.0, payload)?;
    let peer = options.peer(Clock {
        mono_us: start_us,
        unix_s,
    })?;
    let mut reference = std::ptr::null_mut();
    // SAFETY: the environment of the running call and a value of it.
    unsafe { sys::napi_create_reference(env.raw(), memory.raw(), 1, &mut reference) };
    let io = SimIo::new(start_us, unix_s);
    let schedule = Schedule::new(view, start_us * 1000, options.tick_interval_us, 0);
    let simulation = Simulation {
        endpoint: Endpoint::new(io, peer, view, &geometry, settings),
        pace: Pace::new(Driver::Immediate, schedule, start_us * 1000),
    };
    Ok(SimEndpoint {
        simulation: RefCell::new(Some(simulation)),
        env: env.raw(),
        memory: reference,
    })
}

#[napi]
impl SimEndpoint {
    #[napi(catch_unwind)]
    pub fn drain(&self) -> napi::Result<u32, Code> {
        self.with(0, |Simulation { endpoint, pace }| {
            let drained = endpoint.drain();
            pace.begin_turn(drained.now_ns, drained.datagrams);
            drained.waiting
        })
    }

    #[napi(catch_unwind)]
    pub fn flush(&self) -> napi::Result<u32, Code> {
        self.with(0, |it| it.endpoint.flush())
    }

    /// Runs netcode's own timers; true when JavaScript should take a turn.
    #[napi(catch_unwind)]
    pub fn service(&self) -> napi::Result<bool, Code> {
        self.with(false, |it| it.endpoint.service())
    }

    #[napi(catch_unwind)]
    pub fn set_time(&self, us: f64) -> napi::Result<(), Code> {
        let us = whole(us, "us")?;
        self.with((), |it| it.endpoint.io.set_time_us(us))
    }

    #[napi(catch_unwind)]
    pub fn inject(&self, address: String, bytes: Uint8Array) -> napi::Result<(), Code> {
        let remote = address_of(&address)?;
        self.with((), |it| it.endpoint.io.inject(remote, &bytes))
    }

    /// The next datagram sent, copied to the front of `out`; null when there is none.
    #[napi(catch_unwind)]
    pub fn poll_transmit(&self, mut out: Uint8Array) -> napi::Result<Option<SimTransmit>, Code> {
        let next = self.with(None, |it| it.endpoint.io.poll_transmit())?;
        let Some((path, bytes)) = next else {
            return Ok(None);
        };
        // SAFETY: nobody else writes this array during the call.
        match unsafe { out.as_mut() }.get_mut(..bytes.len()) {
            Some(part) => part.copy_from_slice(&bytes),
            None => return Err(bad_option("out is shorter than the datagram").into()),
        }
        let length = bytes.len() as u32;
        Ok(Some(SimTransmit {
            address: path.remote.to_string(),
            length,
        }))
    }

    /// When the endpoint wants to run again, in microseconds of its clock; null: not by itself.
    #[napi(catch_unwind)]
    pub fn deadline_us(&self) -> napi::Result<Option<f64>, Code> {
        self.with(None, |Simulation { endpoint, pace }| {
            let wake = pace.next_wake(endpoint.mono_ns(), &endpoint.waiting())?;
            Some(wake.at_ns.div_ceil(1000) as f64)
        })
    }

    /// The wake reasons that are due now; 0 when none is (netcode alone may be, see `service`).
    #[napi(catch_unwind)]
    pub fn due_reasons(&self) -> napi::Result<u32, Code> {
        self.with(0, |Simulation { endpoint, pace }| {
            pace.due(endpoint.mono_ns(), &endpoint.waiting())
        })
    }

    #[napi(catch_unwind)]
    pub fn connect(&self, token: Uint8Array) -> napi::Result<FlowRef, Code> {
        let made = self.with(None, |Simulation { endpoint, .. }| {
            let clock = endpoint.clock();
            Some(match &mut endpoint.peer {
                Peer::Clients(clients) => clients
                    .connect(clock, &token, None)
                    .map_err(connect_failure),
                Peer::Server { .. } => Err(bad_option("a server does not connect")),
            })
        })?;
        let closed = Failure::new(Code::Closed, "the endpoint is closed");
        Ok(FlowRef::from(made.ok_or(closed)??))
    }

    #[napi(catch_unwind)]
    pub fn set_admission(&self, options: AdmissionOptions) -> napi::Result<(), Code> {
        Ok(self.with(Ok(()), |sim| set_admission(&mut sim.endpoint, &options))??)
    }

    #[napi(catch_unwind)]
    pub fn admission(&self) -> napi::Result<AdmissionStatus, Code> {
        let closed = Failure::new(Code::Closed, "the endpoint is closed");
        Ok(self.with(Err(closed), |sim| status(&mut sim.endpoint))??)
    }

    #[napi(catch_unwind)]
    pub fn counters(&self, mut out: Float64Array) -> napi::Result<(), Code> {
        // SAFETY: nobody else writes this array during the call.
        let out = unsafe { out.as_mut() };
        out.fill(0.0);
        self.with((), |it| add_counters(&it.endpoint, out))
    }

    #[napi(catch_unwind)]
    pub fn flow_stats(
        &self,
        slot: u32,
        generation: u32,
        mut out: Float64Array,
    ) -> napi::Result<bool, Code> {
        let stats = self.with(None, |Simulation { endpoint, .. }| {
            endpoint.peer.flow_stats(FlowId { slot, generation })
        })?;
        // SAFETY: nobody else writes this array during the call.
        Ok(stats.is_some_and(|stats| write_stats(&stats, unsafe { out.as_mut() })))
    }

    #[napi(catch_unwind)]
    pub fn flow_address(&self, slot: u32, generation: u32) -> napi::Result<Option<String>, Code> {
        self.with(None, |Simulation { endpoint, .. }| {
            let stats = endpoint.peer.flow_stats(FlowId { slot, generation })?;
            Some(stats.path.remote.to_string())
        })
    }

    #[napi(catch_unwind)]
    pub fn set_tick_interval_us(&self, us: f64) -> napi::Result<(), Code> {
        self.with((), |Simulation { endpoint, pace }| {
            pace.schedule.set_tick_interval_us(endpoint.mono_ns(), us);
        })
    }

    #[napi(catch_unwind)]
    pub fn check_invariants(&self) -> napi::Result<(), Code> {
        self.with((), |it| it.endpoint.check_invariants())
    }

    /// Says goodbye to every flow; what that sends stays pollable. Idempotent.
    #[napi(catch_unwind)]
    pub fn close(&self) -> napi::Result<(), Code> {
        self.with((), |it| it.endpoint.finish())
    }
}

impl SimEndpoint {
    /// Runs `work`; a panic ends the endpoint and becomes an error.
    fn with<R>(&self, closed: R, work: impl FnOnce(&mut Simulation) -> R) -> napi::Result<R, Code> {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut simulation = self.simulation.try_borrow_mut().ok()?;
            simulation.as_mut().map(work)
        }));
        match result {
            Ok(done) => Ok(done.unwrap_or(closed)),
            Err(_) => {
                if let Ok(mut simulation) = self.simulation.try_borrow_mut() {
                    *simulation = None;
                }
                let failure = Failure::new(Code::Internal, "a bug in the native endpoint");
                Err(Thrown::from(failure))
            }
        }
    }
}

impl Drop for SimEndpoint {
    fn drop(&mut self) {
        // SAFETY: finalizers run on the thread of the environment.
        unsafe { sys::napi_delete_reference(self.env, self.memory) };
    }
}
