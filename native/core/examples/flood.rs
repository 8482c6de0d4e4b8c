//! What a flood costs, without a network: 200 players exchange packets while 100,000 bad datagrams
//! a second arrive, one kind after the other; then, what admission costs an honest packet.
//! `cargo run --release --example flood -- [rounds]`

mod support;

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Instant;

use ggscale_transport_core::{
    AdmissionSettings, Client, ClientNx, Clock, FlowId, Path, Random, Received, Registry, Server,
    ServerConfig, DATAGRAM_BYTES_MAX, HEADROOM,
};
use support::{connect, open_doors, resident_kib, token, CLOCK, KEY};

const PLAYERS: u32 = 200;
/// A packet each way and player every 16 ms.
const PACKET_EVERY_MS: u64 = 16;
const BAD_PER_MS: usize = 100;
/// Tokens that the attacker has got from the backend.
const FRESH_TOKENS: u64 = 20_000;
const PAYLOAD_BYTES: usize = 100;

type Buffer = [u8; DATAGRAM_BYTES_MAX];

/// Writes the n-th bad datagram: its length and its source.
type Forge = Box<dyn FnMut(u64, &mut Buffer) -> (usize, SocketAddr)>;

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    let mut game = Game::new(AdmissionSettings::default());
    let mut kinds = kinds(&game);
    let mut reports: Vec<Vec<Report>> = kinds.iter().map(|_| Vec::new()).collect();
    let start_kib = resident_kib();
    let mut resident = Vec::new();
    for _ in 0..rounds {
        for ((_, forge), reports) in kinds.iter_mut().zip(&mut reports) {
            reports.push(game.flood(forge));
        }
        resident.push(resident_kib() - start_kib);
    }
    println!("{PLAYERS} players, {BAD_PER_MS}000 bad datagrams/s, {rounds} rounds of 1 s per kind");
    println!(
        "\nkind                                 ns each  % of a core  delivered  (last round)"
    );
    for ((name, _), mut reports) in kinds.iter().zip(reports) {
        let reasons = reports
            .last()
            .map_or("", |report| &report.reasons)
            .to_owned();
        let sent: u32 = reports.iter().map(|report| report.sent).sum();
        let delivered: u32 = reports.iter().map(|report| report.delivered).sum();
        reports.sort_by(|a, b| a.ns_each.total_cmp(&b.ns_each));
        let median_ns = reports.get(rounds / 2).map_or(0.0, |report| report.ns_each);
        let share = median_ns * (BAD_PER_MS * 1000) as f64 / 1e9 * 100.0;
        let delivered = f64::from(delivered) / f64::from(sent) * 100.0;
        println!("{name:36} {median_ns:>7.0}  {share:>10.1}%  {delivered:>8.2}%  {reasons}");
    }
    println!("\nresident memory grown after each round: {resident:?} KiB");
    println!("\nan honest packet of {PAYLOAD_BYTES} B, opened by the server (lower quartile):");
    for (name, ns) in honest_packet_ns() {
        println!("{name:36} {ns:>7.1} ns");
    }
}

struct Player {
    client: Client,
    flow: FlowId,
    path: Path,
}

struct Game {
    server: Server,
    players: Vec<Player>,
    clock: Clock,
    /// A token that is not used yet, for what is made of it.
    spare: [u8; 2048],
    used: [u8; 2048],
}

struct Report {
    ns_each: f64,
    sent: u32,
    delivered: u32,
    reasons: String,
}

impl Game {
    fn new(settings: AdmissionSettings) -> Self {
        let mut random = Random::from_number(1);
        let mut config = ServerConfig::new(1, KEY, Random::from_number(2));
        config.max_flows = 4 * PLAYERS;
        config.registry = Some(Registry::isolated());
        config.admission = open_doors();
        let mut server = Server::new(config, CLOCK).expect("config");
        let mut used = [0; 2048];
        let players = (0..PLAYERS)
            .map(|id| {
                used = token(u64::from(id), 10, &mut random);
                let (client, flow, path) = connect(&mut server, CLOCK, &used, id, ClientNx::Auto);
                Player { client, flow, path }
            })
            .collect();
        server.set_admission(CLOCK, settings).expect("settings");
        Self {
            server,
            players,
            clock: CLOCK,
            spare: token(1 << 40, 10, &mut random),
            used,
        }
    }

