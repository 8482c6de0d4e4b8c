//! netcode-official 1.0.0 as a program: `client`, `server` and `token`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use netcode::{Client, ClientState, DisconnectReason, Server, ServerEvent};
use peer_common::{end, run, to_hex, Arguments, Event, Line, Peer, Role};

fn main() {
    end(start());
}

fn start() -> Result<i32, String> {
    let arguments = Arguments::from_process()?;
    let deadline = Duration::from_secs(arguments.number_or("deadline", 60)?);
    match arguments.mode.as_str() {
        "client" => {
            let mut peer = ClientPeer::new(&arguments)?;
            Line::event("ready")
                .text("port", peer.client.port())
                .print();
            Ok(run(&mut peer, Role::Client, deadline))
        }
        "server" => {
            let mut peer = ServerPeer::new(&arguments)?;
            Line::event("ready")
                .text("port", peer.server.port())
                .print();
            Ok(run(&mut peer, Role::Server, deadline))
        }
        "token" => {
            let public = arguments.addresses("server")?;
            let token = netcode::generate_connect_token(
                &public,
                &public,
                arguments.number("expire")?,
                arguments.number("timeout")?,
                arguments.number("client-id")?,
                arguments.number("protocol-id")?,
                &arguments.bytes("key")?,
                &arguments.bytes("user-data")?,
            )
            .map_err(|error| error.to_string())?;
            Line::event("token").text("hex", to_hex(&token)).print();
            Ok(0)
        }
        mode => Err(format!("unknown mode {mode}")),
    }
}

struct ClientPeer {
    client: Client,
    connected: bool,
    done: bool,
}

impl ClientPeer {
    fn new(arguments: &Arguments) -> Result<Self, String> {
        let bind: SocketAddr = arguments
            .text("bind")?
            .parse()
            .map_err(|_| "--bind is no address")?;
        let token = arguments.bytes("token")?;
        let mut client = Client::new(bind, 0.0).map_err(|error| error.to_string())?;
        client.connect(&token).map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            connected: false,
            done: false,
        })
    }
}

impl Peer for ClientPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        self.client.update(elapsed.as_secs_f64());
        let state = self.client.state();
        if state == ClientState::Connected && !self.connected {
            self.connected = true;
            events.push(Event::Connected {
                flow: 0,
                user_data: None,
            });
        }
        while let Some((bytes, _)) = self.client.receive_packet() {
            events.push(Event::Payload { flow: 0, bytes });
        }
        if state.is_disconnected() && !self.done {
            self.done = true;
            events.push(Event::Disconnected {
                flow: 0,
                reason: state.to_string(),
            });
        }
    }

    fn send(&mut self, _flow: u64, payload: &[u8]) -> Result<(), String> {
        self.client
            .send_packet(payload)
            .map_err(|error| error.to_string())
    }

    fn disconnect(&mut self, _events: &mut Vec<Event>) {
        self.client.disconnect();
    }
}

struct ServerPeer {
    server: Server,
    /// Client id of each slot in use: the crate forgets it when the slot is freed.
    ids: HashMap<usize, u64>,
}

impl ServerPeer {
    fn new(arguments: &Arguments) -> Result<Self, String> {
        let public: SocketAddr = arguments
            .text("bind")?
            .parse()
            .map_err(|_| "--bind is no address")?;
        let protocol_id = arguments.number("protocol-id")?;
        let mut server = Server::new(public, protocol_id, &arguments.bytes("key")?, 0.0)
            .map_err(|error| error.to_string())?;
        server
            .start(arguments.number_or("max-clients", 4)?)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            server,
            ids: HashMap::new(),
        })
    }

    fn drain_events(&mut self, events: &mut Vec<Event>) {
        while let Some(event) = self.server.next_event() {
            match event {
                ServerEvent::ClientConnected { client_index } => {
                    let flow = self.server.client_id(client_index);
                    let user_data = self
                        .server
                        .client_user_data(client_index)
                        .map(|d| d.to_vec());
                    self.ids.insert(client_index, flow);
                    events.push(Event::Connected { flow, user_data });
                }
                ServerEvent::ClientDisconnected {
                    client_index,
                    reason,
                } => {
                    let flow = self.ids.remove(&client_index).unwrap_or(0);
                    let reason = match reason {
                        DisconnectReason::TimedOut => "timed out",
                        DisconnectReason::ClientDisconnect => "client disconnect",
                        DisconnectReason::ServerDisconnect => "server disconnect",
                    };
                    events.push(Event::Disconnected {
                        flow,
                        reason: reason.to_string(),
                    });
                }
            }
        }
    }
}

impl Peer for ServerPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        self.server.update(elapsed.as_secs_f64());
        self.drain_events(events);
        for (&slot, &flow) in &self.ids {
            while let Some((bytes, _)) = self.server.receive_packet(slot) {
                events.push(Event::Payload { flow, bytes });
            }
        }
    }

    fn send(&mut self, flow: u64, payload: &[u8]) -> Result<(), String> {
        let slot = self
            .ids
            .iter()
            .find(|(_, &id)| id == flow)
            .map(|(&slot, _)| slot);
        match slot {
            Some(slot) => self
                .server
                .send_packet(slot, payload)
                .map_err(|error| error.to_string()),
            None => Err(format!("flow {flow} is not connected")),
        }
    }

    fn disconnect(&mut self, events: &mut Vec<Event>) {
        self.server.disconnect_all_clients();
        self.drain_events(events);
    }
}
