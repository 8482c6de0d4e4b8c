//! A small network in virtual time: servers, clients, one link profile, one seed.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions, TokenNx};
use ggscale_transport_core::{
    Client, ClientConfig, ClientNx, Clock, Event, FlowId, Path, Random, Received, Registry, Server,
    ServerConfig, ServerNx, DATAGRAM_BYTES_MAX, HEADROOM,
};

pub use crate::parts::*;

pub const PROTOCOL_ID: u64 = 0x6767_7363_616c_6531;
pub const PRIVATE_KEY: [u8; 32] = [0x5a; 32];
pub const UNIX_S: u64 = 1_800_000_000;
/// A forger goes on from here: where there is one, clients' counters begin shortly below.
pub const SEQUENCE: u64 = 1 << 40;
/// Late enough that a mono clock starting at zero would show.
pub const START_US: u64 = 777_000_123;

pub struct World {
    pub now_us: u64,
    pub servers: Vec<ServerNode>,
    pub clients: Vec<ClientNode>,
    pub link: Link,
    pub random: Random,
    pub registry: Registry,
    /// Of clients; servers have it off unless a test says otherwise.
    pub client_nx: ClientNx,
    /// Clients begin to count where the forger can go on.
    pub has_forger: bool,
    /// Everything that was ever sent, when recording.
    pub sent: Option<Vec<Datagram>>,
    /// Datagrams to these addresses vanish.
    pub dead: HashSet<SocketAddr>,
    queue: BTreeMap<(u64, u64), Datagram>,
    queued: u64,
    burst_left: u64,
    /// (from, to, sequence) of everything sealed: a pair of addresses is one key in these tests, or
    /// several with random starts, and never may a nonce come twice.
    nonces: HashSet<(SocketAddr, u64, bool)>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now_us: START_US,
            servers: Vec::new(),
            clients: Vec::new(),
            link: Link::CLEAN,
            random: Random::from_number(seed),
            registry: Registry::isolated(),
            client_nx: ClientNx::Off,
            has_forger: false,
            sent: None,
            dead: HashSet::new(),
            queue: BTreeMap::new(),
            queued: 0,
            burst_left: 0,
            nonces: HashSet::new(),
        }
    }

    pub fn with_server(seed: u64, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut world = Self::new(seed);
        world.add_server(change);
        world
    }

    /// Its first draw is where a client's counter begins.
    fn client_random(&mut self) -> Random {
        loop {
            let seed = self.random.next_u64();
            let first = Random::from_number(seed).next_u64() % SEQUENCE;
            if !self.has_forger || first >= SEQUENCE - (1 << 27) {
                return Random::from_number(seed);
            }
        }
    }

    pub fn clock(&self) -> Clock {
        Clock {
            mono_us: self.now_us,
            unix_s: UNIX_S + (self.now_us - START_US) / 1_000_000,
        }
    }

    pub fn add_server(&mut self, change: impl FnOnce(&mut ServerConfig)) -> usize {
        let index = self.servers.len();
        let address = server_address(index);
        let random = Random::from_number(self.random.next_u64());
        let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, random);
        config.server_addresses = vec![address];
        config.registry = Some(self.registry.clone());
        config.nx = ServerNx::Off;
        change(&mut config);
        let server = Server::new(config, self.clock()).expect("config");
        self.servers.push(ServerNode {
            server,
            address,
            events: vec![],
            payloads: vec![],
        });
        index
    }

    /// A token for one server, 30 s to connect, 5 s timeout.
    pub fn token(&mut self, client_id: u64) -> Vec<u8> {
        self.token_with(client_id, |_| {})
    }

    pub fn token_with(&mut self, client_id: u64, change: impl FnOnce(&mut TokenSpec)) -> Vec<u8> {
        let mut spec = TokenSpec {
            server_addresses: vec![server_address(0)],
            public_addresses: None,
            expire_seconds: 30,
            timeout_s: 5,
        };
        change(&mut spec);
        let mut user_data = [0; 256];
        user_data[..8].copy_from_slice(&client_id.to_le_bytes());
        let options = ConnectTokenOptions {
            protocol_id: PROTOCOL_ID,
            private_key: &PRIVATE_KEY,
            client_id,
            server_addresses: &spec.server_addresses,
            public_addresses: spec.public_addresses.as_deref(),
            create_timestamp: self.clock().unix_s,
            expire_seconds: spec.expire_seconds,
            timeout_s: spec.timeout_s,
            user_data: &user_data,
            nx: TokenNx::Silent,
        };
        create_connect_token(&options, &mut self.random)
            .expect("token")
            .to_vec()
    }

    pub fn add_client(&mut self, token: &[u8], address: SocketAddr) -> usize {
        let mut config = ClientConfig::new(self.client_random());
        config.nx = self.client_nx;
        let client = Client::new(config, token, self.clock()).expect("token");
        let (events, payloads) = (vec![], vec![]);
        self.clients.push(ClientNode {
            client,
            address,
            events,
            payloads,
            connected_us: None,
        });
        let index = self.clients.len() - 1;
        self.drain_client(index);
        index
    }

    /// A client with a fresh token at an address of its own, connected.
    pub fn connect(&mut self, client_id: u64) -> (usize, FlowId) {
        let token = self.token(client_id);
        self.connect_with(&token, client_address(client_id as u16))
    }

    pub fn connect_with(&mut self, token: &[u8], address: SocketAddr) -> (usize, FlowId) {
        let index = self.add_client(token, address);
        let before = self.servers[0].events.len();
        let end = self.now_us + 1_000_000;
        self.run_until(end, |world| {
            world.clients[index].connected_us.is_some() && world.queue.is_empty()
        });
        assert!(self.clients[index].connected_us.is_some(), "connects");
        let flow = self.servers[0].events[before..]
            .iter()
            .find_map(|event| match event {
                Event::Opened { flow, .. } => Some(*flow),
                _ => None,
            });
        (index, flow.expect("opened"))
    }

    /// Datagrams of the past go on; nothing else is sent by this client.
    pub fn vanish(&mut self, client: usize) {
        let address = self.clients[client].address;
        self.dead.insert(address);
        let token = self.token(u64::MAX);
        let config = ClientConfig::new(Random::from_number(0));
        let mut client_object = Client::new(config, &token, self.clock()).expect("token");
        client_object.close_flow(self.clock(), Client::FLOW);
        self.clients[client].client = client_object;
    }

    pub fn client_send(&mut self, index: usize, payload: &[u8]) {
        let clock = self.clock();
        let mut buffer = [0; DATAGRAM_BYTES_MAX + HEADROOM];
        buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(payload);
        let node = &mut self.clients[index];
        let sealed = node
            .client
            .seal_payload(clock, Client::FLOW, &mut buffer, HEADROOM, payload.len())
            .expect("sealed");
        let from = node.address;
        let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
        self.drain_client(index);
        self.send(Datagram {
            from,
            to: sealed.path.remote,
            bytes,
        });
    }

    pub fn server_send(&mut self, index: usize, flow: FlowId, payload: &[u8]) {
        let clock = self.clock();
        let mut buffer = [0; DATAGRAM_BYTES_MAX + HEADROOM];
        buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(payload);
        let node = &mut self.servers[index];
        let sealed = node
            .server
            .seal_payload(clock, flow, &mut buffer, HEADROOM, payload.len())
            .expect("sealed");
        let from = node.address;
        let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
        self.drain_server(index);
        self.send(Datagram {
            from,
            to: sealed.path.remote,
            bytes,
        });
    }

    /// Hands bytes to server 0 as if they came from this address, at once.
    pub fn inject(&mut self, from: SocketAddr, bytes: &[u8]) -> Received {
        let clock = self.clock();
        let mut copy = bytes.to_vec();
        let path = Path {
            remote: from,
            local: None,
        };
        let received = self.servers[0]
            .server
            .handle_datagram(clock, path, &mut copy);
        self.drain_server(0);
        received
    }

    pub fn inject_client(&mut self, index: usize, from: SocketAddr, bytes: &[u8]) -> Received {
        let clock = self.clock();
        let mut copy = bytes.to_vec();
        let path = Path {
            remote: from,
            local: None,
        };
        let received = self.clients[index]
            .client
            .handle_datagram(clock, path, &mut copy);
        self.drain_client(index);
        received
    }

    pub fn run_for(&mut self, us: u64) {
        let end = self.now_us + us;
        self.run_until(end, |_| false);
    }

    /// Runs until the time or the condition; time stands at `end_us` in the first case.
    pub fn run_until(&mut self, end_us: u64, stop: impl Fn(&World) -> bool) {
        loop {
            if stop(self) {
                return;
            }
            let next = self.next_event_us();
            if next > end_us {
                self.now_us = end_us;
                return;
            }
            assert!(next >= self.now_us || next > 0);
            self.now_us = self.now_us.max(next);
            self.step();
        }
    }

    fn next_event_us(&self) -> u64 {
        let queue = self.queue.keys().next().map(|(at, _)| *at);
        let servers = self
            .servers
            .iter()
            .filter_map(|node| node.server.deadline_us());
        let clients = self
            .clients
            .iter()
            .filter_map(|node| node.client.deadline_us());
        queue
            .into_iter()
            .chain(servers)
            .chain(clients)
            .min()
            .unwrap_or(u64::MAX)
    }

    fn step(&mut self) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now_us {
                break;
            }
            let datagram = entry.remove();
            self.deliver(datagram);
        }
        let clock = self.clock();
        for index in 0..self.servers.len() {
            self.servers[index].server.handle_timeout(clock);
            self.drain_server(index);
            self.servers[index].server.check_invariants();
        }
        for index in 0..self.clients.len() {
            self.clients[index].client.handle_timeout(clock);
            self.drain_client(index);
        }
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let clock = self.clock();
        let path = Path {
            remote: datagram.from,
            local: Some(datagram.to.ip()),
        };
        if let Some(index) = self
            .servers
            .iter()
            .position(|node| node.address == datagram.to)
        {
            let node = &mut self.servers[index];
            let received = node
                .server
                .handle_datagram(clock, path, &mut datagram.bytes);
            if let Received::Payload {
                flow,
                start,
                length,
                ..
            } = received
            {
                node.payloads
                    .push((flow, datagram.bytes[start..start + length].to_vec()));
            }
            self.drain_server(index);
        } else if let Some(index) = self.living_client_at(datagram.to) {
            let node = &mut self.clients[index];
            let received = node
                .client
                .handle_datagram(clock, path, &mut datagram.bytes);
            if let Received::Payload { start, length, .. } = received {
                node.payloads
                    .push(datagram.bytes[start..start + length].to_vec());
            }
            self.drain_client(index);
        }
    }

    /// The newest client at an address has its socket.
    fn living_client_at(&self, address: SocketAddr) -> Option<usize> {
        self.clients
            .iter()
            .rposition(|node| node.address == address)
    }

    pub fn drain_server(&mut self, index: usize) {
        let clock = self.clock();
        let mut out = [0; DATAGRAM_BYTES_MAX];
        let from = self.servers[index].address;
        while let Some(transmit) = self.servers[index].server.poll_transmit(clock, &mut out) {
            let bytes = out[..transmit.length].to_vec();
            self.send(Datagram {
                from,
                to: transmit.path.remote,
                bytes,
            });
        }
        let node = &mut self.servers[index];
        while let Some(event) = node.server.poll_event() {
            node.events.push(event);
        }
    }

    pub fn drain_client(&mut self, index: usize) {
        let clock = self.clock();
        let mut out = [0; DATAGRAM_BYTES_MAX];
        let from = self.clients[index].address;
        while let Some(transmit) = self.clients[index].client.poll_transmit(clock, &mut out) {
            let bytes = out[..transmit.length].to_vec();
            self.send(Datagram {
                from,
                to: transmit.path.remote,
                bytes,
            });
        }
        let now_us = self.now_us;
        let node = &mut self.clients[index];
        while let Some(event) = node.client.poll_event() {
            if matches!(event, Event::Opened { .. }) {
                node.connected_us = Some(now_us);
            }
            node.events.push(event);
        }
    }

    fn send(&mut self, datagram: Datagram) {
        self.note_nonce(&datagram);
        if let Some(sent) = &mut self.sent {
            sent.push(datagram.clone());
        }
        if self.dead.contains(&datagram.to) || self.is_lost() {
            return;
        }
        let copies = 1 + u64::from(self.chance(self.link.duplicate));
        for _ in 0..copies {
            let mut copy = datagram.clone();
            if self.chance(self.link.corrupt) {
                let at = (self.random.next_u64() % copy.bytes.len() as u64) as usize;
                copy.bytes[at] ^= 1 << (self.random.next_u64() % 8);
            }
            let jitter = self.random.next_u64() % (self.link.jitter_us + 1);
            self.queued += 1;
            self.queue.insert(
                (self.now_us + self.link.delay_us + jitter, self.queued),
                copy,
            );
        }
    }

    fn note_nonce(&mut self, datagram: &Datagram) {
        let (count, kind) = (usize::from(datagram.bytes[0] >> 4), datagram.bytes[0] & 15);
        if datagram.bytes[0] == 0 {
            return;
        }
        let at = if matches!(kind, 8 | 9) { 9 } else { 1 };
        let mut sequence = [0; 8];
        sequence[..count].copy_from_slice(&datagram.bytes[at..at + count]);
        let from_server = self
            .servers
            .iter()
            .any(|node| node.address == datagram.from);
        let client = if from_server {
            datagram.to
        } else {
            datagram.from
        };
        let is_new = self
            .nonces
            .insert((client, u64::from_le_bytes(sequence), from_server));
        assert!(is_new, "a nonce was used twice");
    }

    fn is_lost(&mut self) -> bool {
        if self.burst_left > 0 {
            self.burst_left -= 1;
            return true;
        }
        let lost = self.chance(self.link.loss);
        if lost {
            self.burst_left = self.random.next_u64() % self.link.burst;
        }
        lost
    }

    fn chance(&mut self, in_1000: u64) -> bool {
        self.random.next_u64() % 1000 < in_1000
    }
}
