use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ggscale_transport_core::token::{create_connect_token, ConnectTokenOptions};
use ggscale_transport_core::{
    Clock, CloseReason, DropReason, Event, FlowId, Path, Random, Received, Registry, Server,
    ServerConfig, DATAGRAM_BYTES_MAX, HEADROOM,
};

use super::Clients;

const KEY: [u8; 32] = [3; 32];
const PORT: u16 = 50_000;

fn server_address() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 40_000))
}

fn local(flow: u32) -> IpAddr {
    let [_, b, c, d] = flow.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, b, c, d))
}

/// A server and all its clients, without a network between them.
struct World {
    server: Server,
    clients: Clients,
    clock: Clock,
    random: Random,
    opened: Vec<FlowId>,
    closed: Vec<(FlowId, CloseReason)>,
}

impl World {
    fn new(flows: u32) -> Self {
        let clock = Clock {
            mono_us: 5_000_000_000,
            unix_s: 1_000_000,
        };
        let mut config = ServerConfig::new(1, KEY, Random::from_number(1));
        config.max_flows = flows;
        config.registry = Some(Registry::isolated());
        Self {
            server: Server::new(config, clock).unwrap(),
            clients: Clients::new(flows, 1200, Random::from_number(2)),
            clock,
            random: Random::from_number(3),
            opened: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn connect(&mut self, number: u32, timeout_s: i32) -> FlowId {
        let token = create_connect_token(
            &ConnectTokenOptions {
                protocol_id: 1,
                private_key: &KEY,
                client_id: u64::from(number),
                server_addresses: &[server_address()],
                public_addresses: None,
                create_timestamp: self.clock.unix_s,
                expire_seconds: 60,
                timeout_s,
                user_data: &[0; 256],
                nx: Default::default(),
            },
            &mut self.random,
        )
        .unwrap();
        let address = local(number);
        self.clients
            .connect(self.clock, &token, Some(address))
            .unwrap()
    }

    /// Carries every datagram that waits, until none does.
    fn exchange(&mut self) {
        let mut out = [0; DATAGRAM_BYTES_MAX];
        loop {
            let mut moved = false;
            while let Some(sent) = self.clients.poll_transmit(self.clock, &mut out) {
                moved = true;
                let path = Path {
                    remote: SocketAddr::new(sent.path.local.unwrap(), PORT),
                    local: Some(sent.path.remote.ip()),
                };
                let datagram = &mut out[..sent.length];
                self.server.handle_datagram(self.clock, path, datagram);
            }
            while let Some(sent) = self.server.poll_transmit(self.clock, &mut out) {
                moved = true;
                let path = Path {
                    remote: server_address(),
                    local: Some(sent.path.remote.ip()),
                };
                let datagram = &mut out[..sent.length];
                self.clients.handle_datagram(self.clock, path, datagram);
            }
            while self.server.poll_event().is_some() {}
            self.take_events();
            if !moved {
                return;
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.clients.poll_event() {
            match event {
                Event::Opened { flow, .. } => self.opened.push(flow),
                Event::Closed { flow, reason, .. } => self.closed.push((flow, reason)),
                _ => {}
            }
        }
    }

    /// Time goes on from deadline to deadline; `is_carried` false loses every datagram.
    fn pass(&mut self, us: u64, is_carried: bool) {
        let until = self.clock.mono_us + us;
        let mut out = [0; DATAGRAM_BYTES_MAX];
        while self.clock.mono_us < until {
            let next = self.clients.deadline_us().unwrap_or(until);
            self.clock.mono_us = next.clamp(self.clock.mono_us + 1, until);
            self.clients.handle_timeout(self.clock);
            self.server.handle_timeout(self.clock);
            if is_carried {
                self.exchange();
            } else {
                while self.clients.poll_transmit(self.clock, &mut out).is_some() {}
                self.take_events();
            }
        }
    }
}

#[test]
fn each_datagram_finds_its_flow_among_many_on_one_socket() {
    let mut world = World::new(500);
    let flows: Vec<FlowId> = (1..=500).map(|number| world.connect(number, 10)).collect();
    world.exchange();
    assert_eq!(world.opened.len(), 500);
    let mut locals = HashSet::new();
    for flow in flows {
        let mut buffer = [0; 128];
        let sealed = world
            .clients
            .seal_payload(world.clock, flow, &mut buffer, HEADROOM, 50)
            .unwrap();
        assert_eq!(sealed.path.local, Some(local(flow.slot + 1)));
        assert!(locals.insert(sealed.path.local));
    }
    let nobody = Path {
        remote: server_address(),
        local: Some(local(501)),
    };
    let dropped = world
        .clients
        .handle_datagram(world.clock, nobody, &mut [5; 40]);
    assert_eq!(dropped, Received::Dropped(DropReason::UnknownAddress));
}

#[test]
fn quiet_flows_are_kept_alive_and_silence_ends_them_in_time() {
    let mut world = World::new(50);
    for number in 1..=50 {
        world.connect(number, 5);
        world.pass(1_700, true);
    }
    world.pass(30_000_000, true);
    assert_eq!((world.opened.len(), world.closed.len()), (50, 0));
    world.pass(4_000_000, false);
    assert_eq!(world.closed.len(), 0);
    world.pass(1_100_000, false);
    assert_eq!(world.closed.len(), 50);
    assert!(world
        .closed
        .iter()
        .all(|(_, reason)| *reason == CloseReason::Timeout));
    assert_eq!(world.clients.deadline_us(), None);
}

#[test]
fn a_freed_slot_and_its_path_serve_the_next_flow() {
    let mut world = World::new(1);
    for round in 1..=5 {
        let flow = world.connect(1, 10);
        assert_eq!((flow.slot, flow.generation), (0, round));
        world.exchange();
        assert_eq!(world.opened.last(), Some(&flow));
        world.clients.close_flow(world.clock, flow);
        world.exchange();
        assert_eq!(world.closed.last(), Some(&(flow, CloseReason::Local)));
    }
}
