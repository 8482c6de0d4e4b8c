//! `NativeEndpoint`: an endpoint over kernel sockets, as JavaScript holds it.

use ggscale_transport_core::{FlowId, FlowStats};
use napi_derive::napi;

#[napi(object)]
pub struct FlowRef {
    pub slot: u32,
    pub generation: u32,
}

impl From<FlowId> for FlowRef {
    fn from(flow: FlowId) -> Self {
        Self {
            slot: flow.slot,
            generation: flow.generation,
        }
    }
}

#[napi(object)]
pub struct BoundAddress {
    pub host: String,
    pub port: u32,
    /// 4 or 6.
    pub family: u32,
}

/// What the kernel gave; see `features.rs`.
#[napi(object)]
pub struct Features {
    pub recvmmsg: bool,
    pub sendmmsg: bool,
    pub gso: bool,
    pub gro: bool,
    pub timestamps: bool,
    pub rxq_overflow: bool,
    pub packet_info: bool,
    pub handshake_socket: bool,
    pub dual_stack: bool,
    pub steering: bool,
    pub receive_buffer_bytes: u32,
    pub send_buffer_bytes: u32,
    pub receive_pause_ms: u32,
}

impl From<crate::features::Features> for Features {
    fn from(from: crate::features::Features) -> Self {
        Self {
            recvmmsg: from.recvmmsg,
            sendmmsg: from.sendmmsg,
            gso: from.gso,
            gro: from.gro,
            timestamps: from.timestamps,
            rxq_overflow: from.rxq_overflow,
            packet_info: from.packet_info,
            handshake_socket: from.handshake_socket,
            dual_stack: from.dual_stack,
            steering: from.steering,
            receive_buffer_bytes: from.receive_buffer_bytes as u32,
            send_buffer_bytes: from.send_buffer_bytes as u32,
            receive_pause_ms: from.receive_pause_ms,
        }
    }
}

/// packetsIn, bytesIn, packetsOut, bytesOut, lost, failedOpens, nx epoch, migrations, 1 for IPv6; false
/// when `out` is shorter.
pub fn write_stats(stats: &FlowStats, out: &mut [f64]) -> bool {
    let values = [
        stats.packets_in,
        stats.bytes_in,
        stats.packets_out,
        stats.bytes_out,
        stats.lost,
        stats.failed_opens,
        u64::from(stats.epoch),
        u64::from(stats.migrations),
        u64::from(stats.path.remote.is_ipv6()),
    ];
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = value as f64;
    }
    out.len() >= values.len()
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use napi::Unknown;
    use napi_derive::napi;

    use crate::error::{Code, Failure};

    #[napi(catch_unwind)]
    pub fn open_server(_: Unknown<'_>, _: Unknown<'_>, _: Unknown<'_>) -> napi::Result<(), Code> {
        Err(unsupported().into())
    }

    #[napi(catch_unwind)]
    pub fn open_client(_: Unknown<'_>, _: Unknown<'_>, _: Unknown<'_>) -> napi::Result<(), Code> {
        Err(unsupported().into())
    }

    fn unsupported() -> Failure {
        Failure::new(
            Code::UnsupportedPlatform,
            "UDP endpoints need Linux for now",
        )
    }
}

#[cfg(target_os = "linux")]
pub use linux::NativeEndpoint;

#[cfg(target_os = "linux")]
mod linux {
    use std::net::IpAddr;
    use std::rc::Rc;

    use ggscale_transport_core::FlowId;
    use napi::bindgen_prelude::{Float64Array, Uint8Array};
    use napi::{Env, Unknown};
    use napi_derive::napi;

    use super::{write_stats, BoundAddress, Features, FlowRef};
    use crate::endpoint::Endpoint;
    use crate::error::{Code, Failure, Result as Checked};
    use crate::host::Host;
    use crate::napi_admission::{self, AdmissionOptions, AdmissionStatus};
    use crate::napi_handle::value_of;
    use crate::napi_options::{add_counters, bad_option, connect_failure, ip_of};
    use crate::peer::Peer;
    use crate::udp::clock_ns;

    #[napi]
    pub struct NativeEndpoint {
        host: Rc<Host>,
        address: std::net::SocketAddr,
        features: crate::features::Features,
        clock_offset_us: u64,
    }

    impl NativeEndpoint {
        pub(crate) fn new(
            host: Rc<Host>,
            address: std::net::SocketAddr,
            features: crate::features::Features,
            clock_offset_us: u64,
        ) -> Self {
            Self {
                host,
                address,
                features,
                clock_offset_us,
            }
        }
    }

    #[napi]
    impl NativeEndpoint {
        /// Due netcode timers, then datagrams into the rx ring; the descriptors waiting there.
        #[napi(catch_unwind)]
        pub fn drain(&self) -> napi::Result<u32, Code> {
            Ok(self.host.drain()?)
        }

        /// Seals and sends the tx ring, or wakes the threads that do; arms the timer. Returns the
        /// descriptors left. `wants_room`: there is more to send than the rings hold.
        #[napi(catch_unwind)]
        pub fn flush(&self, wants_room: bool) -> napi::Result<u32, Code> {
            Ok(self.host.flush(wants_room)?)
        }

        /// Nanoseconds that `drain` and `flush` have taken so far.
        #[napi(catch_unwind)]
        pub fn native_ns(&self) -> f64 {
            self.host.native_ns() as f64
        }

