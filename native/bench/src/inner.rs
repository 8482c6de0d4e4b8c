//! The same endpoint and script over memory instead of sockets: what is ours alone, without a kernel.
//! For profiles, and for figures that a busy machine does not blur: CPU time, medians of many rounds.
//! `coreNs` beside it is open and seal alone (`core_echo.rs`), of as many packets of the same flows.
//!
//! `ggscale-bench inner --flows 100000` · `perf record ggscale-bench inner …` ·
//! `valgrind --tool=callgrind ggscale-bench inner --rounds 20 …`

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use ggscale_transport_addon::endpoint::{Endpoint, EndpointOptions};
use ggscale_transport_addon::io::{Errno, Io, Now, Outgoing, Queue, Scratch, BATCH};
use ggscale_transport_addon::peer::Peer;
use ggscale_transport_addon::slots::Slots;
use ggscale_transport_addon::udp::clock_ns;
use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{
    AdmissionSettings, Client, ClientConfig, ClientNx, Clock, Path, Random, Server, ServerConfig,
    DATAGRAM_BYTES_MAX, HEADROOM, TAG_BYTES,
};
use serde_json::json;

use crate::control::tell;
use crate::core_echo;
use crate::load::source_of_flow;
use crate::script::Script;
use crate::server::{PRIVATE_KEY, PROTOCOL_ID};

/// How far time goes on per turn: what a moderated drain waits.
const TURN_NS: u64 = 250_000;
/// Five seconds.
const SETTLE_TURN_NS: u64 = 50_000_000;
const SETTLE_TURNS: usize = 100;
const LOCAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000);

#[derive(Args, Debug)]
pub struct InnerArguments {
    #[arg(long, default_value_t = 1_000)]
    flows: u32,
    /// Packets of one turn
    #[arg(long, default_value_t = 64)]
    turn: usize,
    #[arg(long, default_value_t = 2_000)]
    rounds: usize,
    #[arg(long, default_value_t = 100)]
    payload_bytes: usize,
    /// Plain netcode: no connection ids, flows are found by address
    #[arg(long)]
    base: bool,
}

/// Datagrams that a turn finds, and nothing that leaves.
struct MemoryIo {
    now: Now,
    inbound: Vec<(Path, Vec<u8>)>,
    next: usize,
    sent: u64,
    /// The datagrams of a handshake are kept.
    keep: bool,
    kept: Vec<(Path, Vec<u8>)>,
}