    /// One second.
    fn flood(&mut self, forge: &mut Forge) -> Report {
        let mut buffers = vec![[0; DATAGRAM_BYTES_MAX]; BAD_PER_MS];
        let mut shapes = Vec::with_capacity(BAD_PER_MS);
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        let (mut sent, mut delivered, mut n) = (0, 0, 0);
        let mut batches = Vec::with_capacity(1000);
        let mut results = Vec::with_capacity(BAD_PER_MS);
        for ms in 0..1000 {
            self.clock.mono_us += 1000;
            self.clock.unix_s = CLOCK.unix_s + (self.clock.mono_us - CLOCK.mono_us) / 1_000_000;
            shapes.clear();
            results.clear();
            for buffer in &mut buffers {
                shapes.push(forge(n, buffer));
                n += 1;
            }
            let started = Instant::now();
            for (buffer, (length, remote)) in buffers.iter_mut().zip(&shapes) {
                let path = Path {
                    remote: *remote,
                    local: None,
                };
                let datagram = &mut buffer[..*length];
                results.push(self.server.handle_datagram(self.clock, path, datagram));
            }
            batches.push(started.elapsed().as_nanos());
            for result in &results {
                let name = match result {
                    Received::Dropped(reason) => reason.name(),
                    _ => "taken",
                };
                *reasons.entry(name).or_default() += 1;
            }
            let due = (ms % PACKET_EVERY_MS) as usize;
            for index in (due..self.players.len()).step_by(PACKET_EVERY_MS as usize) {
                sent += 2;
                delivered += self.exchange(index);
            }
            self.settle();
        }
        let reasons = reasons
            .iter()
            .map(|(name, count)| format!("{name} {count}"));
        // The median leaves out where other processes had the core.
        batches.sort_unstable();
        Report {
            ns_each: batches[batches.len() / 2] as f64 / BAD_PER_MS as f64,
            sent,
            delivered,
            reasons: reasons.collect::<Vec<_>>().join(", "),
        }
    }

    /// One packet each way; how many arrived.
    fn exchange(&mut self, index: usize) -> u32 {
        let (clock, server) = (self.clock, &mut self.server);
        let player = &mut self.players[index];
        let mut buffer = [0; HEADROOM + PAYLOAD_BYTES + 16];
        let sealed = player
            .client
            .seal_payload(clock, Client::FLOW, &mut buffer, HEADROOM, PAYLOAD_BYTES)
            .expect("connected");
        let datagram = &mut buffer[sealed.start..sealed.start + sealed.length];
        let to_server = server.handle_datagram(clock, player.path, datagram);
        let sealed = server.seal_payload(clock, player.flow, &mut buffer, HEADROOM, PAYLOAD_BYTES);
        let Ok(sealed) = sealed else { return 0 };
        let from = Path {
            remote: SocketAddr::from(([10, 0, 0, 1], 40_000)),
            local: None,
        };
        let datagram = &mut buffer[sealed.start..sealed.start + sealed.length];
        let to_client = player.client.handle_datagram(clock, from, datagram);
        let is_payload = |received| u32::from(matches!(received, Received::Payload { .. }));
        is_payload(to_server) + is_payload(to_client)
    }

    fn settle(&mut self) {
        let mut out = [0; DATAGRAM_BYTES_MAX];
        self.server.handle_timeout(self.clock);
        while self.server.poll_transmit(self.clock, &mut out).is_some() {}
        while self.server.poll_event().is_some() {}
        for player in &mut self.players {
            while player.client.poll_transmit(self.clock, &mut out).is_some() {}
        }
    }
}

