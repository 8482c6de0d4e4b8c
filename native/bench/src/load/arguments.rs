//! What a load is asked to do.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use super::datagram::HEAD_BYTES;
use super::message::Shape;
use crate::server::PROTOCOL_ID;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WireKind {
    /// Payloads as they are, for the floor
    Plain,
    /// A netcode client per flow, for the native server
    Netcode,
    /// netcode, RL1, the session and FlatBuffers, for a GameServer
    UdpRl1,
    /// JSON in WebSocket text frames
    JsonWs,
    /// JSON in the bodies of HTTP requests on kept-alive connections
    JsonHttp,
    /// JSON in datagrams
    JsonDgram,
}

#[derive(Args, Debug)]
pub struct LoadArguments {
    /// Address of the server: where datagrams go, or connections
    #[arg(long)]
    pub server: SocketAddr,
    #[arg(long, value_enum)]
    pub wire: WireKind,
    #[arg(long)]
    pub flows: u32,
    /// Sends per second and flow; 0: a closed loop
    #[arg(long, default_value_t = 0.0)]
    pub hz: f64,
    /// Messages in flight per flow in a closed loop
    #[arg(long, default_value_t = 1)]
    pub window: u16,
    /// Messages sent together, in one packet where the wire has such
    #[arg(long, default_value_t = 1)]
    pub batch: u16,
    /// Payload of `plain` and `netcode`
    #[arg(long, default_value_t = 100)]
    pub payload_bytes: usize,
    /// Numbers in an Echo; 16 make a FlatBuffers body of 100 bytes
    #[arg(long, default_value_t = 16)]
    pub values: u32,
    /// Connections begun per second
    #[arg(long, default_value_t = 1_000.0)]
    pub connect_rate: f64,
    /// Connections half open at a time
    #[arg(long, default_value_t = 64)]
    pub pending: u32,
    /// Processor to stay on
    #[arg(long)]
    pub cpu: Option<usize>,
    /// Sleep between sends instead of looking at the clock and the sockets all the time
    #[arg(long)]
    pub sleep: bool,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Number of the first flow: another load beside this one takes others
    #[arg(long, default_value_t = 0)]
    pub first_flow: u32,
    /// `netcode`: payloads that do not open, per second, from the flows' own addresses
    #[arg(long, default_value_t = 0)]
    pub forge: u64,
    /// HTTP face of a GameServer: tickets are asked there, as players do
    #[arg(long)]
    pub tickets: Option<SocketAddr>,
    /// `udp-rl1` without `--tickets`: the server's private key, 64 hex digits
    #[arg(long, value_parser = parse_key)]
    pub key: Option<[u8; 32]>,
    #[arg(long, default_value_t = PROTOCOL_ID)]
    pub protocol_id: u64,
    /// `udp-rl1`: hash of the server's message registry
    #[arg(long, default_value_t = 0)]
    pub registry_hash: u32,
    /// `udp-rl1`: do not ask for the server's time, as players do every second: for very many idle flows
    #[arg(long)]
    pub no_clock: bool,
    /// Path of WebSocket upgrades without tickets, and of HTTP requests
    #[arg(long, default_value = "/")]
    pub path: String,
    /// Inputs at `--hz` instead of echoes; snapshots and events are received
    #[arg(long)]
    pub game: bool,
    /// Frames of an Input; by default three on UDP, which loses things, else one
    #[arg(long)]
    pub inputs: Option<u32>,
    /// Ticks per second of the game
    #[arg(long, default_value_t = 60.0)]
    pub tick_hz: f64,
    /// So many flows, the first ones, stop reading when the load begins to run
    #[arg(long, default_value_t = 0)]
    pub stall: u32,
    /// Connections per second, each: ticket, handshake, a message, its echo, goodbye. `--flows` bounds
    /// how many there are at a time
    #[arg(long, default_value_t = 0.0)]
    pub storm: f64,
}

impl LoadArguments {
    pub fn shape(&self) -> Shape {
        let loses = matches!(self.wire, WireKind::UdpRl1 | WireKind::JsonDgram);
        Shape {
            values: self.values,
            inputs: self.inputs.unwrap_or(if loses { 3 } else { 1 }),
        }
    }

    /// `size` of an Echo that came back whole.
    pub fn echo_size(&self) -> u32 {
        match self.wire {
            WireKind::Plain | WireKind::Netcode => self.payload_bytes.max(HEAD_BYTES) as u32,
            _ => self.values,
        }
    }
}

fn parse_key(text: &str) -> Result<[u8; 32], String> {
    let mut key = [0; 32];
    let is_hex = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_hex {
        return Err("64 hex digits".to_owned());
    }
    for (index, byte) in key.iter_mut().enumerate() {
        let digits = text.get(2 * index..2 * index + 2).unwrap_or("");
        *byte = u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?;
    }
    Ok(key)
}
