//! A server and a client endpoint over a network in memory that answers with the errno it likes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{FlowId, Path, Random, Registry, Server, ServerConfig};

use crate::clients::Clients;
use crate::counters::Counter;
use crate::endpoint::{Endpoint, EndpointOptions};
use crate::io::{Errno, Io, Now, Outgoing, Queue, Scratch, DATAGRAM_BYTES};
use crate::layout as l;
use crate::peer::Peer;
use crate::ring_test::TestMemory;

const PROTOCOL_ID: u64 = 0x1122_3344_5566_7788;
const KEY: [u8; 32] = [7; 32];
const UNIX_S: u64 = 1_700_000_000;

type Wire = Rc<RefCell<VecDeque<(Path, Vec<u8>)>>>;

/// What the next calls answer; an empty script lets everything pass.
#[derive(Default)]
struct Script {
    sends: VecDeque<Result<usize, Errno>>,
    receives: VecDeque<Errno>,
    refused_to: Option<SocketAddr>,
    /// Kernel stamps, in the order of the datagrams.
    stamps_ns: VecDeque<u64>,
}

struct FaultIo {
    inbound: Wire,
    outbound: Wire,
    here: SocketAddr,
    now: Rc<RefCell<Now>>,
    script: Script,
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
            let length = bytes.len().min(DATAGRAM_BYTES);
            scratch.buffers[count][..length].copy_from_slice(&bytes[..length]);
            let arrival = &mut scratch.arrivals[count];
            arrival.length = length;
            arrival.path = path;
            arrival.stamp_ns = self.script.stamps_ns.pop_front();
            arrival.truncated = bytes.len() > DATAGRAM_BYTES;
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

/// An endpoint and its memory, with the JavaScript side of the rings played by hand.
struct Side {
    endpoint: Endpoint<FaultIo>,
    memory: TestMemory,
    head: u32,
    tx_tail: u32,
    tx_at: usize,
}

#[derive(Debug, PartialEq)]
struct Entry {
    kind: i32,
    flow: FlowId,
    bytes: Vec<u8>,
}

impl Side {
    fn new(io: FaultIo, peer: Peer, rx_capacity: usize) -> Self {
        let memory = TestMemory::new(rx_capacity, 256, 256 * 1024);
        let options = EndpointOptions {
            tick_driver: false,
            tick_interval_us: 0.0,
            clock_offset_us: 0,
            max_payload_bytes: 1200,
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
    fn take(&mut self) -> Vec<Entry> {
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

    fn turn(&mut self) -> Vec<Entry> {
        self.endpoint.drain();
        self.endpoint.check_invariants();
        let entries = self.take();
        self.endpoint.flush();
        self.endpoint.check_invariants();
        entries
    }

    /// Commits one descriptor. The arena is large enough for every test to go around it slowly.
    fn commit(&mut self, kind: i32, flow: FlowId, payload: &[u8]) {
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

    fn count(&self, counter: Counter) -> u64 {
        self.endpoint.counters().get(counter)
    }
}

struct World {
    server: Side,
    client: Side,
    now: Rc<RefCell<Now>>,
    server_address: SocketAddr,
    client_flow: FlowId,
    server_flow: FlowId,
}

impl World {
    fn new() -> Self {
        Self::with_ring(256)
    }

    /// Both connected.
    fn with_ring(rx_capacity: usize) -> Self {
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
        let token = create_connect_token(
            &ConnectTokenOptions {
                protocol_id: PROTOCOL_ID,
                private_key: &KEY,
                client_id: 11,
                server_addresses: &[self.server_address],
                public_addresses: None,
                create_timestamp: UNIX_S,
                expire_seconds: 60,
                timeout_s: 5,
                user_data: &[5; 256],
            },
            &mut Random::from_number(3),
        )
        .unwrap();
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

    fn step(&mut self) {
        let mut now = self.now.borrow_mut();
        now.mono_ns += 10_000_000;
        now.real_ns += 10_000_000;
    }

    /// Payloads that the server gets from `count` numbered ones of the client.
    fn payloads(&mut self, turns: usize) -> Vec<u32> {
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

    fn commit_numbers(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.client
                .commit(l::TX_PAYLOAD, self.client_flow, &number.to_le_bytes());
        }
    }
}

#[test]
fn short_counts_continue_with_the_rest_in_order() {
    let mut world = World::new();
    world.client.endpoint.io.script.sends = [1, 5, 31, 2, 1].map(Ok).into();
    world.commit_numbers(0..100);
    assert_eq!(world.payloads(3), (0..100).collect::<Vec<_>>());
    assert_eq!(world.client.endpoint.flush(), 0);
}

#[test]
fn a_full_send_buffer_keeps_every_descriptor_until_there_is_room() {
    let mut world = World::new();
    world.commit_numbers(0..100);
    let io = &mut world.client.endpoint.io;
    io.script.sends = VecDeque::from([Ok(10), Err(libc::EAGAIN)]);
    assert_eq!(world.client.endpoint.flush(), 90);
    assert!(world.client.endpoint.blocked());
    for _ in 0..50 {
        world.client.endpoint.io.script.sends = VecDeque::from([Err(libc::EAGAIN)]);
        assert_eq!(world.client.endpoint.flush(), 90);
        world.client.endpoint.check_invariants();
    }
    assert_eq!(world.client.count(Counter::TxBlocked), 51);
    assert_eq!(world.payloads(3), (0..100).collect::<Vec<_>>());
    assert!(!world.client.endpoint.blocked());
    assert_eq!(world.client.memory.int(l::I_TX_HEAD), 100);
}

#[test]
fn each_errno_drops_one_datagram_under_its_own_counter() {
    for (errno, counter) in [
        (libc::EMSGSIZE, Counter::TxTooLarge),
        (libc::ENOBUFS, Counter::TxNoBuffers),
        (libc::EHOSTUNREACH, Counter::TxUnreachable),
        (libc::EPERM, Counter::TxUnreachable),
        (libc::EIO, Counter::TxError),
    ] {
        let mut world = World::new();
        world.commit_numbers(0..10);
        let io = &mut world.client.endpoint.io;
        io.script.sends = VecDeque::from([Ok(3), Err(errno)]);
        let expected: Vec<u32> = (0..10).filter(|number| *number != 3).collect();
        assert_eq!(world.payloads(3), expected, "errno {errno}");
        assert_eq!(world.client.count(counter), 1);
    }
}

#[test]
fn an_icmp_error_of_one_destination_costs_the_next_datagram_nothing() {
    let mut world = World::new();
    world.commit_numbers(0..5);
    world.client.endpoint.io.script.sends = VecDeque::from([Err(libc::ECONNREFUSED)]);
    assert_eq!(world.payloads(3), [0, 1, 2, 3, 4]);
    assert_eq!(world.client.count(Counter::TxUnreachable), 0);

    // And a destination that always refuses costs its own datagrams only.
    world.client.endpoint.io.script.refused_to = Some(world.server_address);
    world.commit_numbers(5..8);
    assert_eq!(world.client.endpoint.flush(), 0);
    assert!(world.client.count(Counter::TxUnreachable) >= 3);
    world.client.endpoint.io.script.refused_to = None;
    world.commit_numbers(8..9);
    assert_eq!(world.payloads(3), [8]);
}

#[test]
fn receive_errors_are_counted_and_hold_nothing_up() {
    let mut world = World::new();
    let io = &mut world.server.endpoint.io;
    io.script.receives = VecDeque::from([libc::ECONNREFUSED, libc::EINTR, libc::ENOBUFS]);
    world.commit_numbers(0..5);
    assert_eq!(world.payloads(2), [0, 1, 2, 3, 4]);
    assert_eq!(world.server.count(Counter::RxError), 2);
    // A socket that only answers with errors does not hold the turn.
    world.server.endpoint.io.script.receives = vec![libc::EIO; 10_000].into();
    world.server.turn();
    assert!(world.server.endpoint.io.script.receives.len() > 9_000);
}

#[test]
fn cut_empty_and_foreign_datagrams_are_counted_and_leave_the_flow_alone() {
    let mut world = World::new();
    let stranger: SocketAddr = "192.0.2.9:1234".parse().unwrap();
    let path = Path {
        remote: stranger,
        local: None,
    };
    for length in [
        0,
        1,
        17,
        18,
        1077,
        1078,
        1079,
        1500,
        DATAGRAM_BYTES,
        DATAGRAM_BYTES + 1,
    ] {
        for first in [0u8, 0x10, 0x55, 0x9f, 0xff] {
            let mut bytes = vec![first; length];
            bytes.iter_mut().skip(1).for_each(|byte| *byte = 0xa5);
            world
                .server
                .endpoint
                .io
                .inbound
                .borrow_mut()
                .push_back((path, bytes));
        }
    }
    let before = world.server.count(Counter::DatagramsIn);
    world.commit_numbers(0..3);
    assert_eq!(world.payloads(2), [0, 1, 2]);
    assert_eq!(world.server.count(Counter::RxTruncated), 5);
    assert!(world.server.count(Counter::DatagramsIn) >= before + 50);
}

#[test]
fn a_full_rx_ring_leaves_the_rest_in_the_socket_and_loses_nothing() {
    let mut world = World::with_ring(16);
    world.commit_numbers(0..100);
    world.client.endpoint.flush();
    let mut got = Vec::new();
    let mut saw_more = false;
    for _ in 0..200 {
        world.server.endpoint.drain();
        saw_more |= world.server.memory.int(l::I_MORE) == 1;
        let entries = world.server.take();
        got.extend(
            entries
                .iter()
                .filter(|entry| entry.kind == l::RX_PAYLOAD)
                .map(|entry| u32::from_le_bytes(entry.bytes[..4].try_into().unwrap())),
        );
    }
    assert!(saw_more && world.server.count(Counter::RxRingFull) > 0);
    assert_eq!(got, (0..100).collect::<Vec<_>>());
}

#[test]
fn stale_generations_bad_kinds_and_bad_lengths_are_dropped_and_counted() {
    let mut world = World::new();
    let stale = FlowId {
        slot: 0,
        generation: world.client_flow.generation + 1,
    };
    world.client.commit(l::TX_PAYLOAD, stale, &[1; 8]);
    world.client.commit(
        l::TX_PAYLOAD,
        FlowId {
            slot: 77,
            generation: 1,
        },
        &[1; 8],
    );
    world.client.commit(l::TX_PAYLOAD, world.client_flow, &[]);
    world
        .client
        .commit(l::TX_PAYLOAD, world.client_flow, &[1; 1201]);
    world.client.commit(99, world.client_flow, &[1; 8]);
    world.commit_numbers(0..1);
    assert_eq!(world.payloads(2), [0]);
    assert_eq!(world.client.count(Counter::TxStale), 2);
    assert_eq!(world.client.count(Counter::TxBadDescriptor), 3);
}

#[test]
fn a_disconnect_comes_behind_the_payloads_before_it_and_ends_both_flows() {
    let mut world = World::new();
    world.commit_numbers(0..3);
    world
        .client
        .commit(l::TX_DISCONNECT, world.client_flow, &[]);
    world.client.endpoint.flush();
    let told: Vec<i32> = world.client.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(told, [l::RX_CLOSED]);
    let kinds: Vec<i32> = world.server.turn().iter().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [l::RX_PAYLOAD, l::RX_PAYLOAD, l::RX_PAYLOAD, l::RX_CLOSED]
    );
    // The client's slot is free for the next connection, under another generation.
    let before = world.client_flow;
    world.step();
    world.client.turn();
    let clock = world.client.endpoint.clock();
    let Peer::Clients(clients) = &mut world.client.endpoint.peer else {
        unreachable!()
    };
    assert!(clients.flow_stats(before).is_none());
    assert!(clients.deadline_us().is_none_or(|at| at > clock.mono_us));
}

#[test]
fn arrival_times_are_kernel_stamps_between_the_previous_drain_and_now() {
    let mut world = World::new();
    world.server.turn();
    let previous_us = world.server.memory.int(l::I_NOW_US);
    world.step();
    world.commit_numbers(0..4);
    world.client.endpoint.flush();
    let real_ns = world.now.borrow().real_ns;
    // 3 ms ago; before the previous drain; after now (a stepped wall clock); and none at all.
    let stamps = [
        real_ns - 3_000_000,
        real_ns - 1_000_000_000,
        real_ns + 5_000_000,
    ];
    world.server.endpoint.io.script.stamps_ns = stamps.into();
    let first = world.server.head as usize;
    assert_eq!(world.server.turn().len(), 4);
    let now_us = world.server.memory.int(l::I_NOW_US);
    assert_eq!(now_us, previous_us + 10_000);
    let geometry = world.server.memory.geometry;
    let arrivals: Vec<i32> = (first..first + 4)
        .map(|number| {
            let slot = number % geometry.rx_capacity;
            world
                .server
                .memory
                .field(geometry.rx_descriptors, slot, l::D_ARRIVAL_US)
        })
        .collect();
    assert_eq!(arrivals, [now_us - 3_000, previous_us, now_us, now_us]);
}

#[test]
fn deadlines_and_ticks_wake_with_their_own_reason_across_the_wrap() {
    let mut world = World::new();
    let side = &mut world.server;
    let now_us = side.endpoint.clock().mono_us;
    let store = |index, value| side.memory.memory.store(index, value);
    store(l::I_DEADLINE_US, now_us.wrapping_add(500) as i32);
    store(l::I_DEADLINE_ARMED, 1);
    let wake = side.endpoint.next_wake().unwrap();
    assert_eq!(
        (wake.at_ns, wake.reasons),
        ((now_us + 500) * 1000, l::WAKE_DEADLINE)
    );
    assert_eq!(side.endpoint.due_reasons(), 0);
    side.endpoint.set_tick_interval_us(200.0);
    let wake = side.endpoint.next_wake().unwrap();
    assert_eq!(
        (wake.at_ns, wake.reasons),
        ((now_us + 200) * 1000, l::WAKE_TICK)
    );
    world.now.borrow_mut().mono_ns += 650_000;
    assert_eq!(
        world.server.endpoint.due_reasons(),
        l::WAKE_TICK | l::WAKE_DEADLINE
    );
    world.server.endpoint.drain();
    assert_eq!(world.server.memory.int(l::I_TICKS_DUE), 3);
    // 2^31 - 1 µs and a little later: the low 32 bits alone order the deadline.
    world.now.borrow_mut().mono_ns = ((1 << 31) - 100) * 1000;
    world
        .server
        .memory
        .memory
        .store(l::I_DEADLINE_US, i32::MIN + 50);
    world.server.endpoint.set_tick_interval_us(0.0);
    let _ = world.server.endpoint.service();
    let wake = world.server.endpoint.next_wake().unwrap();
    assert!(wake.at_ns <= ((1 << 31) + 50) * 1000);
}