/// What an attacker can send, cheapest first.
fn kinds(game: &Game) -> Vec<(&'static str, Forge)> {
    let request = request_of(&game.spare);
    let used = request_of(&game.used);
    let with = |at: usize, value: u8| {
        let mut changed = request;
        changed[at] ^= value;
        changed
    };
    let mut expired = request;
    expired[22..30].fill(0);
    let mut random = Random::from_number(9);
    let fresh: Vec<[u8; 1078]> = (0..FRESH_TOKENS)
        .map(|id| request_of(&token(1 << 41 | id, 10, &mut random)))
        .collect();
    let victims: Vec<SocketAddr> = game.players.iter().map(|p| p.path.remote).collect();
    let flow_source = move |n: u64| victims[n as usize % victims.len()];
    let mut short = request;
    short[1077] = 0;
    let copy = |bytes: [u8; 1078], length: usize, from: fn(u64) -> SocketAddr| -> Forge {
        Box::new(move |n, buffer| {
            buffer[..length].copy_from_slice(&bytes[..length]);
            (length, from(n))
        })
    };
    vec![
        ("request of a wrong length", copy(short, 1077, anywhere)),
        ("request, other version", copy(with(12, 1), 1078, anywhere)),
        (
            "request, other protocol id",
            copy(with(14, 1), 1078, anywhere),
        ),
        ("request, expired token", copy(expired, 1078, anywhere)),
        ("payload from nowhere", {
            Box::new(move |n, buffer| {
                buffer[..60].fill(0x15);
                (60, anywhere(n))
            })
        }),
        ("payload forged for a player", {
            Box::new(move |n, buffer| {
                buffer[..60].fill(0x15);
                buffer[1..6].copy_from_slice(&(1 << 39 | n).to_le_bytes()[..5]);
                buffer[0] = 0x55;
                (60, flow_source(n))
            })
        }),
        (
            "request, token that does not open",
            copy(with(700, 1), 1078, anywhere),
        ),
        (
            "request, token used up, same source",
            copy(used, 1078, |_| SocketAddr::from(([10, 0, 0, 0], 1000))),
        ),
        (
            "request, good token, forged sources",
            copy(request, 1078, anywhere),
        ),
        ("request, fresh tokens, one /24", {
            let fresh = fresh.clone();
            Box::new(move |n, buffer| {
                buffer[..1078].copy_from_slice(&fresh[scattered(n) as usize]);
                (1078, SocketAddr::from(([203, 0, 113, n as u8], n as u16)))
            })
        }),
        ("request, fresh tokens, a /64 each", {
            Box::new(move |n, buffer| {
                let index = scattered(n);
                buffer[..1078].copy_from_slice(&fresh[index as usize]);
                let ip = Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(index) << 64);
                (1078, SocketAddr::from((ip, 5000)))
            })
        }),
    ]
}

/// Each token now and then: their turn must not go with the budget's.
fn scattered(n: u64) -> u64 {
    (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % FRESH_TOKENS
}

/// Sources all over IPv4, none of them a player's.
fn anywhere(n: u64) -> SocketAddr {
    let ip = (n as u32).wrapping_mul(0x9e37_79b1) | 0x8000_0000;
    SocketAddr::from((ip.to_be_bytes(), 5000))
}

fn request_of(token: &[u8; 2048]) -> [u8; 1078] {
    let mut request = [0; 1078];
    request[1..22].copy_from_slice(&token[..21]);
    request[22..].copy_from_slice(&token[29..1085]);
    request
}

/// Nanoseconds per packet without flow limits, with them, and with a long block list besides: the
/// servers take turns of one batch each, so that all meet the same machine.
fn honest_packet_ns() -> Vec<(&'static str, f64)> {
    const BATCH: usize = 32;
    const ROUNDS: usize = 20_000;
    let blocked = AdmissionSettings {
        blocked: (0..10_000u32)
            .filter_map(|n| format!("172.{}.{}.0/25", n >> 8, n & 255).parse().ok())
            .collect(),
        ..open_doors()
    };
    let cases = [
        ("admission off", AdmissionSettings::unlimited()),
        ("flow limits", open_doors()),
        ("flow limits and 10,000 blocked", blocked),
    ];
    let mut games = cases.map(|(name, settings)| (name, Game::new(settings), Vec::new()));
    let mut buffers = [[0u8; HEADROOM + PAYLOAD_BYTES + 16]; BATCH];
    for round in 0..ROUNDS {
        for (_, game, batches) in &mut games {
            game.clock.mono_us += 100;
            let clock = game.clock;
            let player = &mut game.players[round % PLAYERS as usize];
            let path = player.path;
            let sealed = buffers.each_mut().map(|buffer| {
                player
                    .client
                    .seal_payload(clock, Client::FLOW, buffer, HEADROOM, PAYLOAD_BYTES)
                    .expect("sealed")
            });
            let started = Instant::now();
            for (buffer, sealed) in buffers.iter_mut().zip(&sealed) {
                let datagram = &mut buffer[sealed.start..sealed.start + sealed.length];
                let received = game.server.handle_datagram(clock, path, datagram);
                assert!(matches!(received, Received::Payload { .. }));
            }
            batches.push(started.elapsed().as_nanos());
        }
    }
    games
        .into_iter()
        .map(|(name, _, mut batches)| {
            batches.sort_unstable();
            (name, batches[ROUNDS / 4] as f64 / BATCH as f64)
        })
        .collect()
}
