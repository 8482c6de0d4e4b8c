//! A client of the reference.

use std::ffi::{c_int, CString};
use std::mem::MaybeUninit;
use std::time::Duration;

use peer_common::{Arguments, Event, Peer};

use crate::c;

pub struct ClientPeer {
    client: *mut c::Client,
    is_connected: bool,
    is_done: bool,
}

impl ClientPeer {
    pub fn new(arguments: &Arguments) -> Result<Self, String> {
        let bind = CString::new(arguments.text("bind")?).map_err(|error| error.to_string())?;
        let mut token = arguments.bytes::<{ c::CONNECT_TOKEN_BYTES }>("token")?;
        // SAFETY: the pointers live for the calls, and the configuration is written before it is read.
        let client = unsafe {
            let mut config = MaybeUninit::uninit();
            c::netcode_default_client_config(config.as_mut_ptr());
            let client = c::netcode_client_create(bind.as_ptr(), config.as_ptr(), 0.0);
            if client.is_null() {
                return Err(format!(
                    "client: error {}",
                    c::netcode_client_create_error()
                ));
            }
            c::netcode_client_connect(client, token.as_mut_ptr());
            client
        };
        Ok(Self {
            client,
            is_connected: false,
            is_done: false,
        })
    }

    pub fn port(&self) -> u16 {
        // SAFETY: the client lives as long as the process.
        unsafe { c::netcode_client_get_port(self.client) }
    }

    fn receive(&mut self) -> Option<Vec<u8>> {
        let (mut bytes, mut sequence) = (0, 0);
        // SAFETY: a packet is ours until it is freed, and so long as is said.
        unsafe {
            let packet = c::netcode_client_receive_packet(self.client, &mut bytes, &mut sequence);
            if packet.is_null() {
                return None;
            }
            let copy = std::slice::from_raw_parts(packet, bytes as usize).to_vec();
            c::netcode_client_free_packet(self.client, packet.cast());
            Some(copy)
        }
    }
}

impl Peer for ClientPeer {
    fn step(&mut self, elapsed: Duration, events: &mut Vec<Event>) {
        // SAFETY: as above.
        let state = unsafe {
            c::netcode_client_update(self.client, elapsed.as_secs_f64());
            c::netcode_client_state(self.client)
        };
        if state == c::STATE_CONNECTED && !self.is_connected {
            self.is_connected = true;
            events.push(Event::Connected {
                flow: 0,
                user_data: None,
            });
        }
        while let Some(bytes) = self.receive() {
            events.push(Event::Payload { flow: 0, bytes });
        }
        if state <= 0 && !self.is_done {
            self.is_done = true;
            let reason = name_of(state).to_string();
            events.push(Event::Disconnected { flow: 0, reason });
        }
    }

    fn send(&mut self, _flow: u64, payload: &[u8]) -> Result<(), String> {
        // SAFETY: the payload lives for the call.
        unsafe {
            c::netcode_client_send_packet(self.client, payload.as_ptr(), payload.len() as c_int)
        };
        Ok(())
    }

    fn disconnect(&mut self, _events: &mut Vec<Event>) {
        // SAFETY: as above.
        unsafe { c::netcode_client_disconnect(self.client) };
    }
}

/// As netcode-official calls them.
fn name_of(state: c_int) -> &'static str {
    match state {
        -6 => "connect token expired",
        -5 => "invalid connect token",
        -4 => "connection timed out",
        -3 => "connection response timed out",
        -2 => "connection request timed out",
        -1 => "connection denied",
        _ => "disconnected",
    }
}
