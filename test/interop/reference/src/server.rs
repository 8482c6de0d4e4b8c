//! A server of the reference.

use std::collections::HashMap;
use std::ffi::{c_int, c_void, CString};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use peer_common::{Arguments, Event, Peer};

use crate::c;

/// A slot that was taken or freed.
struct Change {
    index: c_int,
    is_connected: bool,
}

pub struct ServerPeer {
    server: *mut c::Server,
    /// The callback's context: it lives as long as the process, and only one of both uses it at a time.
    changes: *mut Vec<Change>,
    /// Client id of each slot in use.
    ids: HashMap<c_int, u64>,
}

/// The reference compares a token's addresses with the one that it was given, port 0 included.
fn free_address(text: &str) -> std::io::Result<SocketAddr> {
    UdpSocket::bind(text)?.local_addr()
}

extern "C" fn note_change(context: *mut c_void, index: c_int, is_connected: c_int) {
    // SAFETY: it is the peer's `changes`.
    let changes = unsafe { &mut *context.cast::<Vec<Change>>() };
    changes.push(Change {
        index,
        is_connected: is_connected != 0,
    });
}

impl ServerPeer {
    pub fn new(arguments: &Arguments) -> Result<Self, String> {
        let bind = free_address(arguments.text("bind")?).map_err(|error| error.to_string())?;
        let bind = CString::new(bind.to_string()).map_err(|error| error.to_string())?;
        let max_clients: c_int = arguments.number_or("max-clients", 4)?;
        if max_clients < 1 || max_clients as usize > c::MAX_CLIENTS {
            return Err("--max-clients is out of range".to_string());
        }
        let changes = Box::into_raw(Box::new(Vec::new()));
        // SAFETY: the configuration is written before it is read, and copied by the server.
        let server = unsafe {
            let mut config = MaybeUninit::<c::ServerConfig>::uninit();
            c::netcode_default_server_config(config.as_mut_ptr());
            let mut config = config.assume_init();
            config.protocol_id = arguments.number("protocol-id")?;
            config.private_key = arguments.bytes("key")?;
            config.callback_context = changes.cast();
            config.connect_disconnect_callback = Some(note_change);
            let server = c::netcode_server_create(bind.as_ptr(), &config, 0.0);
            if server.is_null() {
                return Err(format!(
                    "server: error {}",
                    c::netcode_server_create_error()
                ));
            }
            c::netcode_server_start(server, max_clients);
            server
        };
        Ok(Self {
            server,
            changes,
            ids: HashMap::new(),
        })
    }

    pub fn port(&self) -> u16 {
        // SAFETY: the server lives as long as the process.
        unsafe { c::netcode_server_get_port(self.server) }
    }

    fn tell_changes(&mut self, events: &mut Vec<Event>) {
        // SAFETY: the callback is not running.
        let changes = unsafe { std::mem::take(&mut *self.changes) };
        for Change {
            index,
            is_connected,
        } in changes
        {
            if is_connected {
                // SAFETY: a slot in use has user data of the standard's length.
                let (flow, data) = unsafe {
                    let data = c::netcode_server_client_user_data(self.server, index);
                    let data = std::slice::from_raw_parts(data, c::USER_DATA_BYTES).to_vec();
                    (c::netcode_server_client_id(self.server, index), data)
                };
                self.ids.insert(index, flow);
                events.push(Event::Connected {
                    flow,
                    user_data: Some(data),
                });
                continue;
            }
            let flow = self.ids.remove(&index).unwrap_or(0);
            // SAFETY: as above; it is kept until the slot is taken again.
            let reason = unsafe { c::netcode_server_client_disconnect_reason(self.server, index) };
            let reason = match reason {
                1 => "timed out",
                2 => "client disconnect",
                _ => "server disconnect",
            };
            events.push(Event::Disconnected {
                flow,
                reason: reason.to_string(),
            });
        }
    }

    fn receive(&mut self, index: c_int) -> Option<Vec<u8>> {
        let (mut bytes, mut sequence) = (0, 0);
        // SAFETY: a packet is ours until it is freed, and so long as is said.
        unsafe {
            let packet =
                c::netcode_server_receive_packet(self.server, index, &mut bytes, &mut sequence);
            if packet.is_null() {
                return None;
            }
            let copy = std::slice::from_raw_parts(packet, bytes as usize).to_vec();
            c::netcode_server_free_packet(self.server, packet.cast());
            Some(copy)
        }
    }
}

impl Peer for ServerPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        // SAFETY: as above.
        unsafe { c::netcode_server_update(self.server, elapsed.as_secs_f64()) };
        self.tell_changes(events);
        let slots: Vec<(c_int, u64)> = self.ids.iter().map(|(&slot, &id)| (slot, id)).collect();
        for (slot, flow) in slots {
            while let Some(bytes) = self.receive(slot) {
                events.push(Event::Payload { flow, bytes });
            }
        }
    }

    fn send(&mut self, flow: u64, payload: &[u8]) -> Result<(), String> {
        let slot = self.ids.iter().find(|(_, &id)| id == flow);
        let &slot = slot
            .ok_or_else(|| format!("flow {flow} is not connected"))?
            .0;
        // SAFETY: the payload lives for the call.
        unsafe {
            c::netcode_server_send_packet(
                self.server,
                slot,
                payload.as_ptr(),
                payload.len() as c_int,
            );
        }
        Ok(())
    }

    fn disconnect(&mut self, events: &mut Vec<Event>) {
        // SAFETY: as above.
        unsafe { c::netcode_server_disconnect_all_clients(self.server) };
        self.tell_changes(events);
    }
}
