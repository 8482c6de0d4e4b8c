//! Options as JavaScript gives them, checked and turned into what the parts need.

use std::net::{IpAddr, SocketAddr};

use ggscale_transport_core::{
    AdmissionSettings, ConfigError, Random, Registry, Server, ServerConfig, KEY_BYTES,
};
use napi::bindgen_prelude::{BigInt, Uint8Array};
use napi::{sys, JsValue, Unknown};
use napi_derive::napi;

use crate::clients::{Clients, ConnectError};
use crate::counters::{all_names, Counter};
use crate::endpoint::{Endpoint, EndpointOptions};
use crate::error::{Code, Failure, Result};
use crate::io::Io;
use crate::layout::{self as l};
use crate::napi_admission::{refusal_of, settings_of, AdmissionOptions};
use crate::napi_nx::{client_nx, server_nx};
use crate::pace::Driver;
use crate::peer::Peer;
use crate::ring::{Geometry, Memory};
use crate::slots::Slots;

/// An error whose `code` is ours instead of N-API's.
pub type Thrown = napi::Error<Code>;

impl From<Failure> for Thrown {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.message)
    }
}

#[napi(object)]
pub struct ServerOptions {
    pub host: String,
    pub port: u32,
    pub protocol_id: BigInt,
    pub private_key: Uint8Array,
    /// Addresses that a token must name one of; empty: any.
    pub server_addresses: Vec<String>,
    pub max_flows: u32,
    /// `immediate`, `auto` or `tick`.
    pub driver: String,
    pub tick_interval_us: f64,
    /// I/O threads; 0: the JavaScript thread moves the datagrams.
    pub threads: Option<u32>,
    /// A CPU for each thread; none: wherever the system likes.
    pub affinity: Option<Vec<u32>>,
    pub receive_buffer_bytes: u32,
    pub send_buffer_bytes: u32,
    pub gro: Option<bool>,
    pub max_payload_bytes: u32,
    pub clock_offset_us: f64,
    pub admission: Option<AdmissionOptions>,
    pub token_history: Option<u32>,
    pub max_token_lifetime_s: Option<u32>,
    pub development: Option<bool>,
    /// `off`, `allow` (default) or `require`.
    pub nx: Option<String>,
}

#[napi(object)]
pub struct ClientOptions {
    pub host: String,
    pub port: u32,
    pub max_flows: u32,
    pub driver: String,
    pub tick_interval_us: f64,
    pub receive_buffer_bytes: u32,
    pub send_buffer_bytes: u32,
    pub gro: Option<bool>,
    pub max_payload_bytes: u32,
    pub clock_offset_us: f64,
    /// `off`, `auto` (default) or `require`.
    pub nx: Option<String>,
    pub x25519: Option<bool>,
}

#[napi(object)]
pub struct SimOptions {
    /// `server` or `client`.
    pub role: String,
    /// Everything random follows from it.
    pub seed: f64,
    pub start_us: f64,
    /// The wall clock, in seconds since 1970, at `startUs`.
    pub unix_s: f64,
    pub max_flows: u32,
    pub max_payload_bytes: u32,
    pub tick_interval_us: f64,
    pub protocol_id: Option<BigInt>,
    pub private_key: Option<Uint8Array>,
    pub server_addresses: Option<Vec<String>>,
    pub admission: Option<AdmissionOptions>,
    pub token_history: Option<u32>,
    pub max_token_lifetime_s: Option<u32>,
    pub development: Option<bool>,
    /// As of a server or a client.
    pub nx: Option<String>,
}

impl ServerOptions {
    pub fn config(&self) -> Result<ServerConfig> {
        let key = key_of(&self.private_key, "privateKey")?;
        let random = os_random()?;
        let mut config = ServerConfig::new(u64_of(&self.protocol_id, "protocolId")?, key, random);
        config.server_addresses = addresses_of(&self.server_addresses)?;
        config.max_flows = self.max_flows;
        config.max_payload_bytes = self.max_payload_bytes as usize;
        config.admission = admission_of(&self.admission)?;
        config.token_history = self
            .token_history
            .map_or(config.token_history, |count| count as usize);
        config.max_token_lifetime_s = self.max_token_lifetime_s;
        config.development = self.development.unwrap_or(false);
        config.nx = server_nx(self.nx.as_deref())?;
        Ok(config)
    }

