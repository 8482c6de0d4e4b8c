//! A machine with I/O threads behind one address, clients behind NATs, and the net between them.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::AtomicU32;
use std::sync::Arc;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions, TokenNx};
use ggscale_transport_core::{
    steer, Client, ClientConfig, Clock, Event, FlowId, Path, Random, Received, Registry, Server,
    ServerConfig, DATAGRAM_BYTES_MAX,
};

pub use crate::node::*;

pub const PROTOCOL_ID: u64 = 0x6767_7363_616c_6531;
pub const PRIVATE_KEY: [u8; 32] = [0x5a; 32];
pub const UNIX_S: u64 = 1_800_000_000;
/// A forger goes on from here: where there is one, clients' counters begin shortly below.
pub const SEQUENCE: u64 = 1 << 40;
const START_US: u64 = 777_000_123;
/// 60 Hz, both ways, once a flow is open.
pub const TICK_US: u64 = 16_667;

pub struct World {
    pub now_us: u64,
    pub workers: Vec<Worker>,
    pub clients: Vec<ClientNode>,
    pub link: Link,
    pub random: Random,
    /// Payloads flow by themselves.
    pub traffic: bool,
    /// Clients begin to count where the forger can go on.
    pub has_forger: bool,
    /// Everything that was sent, when recording.
    pub sent: Option<Vec<Datagram>>,
    /// A datagram for which this says true never arrives.
    pub filter: fn(&Datagram) -> bool,
    queue: BTreeMap<(u64, u64), Datagram>,
    queued: u64,
    next_tick_us: u64,
    /// (client, to the server, NX key, sequence): a nonce under a key.
    nonces: HashSet<(u64, bool, bool, u64)>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with_workers(seed, 1, |_| {})
    }

    pub fn with_workers(seed: u64, count: u8, change: impl Fn(&mut ServerConfig)) -> Self {
        let mut world = Self {
            now_us: START_US,
            workers: Vec::new(),
            clients: Vec::new(),
            link: Link::CLEAN,
            random: Random::from_number(seed),
            traffic: true,
            has_forger: false,
            sent: None,
            filter: |_| false,
            queue: BTreeMap::new(),
            queued: 0,
            next_tick_us: START_US,
            nonces: HashSet::new(),
        };
        world.start_server(count, change);
        world
    }

    /// A machine that remembers nothing of an earlier one.
    pub fn start_server(&mut self, count: u8, change: impl Fn(&mut ServerConfig)) {
        let registry = Registry::isolated();
        let shared = Arc::new(AtomicU32::new(0));
        self.workers = (0..count)
            .map(|worker| {
                let random = Random::from_number(self.random.next_u64());
                let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, random);
                config.server_addresses = vec![SERVER];
                config.registry = Some(registry.clone());
                config.shared_flows = Some(shared.clone());
                config.worker = worker;
                change(&mut config);
                Worker {
                    server: Server::new(config, self.clock()).expect("config"),
                    events: vec![],
                    flows: vec![],
                }
            })
            .collect();
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

    pub fn token(&mut self, client_id: u64, nx: TokenNx) -> Vec<u8> {
        let options = ConnectTokenOptions {
            protocol_id: PROTOCOL_ID,
            private_key: &PRIVATE_KEY,
            client_id,
            server_addresses: &[SERVER],
            public_addresses: None,
            create_timestamp: self.clock().unix_s,
            expire_seconds: 30,
            timeout_s: 5,
            user_data: &[0; 256],
            nx,
        };
        create_connect_token(&options, &mut self.random)
            .expect("token")
            .to_vec()
    }

    /// A client that begins to connect, at an address of its own.
    pub fn dial(&mut self, change: impl FnOnce(&mut ClientConfig)) -> usize {
        let id = self.clients.len() as u64;
        let token = self.token(id, TokenNx::Known);
        self.dial_with(&token, id, change)
    }

    pub fn dial_with(
        &mut self,
        token: &[u8],
        id: u64,
        change: impl FnOnce(&mut ClientConfig),
    ) -> usize {
        let index = self.clients.len();
        let mut config = ClientConfig::new(self.client_random());
        change(&mut config);
        let client = Client::new(config, token, self.clock()).expect("token");
        self.clients.push(ClientNode {
            client,
            id,
            address: address(1000 * index as u32),
            events: vec![],
            is_open: false,
            next_number: 0,
            received: vec![],
            arrived: vec![],
            next_number_down: 0,
            former: vec![],
        });
        self.drain_client(index);
        index
    }

    /// A client with NX keys on both ends.
    pub fn connect(&mut self) -> usize {
        let index = self.dial(|_| {});
        self.run_for(500_000);
        assert!(self.is_nx(index), "connects with NX");
        index
    }

    /// Both ends use NX keys.
    pub fn is_nx(&self, index: usize) -> bool {
        let client = self.clients[index].client.flow_stats(Client::FLOW);
        let (worker, flow) = self.flow(index);
        let server = self.workers[worker].server.flow_stats(flow);
        client.is_some_and(|stats| stats.nx) && server.is_some_and(|stats| stats.nx)
    }

    /// The newest flow of a client: its worker and its id.
    pub fn flow(&self, index: usize) -> (usize, FlowId) {
        self.find_flow(index).expect("the client has a flow")
    }

    pub fn find_flow(&self, index: usize) -> Option<(usize, FlowId)> {
        let id = self.clients[index].id;
        let mut found = None;
        for (worker, node) in self.workers.iter().enumerate() {
            if let Some((flow, _)) = node.flows.iter().rfind(|(_, owner)| *owner == id) {
                found = Some((worker, *flow));
            }
        }
        found
    }

    /// What the server has for this client's address now.
    pub fn address_at_server(&self, index: usize) -> SocketAddr {
        let (worker, flow) = self.flow(index);
        let stats = self.workers[worker].server.flow_stats(flow);
        stats.expect("a flow").path.remote
    }

    /// The NAT forgets its mapping: what comes for the old address is lost from now on.
    pub fn rebind(&mut self, index: usize, to: SocketAddr) {
        let node = &mut self.clients[index];
        node.former.push(node.address);
        node.address = to;
    }

    /// Hands bytes to the machine's kernel as if they came from this address, at once.
    pub fn inject(&mut self, from: SocketAddr, bytes: &[u8]) -> Received {
        let count = self.workers.len();
        let index = steer(bytes, source_hash(from), count as u8) % count;
        let (clock, mut copy) = (self.clock(), bytes.to_vec());
        let path = Path {
            remote: from,
            local: Some(SERVER.ip()),
        };
        let server = &mut self.workers[index].server;
        let received = server.handle_datagram(clock, path, &mut copy);
        if let Received::Payload { flow, start, .. } = received {
            let number = number_of(&copy[start..]);
            self.note_arrival(index, flow, number);
        }
        self.drain_worker(index);
        received
    }

    pub fn inject_client(&mut self, index: usize, from: SocketAddr, bytes: &[u8]) -> Received {
        let (clock, mut copy) = (self.clock(), bytes.to_vec());
        let path = Path {
            remote: from,
            local: None,
        };
        let node = &mut self.clients[index];
        let received = node.client.handle_datagram(clock, path, &mut copy);
        if let Received::Payload { start, .. } = received {
            node.received
                .push((clock.mono_us, number_of(&copy[start..])));
        }
        self.drain_client(index);
        received
    }

    pub fn run_for(&mut self, us: u64) {
        let end_us = self.now_us + us;
        self.run_until(end_us, |_| false);
    }

    pub fn run_until(&mut self, end_us: u64, stop: impl Fn(&World) -> bool) {
        while !stop(self) {
            let next_us = self.next_event_us();
            if next_us > end_us {
                self.now_us = end_us;
                return;
            }
            self.now_us = self.now_us.max(next_us);
            self.step();
        }
    }

    fn next_event_us(&self) -> u64 {
        let queue = self.queue.keys().next().map(|(at, _)| *at);
        let servers = self.workers.iter().filter_map(|w| w.server.deadline_us());
        let clients = self.clients.iter().filter_map(|c| c.client.deadline_us());
        let tick = self.traffic.then_some(self.next_tick_us);
        let all = queue.into_iter().chain(servers).chain(clients).chain(tick);
        all.min().unwrap_or(u64::MAX)
    }

    fn step(&mut self) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now_us {
                break;
            }
            let datagram = entry.remove();
            self.deliver(&datagram);
        }
        let clock = self.clock();
        for index in 0..self.workers.len() {
            self.workers[index].server.handle_timeout(clock);
            self.drain_worker(index);
            self.workers[index].server.check_invariants();
        }
        for index in 0..self.clients.len() {
            self.clients[index].client.handle_timeout(clock);
            self.drain_client(index);
        }
        if self.traffic && self.next_tick_us <= self.now_us {
            self.next_tick_us = self.now_us + TICK_US;
            self.tick();
        }
    }

    fn deliver(&mut self, datagram: &Datagram) {
        if datagram.to == SERVER {
            self.inject(datagram.from, &datagram.bytes);
            return;
        }
        let at = |node: &ClientNode| node.address == datagram.to;
        if let Some(index) = self.clients.iter().rposition(at) {
            self.inject_client(index, datagram.from, &datagram.bytes);
        }
    }

    pub fn drain_worker(&mut self, index: usize) {
        let clock = self.clock();
        let mut out = [0; DATAGRAM_BYTES_MAX];
        while let Some(sent) = self.workers[index].server.poll_transmit(clock, &mut out) {
            self.send(SERVER, sent.path.remote, out[..sent.length].to_vec());
        }
        let node = &mut self.workers[index];
        while let Some(event) = node.server.poll_event() {
            match &event {
                Event::Opened {
                    flow, client_id, ..
                } => node.flows.push((*flow, *client_id)),
                Event::Closed { flow, .. } => node.flows.retain(|(known, _)| known != flow),
                _ => {}
            }
            node.events.push(event);
        }
    }

    pub fn drain_client(&mut self, index: usize) {
        let clock = self.clock();
        let mut out = [0; DATAGRAM_BYTES_MAX];
        let from = self.clients[index].address;
        while let Some(sent) = self.clients[index].client.poll_transmit(clock, &mut out) {
            self.send(from, sent.path.remote, out[..sent.length].to_vec());
        }
        let node = &mut self.clients[index];
        while let Some(event) = node.client.poll_event() {
            match event {
                Event::Opened { .. } => node.is_open = true,
                Event::Closed { .. } => node.is_open = false,
                _ => {}
            }
            node.events.push(event);
        }
    }

    pub fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        let datagram = Datagram { from, to, bytes };
        self.note_nonce(&datagram);
        if let Some(sent) = &mut self.sent {
            sent.push(datagram.clone());
        }
        if (self.filter)(&datagram) || self.chance(self.link.loss) {
            return;
        }
        let copies = 1 + u64::from(self.chance(self.link.duplicate));
        for _ in 0..copies {
            let mut copy = datagram.clone();
            if self.chance(self.link.corrupt) {
                let at = (self.random.next_u64() % copy.bytes.len() as u64) as usize;
                copy.bytes[at] ^= 1 << (self.random.next_u64() % 8);
            }
            let jitter_us = self.random.next_u64() % (self.link.jitter_us + 1);
            self.queued += 1;
            let at_us = self.now_us + self.link.delay_us + jitter_us;
            self.queue.insert((at_us, self.queued), copy);
        }
    }

    /// No nonce twice under a key. The token's counters start at random, those of NX keys at zero,
    /// so the sequence tells the two keys of server to client apart.
    fn note_nonce(&mut self, datagram: &Datagram) {
        if matches!(datagram.kind(), 0 | 10..=14) {
            return;
        }
        let is_up = datagram.to == SERVER;
        let peer = if is_up { datagram.from } else { datagram.to };
        let has = |node: &ClientNode| node.address == peer || node.former.contains(&peer);
        let Some(client) = self.clients.iter().rposition(has) else {
            return;
        };
        let is_nx = matches!(datagram.kind(), 8 | 9);
        let nonce = (client as u64, is_up, is_nx, datagram.sequence());
        assert!(self.nonces.insert(nonce), "a nonce was used twice");
    }

    /// A restarted machine makes other keys of the same token.
    pub fn forget_nonces(&mut self) {
        self.nonces.clear();
    }

    fn chance(&mut self, in_1000: u64) -> bool {
        in_1000 > 0 && self.random.next_u64() % 1000 < in_1000
    }
}
