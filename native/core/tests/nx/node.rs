//! What a world consists of: link, machine, clients, datagrams.

use std::net::SocketAddr;

use ggscale_transport_core::{Client, Event, FlowId, Server, HEADROOM};

/// What the link does to each datagram; probabilities in 1/1000.
#[derive(Clone, Copy)]
pub struct Link {
    pub loss: u64,
    pub corrupt: u64,
    pub duplicate: u64,
    /// One way.
    pub delay_us: u64,
    pub jitter_us: u64,
}

impl Link {
    pub const CLEAN: Link = Link {
        loss: 0,
        corrupt: 0,
        duplicate: 0,
        delay_us: 20_000,
        jitter_us: 0,
    };
}

/// One I/O thread of the machine.
pub struct Worker {
    pub server: Server,
    pub events: Vec<Event>,
    /// Live flows, by `Opened` and `Closed`, with the client id of each.
    pub flows: Vec<(FlowId, u64)>,
}

pub struct ClientNode {
    pub client: Client,
    pub id: u64,
    /// As the server sees it: what the NAT gave.
    pub address: SocketAddr,
    pub events: Vec<Event>,
    pub is_open: bool,
    pub next_number: u32,
    /// Numbers of the server's payloads, with the time of arrival.
    pub received: Vec<(u64, u32)>,
    /// Numbers of this client's payloads that the server received, with the time.
    pub arrived: Vec<(u64, u32)>,
    /// Numbers of payloads that the server sent to this client.
    pub next_number_down: u32,
    /// Where this client was before: what still goes there is lost.
    pub former: Vec<SocketAddr>,
}

#[derive(Clone, Debug)]
pub struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

impl Datagram {
    /// Type of a sealed datagram; 0 for a request.
    pub fn kind(&self) -> u8 {
        self.bytes[0] & 15
    }

    pub fn sequence(&self) -> u64 {
        let count = usize::from(self.bytes[0] >> 4);
        let at = if matches!(self.kind(), 8 | 9) { 9 } else { 1 };
        let mut sequence = [0; 8];
        sequence[..count].copy_from_slice(&self.bytes[at..at + count]);
        u64::from_le_bytes(sequence)
    }
}

pub const SERVER: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)),
    40_000,
);

/// The n-th address that a client can have, each on a host of its own.
pub fn address(n: u32) -> SocketAddr {
    let [_, a, b, c] = (n + 1).to_be_bytes();
    SocketAddr::from(([192, a, b, c], 5_000))
}

pub const PAYLOAD_BYTES: usize = 40;

/// A numbered payload with its room around it.
pub fn payload(number: u32) -> [u8; HEADROOM + PAYLOAD_BYTES + 16] {
    let mut buffer = [7; HEADROOM + PAYLOAD_BYTES + 16];
    buffer[HEADROOM..HEADROOM + 4].copy_from_slice(&number.to_le_bytes());
    buffer
}

pub fn number_of(payload: &[u8]) -> u32 {
    u32::from_le_bytes([payload[0], payload[1], payload[2], payload[3]])
}

/// FNV-1a stands in for the hash of the kernel's rule.
pub fn source_hash(address: SocketAddr) -> u32 {
    let text = address.to_string();
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, mix)
}
