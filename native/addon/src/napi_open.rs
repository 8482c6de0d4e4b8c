//! Opening endpoints: options become sockets, cores, rings and whoever drives them.

use std::sync::atomic::AtomicU32;
use std::sync::Arc;

use ggscale_transport_core::Clock;
use napi::{sys, Env, JsValue, Unknown};
use napi_derive::napi;

use crate::endpoint::{Endpoint, EndpointOptions};
use crate::error::{Code, Result as Checked};
use crate::host::{Attachment, Engine, Host};
use crate::napi_endpoint::NativeEndpoint;
use crate::napi_options::{
    bad_option, bind_address, driver_of, endpoint_options, memory_of, ClientOptions, ServerOptions,
};
use crate::pace::{Driver, Pace};
use crate::peer::Peer;
use crate::ring::{Geometry, Memory};
use crate::schedule::Schedule;
use crate::slots::Slots;
use crate::threads::Threads;
use crate::udp::{clock_ns, Group, UdpIo, UdpOptions};

/// The kernel's steering program knows as many sockets.
const THREADS_MAX: u32 = 16;

/// When JavaScript takes its turns, and who moves the datagrams.
struct Driving {
    driver: Driver,
    tick_interval_us: f64,
    /// 0: the JavaScript thread.
    threads: u32,
    affinity: Vec<u32>,
}

/// A driver's name and its tick.
fn driving(driver: &str, tick_interval_us: f64) -> Checked<Driving> {
    Ok(Driving {
        driver: driver_of(driver, tick_interval_us)?,
        tick_interval_us,
        threads: 0,
        affinity: Vec::new(),
    })
}

#[napi(catch_unwind)]
pub fn open_server(
    env: Env,
    memory: Unknown<'_>,
    options: ServerOptions,
    on_wake: Unknown<'_>,
) -> napi::Result<NativeEndpoint, Code> {
    let mut driving = driving(&options.driver, options.tick_interval_us)?;
    driving.threads = options.threads.unwrap_or(0);
    driving.affinity = options.affinity.clone().unwrap_or_default();
    let settings = endpoint_options(options.clock_offset_us, options.max_payload_bytes)?;
    let udp = UdpOptions {
        handshake_socket: true,
        gro: options.gro.unwrap_or(false),
        expected_flows: options.max_flows,
        receive_buffer_bytes: options.receive_buffer_bytes as usize,
        send_buffer_bytes: options.send_buffer_bytes as usize,
        ..UdpOptions::new(bind_address(&options.host, options.port)?)
    };
    let peers = servers(&options, first_clock(&settings), driving.threads)?;
    let opening = Opening {
        env: env.raw(),
        memory: &memory,
        on_wake: &on_wake,
    };
    Ok(opening.open(&driving, settings, &udp, peers)?)
}

#[napi(catch_unwind)]
pub fn open_client(
    env: Env,
    memory: Unknown<'_>,
    options: ClientOptions,
    on_wake: Unknown<'_>,
) -> napi::Result<NativeEndpoint, Code> {
    let driving = driving(&options.driver, options.tick_interval_us)?;
    let settings = endpoint_options(options.clock_offset_us, options.max_payload_bytes)?;
    let udp = UdpOptions {
        gro: options.gro.unwrap_or(true),
        expected_flows: options.max_flows,
        receive_buffer_bytes: options.receive_buffer_bytes as usize,
        send_buffer_bytes: options.send_buffer_bytes as usize,
        ..UdpOptions::new(bind_address(&options.host, options.port)?)
    };
    let peers = vec![options.peer()?];
    let opening = Opening {
        env: env.raw(),
        memory: &memory,
        on_wake: &on_wake,
    };
    Ok(opening.open(&driving, settings, &udp, peers)?)
}