    pub fn open(config: ServerConfig, clock: ggscale_transport_core::Clock) -> Result<Peer> {
        server_of(config, clock)
    }
}

impl ClientOptions {
    pub fn peer(&self) -> Result<Peer> {
        let payload = self.max_payload_bytes as usize;
        let mut clients = Clients::new(self.max_flows, payload, os_random()?);
        let x25519 = self.x25519.unwrap_or(false);
        clients.set_nx(client_nx(self.nx.as_deref())?, x25519);
        Ok(Peer::Clients(Box::new(clients)))
    }
}

impl SimOptions {
    pub fn peer(&self, clock: ggscale_transport_core::Clock) -> Result<Peer> {
        let random = Random::from_number(self.seed.to_bits());
        let payload = self.max_payload_bytes as usize;
        match self.role.as_str() {
            "client" => {
                let mut clients = Clients::new(self.max_flows, payload, random);
                clients.set_nx(client_nx(self.nx.as_deref())?, false);
                Ok(Peer::Clients(Box::new(clients)))
            }
            "server" => {
                let missing = |name: &str| bad_option(format!("{name} is required for a server"));
                let key = self
                    .private_key
                    .as_ref()
                    .ok_or_else(|| missing("privateKey"))?;
                let id = self
                    .protocol_id
                    .as_ref()
                    .ok_or_else(|| missing("protocolId"))?;
                let key = key_of(key, "privateKey")?;
                let mut config = ServerConfig::new(u64_of(id, "protocolId")?, key, random);
                config.server_addresses =
                    addresses_of(self.server_addresses.as_deref().unwrap_or(&[]))?;
                config.max_flows = self.max_flows;
                config.max_payload_bytes = payload;
                config.admission = admission_of(&self.admission)?;
                config.token_history = self
                    .token_history
                    .map_or(config.token_history, |count| count as usize);
                config.max_token_lifetime_s = self.max_token_lifetime_s;
                config.development = self.development.unwrap_or(false);
                config.nx = server_nx(self.nx.as_deref())?;
                // Two simulated machines with one key do not share their memory.
                config.registry = Some(Registry::isolated());
                server_of(config, clock)
            }
            _ => Err(bad_option("role is 'server' or 'client'")),
        }
    }
}

fn admission_of(options: &Option<AdmissionOptions>) -> Result<AdmissionSettings> {
    let defaults = AdmissionSettings::default();
    match options {
        Some(options) => settings_of(defaults, options),
        None => Ok(defaults),
    }
}

fn server_of(config: ServerConfig, clock: ggscale_transport_core::Clock) -> Result<Peer> {
    Server::new(config, clock)
        .map(Peer::server)
        .map_err(|error| match error {
            ConfigError::Admission(error) => refusal_of(error),
            _ => bad_option(error.to_string()),
        })
}

pub fn driver_of(driver: &str, tick_interval_us: f64) -> Result<Driver> {
    match driver {
        "immediate" => Ok(Driver::Immediate),
        "auto" => Ok(Driver::Auto),
        "tick" if tick_interval_us.is_finite() && tick_interval_us > 0.0 => Ok(Driver::Tick),
        "tick" => Err(bad_option("driver 'tick' needs a tickIntervalUs above 0")),
        _ => Err(bad_option("driver is 'immediate', 'auto' or 'tick'")),
    }
}

pub fn endpoint_options(clock_offset_us: f64, max_payload_bytes: u32) -> Result<EndpointOptions> {
    Ok(EndpointOptions {
        clock_offset_us: whole(clock_offset_us, "clockOffsetUs")?,
        max_payload_bytes: max_payload_bytes as usize,
        slots: Slots::ONE,
    })
}

/// A non-negative integer below 2^53.
pub fn whole(value: f64, name: &str) -> Result<u64> {
    if (0.0..9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(bad_option(format!("{name} must be a whole number from 0")))
}

pub fn bad_option(message: impl Into<String>) -> Failure {
    Failure::new(Code::BadOption, message)
}

pub fn os_random() -> Result<Random> {
    Random::from_os().map_err(|error| Failure::new(Code::Internal, error.to_string()))
}

pub fn u64_of(value: &BigInt, name: &str) -> Result<u64> {
    match value.get_u64() {
        (false, number, true) => Ok(number),
        _ => Err(bad_option(format!("{name} must be from 0 to 2^64 - 1"))),
    }
}

pub fn key_of(bytes: &[u8], name: &str) -> Result<[u8; KEY_BYTES]> {
    bytes.try_into().map_err(|_| {
        Failure::new(
            Code::BadKey,
            format!("{name} must have {KEY_BYTES} bytes, not {}", bytes.len()),
        )
    })
}

pub fn ip_of(host: &str) -> Result<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().map_err(|_| {
        Failure::new(
            Code::BadAddress,
            format!("'{host}' is not an IPv4 or IPv6 address"),
        )
    })
}

