//! The measured server: the production endpoint with its rings over kernel sockets, driven as in
//! production, with JavaScript's part played by `Script`. Every packet is opened and sealed.

mod inline;
mod threaded;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use ggscale_transport_addon::counters::Counter;
use ggscale_transport_addon::endpoint::{Endpoint, EndpointOptions};
use ggscale_transport_addon::io::Io;
use ggscale_transport_addon::peer::Peer;
use ggscale_transport_addon::ring::Memory;
use ggscale_transport_addon::slots::Slots;
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::{
    Clock, DropReason, Random, Rate, Server, ServerConfig, COUNTER_COUNT, COUNTER_NAMES,
};
use serde_json::{json, Value};

use crate::control::{tell, Command, Control};
use crate::epoll::Epoll;
use crate::meter::{allocations, heap_bytes, pin, resident_bytes, wall_ns};
use crate::script::{Script, Seen};
use crate::timed::Timed;

pub const PROTOCOL_ID: u64 = 0x6767_7363_616c_6501;
/// Known to everybody: these servers listen on loopback for a minute.
pub const PRIVATE_KEY: [u8; 32] = [0x42; 32];

/// Of standard input; the others are each kind's own.
const KEY_STDIN: u64 = 3;

type Opened<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// One way to drive the endpoint.
trait Service {
    fn epoll(&self) -> &Epoll;
    /// These keys of the epoll are ready.
    fn serve(&mut self, keys: u64) -> io::Result<()>;
    /// Serves what arrived before the pause, so that nothing waits for seconds.
    fn stop(&mut self);
    fn resume(&mut self) -> io::Result<()>;
    fn mark(&mut self) -> Value;
    /// Nothing happens until the next word, which it returns.
    fn pause(&mut self, control: &mut Control) -> io::Result<Option<Command>> {
        control.read(true)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    Immediate,
    Auto,
    Tick,
    /// One I/O thread beside the one that plays JavaScript
    Threads,
}

#[derive(Args, Debug)]
pub struct ServerArguments {
    #[arg(long, value_enum, default_value_t = Driver::Auto)]
    driver: Driver,
    #[arg(long, default_value_t = 1_024)]
    max_flows: u32,
    #[arg(long, default_value_t = 60.0)]
    tick_hz: f64,
    /// Raise the packet and byte rates per flow: saturated runs with few flows
    #[arg(long)]
    fast_flows: bool,
    /// Processor to stay on
    #[arg(long)]
    cpu: Option<usize>,
    /// SO_RCVBUF and SO_SNDBUF in bytes
    #[arg(long, default_value_t = 4 << 20)]
    buffer_bytes: usize,
}

pub fn run(arguments: &ServerArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    let parts = Parts::open(arguments).map_err(io::Error::other)?;
    let address = parts.endpoint.io.inner.local_address();
    let mut service: Box<dyn Service> = match arguments.driver {
        Driver::Threads => Box::new(threaded::Threaded::start(parts, arguments.cpu)?),
        driver => Box::new(inline::Inline::start(parts, driver, arguments.tick_hz)?),
    };
    tell(&json!({ "ready": address.to_string(), "pinned": pinned }))?;
    let mut control = Control::default();
    let mut paused = true;
    loop {
        let keys = match paused || control.has_word() {
            true => 1 << KEY_STDIN,
            false => service.epoll().wait(-1)?,
        };
        if keys & 1 << KEY_STDIN != 0 {
            let word = match paused {
                true => service.pause(&mut control)?,
                false => control.read(true)?,
            };
            match word {
                Some(Command::Run) => {
                    paused = false;
                    service.resume()?;
                }
                Some(Command::Pause) => {
                    service.stop();
                    paused = true;
                    tell(&json!({ "paused": true }))?;
                }
                Some(Command::Mark) => tell(&service.mark())?,
                Some(Command::Stop) => return Ok(()),
                Some(Command::Connect) | None => {}
            }
        }
        if !paused {
            service.serve(keys)?;
        }
    }
}

/// The endpoint and the memory that it shares with the script.
struct Parts {
    endpoint: Endpoint<Timed<UdpIo>>,
    memory: Memory,
    script: Script,
    now_ns: u64,
}

impl Parts {
    fn open(arguments: &ServerArguments) -> Opened<Self> {
        let udp = UdpIo::open(&UdpOptions {
            handshake_socket: true,
            receive_buffer_bytes: arguments.buffer_bytes,
            send_buffer_bytes: arguments.buffer_bytes,
            ..UdpOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)))
        })?;
        let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, Random::from_os()?);
        config.server_addresses = vec![udp.local_address()];
        config.max_flows = arguments.max_flows;
        config.development = true; // flows without a timeout
        if arguments.fast_flows {
            // Raised, not lifted: what checking them costs stays in the figures.
            let rate = Some(Rate::new(u32::MAX, u32::MAX));
            config.admission.packets_per_flow = rate;
            config.admission.bytes_per_flow = rate;
        }
        let mut io = Timed::new(udp);
        let now = io.now();
        let clock = Clock {
            mono_us: now.mono_ns / 1000,
            unix_s: now.real_ns / 1_000_000_000,
        };
        let options = EndpointOptions {
            clock_offset_us: 0,
            max_payload_bytes: config.max_payload_bytes,
            slots: Slots::ONE,
        };
        let peer = Peer::server(Server::new(config, clock)?);
        let script = Script::new();
        let (memory, geometry) = script.memory()?;
        Ok(Self {
            endpoint: Endpoint::new(io, peer, memory, &geometry, options),
            memory,
            script,
            now_ns: now.mono_ns,
        })
    }
}

/// What a mark tells of an endpoint and its script. The CPU time comes first: what follows costs some.
fn report(cpu_ns: u64, endpoint: &mut Endpoint<Timed<UdpIo>>, seen: Seen) -> Value {
    let wall_ns = wall_ns();
    let mut core = [0u64; COUNTER_COUNT];
    endpoint.peer.add_counters(&mut core);
    let own = Counter::NAMES.iter().zip(endpoint.counters().values());
    let named = COUNTER_NAMES.iter().zip(core.iter()).chain(own);
    let counters: BTreeMap<&str, u64> = named
        .filter(|(_, value)| **value > 0)
        .map(|(name, value)| (*name, *value))
        .collect();
    let reasons = DropReason::ALL.iter().map(|reason| reason.name());
    let own = Counter::ALL.iter().filter(|it| it.is_drop());
    let drops: BTreeMap<&str, u64> = reasons
        .chain(own.map(|it| it.name()))
        .filter_map(|name| Some((name, *counters.get(name)?)))
        .collect();
    json!({
        "cpuNs": cpu_ns,
        "wallNs": wall_ns,
        "echoed": seen.echoed,
        "opened": seen.opened,
        "closed": seen.closed,
        "residentBytes": resident_bytes(),
        "heapBytes": heap_bytes(),
        "allocations": allocations(),
        "syscallNs": endpoint.io.batches.take(),
        "counters": counters,
        "drops": drops,
    })
}