/// One core for each thread; they share flows and admission, so limits count for all together.
fn servers(options: &ServerOptions, clock: Clock, threads: u32) -> Checked<Vec<Peer>> {
    if threads > THREADS_MAX {
        let message = format!("threads must be from 0 to {THREADS_MAX}, not {threads}");
        return Err(bad_option(message));
    }
    let shared = Arc::new(AtomicU32::new(0));
    let mut peers: Vec<Peer> = Vec::new();
    for worker in 0..threads.max(1) {
        let mut config = options.config()?;
        config.worker = worker as u8;
        if threads > 1 {
            config.shared_flows = Some(Arc::clone(&shared));
            config.shared_admission = peers.first().and_then(Peer::admission).cloned();
        }
        peers.push(ServerOptions::open(config, clock)?);
    }
    Ok(peers)
}

fn first_clock(settings: &EndpointOptions) -> Clock {
    Clock {
        mono_us: clock_ns(libc::CLOCK_MONOTONIC) / 1000 + settings.clock_offset_us,
        unix_s: clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000,
    }
}

/// What JavaScript gave beside the options.
struct Opening<'a> {
    env: sys::napi_env,
    memory: &'a Unknown<'a>,
    on_wake: &'a Unknown<'a>,
}

impl Opening<'_> {
    fn open(
        &self,
        driving: &Driving,
        settings: EndpointOptions,
        udp: &UdpOptions,
        peers: Vec<Peer>,
    ) -> Checked<NativeEndpoint> {
        let sections = memory_of(self.env, self.memory, peers.len())?;
        let sockets = Group::open(udp, peers.len())?;
        let first = sections.first().zip(sockets.first());
        let (&(view, _), socket) = first.ok_or_else(|| bad_option("no ring memory"))?;
        let (address, features) = (socket.local_address(), socket.features());
        let now_ns = clock_ns(libc::CLOCK_MONOTONIC);
        let offset_us = settings.clock_offset_us;
        let schedule = Schedule::new(view, now_ns, driving.tick_interval_us, offset_us);
        // Threads put wakes together themselves; JavaScript waiting as well would double the delay.
        let driver = match driving.driver {
            Driver::Auto if driving.threads > 0 => Driver::Immediate,
            driver => driver,
        };
        let pace = Pace::new(driver, schedule, now_ns);
        let engine = engine(driving, settings, sockets, peers, sections)?;
        let host = Host::start(self.attach()?, engine, pace, false)?;
        Ok(NativeEndpoint::new(host, address, features, offset_us))
    }

    fn attach(&self) -> Checked<Attachment> {
        let Self {
            env,
            memory,
            on_wake,
        } = *self;
        let mut attachment = Attachment {
            env,
            on_wake: std::ptr::null_mut(),
            memory: std::ptr::null_mut(),
        };
        let mut kind = sys::ValueType::napi_undefined;
        // SAFETY: the environment of the running call and values of it.
        let made = unsafe {
            sys::napi_typeof(env, on_wake.raw(), &mut kind);
            kind == sys::ValueType::napi_function
                && sys::napi_create_reference(env, on_wake.raw(), 1, &mut attachment.on_wake)
                    == sys::Status::napi_ok
                && sys::napi_create_reference(env, memory.raw(), 1, &mut attachment.memory)
                    == sys::Status::napi_ok
        };
        if made {
            Ok(attachment)
        } else {
            Err(bad_option("onWake must be a function"))
        }
    }
}

fn engine(
    driving: &Driving,
    settings: EndpointOptions,
    sockets: Vec<UdpIo>,
    peers: Vec<Peer>,
    sections: Vec<(Memory, Geometry)>,
) -> Checked<Engine> {
    let count = peers.len() as u32;
    let parts = sockets.into_iter().zip(peers).zip(sections).zip(0..);
    let mut endpoints = parts.map(|(((io, peer), (memory, geometry)), thread)| {
        let settings = EndpointOptions {
            slots: Slots::of(thread, count),
            ..settings
        };
        let endpoint = Endpoint::new(io, peer, memory, &geometry, settings);
        (endpoint, memory)
    });
    if driving.threads > 0 {
        let is_moderated = driving.driver != Driver::Immediate;
        let threads = Threads::start(endpoints.collect(), &driving.affinity, is_moderated)?;
        return Ok(Engine::Threads(threads));
    }
    let (endpoint, _) = endpoints
        .next()
        .ok_or_else(|| bad_option("no ring memory"))?;
    Ok(Engine::Inline(endpoint))
}
