//! What the examples share: tokens, connections made by hand, resident memory.

use std::net::SocketAddr;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions, TokenNx};
use ggscale_transport_core::{
    AdmissionSettings, Client, ClientConfig, ClientNx, Clock, Event, FlowId, Path, Random, Rate,
    Server, DATAGRAM_BYTES_MAX,
};

pub const KEY: [u8; 32] = [7; 32];
pub const CLOCK: Clock = Clock {
    mono_us: 1_000_000,
    unix_s: 1_000_000,
};

/// Everybody may connect within one instant, and a flow may be as fast as it can. Flow rates are
/// raised, not lifted: checking them costs what it costs.
pub fn open_doors() -> AdmissionSettings {
    let fast = Some(Rate::new(u32::MAX, u32::MAX));
    AdmissionSettings {
        packets_per_flow: fast,
        bytes_per_flow: fast,
        ..AdmissionSettings::unlimited()
    }
}

pub fn token(client_id: u64, timeout_s: i32, random: &mut Random) -> [u8; 2048] {
    let options = ConnectTokenOptions {
        protocol_id: 1,
        private_key: &KEY,
        client_id,
        server_addresses: &[SocketAddr::from(([10, 0, 0, 1], 40_000))],
        public_addresses: None,
        create_timestamp: CLOCK.unix_s,
        expire_seconds: 60,
        timeout_s,
        user_data: &[0; 256],
        nx: TokenNx::Known,
    };
    create_connect_token(&options, random).expect("token")
}

/// Both ends of a handshake, at a source address of its own, and of NX where it is on.
pub fn connect(
    server: &mut Server,
    clock: Clock,
    token: &[u8],
    id: u32,
    nx: ClientNx,
) -> (Client, FlowId, Path) {
    let mut config = ClientConfig::new(Random::from_number(u64::from(id)));
    config.nx = nx;
    let mut client = Client::new(config, token, clock).expect("token");
    let remote = SocketAddr::from((
        (0x0a00_0000 + (id >> 8)).to_be_bytes(),
        1000 + id as u16 % 256,
    ));
    let path = Path {
        remote,
        local: None,
    };
    let mut out = [0; DATAGRAM_BYTES_MAX];
    for _ in 0..5 {
        while let Some(sent) = client.poll_transmit(clock, &mut out) {
            server.handle_datagram(clock, path, &mut out[..sent.length]);
        }
        while let Some(sent) = server.poll_transmit(clock, &mut out) {
            let from = Path {
                remote: "10.0.0.1:40000".parse().expect("address"),
                local: None,
            };
            client.handle_datagram(clock, from, &mut out[..sent.length]);
        }
    }
    let stats = client.flow_stats(Client::FLOW).expect("stats");
    assert_eq!(stats.nx, nx != ClientNx::Off);
    let Some(Event::Opened { flow, .. }) = server.poll_event() else {
        panic!("opened")
    };
    (client, flow, path)
}

/// 0 where the system does not tell.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
