//! The measured server: the production endpoint with its rings over kernel sockets, driven as in
//! production, with JavaScript's part played by `Script`. Every packet is opened and sealed.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use ggscale_transport_addon::counters::Counter;
use ggscale_transport_addon::endpoint::{Endpoint, EndpointOptions};
use ggscale_transport_addon::io::Io;
use ggscale_transport_addon::pace::{Driver as PaceDriver, Pace};
use ggscale_transport_addon::peer::Peer;
use ggscale_transport_addon::schedule::Schedule;
use ggscale_transport_addon::slots::Slots;
use ggscale_transport_addon::timer::Timer;
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::{
    Clock, DropReason, Random, Rate, Server, ServerConfig, COUNTER_COUNT, COUNTER_NAMES,
};
use serde_json::{json, Value};

use crate::control::{tell, Command, Control, STDIN};
use crate::epoll::Epoll;
use crate::meter::{allocations, cpu_ns, heap_bytes, pin, resident_bytes, wall_ns};
use crate::script::Script;
use crate::timed::Timed;

pub const PROTOCOL_ID: u64 = 0x6767_7363_616c_6501;
/// Known to everybody: these servers listen on loopback for a minute.
pub const PRIVATE_KEY: [u8; 32] = [0x42; 32];

const KEY_FLOWS: u64 = 0;
const KEY_HANDSHAKES: u64 = 1;
const KEY_TIMER: u64 = 2;
const KEY_STDIN: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Driver {
    Immediate,
    Auto,
    Tick,
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

struct Measured {
    endpoint: Endpoint<Timed<UdpIo>>,
    /// After the endpoint, which points into its memory.
    script: Script,
    timer: Timer,
    epoll: Epoll,
    pace: Pace,
    is_watching: bool,
    sockets: [(Option<i32>, u64); 2],
    stopped_ns: u64,
}

pub fn run(arguments: &ServerArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    let mut server = Measured::open(arguments).map_err(io::Error::other)?;
    let address = server.endpoint.io.inner.local_address();
    tell(&json!({ "ready": address.to_string(), "pinned": pinned }))?;
    let mut control = Control::default();
    let mut paused = true;
    loop {
        let keys = if paused {
            1 << KEY_STDIN
        } else {
            server.epoll.wait(-1)?
        };
        if keys & 1 << KEY_STDIN != 0 {
            match control.read(true)? {
                Some(Command::Run) => {
                    paused = false;
                    server.resume()?;
                }
                Some(Command::Pause) => {
                    server.stop();
                    paused = true;
                    tell(&json!({ "paused": true }))?;
                }
                Some(Command::Mark) => tell(&server.mark())?,
                Some(Command::Stop) => return Ok(()),
                Some(Command::Connect) | None => {}
            }
        }
        if !paused {
            server.serve(keys)?;
        }
    }
}

impl Measured {
    fn open(arguments: &ServerArguments) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let udp = UdpIo::open(&UdpOptions {
            handshake_socket: true,
            receive_buffer_bytes: arguments.buffer_bytes,
            send_buffer_bytes: arguments.buffer_bytes,
            ..UdpOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)))
        })?;
        let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, Random::from_os()?);
        config.server_addresses = vec![udp.local_address()];
        config.max_flows = arguments.max_flows;
        if arguments.fast_flows {
            // Raised, not lifted: what checking them costs stays in the figures.
            let rate = Some(Rate::new(u32::MAX, u32::MAX));
            config.admission.packets_per_flow = rate;
            config.admission.bytes_per_flow = rate;
        }
        let (flows_fd, handshakes_fd) = (udp.flows_fd(), udp.handshakes_fd());
        let mut io = Timed::new(udp);
        let now = io.now();
        let clock = Clock {
            mono_us: now.mono_ns / 1000,
            unix_s: now.real_ns / 1_000_000_000,
        };
        let (driver, tick_interval_us) = match arguments.driver {
            Driver::Immediate => (PaceDriver::Immediate, 0.0),
            Driver::Auto => (PaceDriver::Auto, 0.0),
            Driver::Tick => (PaceDriver::Tick, 1e6 / arguments.tick_hz),
        };
        let options = EndpointOptions {
            clock_offset_us: 0,
            max_payload_bytes: config.max_payload_bytes,
            slots: Slots::ONE,
        };
        let peer = Peer::server(Server::new(config, clock)?);
        let script = Script::new();
        let (memory, geometry) = script.memory()?;
        let epoll = Epoll::new()?;
        let timer = Timer::new()?;
        epoll.add(timer.fd(), KEY_TIMER)?;
        epoll.add(STDIN, KEY_STDIN)?;
        let schedule = Schedule::new(memory, now.mono_ns, tick_interval_us, 0);
        Ok(Self {
            endpoint: Endpoint::new(io, peer, memory, &geometry, options),
            script,
            timer,
            epoll,
            pace: Pace::new(driver, schedule, now.mono_ns),
            is_watching: false,
            sockets: [(Some(flows_fd), KEY_FLOWS), (handshakes_fd, KEY_HANDSHAKES)],
            stopped_ns: wall_ns(),
        })
    }

    /// What the host does in Node when descriptors are ready.
    fn serve(&mut self, keys: u64) -> io::Result<()> {
        let readable = keys & (1 << KEY_FLOWS | 1 << KEY_HANDSHAKES) != 0;
        let expired = keys & 1 << KEY_TIMER != 0 && self.timer.take_expired();
        if !readable && !expired {
            return Ok(());
        }
        let now_ns = self.endpoint.mono_ns();
        let waiting = self.endpoint.waiting();
        let is_netcode_due = waiting.netcode_ns.is_some_and(|at_ns| at_ns <= now_ns);
        let is_turn = (readable && self.pace.readable(now_ns))
            || self.pace.due(now_ns, &waiting) != 0
            || (is_netcode_due && self.endpoint.service());
        if is_turn {
            self.turn();
        }
        self.rearm()
    }

    /// Drain, JavaScript's part, flush. How many payloads came.
    fn turn(&mut self) -> u64 {
        let before = self.script.seen.payloads;
        let drained = self.endpoint.drain();
        self.pace.begin_turn(drained.now_ns, drained.datagrams);
        loop {
            let is_done = self.script.turn();
            self.endpoint.flush();
            self.script.reclaim();
            if is_done || self.endpoint.blocked() {
                break;
            }
        }
        self.script.seen.payloads - before
    }

    fn rearm(&mut self) -> io::Result<()> {
        let paused_ns = self.endpoint.io.paused_ns;
        let now_ns = self.endpoint.mono_ns();
        let wake = self.pace.next_wake(now_ns, &self.endpoint.waiting());
        self.timer.set(wake.map(|wake| wake.at_ns + paused_ns));
        let watches = self.pace.watches();
        if watches == self.is_watching {
            return Ok(());
        }
        self.is_watching = watches;
        for (fd, key) in self.sockets {
            match fd {
                Some(fd) if watches => self.epoll.add(fd, key)?,
                Some(fd) => self.epoll.remove(fd)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Serves what arrived before the pause, so that nothing waits for seconds.
    fn stop(&mut self) {
        while self.turn() > 0 {}
        self.stopped_ns = wall_ns();
    }

    fn resume(&mut self) -> io::Result<()> {
        self.endpoint.io.paused_ns += wall_ns().saturating_sub(self.stopped_ns);
        self.rearm()
    }

    fn mark(&mut self) -> Value {
        let (cpu_ns, wall_ns) = (cpu_ns(), wall_ns());
        let mut core = [0u64; COUNTER_COUNT];
        self.endpoint.peer.add_counters(&mut core);
        let own = Counter::NAMES.iter().zip(self.endpoint.counters().values());
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
        let seen = self.script.seen;
        json!({
            "cpuNs": cpu_ns,
            "wallNs": wall_ns,
            "echoed": seen.echoed,
            "opened": seen.opened,
            "closed": seen.closed,
            "residentBytes": resident_bytes(),
            "heapBytes": heap_bytes(),
            "allocations": allocations(),
            "syscallNs": self.endpoint.io.batches.take(),
            "counters": counters,
            "drops": drops,
        })
    }
}
