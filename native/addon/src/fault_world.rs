//! A server and a client endpoint over a network in memory that answers with the errno it likes;
//! the JavaScript side of the rings is played by hand.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{FlowId, Path, Random, Registry, Server, ServerConfig};

use crate::clients::Clients;
use crate::counters::Counter;
use crate::endpoint::{Endpoint, EndpointOptions};
use crate::io::{Errno, Io, Now, Outgoing, Queue, Scratch};
use crate::layout as l;
use crate::peer::Peer;
use crate::ring_test::TestMemory;
use crate::slots::Slots;

pub const PROTOCOL_ID: u64 = 0x1122_3344_5566_7788;
pub const KEY: [u8; 32] = [7; 32];
pub const UNIX_S: u64 = 1_700_000_000;

pub type Wire = Rc<RefCell<VecDeque<(Path, Vec<u8>)>>>;

/// What the next calls answer; an empty script lets everything pass.
#[derive(Default)]
pub struct Script {
    pub sends: VecDeque<Result<usize, Errno>>,
    pub receives: VecDeque<Errno>,
    pub refused_to: Option<SocketAddr>,
    /// Kernel stamps, in the order of the datagrams.
    pub stamps_ns: VecDeque<u64>,
}

pub struct FaultIo {
    pub inbound: Wire,
    pub outbound: Wire,
    pub here: SocketAddr,
    pub now: Rc<RefCell<Now>>,
    pub script: Script,
}

impl Io for FaultIo {
    fn now(&mut self) -> Now {
        *self.now.borrow()
    }

    fn receive(&mut self, queue: Queue, max: usize, scratch: &mut Scratch) -> Result<usize, Errno> {
        if queue == Queue::Handshakes {
            return Ok(0);
        }
        if let Some(errno) = self.script.receives.pop_front() {
            return Err(errno);
        }
        let mut inbound = self.inbound.borrow_mut();
        let mut count = 0;
        while count < max {
            let Some((path, bytes)) = inbound.pop_front() else {
                break;
            };
            let stamp_ns = self.script.stamps_ns.pop_front();
            scratch.put(count, &bytes, path, stamp_ns);
            count += 1;
        }
        Ok(count)
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> Result<usize, Errno> {
        let mut limit = datagrams.len();
        match self.script.sends.pop_front() {
            Some(Ok(count)) => limit = limit.min(count),
            Some(Err(errno)) => return Err(errno),
            None => {}
        }
        for (index, datagram) in datagrams.iter().take(limit).enumerate() {
            if Some(datagram.path.remote) == self.script.refused_to {
                return if index > 0 {
                    Ok(index)
                } else {
                    Err(libc::ECONNREFUSED)
                };
            }
            let from = Path {
                remote: self.here,
                local: None,
            };
            self.outbound
                .borrow_mut()
                .push_back((from, datagram.bytes.to_vec()));
        }
        Ok(limit)
    }
}

/// A connect token with user data of fives, for one server.
pub fn token(client_id: u64, server: SocketAddr, unix_s: u64, timeout_s: i32) -> Vec<u8> {
    let options = ConnectTokenOptions {
        protocol_id: PROTOCOL_ID,
        private_key: &KEY,
        client_id,
        server_addresses: &[server],
        public_addresses: None,
        create_timestamp: unix_s,
        expire_seconds: 600,
        timeout_s,
        user_data: &[5; 256],
        nx: Default::default(),
    };
    let token = create_connect_token(&options, &mut Random::from_number(3 + client_id));
    token.unwrap().to_vec()
}

/// An endpoint and its memory, with the JavaScript side of the rings played by hand.
pub struct Side<I: Io = FaultIo> {
    pub endpoint: Endpoint<I>,
    pub memory: TestMemory,
    pub head: u32,
    pub tx_tail: u32,
    pub tx_at: usize,
}

#[derive(Debug, PartialEq)]
pub struct Entry {
    pub kind: i32,
    pub flow: FlowId,
    pub bytes: Vec<u8>,
}

impl<I: Io> Side<I> {
    pub fn new(io: I, peer: Peer, rx_capacity: usize) -> Self {
        let memory = TestMemory::new(rx_capacity, 256, 256 * 1024);
        Self::with_memory(io, peer, memory)
    }

    pub fn with_memory(io: I, peer: Peer, memory: TestMemory) -> Self {
        let options = EndpointOptions {
            clock_offset_us: 0,
            max_payload_bytes: 1200,
            slots: Slots::ONE,
        };
        let endpoint = Endpoint::new(io, peer, memory.memory, &memory.geometry, options);
        Self {
            endpoint,
            memory,
            head: 0,
            tx_tail: 0,
            tx_at: 0,
        }
    }

    /// Everything in the rx ring, released.
    pub fn take(&mut self) -> Vec<Entry> {
        let tail = self.memory.int(l::I_RX_TAIL) as u32;
        let mut entries = Vec::new();
        while self.head != tail {
            let slot = self.head as usize % self.memory.geometry.rx_capacity;
            let field = |at| {
                self.memory
                    .field(self.memory.geometry.rx_descriptors, slot, at)
            };
            entries.push(Entry {
                kind: field(l::D_KIND),
                flow: FlowId {
                    slot: field(l::D_SLOT) as u32,
                    generation: field(l::D_GENERATION) as u32,
                },
                bytes: self
                    .memory
                    .bytes(field(l::D_OFFSET) as usize, field(l::D_LENGTH) as usize),
            });
            self.head = self.head.wrapping_add(1);
        }
        self.memory.memory.store(l::I_RX_HEAD, self.head as i32);
        entries
    }

