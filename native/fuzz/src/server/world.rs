//! The server, its clients, and what the input may do with them. An altered datagram is dropped, at
//! either end; the rest of what must hold is in `network.rs`.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use ggscale_transport_core::{
    AdmissionSettings, Cidr, Client, ClientConfig, ClientNx, Clock, FlowId, Path, Random, Rate,
    Received, Registry, Server, ServerConfig, ServerNx, DATAGRAM_BYTES_MAX, HEADROOM,
};

use super::forge;
use super::tokens::{server_address, token, COUNT, PRIVATE_KEY, PROTOCOL_ID, UNIX_S};
use crate::input::Input;
use crate::plant;

const RESPONSE: u8 = 3;
const RESPONSE_BODY_BYTES: usize = 308;
const START_US: u64 = 1_000_000_000;
const ADDRESSES: usize = 6;

#[derive(Default)]
pub(super) struct Account {
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) is_proven: bool,
    /// Datagrams under NX keys may come from elsewhere.
    pub(super) may_be_path: bool,
}

#[derive(Clone)]
pub(super) struct Datagram {
    pub(super) client: SocketAddr,
    pub(super) to_server: bool,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Node {
    pub(super) client: Client,
    pub(super) address: SocketAddr,
}

pub(super) struct World {
    pub(super) now_us: u64,
    pub(super) server: Server,
    pub(super) client_nx: ClientNx,
    pub(super) clients: [Option<Node>; COUNT],
    pub(super) accounts: HashMap<SocketAddr, Account>,
    pub(super) captured: Vec<Datagram>,
    /// Flows that opened; false once they closed.
    pub(super) flows: HashMap<FlowId, bool>,
    /// The newest flow, to speak on.
    pub(super) newest: Vec<FlowId>,
    /// Sealed and not yet delivered.
    pub(super) payloads: HashSet<Vec<u8>>,
    pub(super) payload_count: u32,
    pub(super) datagrams_in: u64,
    pub(super) bytes_in: u64,
    pub(super) datagrams_out: u64,
    pub(super) bytes_out: u64,
    /// Clients of which nothing arrives.
    pub(super) lost: [bool; COUNT],
}

fn address(index: usize) -> SocketAddr {
    let host = (index % ADDRESSES) as u8;
    SocketAddr::from(([10, 0, host, 2], 50_000 + u16::from(host)))
}

impl World {
    pub fn new(flags: u8) -> Self {
        let mut config = ServerConfig::new(PROTOCOL_ID, PRIVATE_KEY, Random::from_number(1));
        config.server_addresses = vec![server_address()];
        config.registry = Some(Registry::isolated());
        config.nx = match flags & 3 {
            0 => ServerNx::Allow,
            2 => ServerNx::Require,
            _ => ServerNx::Off,
        };
        config.development = flags & 4 != 0;
        config.max_flows = if flags & 8 == 0 { 16 } else { 2 };
        if flags & 0x40 != 0 {
            config.token_history = 3;
            config.admission = tight();
        }
        config.max_token_lifetime_s = (flags & 0x80 != 0).then_some(29);
        let clock = Clock {
            mono_us: START_US,
            unix_s: UNIX_S,
        };
        Self {
            now_us: START_US,
            server: Server::new(config, clock).expect("a good configuration"),
            client_nx: [
                ClientNx::Auto,
                ClientNx::Off,
                ClientNx::Require,
                ClientNx::Auto,
            ][usize::from(flags >> 4 & 3)],
            clients: [const { None }; COUNT],
            accounts: HashMap::new(),
            captured: Vec::new(),
            flows: HashMap::new(),
            newest: Vec::new(),
            payloads: HashSet::new(),
            payload_count: 0,
            datagrams_in: 0,
            bytes_in: 0,
            datagrams_out: 0,
            bytes_out: 0,
            lost: [false; COUNT],
        }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock {
            mono_us: self.now_us,
            unix_s: UNIX_S + (self.now_us - START_US) / 1_000_000,
        }
    }