pub fn bind_address(host: &str, port: u32) -> Result<SocketAddr> {
    let port = u16::try_from(port)
        .map_err(|_| Failure::new(Code::BadAddress, format!("{port} is not a port")))?;
    Ok(SocketAddr::new(ip_of(host)?, port))
}

pub fn address_of(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Failure::new(
            Code::BadAddress,
            format!("'{text}' is not an address like 192.0.2.1:40000 or [2001:db8::1]:40000"),
        )
    })
}

pub fn addresses_of(texts: &[String]) -> Result<Vec<SocketAddr>> {
    texts.iter().map(|text| address_of(text)).collect()
}

/// The ring memory behind a Uint8Array, and where its parts are: `count` equal sections, each for one
/// endpoint. They have owners from here on.
pub fn memory_of(
    env: sys::napi_env,
    value: &Unknown<'_>,
    count: usize,
) -> Result<Vec<(Memory, Geometry)>> {
    let mut kind = 0;
    let mut length = 0;
    let mut data = std::ptr::null_mut();
    let (mut buffer, mut offset) = (std::ptr::null_mut(), 0);
    // SAFETY: `env` is the environment of the running call and `value` a value of it.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value.raw(),
            &mut kind,
            &mut length,
            &mut data,
            &mut buffer,
            &mut offset,
        )
    };
    let mut is_ordinary = true; // an ArrayBuffer, which could be transferred away
    if status == sys::Status::napi_ok {
        // SAFETY: as above; a SharedArrayBuffer is none of N-API's array buffers.
        unsafe { sys::napi_is_arraybuffer(env, buffer, &mut is_ordinary) };
    }
    if kind != sys::TypedarrayType::uint8_array || is_ordinary {
        return Err(bad_option(
            "memory must be a Uint8Array over a SharedArrayBuffer",
        ));
    }
    let section = length / count.max(1);
    if !section.is_multiple_of(l::LINE_BYTES) {
        return Err(bad_option("memory must divide into one section per thread"));
    }
    let sections = (0..count).map(|index| {
        let base = data.cast::<u8>().wrapping_add(index * section);
        // SAFETY: the caller holds a reference to the array for as long as the memory is used, and a
        // SharedArrayBuffer can be neither detached nor shrunk. The section lies inside it.
        let memory = unsafe { Memory::new(base, section) }?;
        let geometry = Geometry::read(&memory)?;
        if !memory.take_ownership() {
            return Err(bad_option("the ring memory belongs to another endpoint"));
        }
        Ok((memory, geometry))
    });
    sections.collect()
}

pub fn token_failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(Code::BadToken, error.to_string())
}

pub fn connect_failure(error: ConnectError) -> Failure {
    match error {
        ConnectError::Token(error) => token_failure(error),
        ConnectError::Full => bad_option("this endpoint has no room for another flow (maxFlows)"),
    }
}

#[napi(catch_unwind)]
pub fn layout() -> std::collections::HashMap<String, i64> {
    l::TABLE
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

/// The counters that count lost datagrams.
#[napi(catch_unwind)]
pub fn drop_reasons() -> Vec<String> {
    let core = ggscale_transport_core::DropReason::ALL
        .iter()
        .map(|reason| reason.name());
    let own = Counter::ALL
        .iter()
        .filter(|counter| counter.is_drop())
        .map(|it| it.name());
    core.chain(own).map(str::to_owned).collect()
}

#[napi(catch_unwind)]
pub fn counter_names() -> Vec<String> {
    all_names().map(str::to_owned).collect()
}

/// Adds all counters, in the order of `counterNames()`, as far as `out` reaches.
pub fn add_counters<I: Io>(endpoint: &Endpoint<I>, out: &mut [f64]) {
    for (slot, value) in out.iter_mut().zip(endpoint.all_counters()) {
        *slot += value as f64;
    }
}
