//! What a world consists of: link, endpoints, datagrams, tokens.

use std::net::SocketAddr;

use ggscale_transport_core::{Client, Event, FlowId, Server};

/// What the link does to each datagram; probabilities in 1/1000.
#[derive(Clone, Copy)]
pub struct Link {
    pub loss: u64,
    /// Once lost, up to this many in a row.
    pub burst: u64,
    pub corrupt: u64,
    pub duplicate: u64,
    pub delay_us: u64,
    pub jitter_us: u64,
}

impl Link {
    pub const CLEAN: Link = Link {
        loss: 0,
        burst: 1,
        corrupt: 0,
        duplicate: 0,
        delay_us: 10_000,
        jitter_us: 0,
    };
}

pub struct ServerNode {
    pub server: Server,
    pub address: SocketAddr,
    pub events: Vec<Event>,
    pub payloads: Vec<(FlowId, Vec<u8>)>,
}

pub struct ClientNode {
    pub client: Client,
    pub address: SocketAddr,
    pub events: Vec<Event>,
    pub payloads: Vec<Vec<u8>>,
    /// When it heard that it is connected.
    pub connected_us: Option<u64>,
}

/// What tests vary about a token.
pub struct TokenSpec {
    pub server_addresses: Vec<SocketAddr>,
    pub public_addresses: Option<Vec<SocketAddr>>,
    pub expire_seconds: u64,
    pub timeout_s: i32,
}

#[derive(Clone)]
pub struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

pub fn server_address(index: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 40_000 + index as u16))
}

pub fn client_address(n: u16) -> SocketAddr {
    SocketAddr::from(([192, 168, (n >> 8) as u8, n as u8], 5_000))
}