    /// A client with its token, and its first request.
    pub fn dial(&mut self, who: usize) {
        let mut config = ClientConfig::new(Random::from_number(100 + who as u64));
        config.nx = self.client_nx;
        config.x25519 = who & 8 != 0;
        if let Ok(client) = Client::new(config, token(who), self.clock()) {
            let address = address(who);
            self.clients[who % COUNT] = Some(Node { client, address });
        }
        self.pump();
    }

    pub fn dial_and_connect(&mut self, who: usize) {
        self.dial(who);
        for _ in 0..4 {
            self.pass(100_000);
        }
    }

    pub fn client_payload(&mut self, who: usize, length: usize) {
        let who = who % COUNT;
        let payload = self.unique(length);
        let clock = self.clock();
        let Some(node) = self.clients[who].as_mut() else {
            return;
        };
        let mut buffer = [0; DATAGRAM_BYTES_MAX + HEADROOM];
        buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(&payload);
        let flow = Client::FLOW;
        let sealed = node
            .client
            .seal_payload(clock, flow, &mut buffer, HEADROOM, payload.len());
        let Ok(sealed) = sealed else {
            return;
        };
        self.payloads.insert(payload);
        let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
        let client = node.address;
        self.carry_up(who, client, bytes);
        self.pump();
    }

    pub fn server_payload(&mut self, who: usize, length: usize) {
        let count = self.newest.len();
        let Some(flow) = self.newest.get(who % count.max(1)).copied() else {
            return;
        };
        let payload = self.unique(length);
        let mut buffer = [0; DATAGRAM_BYTES_MAX + HEADROOM];
        buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(&payload);
        let clock = self.clock();
        let sealed = self
            .server
            .seal_payload(clock, flow, &mut buffer, HEADROOM, payload.len());
        let Ok(sealed) = sealed else {
            return;
        };
        assert!(self.flows.contains_key(&flow));
        self.payloads.insert(payload);
        let bytes = buffer[sealed.start..sealed.start + sealed.length].to_vec();
        self.carry_down(sealed.path.remote, bytes);
        self.pump();
    }

    pub fn pass(&mut self, us: u64) {
        self.now_us += us;
        let clock = self.clock();
        self.server.handle_timeout(clock);
        for node in self.clients.iter_mut().flatten() {
            node.client.handle_timeout(clock);
        }
        self.pump();
    }

    /// What was sent before comes again, perhaps from somebody else.
    pub fn replay(&mut self, which: usize, who: usize) {
        let Some(datagram) = self.captured(which) else {
            return;
        };
        if datagram.to_server {
            let from = if who == 0 {
                datagram.client
            } else {
                address(who)
            };
            self.give_server(from, datagram.bytes);
        } else {
            self.give_clients(datagram.client, &datagram.bytes);
        }
        self.pump();
    }

    /// What was sent before comes with one byte changed: nobody may take it.
    pub fn alter(&mut self, which: usize, from_end: usize, change: u8, who: usize) {
        let Some(mut datagram) = self.captured(which) else {
            return;
        };
        let at = datagram.bytes.len() - 1 - from_end % datagram.bytes.len();
        if !(plant::is_on() && at + 1 == datagram.bytes.len()) {
            datagram.bytes[at] ^= change;
        }
        if datagram.to_server {
            let from = if who == 0 {
                datagram.client
            } else {
                address(who)
            };
            let received = self.give_server(from, datagram.bytes);
            assert!(matches!(received, Received::Dropped(_)), "byte {at}");
        } else {
            let clock = self.clock();
            for node in self.clients.iter_mut().flatten() {
                let mut copy = datagram.bytes.clone();
                let received = node.client.handle_datagram(clock, from_server(), &mut copy);
                assert!(matches!(received, Received::Dropped(_)), "byte {at}");
            }
        }
        self.pump();
    }