impl Io for MemoryIo {
    fn now(&mut self) -> Now {
        self.now
    }

    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno> {
        if queue == Queue::Handshakes {
            return Ok(0);
        }
        let waiting = self.inbound.get(self.next..).unwrap_or(&[]);
        let mut count = 0;
        for (path, bytes) in waiting.iter().take(max.min(BATCH)) {
            scratch.put(count, bytes, *path, Some(self.now.real_ns));
            count += 1;
        }
        self.next += count;
        Ok(count)
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno> {
        self.sent += datagrams.len() as u64;
        if self.keep {
            let kept = datagrams.iter().map(|out| (out.path, out.bytes.to_vec()));
            self.kept.extend(kept);
        }
        Ok(datagrams.len())
    }
}

struct Inner {
    endpoint: Endpoint<MemoryIo>,
    script: Script,
    clients: Vec<(Path, Client)>,
    random: Random,
}

/// Nanoseconds per packet of each part of a turn.
#[derive(Default)]
struct Costs {
    core: Vec<f64>,
    drain: Vec<f64>,
    script: Vec<f64>,
    flush: Vec<f64>,
}

pub fn run(arguments: &InnerArguments) -> io::Result<()> {
    let mut inner = Inner::open(arguments.flows).map_err(io::Error::other)?;
    for flow in 0..arguments.flows {
        inner
            .connect(flow, arguments.base)
            .map_err(io::Error::other)?;
    }
    inner.settle();
    let mut costs = Costs::default();
    for _ in 0..arguments.rounds {
        inner.core_round(arguments, &mut costs)?;
        inner.round(arguments, &mut costs);
    }
    let [core, drain, script, flush] =
        [costs.core, costs.drain, costs.script, costs.flush].map(|mut values| median(&mut values));
    tell(&json!({
        "flows": arguments.flows,
        "base": arguments.base,
        "coreNs": core.round(),
        "drainNs": drain.round(),
        "scriptNs": script.round(),
        "flushNs": flush.round(),
        "nsPerPacket": (drain + script + flush).round(),
    }))
}

impl Inner {
    fn open(flows: u32) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let now = Now {
            mono_ns: 1_000_000_000,
            real_ns: clock_ns(libc::CLOCK_REALTIME),
        };
        let io = MemoryIo {
            now,
            inbound: Vec::new(),
            next: 0,
            sent: 0,
            keep: true,
            kept: Vec::new(),
        };
        let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, Random::from_number(1));
        config.max_flows = flows.max(1_024);
        let mut server = Server::new(config, clock_of(now))?;
        // Everybody comes at once here.
        server.set_admission(
            clock_of(now),
            AdmissionSettings {
                token_opens: None,
                handshakes: None,
                handshakes_per_prefix: None,
                ..AdmissionSettings::default()
            },
        )?;
        let options = EndpointOptions {
            clock_offset_us: 0,
            max_payload_bytes: 1_200,
            slots: Slots::ONE,
        };
        let script = Script::new();
        let (memory, geometry) = script.memory()?;
        Ok(Self {
            endpoint: Endpoint::new(io, Peer::server(server), memory, &geometry, options),
            script,
            clients: Vec::new(),
            random: Random::from_number(2),
        })
    }

    fn connect(
        &mut self,
        flow: u32,
        is_base: bool,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let clock = clock_of(self.endpoint.io.now);
        let token = create_connect_token(
            &ConnectTokenOptions {
                protocol_id: PROTOCOL_ID,
                private_key: &PRIVATE_KEY,
                client_id: u64::from(flow) + 1,
                server_addresses: &[LOCAL],
                public_addresses: None,
                create_timestamp: clock.unix_s,
                expire_seconds: 600,
                timeout_s: 60,
                user_data: &[0; 256],
                nx: Default::default(),
            },
            &mut self.random,
        )?;
        let path = Path {
            remote: SocketAddr::new(IpAddr::V4(source_of_flow(flow)), 50_000),
            local: Some(LOCAL.ip()),
        };
        let seed = Random::from_seed(self.random.bytes());
        let mut config = ClientConfig::new(seed);
        if is_base {
            config.nx = ClientNx::Off;
        }
        let mut client = Client::new(config, &token, clock)?;
        let opened = self.script.seen.opened;
        let mut out = [0; DATAGRAM_BYTES_MAX];
        for _ in 0..8 {
            while let Some(sent) = client.poll_transmit(clock, &mut out) {
                let bytes = out.get(..sent.length).unwrap_or(&[]).to_vec();
                self.endpoint.io.inbound.push((path, bytes));
            }
            self.turn();
            let from_server = Path {
                remote: LOCAL,
                local: None,
            };
            for (_, mut bytes) in std::mem::take(&mut self.endpoint.io.kept) {
                client.handle_datagram(clock, from_server, &mut bytes);
            }
            while client.poll_event().is_some() {}
        }
        if self.script.seen.opened != opened + 1 {
            return Err(format!("flow {flow} did not open").into());
        }
        let is_nx = client.flow_stats(Client::FLOW).is_some_and(|it| it.nx);
        if is_nx == is_base {
            return Err(format!("flow {flow} speaks the other protocol").into());
        }
        self.clients.push((path, client));
        Ok(())
    }

    /// Lets what follows a handshake end: earlier keys are forgotten, keep-alives are due.
    fn settle(&mut self) {
        for _ in 0..SETTLE_TURNS {
            let io = &mut self.endpoint.io;
            io.keep = false;
            io.now.mono_ns += SETTLE_TURN_NS;
            io.now.real_ns += SETTLE_TURN_NS;
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.endpoint.drain();
        self.script.turn();
        self.endpoint.flush();
        self.script.reclaim();
        self.endpoint.io.inbound.clear();
        self.endpoint.io.next = 0;
    }

    /// A turn's packets of flows in any order.
    fn sealed_packets(&mut self, arguments: &InnerArguments) -> Vec<(Path, Vec<u8>)> {
        let io = &mut self.endpoint.io;
        io.keep = false;
        io.now.mono_ns += TURN_NS;
        io.now.real_ns += TURN_NS;
        let clock = clock_of(io.now);
        let mut packets = Vec::with_capacity(arguments.turn);
        let mut buffer = [0u8; HEADROOM + 1_200 + TAG_BYTES];
        for _ in 0..arguments.turn {
            let flow = (self.random.next_u64() % self.clients.len() as u64) as usize;
            let Some((path, client)) = self.clients.get_mut(flow) else {
                continue;
            };
            let length = arguments.payload_bytes.min(1_200);
            let sealed = client.seal_payload(clock, Client::FLOW, &mut buffer, HEADROOM, length);
            if let Ok(sealed) = sealed {
                let bytes = buffer.get(sealed.start..sealed.start + sealed.length);
                packets.push((*path, bytes.unwrap_or(&[]).to_vec()));
            }
        }
        packets
    }

    /// Times open and seal of a turn's packets.
    fn core_round(&mut self, arguments: &InnerArguments, costs: &mut Costs) -> io::Result<()> {
        let mut packets = self.sealed_packets(arguments);
        let clock = clock_of(self.endpoint.io.now);
        let Some(server) = self.endpoint.peer.server_core() else {
            return Err(io::Error::other("no server"));
        };
        let start_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        let sealed = core_echo::echo(server, clock, &mut packets);
        let end_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        if sealed != packets.len() {
            return Err(io::Error::other(format!(
                "{sealed} of {} packets sealed",
                packets.len()
            )));
        }
        costs.core.push((end_ns - start_ns) as f64 / sealed as f64);
        Ok(())
    }

    /// Times a turn.
    fn round(&mut self, arguments: &InnerArguments, costs: &mut Costs) {
        self.endpoint.io.inbound = self.sealed_packets(arguments);
        let io = &self.endpoint.io;
        let count = io.inbound.len() as f64;
        let start_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        self.endpoint.drain();
        let drained_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        self.script.turn();
        let played_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        self.endpoint.flush();
        let flushed_ns = clock_ns(libc::CLOCK_THREAD_CPUTIME_ID);
        self.script.reclaim();
        costs.drain.push((drained_ns - start_ns) as f64 / count);
        costs.script.push((played_ns - drained_ns) as f64 / count);
        costs.flush.push((flushed_ns - played_ns) as f64 / count);
        let io = &mut self.endpoint.io;
        io.inbound.clear();
        io.next = 0;
    }
}

fn clock_of(now: Now) -> Clock {
    Clock {
        mono_us: now.mono_ns / 1000,
        unix_s: now.real_ns / 1_000_000_000,
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
