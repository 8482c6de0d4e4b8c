//! The load on renet: a client and a socket per flow, looked at when something has come to it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use ggscale_bench::epoll::Epoll;
use ggscale_bench::load::message::Message;
use ggscale_bench::load::wire::{Event, Now, Traffic, What, Wire};
use ggscale_bench::load::{read_head, write_head, LoadArguments};
use renet::{ConnectionConfig, RenetClient};
use renet_netcode::{ClientAuthentication, ConnectToken, NetcodeClientTransport};
use serde_json::Value;

use crate::renet_server::{unix_time, CHANNEL, PRIVATE_KEY, PROTOCOL_ID};

const TOKEN_SECONDS: u64 = 300;
const TIMEOUT_SECONDS: i32 = 15;
/// Keep-alives, resends and the handshake, of every flow.
const EVERY: Duration = Duration::from_millis(10);

struct Flow {
    client: RenetClient,
    transport: NetcodeClientTransport,
    last: Instant,
    is_open: bool,
    has_to_send: bool,
}

impl Flow {
    /// Receives and does what is due; false when the connection is over.
    fn update(&mut self, events: &mut Vec<Event>) -> bool {
        let passed = self.last.elapsed();
        self.last += passed;
        self.client.update(passed);
        if self.transport.update(passed, &mut self.client).is_err() {
            return false;
        }
        while let Some(message) = self.client.receive_message(CHANNEL) {
            events.push(read_head(&message));
        }
        self.has_to_send = true;
        true
    }
}

pub struct Load {
    server: SocketAddr,
    flows: Vec<Option<Flow>>,
    epoll: Epoll,
    keys: Vec<u64>,
    touched: Vec<u32>,
    payload: Vec<u8>,
    due: Instant,
}

impl Load {
    pub fn open(arguments: &LoadArguments) -> io::Result<Self> {
        Ok(Self {
            server: arguments.server,
            flows: (0..arguments.flows).map(|_| None).collect(),
            epoll: Epoll::new()?,
            keys: Vec::new(),
            touched: Vec::new(),
            payload: vec![0; arguments.payload_bytes],
            due: Instant::now(),
        })
    }

    fn update(&mut self, number: u32, events: &mut Vec<Event>) {
        let Some(slot) = self.flows.get_mut(number as usize) else {
            return;
        };
        let Some(flow) = slot else { return };
        let is_alive = flow.update(events);
        let what = if !is_alive {
            *slot = None;
            What::Closed
        } else if !flow.is_open && flow.client.is_connected() {
            flow.is_open = true;
            What::Opened
        } else {
            self.touched.push(number);
            return;
        };
        self.touched.push(number);
        events.push(Event { flow: number, what });
    }
}

impl Wire for Load {
    fn loses(&self) -> bool {
        false
    }

    fn begin(&mut self, _: Now, flow: u32) -> io::Result<()> {
        let socket = UdpSocket::bind(SocketAddr::from(([0, 0, 0, 0], 0)))?;
        self.epoll.add(socket.as_raw_fd(), u64::from(flow))?;
        let time = unix_time();
        let connect_token = ConnectToken::generate(
            time,
            PROTOCOL_ID,
            TOKEN_SECONDS,
            u64::from(flow),
            TIMEOUT_SECONDS,
            vec![self.server],
            None,
            &PRIVATE_KEY,
        )
        .map_err(io::Error::other)?;
        let authentication = ClientAuthentication::Secure { connect_token };
        let transport = NetcodeClientTransport::new(time, authentication, socket);
        if let Some(slot) = self.flows.get_mut(flow as usize) {
            *slot = Some(Flow {
                client: RenetClient::new(ConnectionConfig::default()),
                transport: transport.map_err(io::Error::other)?,
                last: Instant::now(),
                is_open: false,
                has_to_send: false,
            });
        }
        Ok(())
    }

    fn end(&mut self, _: Now, flow: u32) {
        if let Some(Some(flow)) = self.flows.get_mut(flow as usize) {
            flow.client.disconnect();
        }
    }

    fn send(&mut self, _: Now, flow: u32, message: Message) -> bool {
        write_head(&mut self.payload, flow, message);
        let number = flow;
        let Some(Some(flow)) = self.flows.get_mut(flow as usize) else {
            return false;
        };
        flow.client.send_message(CHANNEL, self.payload.clone());
        flow.has_to_send = true;
        self.touched.push(number);
        true
    }

    fn turn(&mut self, _: Now, events: &mut Vec<Event>) {
        let mut keys = std::mem::take(&mut self.keys);
        if self.epoll.poll_keys(&mut keys).is_ok() {
            for key in keys.drain(..) {
                self.update(key as u32, events);
            }
        }
        self.keys = keys;
        if self.due.elapsed() >= EVERY {
            self.due = Instant::now();
            for flow in 0..self.flows.len() as u32 {
                self.update(flow, events);
            }
        }
    }

    fn flush(&mut self, _: Now) {
        for number in self.touched.drain(..) {
            let Some(Some(flow)) = self.flows.get_mut(number as usize) else {
                continue;
            };
            if std::mem::take(&mut flow.has_to_send) {
                // A flow that is over says so at its next update.
                let _ = flow.transport.send_packets(&mut flow.client);
            }
        }
    }

    fn stall(&mut self, _: u32) {}

    /// Not told by renet.
    fn traffic(&mut self) -> Traffic {
        Traffic::default()
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.epoll.fd()]
    }
}