        /// Begins a connection; `OPENED` or `CLOSED` in the rx ring tells how it went.
        #[napi(catch_unwind)]
        pub fn connect(
            &self,
            token: Uint8Array,
            local_host: Option<String>,
        ) -> napi::Result<FlowRef, Code> {
            let local: Option<IpAddr> = local_host.as_deref().map(ip_of).transpose()?;
            let made = self.host.guarded_at(0, |endpoint| {
                let clock = endpoint.clock();
                match &mut endpoint.peer {
                    Peer::Clients(clients) => clients
                        .connect(clock, &token, local)
                        .map_err(connect_failure),
                    Peer::Server { .. } => Err(bad_option("a server does not connect")),
                }
            })?;
            let flow = made.ok_or_else(closed)??;
            // The request leaves now, not at the next turn.
            self.host.guarded_at(0, Endpoint::service)?;
            self.host.rearm();
            Ok(FlowRef::from(flow))
        }

        #[napi(catch_unwind)]
        pub fn address(&self) -> BoundAddress {
            BoundAddress {
                host: self.address.ip().to_string(),
                port: u32::from(self.address.port()),
                family: if self.address.is_ipv6() { 6 } else { 4 },
            }
        }

        #[napi(catch_unwind)]
        pub fn features(&self) -> Features {
            // What the kernel refused since the start shows here too.
            let now = self.host.guarded_at(0, |endpoint| endpoint.io.features());
            let now = now.ok().flatten().unwrap_or(self.features);
            now.into()
        }

        /// The clock now: int32 wrapping microseconds.
        #[napi(catch_unwind)]
        pub fn clock_us(&self) -> i32 {
            if !self.host.is_open() {
                return 0;
            }
            let mono_us = clock_ns(libc::CLOCK_MONOTONIC) / 1000;
            mono_us.wrapping_add(self.clock_offset_us) as i32
        }

        /// Changes what is named. Flows that end by it are told in the next turn.
        #[napi(catch_unwind)]
        pub fn set_admission(&self, options: AdmissionOptions) -> napi::Result<(), Code> {
            let mut done = Ok(());
            let open = self.host.guarded(|engine| {
                engine.each(|endpoint| {
                    if done.is_ok() {
                        done = napi_admission::set_admission(endpoint, &options);
                    }
                });
                engine.poke();
            })?;
            open.ok_or_else(closed)?;
            self.host.rearm();
            Ok(done?)
        }

        #[napi(catch_unwind)]
        pub fn admission(&self) -> napi::Result<AdmissionStatus, Code> {
            let mut sum: Option<Checked<AdmissionStatus>> = None;
            self.host.guarded(|engine| {
                engine.each(|endpoint| {
                    let part = napi_admission::status(endpoint);
                    sum = Some(match (sum.take(), part) {
                        (Some(Ok(sum)), Ok(part)) => Ok(sum.with(&part)),
                        (_, part) => part,
                    });
                });
            })?;
            Ok(sum.ok_or_else(closed)??)
        }

        #[napi(catch_unwind)]
        pub fn counters(&self, mut out: Float64Array) -> napi::Result<(), Code> {
            // SAFETY: nobody else writes this array during the call.
            let out = unsafe { out.as_mut() };
            out.fill(0.0);
            self.host
                .guarded(|engine| engine.each(|endpoint| add_counters(endpoint, out)))?;
            Ok(())
        }

        /// For native modules of the same process: an object with a type tag (napi_handle.rs).
        #[napi(catch_unwind)]
        pub fn native_handle(&self, env: Env) -> napi::Result<Unknown<'static>, Code> {
            let handle = self.host.neighbour_handle()?.ok_or_else(closed)?;
            Ok(value_of(&env, handle)?)
        }

        #[napi(catch_unwind)]
        pub fn flow_stats(
            &self,
            slot: u32,
            generation: u32,
            mut out: Float64Array,
        ) -> napi::Result<bool, Code> {
            let flow = FlowId { slot, generation };
            let stats = self
                .host
                .guarded_at(slot, |endpoint| endpoint.flow_stats(flow))?
                .flatten();
            // SAFETY: nobody else writes this array during the call.
            Ok(stats.is_some_and(|stats| write_stats(&stats, unsafe { out.as_mut() })))
        }

        #[napi(catch_unwind)]
        pub fn flow_address(
            &self,
            slot: u32,
            generation: u32,
        ) -> napi::Result<Option<String>, Code> {
            let flow = FlowId { slot, generation };
            let stats = self
                .host
                .guarded_at(slot, |endpoint| endpoint.flow_stats(flow))?
                .flatten();
            Ok(stats.map(|stats| stats.path.remote.to_string()))
        }

        #[napi(catch_unwind)]
        pub fn set_tick_interval_us(&self, us: f64) -> napi::Result<(), Code> {
            self.host.set_tick_interval_us(us);
            Ok(())
        }

        /// An open endpoint keeps the process alive; `unref` takes that back.
        #[napi(catch_unwind, js_name = "ref")]
        pub fn reference(&self) {
            self.host.set_referenced(true);
        }

        #[napi(catch_unwind, js_name = "unref")]
        pub fn unreference(&self) {
            self.host.set_referenced(false);
        }

        /// Idempotent: sends what is queued, says goodbye to every flow, stops, frees.
        #[napi(catch_unwind)]
        pub fn close(&self) {
            self.host.close(true);
        }
    }

    fn closed() -> Failure {
        Failure::new(Code::Closed, "the endpoint is closed")
    }
}