    /// Any type and body under a token's key, the sequence somewhat ahead of the client's.
    pub fn forge(&mut self, who: usize, kind: u8, ahead: u8, body: &[u8]) {
        let mut random = Random::from_number(100 + who as u64);
        let first = random.next_u64() & ((1 << 40) - 1);
        let sequence = match ahead {
            255 => u64::MAX,
            254 => 1 << 62,
            ahead => first + u64::from(ahead),
        };
        let is_large = kind & 0x80 != 0;
        let kind = (kind & 15).max(1);
        let mut body = self.marked(kind, body);
        match kind {
            RESPONSE => body.resize(RESPONSE_BODY_BYTES, 0),
            _ if is_large => body.resize(1_210, 0),
            _ => {}
        }
        let bytes = forge::sealed(who % COUNT, kind, sequence, &body);
        let from = self.clients[who % COUNT]
            .as_ref()
            .map_or(address(who), |node| node.address);
        self.give_server(from, bytes);
        self.pump();
    }

    /// Any type and body by a client itself, under the keys that it uses now.
    pub fn say_anything(&mut self, who: usize, kind: u8, body: &[u8]) {
        let kind = (kind & 15).max(1);
        let body = self.marked(kind, body);
        let Some(node) = self.clients[who % COUNT].as_mut() else {
            return;
        };
        let mut room = [0; DATAGRAM_BYTES_MAX];
        let Some(length) = node.client.seal_any(kind, &body, &mut room) else {
            return;
        };
        let from = node.address;
        self.give_server(from, room[..length].to_vec());
        self.pump();
    }

    pub fn patched_request(&mut self, who: usize, input: &mut Input) {
        let bytes = forge::request(who % COUNT, input);
        self.give_server(address(who), bytes);
        self.pump();
    }

    pub fn raw(&mut self, who: usize, bytes: &[u8]) {
        let received = self.give_server(address(who), bytes.to_vec());
        assert!(matches!(received, Received::Dropped(_)));
        self.pump();
    }

    pub fn close_client(&mut self, who: usize) {
        let clock = self.clock();
        if let Some(node) = self.clients[who % COUNT].as_mut() {
            node.client.close_flow(clock, Client::FLOW);
        }
        self.pump();
    }

    pub fn close_flow(&mut self, who: usize) {
        let count = self.newest.len();
        if let Some(flow) = self.newest.get(who % count.max(1)).copied() {
            self.server.close_flow(self.clock(), flow);
        }
        self.pump();
    }

    pub fn move_client(&mut self, who: usize, to: usize) {
        if let Some(node) = self.clients[who % COUNT].as_mut() {
            node.address = address(to);
        }
    }

    /// Nobody new is let in, or nothing is taken from one address; by turns.
    pub fn admit(&mut self, who: usize) {
        let mut settings = AdmissionSettings::default();
        match who & 3 {
            0 => {}
            1 => settings.busy = true,
            _ => settings.blocked = blocked(address(who & 1)),
        }
        let set = self.server.set_admission(self.clock(), settings);
        assert!(set.is_ok());
        self.pump();
    }

    /// From now on, or until now, what this client sends is lost.
    pub fn lose(&mut self, who: usize) {
        let lost = &mut self.lost[who % COUNT];
        *lost = !*lost;
    }

    /// A payload that is like no other.
    fn unique(&mut self, length: usize) -> Vec<u8> {
        self.payload_count += 1;
        let mut payload = vec![0x70; 4 + length * 4];
        payload[..4].copy_from_slice(&self.payload_count.to_le_bytes());
        payload
    }

    /// A body that is one of a payload is made unique, and may then be delivered once.
    fn marked(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        if matches!(kind, 5 | 8) && !body.is_empty() {
            self.payload_count += 1;
            body.extend(self.payload_count.to_le_bytes());
            self.payloads.insert(body.clone());
        }
        body
    }
}

fn blocked(address: SocketAddr) -> Vec<Cidr> {
    Cidr::new(address.ip(), 32).into_iter().collect()
}

/// Every limit within reach of a few steps.
fn tight() -> AdmissionSettings {
    AdmissionSettings {
        token_opens: Some(Rate::new(50, 6)),
        handshakes: Some(Rate::new(50, 4)),
        handshakes_per_prefix: Some(Rate::new(10, 2)),
        max_pending: 2,
        packets_per_flow: Some(Rate::new(20, 10)),
        bytes_per_flow: Some(Rate::new(2_000, 1_400)),
        ..AdmissionSettings::default()
    }
}

pub(super) fn from_server() -> Path {
    Path {
        remote: server_address(),
        local: None,
    }
}
