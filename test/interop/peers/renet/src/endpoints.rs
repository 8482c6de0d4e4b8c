//! A client and a server around renetcode's state machines.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use peer_common::{Arguments, Event, Peer};
use renetcode::{
    ClientAuthentication, NetcodeClient, NetcodeServer, ServerAuthentication, ServerConfig,
    ServerResult,
};

use crate::tokens;

const DATAGRAM_BYTES: usize = 2048;

fn bind(arguments: &Arguments) -> Result<UdpSocket, String> {
    let address: SocketAddr = arguments
        .text("bind")?
        .parse()
        .map_err(|_| "--bind is no address")?;
    let socket = UdpSocket::bind(address).map_err(|error| error.to_string())?;
    socket
        .set_nonblocking(true)
        .map_err(|error| error.to_string())?;
    Ok(socket)
}

/// The next datagram, if one waits. An unreachable earlier destination is not an error of this one.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(received) => return Some(received),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => continue,
            Err(_) => return None,
        }
    }
}

/// The crate compares token expiry with this clock: it must be the wall clock.
fn wall_clock() -> Result<Duration, String> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())
}

pub struct ClientPeer {
    client: NetcodeClient,
    socket: UdpSocket,
    last: Duration,
    connected: bool,
    done: bool,
}

impl ClientPeer {
    pub fn new(arguments: &Arguments) -> Result<Self, String> {
        let connect_token = tokens::read(&arguments.bytes("token")?)?;
        let authentication = ClientAuthentication::Secure { connect_token };
        let client =
            NetcodeClient::new(wall_clock()?, authentication).map_err(|error| error.to_string())?;
        let socket = bind(arguments)?;
        Ok(Self {
            client,
            socket,
            last: Duration::ZERO,
            connected: false,
            done: false,
        })
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |address| address.port())
    }

    fn receive_all(&mut self, events: &mut Vec<Event>) {
        let mut buffer = [0; DATAGRAM_BYTES];
        while let Some((length, from)) = receive(&self.socket, &mut buffer) {
            if from != self.client.server_addr() {
                continue;
            }
            if let Some(payload) = self.client.process_packet(&mut buffer[..length]) {
                events.push(Event::Payload {
                    flow: 0,
                    bytes: payload.to_vec(),
                });
            }
        }
    }
}

impl Peer for ClientPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        let mut payloads = Vec::new();
        self.receive_all(&mut payloads);
        if let Some((packet, to)) = self.client.update(elapsed.saturating_sub(self.last)) {
            let _ = self.socket.send_to(packet, to);
        }
        self.last = elapsed;
        if self.client.is_connected() && !self.connected {
            self.connected = true;
            events.push(Event::Connected {
                flow: 0,
                user_data: None,
            });
        }
        events.append(&mut payloads);
        if let Some(reason) = self.client.disconnect_reason() {
            if !self.done {
                self.done = true;
                events.push(Event::Disconnected {
                    flow: 0,
                    reason: reason.to_string(),
                });
            }
        }
    }

    fn send(&mut self, _flow: u64, payload: &[u8]) -> Result<(), String> {
        let (to, packet) = self
            .client
            .generate_payload_packet(payload)
            .map_err(|error| error.to_string())?;
        self.socket
            .send_to(packet, to)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    fn disconnect(&mut self, _events: &mut Vec<Event>) {
        if let Ok((to, packet)) = self.client.disconnect() {
            let _ = self.socket.send_to(packet, to);
        }
    }
}

pub struct ServerPeer {
    server: NetcodeServer,
    socket: UdpSocket,
    last: Duration,
}

impl ServerPeer {
    pub fn new(arguments: &Arguments) -> Result<Self, String> {
        let socket = bind(arguments)?;
        let address = socket.local_addr().map_err(|error| error.to_string())?;
        let server = NetcodeServer::new(ServerConfig {
            current_time: wall_clock()?,
            max_clients: arguments.number_or("max-clients", 4)?,
            protocol_id: arguments.number("protocol-id")?,
            public_addresses: vec![address],
            authentication: ServerAuthentication::Secure {
                private_key: arguments.bytes("key")?,
            },
        });
        Ok(Self {
            server,
            socket,
            last: Duration::ZERO,
        })
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |address| address.port())
    }
}

/// Applies what the state machine asks for. `ended_by` names the cause of an end on this path: the
/// crate reports none.
fn apply(result: ServerResult, socket: &UdpSocket, ended_by: &str, events: &mut Vec<Event>) {
    match result {
        ServerResult::None => {}
        ServerResult::PacketToSend { addr, payload } => {
            let _ = socket.send_to(payload, addr);
        }
        ServerResult::Payload { client_id, payload } => {
            events.push(Event::Payload {
                flow: client_id,
                bytes: payload.to_vec(),
            });
        }
        ServerResult::ClientConnected {
            client_id,
            addr,
            user_data,
            payload,
        } => {
            let _ = socket.send_to(payload, addr);
            events.push(Event::Connected {
                flow: client_id,
                user_data: Some(user_data.to_vec()),
            });
        }
        ServerResult::ClientDisconnected {
            client_id,
            addr,
            payload,
        } => {
            if let Some(payload) = payload {
                let _ = socket.send_to(payload, addr);
            }
            events.push(Event::Disconnected {
                flow: client_id,
                reason: ended_by.to_string(),
            });
        }
    }
}

impl Peer for ServerPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        let mut buffer = [0; DATAGRAM_BYTES];
        while let Some((length, from)) = receive(&self.socket, &mut buffer) {
            let result = self.server.process_packet(from, &mut buffer[..length]);
            apply(result, &self.socket, "client disconnect", events);
        }
        self.server.update(elapsed.saturating_sub(self.last));
        self.last = elapsed;
        for id in self.server.clients_id() {
            apply(
                self.server.update_client(id),
                &self.socket,
                "timed out",
                events,
            );
        }
    }

    fn send(&mut self, flow: u64, payload: &[u8]) -> Result<(), String> {
        let (to, packet) = self
            .server
            .generate_payload_packet(flow, payload)
            .map_err(|error| error.to_string())?;
        self.socket
            .send_to(packet, to)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    fn disconnect(&mut self, events: &mut Vec<Event>) {
        for id in self.server.clients_id() {
            apply(
                self.server.disconnect(id),
                &self.socket,
                "server disconnect",
                events,
            );
        }
    }
}
