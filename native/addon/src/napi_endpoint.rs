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

/// packetsIn, bytesIn, packetsOut, bytesOut, lost, failedOpens, nx epoch, migrations; false when
/// `out` is shorter.
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
mod linux {
    use std::net::IpAddr;
    use std::rc::Rc;

    use ggscale_transport_core::{Clock, FlowId};
    use napi::bindgen_prelude::{Float64Array, Uint8Array};
    use napi::{sys, Env, JsValue, Unknown};
    use napi_derive::napi;

    use super::{write_stats, BoundAddress, Features, FlowRef};
    use crate::endpoint::{Endpoint, EndpointOptions};
    use crate::error::{Code, Failure, Result as Checked};
    use crate::host::{Attachment, Host};
    use crate::napi_admission::{set_admission, status, AdmissionOptions, AdmissionStatus};
    use crate::napi_options::{
        bad_option, bind_address, connect_failure, driver_of, endpoint_options, ip_of, memory_of,
        write_counters, ClientOptions, ServerOptions,
    };
    use crate::pace::{Driver, Pace};
    use crate::peer::Peer;
    use crate::schedule::Schedule;
    use crate::udp::{clock_ns, UdpIo, UdpOptions};

    #[napi]
    pub struct NativeEndpoint {
        host: Rc<Host>,
        address: std::net::SocketAddr,
        features: crate::features::Features,
    }

    /// When JavaScript takes its turns.
    struct Driving {
        driver: Driver,
        tick_interval_us: f64,
    }

    #[napi(catch_unwind)]
    pub fn open_server(
        env: Env,
        memory: Unknown<'_>,
        options: ServerOptions,
        on_wake: Unknown<'_>,
    ) -> napi::Result<NativeEndpoint, Code> {
        let driving = Driving {
            driver: driver_of(&options.driver, options.tick_interval_us)?,
            tick_interval_us: options.tick_interval_us,
        };
        let settings = endpoint_options(options.clock_offset_us, options.max_payload_bytes)?;
        let udp = UdpOptions {
            handshake_socket: true,
            gro: options.gro.unwrap_or(false),
            expected_flows: options.max_flows,
            receive_buffer_bytes: options.receive_buffer_bytes as usize,
            send_buffer_bytes: options.send_buffer_bytes as usize,
            ..UdpOptions::new(bind_address(&options.host, options.port)?)
        };
        let peer = options.peer(first_clock(&settings))?;
        Ok(open(
            env, &memory, &on_wake, &driving, settings, &udp, peer,
        )?)
    }

    #[napi(catch_unwind)]
    pub fn open_client(
        env: Env,
        memory: Unknown<'_>,
        options: ClientOptions,
        on_wake: Unknown<'_>,
    ) -> napi::Result<NativeEndpoint, Code> {
        let driving = Driving {
            driver: driver_of(&options.driver, options.tick_interval_us)?,
            tick_interval_us: options.tick_interval_us,
        };
        let settings = endpoint_options(options.clock_offset_us, options.max_payload_bytes)?;
        let udp = UdpOptions {
            gro: options.gro.unwrap_or(true),
            expected_flows: options.max_flows,
            receive_buffer_bytes: options.receive_buffer_bytes as usize,
            send_buffer_bytes: options.send_buffer_bytes as usize,
            ..UdpOptions::new(bind_address(&options.host, options.port)?)
        };
        let peer = options.peer()?;
        Ok(open(
            env, &memory, &on_wake, &driving, settings, &udp, peer,
        )?)
    }

    fn first_clock(settings: &EndpointOptions) -> Clock {
        Clock {
            mono_us: clock_ns(libc::CLOCK_MONOTONIC) / 1000 + settings.clock_offset_us,
            unix_s: clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000,
        }
    }

    fn open(
        env: Env,
        memory: &Unknown<'_>,
        on_wake: &Unknown<'_>,
        driving: &Driving,
        settings: EndpointOptions,
        udp: &UdpOptions,
        peer: Peer,
    ) -> Checked<NativeEndpoint> {
        let (view, geometry) = memory_of(env.raw(), memory)?;
        let io = UdpIo::open(udp)?;
        let (address, features) = (io.local_address(), io.features());
        let now_ns = clock_ns(libc::CLOCK_MONOTONIC);
        let schedule = Schedule::new(
            view,
            now_ns,
            driving.tick_interval_us,
            settings.clock_offset_us,
        );
        let pace = Pace::new(driving.driver, schedule, now_ns);
        let endpoint = Endpoint::new(io, peer, view, &geometry, settings);
        let attachment = attach(env.raw(), memory, on_wake)?;
        let host = Host::start(attachment, endpoint, pace, false)?;
        Ok(NativeEndpoint {
            host,
            address,
            features,
        })
    }

    fn attach(
        env: sys::napi_env,
        memory: &Unknown<'_>,
        on_wake: &Unknown<'_>,
    ) -> Checked<Attachment> {
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

    #[napi]
    impl NativeEndpoint {
        /// Due netcode timers, then datagrams into the rx ring; the descriptors waiting there.
        #[napi(catch_unwind)]
        pub fn drain(&self) -> napi::Result<u32, Code> {
            Ok(self.host.drain()?)
        }

        /// Seals and sends the tx ring, arms the timer; the descriptors left in it.
        #[napi(catch_unwind)]
        pub fn flush(&self) -> napi::Result<u32, Code> {
            Ok(self.host.flush()?)
        }

        /// Begins a connection; `OPENED` or `CLOSED` in the rx ring tells how it went.
        #[napi(catch_unwind)]
        pub fn connect(
            &self,
            token: Uint8Array,
            local_host: Option<String>,
        ) -> napi::Result<FlowRef, Code> {
            let local: Option<IpAddr> = local_host.as_deref().map(ip_of).transpose()?;
            let made = self.host.guarded(|endpoint| {
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
            self.host.guarded(Endpoint::service)?;
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
            let now = self
                .host
                .with(|endpoint| endpoint.io.features())
                .unwrap_or(self.features);
            now.into()
        }

        /// The clock now: int32 wrapping microseconds.
        #[napi(catch_unwind)]
        pub fn clock_us(&self) -> i32 {
            self.host
                .with(|endpoint| endpoint.clock().mono_us as i32)
                .unwrap_or(0)
        }

        /// Changes what is named. Flows that end by it are told in the next turn.
        #[napi(catch_unwind)]
        pub fn set_admission(&self, options: AdmissionOptions) -> napi::Result<(), Code> {
            let done = self
                .host
                .guarded(|endpoint| set_admission(endpoint, &options))?;
            done.ok_or_else(closed)??;
            self.host.rearm();
            Ok(())
        }

        #[napi(catch_unwind)]
        pub fn admission(&self) -> napi::Result<AdmissionStatus, Code> {
            Ok(self.host.guarded(status)?.ok_or_else(closed)??)
        }

        #[napi(catch_unwind)]
        pub fn counters(&self, mut out: Float64Array) -> napi::Result<(), Code> {
            // SAFETY: nobody else writes this array during the call.
            let out = unsafe { out.as_mut() };
            self.host
                .guarded(|endpoint| write_counters(endpoint, out))?;
            Ok(())
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
                .guarded(|endpoint| endpoint.peer.flow_stats(flow))?
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
                .guarded(|endpoint| endpoint.peer.flow_stats(flow))?
                .flatten();
            Ok(stats.map(|stats| stats.path.remote.to_string()))
        }

        #[napi(catch_unwind)]
        pub fn set_tick_interval_us(&self, us: f64) -> napi::Result<(), Code> {
            Ok(self.host.set_tick_interval_us(us)?)
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
