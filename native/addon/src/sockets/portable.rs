//! Sockets of any system: one datagram per call, no control messages. So there are no arrival stamps,
//! no count of what the system dropped, no handshake socket, and answers leave from the address that
//! the system chooses.

use std::io;
use std::net::{SocketAddr, SocketAddrV6, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use ggscale_transport_core::Path;

use super::{bytes_for, pause_ms, UdpOptions};
use crate::clock::now;
use crate::error::{Failure, Result};
use crate::features::Features;
use crate::io::{
    canonical, Arrival, Errno, Io, Now, Outgoing, Queue, Scratch, BATCH, DATAGRAM_BYTES,
    ROOM_STRIDE,
};

/// Windows cuts a datagram with an error where others say nothing (WSAEMSGSIZE).
const WINDOWS_CUT: i32 = 10_040;

pub struct PortableIo {
    socket: UdpSocket,
    local: SocketAddr,
    features: Features,
}

impl PortableIo {
    pub fn open(options: &UdpOptions) -> Result<Self> {
        let what = format!("bind {}", options.address);
        let socket = bind(options).map_err(|error| Failure::from_io(&what, &error))?;
        let flows = options.expected_flows;
        let (receive, send) = size_buffers(&socket, options);
        let features = Features {
            dual_stack: options.is_dual_stack(),
            receive_buffer_bytes: receive,
            send_buffer_bytes: send,
            receive_pause_ms: pause_ms(receive, flows),
            ..Features::default()
        };
        let socket = UdpSocket::from(socket);
        let local = socket
            .local_addr()
            .map_err(|error| Failure::from_io("getsockname", &error))?;
        Ok(Self {
            socket,
            local,
            features,
        })
    }

    /// The bound address as the system names it (not canonical: `::` stays IPv6).
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    pub fn features(&self) -> Features {
        self.features
    }

    #[cfg(unix)]
    pub fn flows_fd(&self) -> std::os::fd::RawFd {
        use std::os::fd::AsRawFd;
        self.socket.as_raw_fd()
    }

    /// Takes a pending error (an ICMP answer to an earlier send) off the socket.
    pub fn clear_errors(&mut self) {
        let _ = self.socket.take_error();
    }

    /// A socket of IPv6 reaches IPv4 peers under their mapped addresses.
    fn name(&self, remote: SocketAddr) -> SocketAddr {
        match remote {
            SocketAddr::V4(v4) if self.local.is_ipv6() => {
                let mapped = v4.ip().to_ipv6_mapped();
                SocketAddr::V6(SocketAddrV6::new(mapped, v4.port(), 0, 0))
            }
            other => other,
        }
    }
}

fn bind(options: &UdpOptions) -> io::Result<Socket> {
    let address = options.address;
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!options.is_dual_stack())?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Asks for both buffers; what was obtained, as asked for, receive first.
fn size_buffers(socket: &Socket, options: &UdpOptions) -> (usize, usize) {
    let wanted = |asked| {
        if asked == 0 {
            bytes_for(options.expected_flows)
        } else {
            asked
        }
    };
    let _ = socket.set_recv_buffer_size(wanted(options.receive_buffer_bytes));
    let _ = socket.set_send_buffer_size(wanted(options.send_buffer_bytes));
    // Linux alone reports twice what was asked for.
    let share = if cfg!(target_os = "linux") { 2 } else { 1 };
    (
        socket.recv_buffer_size().unwrap_or(0) / share,
        socket.send_buffer_size().unwrap_or(0) / share,
    )
}

impl Io for PortableIo {
    fn now(&mut self) -> Now {
        now()
    }

    fn receive(
        &mut self,
        queue: Queue,
        max: usize,
        scratch: &mut Scratch,
    ) -> std::result::Result<usize, Errno> {
        if queue == Queue::Handshakes {
            return Ok(0);
        }
        for index in 0..max.min(BATCH) {
            let offset = index * ROOM_STRIDE;
            let room = scratch.memory_mut().get_mut(offset..offset + ROOM_STRIDE);
            let (length, remote) = match self.socket.recv_from(room.unwrap_or(&mut [])) {
                Ok(received) => received,
                Err(error) if is_cut(&error) => (ROOM_STRIDE, SocketAddr::from(([0; 4], 0))),
                // What is in hand comes first; an error that lasts shows again at the next call.
                Err(_) if index > 0 => return Ok(index),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                Err(error) => return Err(errno_of(&error)),
            };
            if let Some(arrival) = scratch.arrivals.get_mut(index) {
                *arrival = Arrival {
                    offset,
                    length: length.min(DATAGRAM_BYTES),
                    path: Path {
                        remote: canonical(remote),
                        local: None,
                    },
                    stamp_ns: None,
                    truncated: length > DATAGRAM_BYTES,
                };
            }
        }
        Ok(max.min(BATCH))
    }

    fn send(&mut self, datagrams: &[Outgoing<'_>]) -> std::result::Result<usize, Errno> {
        for (index, datagram) in datagrams.iter().enumerate() {
            let name = self.name(datagram.path.remote);
            match self.socket.send_to(datagram.bytes, name) {
                Ok(_) => {}
                Err(_) if index > 0 => return Ok(index),
                Err(error) => return Err(errno_of(&error)),
            }
        }
        Ok(datagrams.len())
    }
}

fn is_cut(error: &io::Error) -> bool {
    cfg!(windows) && error.raw_os_error() == Some(WINDOWS_CUT)
}

/// The number that the endpoint knows; Windows has its own for most of them.
fn errno_of(error: &io::Error) -> Errno {
    if cfg!(unix) {
        return error.raw_os_error().unwrap_or(libc::EIO);
    }
    match error.kind() {
        io::ErrorKind::WouldBlock => libc::EAGAIN,
        io::ErrorKind::Interrupted => libc::EINTR,
        // After an ICMP answer, Windows says that the peer reset a connection.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => libc::ECONNREFUSED,
        io::ErrorKind::HostUnreachable => libc::EHOSTUNREACH,
        io::ErrorKind::NetworkUnreachable => libc::ENETUNREACH,
        io::ErrorKind::AddrNotAvailable => libc::EADDRNOTAVAIL,
        io::ErrorKind::OutOfMemory => libc::ENOBUFS,
        _ if error.raw_os_error() == Some(WINDOWS_CUT) => libc::EMSGSIZE,
        _ => libc::EIO,
    }
}
