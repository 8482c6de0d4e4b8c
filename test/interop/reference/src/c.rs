//! What is used of netcode.h, version 1.4.0.

use std::ffi::{c_char, c_double, c_int, c_void};

pub const ERROR: c_int = 0;
pub const STATE_CONNECTED: c_int = 3;
pub const MAX_CLIENTS: usize = 256;
pub const CONNECT_TOKEN_BYTES: usize = 2048;
pub const USER_DATA_BYTES: usize = 256;

#[repr(C)]
pub struct Client {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Server {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ClientConfig {
    pub allocator_context: *mut c_void,
    pub allocate_function: *mut c_void,
    pub free_function: *mut c_void,
    pub network_simulator: *mut c_void,
    pub callback_context: *mut c_void,
    pub state_change_callback: *mut c_void,
    pub send_loopback_packet_callback: *mut c_void,
    pub override_send_and_receive: c_int,
    pub send_packet_override: *mut c_void,
    pub receive_packet_override: *mut c_void,
}

#[repr(C)]
pub struct ServerConfig {
    pub protocol_id: u64,
    pub private_key: [u8; 32],
    pub allocator_context: *mut c_void,
    pub allocate_function: *mut c_void,
    pub free_function: *mut c_void,
    pub network_simulator: *mut c_void,
    pub callback_context: *mut c_void,
    pub connect_disconnect_callback: Option<extern "C" fn(*mut c_void, c_int, c_int)>,
    pub send_loopback_packet_callback: *mut c_void,
    pub override_send_and_receive: c_int,
    pub send_packet_override: *mut c_void,
    pub receive_packet_override: *mut c_void,
}

extern "C" {
    pub fn netcode_init() -> c_int;
    pub fn netcode_log_level(level: c_int);
    pub fn netcode_default_client_config(config: *mut ClientConfig);
    pub fn netcode_client_create(
        address: *const c_char,
        config: *const ClientConfig,
        time: c_double,
    ) -> *mut Client;
    pub fn netcode_client_create_error() -> c_int;
    pub fn netcode_client_connect(client: *mut Client, connect_token: *mut u8);
    pub fn netcode_client_update(client: *mut Client, time: c_double);
    pub fn netcode_client_send_packet(client: *mut Client, data: *const u8, bytes: c_int);
    pub fn netcode_client_receive_packet(
        client: *mut Client,
        bytes: *mut c_int,
        sequence: *mut u64,
    ) -> *mut u8;
    pub fn netcode_client_free_packet(client: *mut Client, packet: *mut c_void);
    pub fn netcode_client_disconnect(client: *mut Client);
    pub fn netcode_client_state(client: *mut Client) -> c_int;
    pub fn netcode_client_get_port(client: *mut Client) -> u16;
    pub fn netcode_generate_connect_token(
        addresses: c_int,
        public: *const *const c_char,
        internal: *const *const c_char,
        expire_seconds: c_int,
        timeout_seconds: c_int,
        client_id: u64,
        protocol_id: u64,
        private_key: *const u8,
        user_data: *mut u8,
        connect_token: *mut u8,
    ) -> c_int;
    pub fn netcode_default_server_config(config: *mut ServerConfig);
    pub fn netcode_server_create(
        address: *const c_char,
        config: *const ServerConfig,
        time: c_double,
    ) -> *mut Server;
    pub fn netcode_server_create_error() -> c_int;
    pub fn netcode_server_start(server: *mut Server, max_clients: c_int);
    pub fn netcode_server_update(server: *mut Server, time: c_double);
    pub fn netcode_server_client_disconnect_reason(server: *mut Server, index: c_int) -> c_int;
    pub fn netcode_server_client_id(server: *mut Server, index: c_int) -> u64;
    pub fn netcode_server_client_user_data(server: *mut Server, index: c_int) -> *const u8;
    pub fn netcode_server_disconnect_all_clients(server: *mut Server);
    pub fn netcode_server_send_packet(
        server: *mut Server,
        index: c_int,
        data: *const u8,
        bytes: c_int,
    );
    pub fn netcode_server_receive_packet(
        server: *mut Server,
        index: c_int,
        bytes: *mut c_int,
        sequence: *mut u64,
    ) -> *mut u8;
    pub fn netcode_server_free_packet(server: *mut Server, packet: *mut c_void);
    pub fn netcode_server_get_port(server: *mut Server) -> u16;
}
