//! The load: any number of flows in one process, on every wire of the benchmark. One engine decides what
//! is sent when, and counts and times what comes back; a wire only carries it.
//!
//! ```text
//! control (stdin, stdout) ─ engine ─ schedule, counts, histograms
//!                             │ begin, send, end ▼  ▲ opened, heard, closed
//!      datagram (plain, netcode, json-dgram)   rl1 (udp-rl1)   tcp (json-ws, json-http)
//! ```

mod arguments;
mod counts;
mod datagram;
mod engine;
mod forge;
mod game;
mod hearing;
mod link;
pub mod message;
mod report;
mod rl1;
mod schedule;
mod sources;
mod storm;
mod tail;
mod tcp;
mod text;
mod tickets;
pub mod wire;

use std::io;

use ggscale_transport_addon::udp::clock_ns;
use serde_json::json;

use crate::control::{tell, Command, Control};
use crate::meter::{pin, wall_ns};
use crate::server::PRIVATE_KEY;
pub use arguments::{LoadArguments, WireKind};
use datagram::DatagramWire;
pub use datagram::{read_head, write_head};
use engine::Engine;
use rl1::{Rl1Wire, Settings, Tokens};
pub use sources::source_of as source_of_flow;
use tcp::TcpWire;
use tickets::{Mint, Tickets};
use wire::Wire;

const SOCKETS_MAX: u32 = 8;
const FLOWS_PER_SOCKET: u32 = 2_000;
/// Channels of Echo and Input (`bench/suite/schemas`, `schemas/game.fbs`).
const ECHO_CHANNEL: u8 = 0;
const INPUT_CHANNEL: u8 = 1;
/// A message of the load travels whole.
const RL1_VALUES_MAX: u32 = 270;
/// Of flows whose tokens are made here. A GameServer keeps no flow for ever.
const FLOW_TIMEOUT_S: i32 = 30;

type Opened<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub fn unix_s() -> u64 {
    clock_ns(libc::CLOCK_REALTIME) / 1_000_000_000
}

pub fn run(arguments: LoadArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    let sockets = arguments
        .flows
        .div_ceil(FLOWS_PER_SOCKET)
        .clamp(1, SOCKETS_MAX);
    let wire = open(&arguments, sockets).map_err(io::Error::other)?;
    tell(&json!({ "ready": true, "pinned": pinned, "sockets": sockets }))?;
    serve(arguments, wire)
}

/// The load on any wire, until the words end. The caller has said that it is ready.
pub fn serve(arguments: LoadArguments, wire: Box<dyn Wire>) -> io::Result<()> {
    let mut engine = Engine::new(arguments, wire);
    let mut control = Control::default();
    loop {
        match engine.rest(&mut control)? {
            Command::Connect => engine.connect()?,
            Command::Run => {
                if engine.serve(&mut control)? == Command::Stop {
                    return engine.close();
                }
            }
            Command::Mark => engine.tell_mark()?,
            Command::Pause => tell(&json!({ "paused": true }))?,
            Command::Stop => return engine.close(),
        }
    }
}

fn open(arguments: &LoadArguments, sockets: u32) -> Opened<Box<dyn Wire>> {
    let key = arguments.key.unwrap_or(PRIVATE_KEY);
    let mut mint = Mint::new(arguments.protocol_id, key, arguments.server)?;
    Ok(match arguments.wire {
        WireKind::Plain | WireKind::Netcode | WireKind::JsonDgram => {
            Box::new(DatagramWire::open(arguments, sockets, mint)?)
        }
        WireKind::UdpRl1 => {
            if arguments.values > RL1_VALUES_MAX {
                return Err(format!("--values: at most {RL1_VALUES_MAX} on udp-rl1").into());
            }
            let tokens = match (arguments.tickets, arguments.key) {
                (Some(face), _) => Tokens::Asked(Tickets::new(face)),
                (None, Some(_)) => {
                    mint.timeout_s = FLOW_TIMEOUT_S;
                    Tokens::Minted(Box::new(mint))
                }
                (None, None) => return Err("udp-rl1 needs --tickets or --key".into()),
            };
            let settings = Settings {
                registry_hash: arguments.registry_hash,
                shape: arguments.shape(),
                channel: ECHO_CHANNEL,
                loose_channel: INPUT_CHANNEL,
                asks_time: !arguments.no_clock,
            };
            let flows = (arguments.first_flow, arguments.flows, sockets);
            let now_us = wall_ns() / 1000;
            Box::new(Rl1Wire::open(
                arguments.server,
                tokens,
                settings,
                flows,
                now_us,
            )?)
        }
        WireKind::JsonWs | WireKind::JsonHttp => Box::new(TcpWire::open(arguments)?),
    })
}
