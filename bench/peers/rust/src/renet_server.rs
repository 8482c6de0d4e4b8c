//! renet over netcode (crates `renet`, `renet_netcode`): the reliable ordered channel of its default
//! configuration, encrypted, with connect tokens. Games call it once per tick; here it is called when
//! something has come, which is as soon as it can answer.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant, SystemTime};

use renet::{ConnectionConfig, RenetServer};
use renet_netcode::{NetcodeServerTransport, ServerAuthentication, ServerConfig};

use crate::serving::EchoServer;

pub const PROTOCOL_ID: u64 = 7;
/// Known to everybody: servers of the benchmark run for a minute.
pub const PRIVATE_KEY: [u8; 32] = [0x42; 32];
/// Keep-alives and resends are looked for so often when nothing comes.
const WAIT_MS: i32 = 10;
/// DefaultChannel::ReliableOrdered, on both sides.
pub const CHANNEL: u8 = 2;
const BUFFER_BYTES: libc::c_int = 4 << 20;

pub struct Server {
    server: RenetServer,
    transport: NetcodeServerTransport,
    fd: RawFd,
    address: SocketAddr,
    last: Instant,
    echoed: u64,
}

/// The clock of tokens.
pub fn unix_time() -> Duration {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default()
}

fn grow_buffers(socket: &UdpSocket) {
    let bytes = BUFFER_BYTES;
    for option in [libc::SO_RCVBUF, libc::SO_SNDBUF] {
        // SAFETY: an integer option and its size; a refusal leaves what was there.
        unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                option,
                (&raw const bytes).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            );
        }
    }
}

impl Server {
    pub fn open(host: IpAddr, flows: u32) -> io::Result<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(host, 0))?;
        grow_buffers(&socket);
        let (fd, address) = (socket.as_raw_fd(), socket.local_addr()?);
        let config = ServerConfig {
            current_time: unix_time(),
            max_clients: flows as usize,
            protocol_id: PROTOCOL_ID,
            public_addresses: vec![address],
            authentication: ServerAuthentication::Secure {
                private_key: PRIVATE_KEY,
            },
        };
        Ok(Self {
            server: RenetServer::new(ConnectionConfig::default()),
            transport: NetcodeServerTransport::new(config, socket)?,
            fd,
            address,
            last: Instant::now(),
            echoed: 0,
        })
    }
}

impl EchoServer for Server {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn fd(&self) -> RawFd {
        self.fd
    }

    fn turn(&mut self) -> io::Result<()> {
        let passed = self.last.elapsed();
        self.last += passed;
        self.server.update(passed);
        let updated = self.transport.update(passed, &mut self.server);
        updated.map_err(io::Error::other)?;
        while self.server.get_event().is_some() {}
        for client in self.server.clients_id() {
            while let Some(message) = self.server.receive_message(client, CHANNEL) {
                self.server.send_message(client, CHANNEL, message);
                self.echoed += 1;
            }
        }
        self.transport.send_packets(&mut self.server);
        Ok(())
    }

    fn echoed(&self) -> u64 {
        self.echoed
    }

    fn wait_ms(&self) -> i32 {
        WAIT_MS
    }
}