    pub fn turn(&mut self) -> Vec<Entry> {
        self.endpoint.drain();
        self.endpoint.check_invariants();
        let entries = self.take();
        self.endpoint.flush();
        self.endpoint.check_invariants();
        entries
    }

    /// Commits one descriptor. The arena is large enough for every test to go around it slowly.
    pub fn commit(&mut self, kind: i32, flow: FlowId, payload: &[u8]) {
        let need = (l::HEADROOM_BYTES + payload.len() + l::TAG_BYTES).div_ceil(8) * 8;
        if self.tx_at + need > self.memory.geometry.tx_arena_bytes {
            self.tx_at = 0;
        }
        let offset = self.memory.geometry.tx_arena + self.tx_at + l::HEADROOM_BYTES;
        self.tx_at += need;
        self.memory.write(offset, payload);
        let slot = self.tx_tail as usize % self.memory.geometry.tx_capacity;
        let fields = [
            (l::D_KIND, kind),
            (l::D_SLOT, flow.slot as i32),
            (l::D_GENERATION, flow.generation as i32),
            (l::D_OFFSET, offset as i32),
            (l::D_LENGTH, payload.len() as i32),
        ];
        for (field, value) in fields {
            self.memory
                .set_field(self.memory.geometry.tx_descriptors, slot, field, value);
        }
        self.tx_tail = self.tx_tail.wrapping_add(1);
        self.memory.memory.store(l::I_TX_TAIL, self.tx_tail as i32);
    }

    pub fn count(&self, counter: Counter) -> u64 {
        self.endpoint.counters().get(counter)
    }
}

pub struct World {
    pub server: Side,
    pub client: Side,
    pub now: Rc<RefCell<Now>>,
    pub server_address: SocketAddr,
    pub client_flow: FlowId,
    pub server_flow: FlowId,
}

impl World {
    pub fn new() -> Self {
        Self::with_ring(256)
    }

    /// Both connected.
    pub fn with_ring(rx_capacity: usize) -> Self {
        let server_address: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        let client_address: SocketAddr = "127.0.0.1:50000".parse().unwrap();
        let now = Rc::new(RefCell::new(Now {
            mono_ns: 1_000_000_000,
            real_ns: UNIX_S * 1_000_000_000,
        }));
        let (up, down) = (Wire::default(), Wire::default());
        let io = |inbound: &Wire, outbound: &Wire, here| FaultIo {
            inbound: Rc::clone(inbound),
            outbound: Rc::clone(outbound),
            here,
            now: Rc::clone(&now),
            script: Script::default(),
        };
        let mut config = ServerConfig::new(PROTOCOL_ID, KEY, Random::from_number(1));
        config.registry = Some(Registry::isolated());
        let clock = ggscale_transport_core::Clock {
            mono_us: 1_000_000,
            unix_s: UNIX_S,
        };
        let core = Server::new(config, clock).unwrap();
        let server = Side::new(
            io(&up, &down, server_address),
            Peer::server(core),
            rx_capacity,
        );
        let clients = Clients::new(4, 1200, Random::from_number(2));
        let peer = Peer::Clients(Box::new(clients));
        let client = Side::new(io(&down, &up, client_address), peer, 256);
        let none = FlowId {
            slot: 0,
            generation: 0,
        };
        let (client_flow, server_flow) = (none, none);
        let mut world = Self {
            server,
            client,
            now,
            server_address,
            client_flow,
            server_flow,
        };
        world.connect();
        world
    }

    fn connect(&mut self) {
        let token = token(11, self.server_address, UNIX_S, 5);
        let clock = self.client.endpoint.clock();
        let Peer::Clients(clients) = &mut self.client.endpoint.peer else {
            unreachable!()
        };
        self.client_flow = clients.connect(clock, &token, None).unwrap();
        let mut opened = None;
        for _ in 0..100 {
            self.step();
            self.client.turn();
            for entry in self.server.turn() {
                if entry.kind == l::RX_OPENED {
                    assert_eq!(entry.bytes[..8], 11u64.to_le_bytes());
                    assert_eq!(entry.bytes[8..16], [4, 0, 0x50, 0xc3, 127, 0, 0, 1]);
                    assert_eq!(entry.bytes[36..], [5; 256]);
                    opened = Some(entry.flow);
                }
            }
        }
        self.server_flow = opened.expect("the handshake completes");
    }

    pub fn step(&mut self) {
        let mut now = self.now.borrow_mut();
        now.mono_ns += 10_000_000;
        now.real_ns += 10_000_000;
    }

    /// Payloads that the server gets from `count` numbered ones of the client.
    pub fn payloads(&mut self, turns: usize) -> Vec<u32> {
        let mut got = Vec::new();
        for _ in 0..turns {
            self.step();
            self.client.turn();
            for entry in self.server.turn() {
                if entry.kind == l::RX_PAYLOAD {
                    got.push(u32::from_le_bytes(entry.bytes[..4].try_into().unwrap()));
                }
            }
        }
        got
    }

    pub fn commit_numbers(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.client
                .commit(l::TX_PAYLOAD, self.client_flow, &number.to_le_bytes());
        }
    }
}
