//! The sockets of one server: a pair for each I/O thread on one port, steered by `steering`.
//!
//! How a second server is kept off the port although its sockets share it: the first socket binds
//! **without** SO_REUSEPORT, which the kernel grants to one socket only, atomically. Only then does
//! it set the option, and the others join. A second copy of this program fails at its own exclusive
//! bind with EADDRINUSE. A foreign program of the same user that sets SO_REUSEPORT itself may still
//! bind the same address, but the steering program names our own sockets only, so it never gets a
//! datagram.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use ggscale_transport_core::Random;

use super::socket::{bind, local_address, new_socket, prepare, set_buffer, set_option};
use super::steering::{attach, program, GROUP_MAX};
use super::{UdpFeatures, UdpIo, UdpOptions, HANDSHAKE_BUFFER_BYTES};
use crate::error::{Code, Failure, Result};

/// Opens what belongs to one port.
pub struct Group;

/// The descriptors of a port, in the order of the group: `flows`, then `handshakes` (none, or one for
/// each of `flows`).
struct Joined {
    flows: Vec<OwnedFd>,
    handshakes: Vec<OwnedFd>,
    steering: bool,
}

impl Group {
    /// Opens `threads` (1 to 16) pairs of sockets on one port. The first error of the kernel is
    /// reported, except that one thread does without a handshake socket where it cannot have one (an
    /// old kernel, a sandbox): its requests share the flows' socket then.
    pub fn open(options: &UdpOptions, threads: usize) -> Result<Vec<UdpIo>> {
        if threads == 0 || threads > GROUP_MAX {
            let message = format!("threads must be from 1 to {GROUP_MAX}, not {threads}");
            return Err(Failure::new(Code::BadOption, message));
        }
        let v6 = options.address.is_ipv6();
        let dual_stack = v6 && options.address.ip().is_unspecified();
        let what = format!("bind {}", options.address);
        let first = new_socket(v6, dual_stack)
            .and_then(|fd| bind(&fd, options.address).map(|()| fd))
            .map_err(|error| Failure::from_io(&what, &error))?;
        let local =
            local_address(&first).map_err(|error| Failure::from_io("getsockname", &error))?;
        let seed = seed()?;
        let joined = join(first, options, threads, local, seed)
            .map_err(|error| Failure::from_io("sharing the port among threads", &error))?;
        let mut handshakes = joined.handshakes.into_iter();
        let mut opened = Vec::with_capacity(threads);
        for flows in joined.flows {
            let mut features = UdpFeatures {
                recvmmsg: true,
                sendmmsg: true,
                dual_stack,
                steering: joined.steering,
                ..UdpFeatures::default()
            };
            prepare(&flows, v6, &mut features);
            features.receive_buffer_bytes = set_buffer(&flows, true, options.receive_buffer_bytes);
            features.send_buffer_bytes = set_buffer(&flows, false, options.send_buffer_bytes);
            let handshake = handshakes.next();
            if let Some(fd) = &handshake {
                prepare(fd, v6, &mut UdpFeatures::default());
                set_buffer(fd, true, HANDSHAKE_BUFFER_BYTES);
                features.handshake_socket = true;
            }
            opened.push(UdpIo::new(flows, handshake, local, features));
        }
        Ok(opened)
    }
}

/// Lets the other sockets join the exclusively bound `first`.
fn join(
    first: OwnedFd,
    options: &UdpOptions,
    threads: usize,
    local: SocketAddr,
    seed: u32,
) -> io::Result<Joined> {
    let mut joined = Joined {
        flows: vec![first],
        handshakes: Vec::new(),
        steering: false,
    };
    if threads == 1 && !options.handshake_socket {
        return Ok(joined);
    }
    match share(&mut joined, options.handshake_socket, threads, local, seed) {
        Ok(()) => joined.steering = true,
        Err(error) if threads > 1 => return Err(error),
        Err(_) => {
            // The port is no longer shared; requests come to the flows' socket.
            joined.handshakes.clear();
            if let Some(first) = joined.flows.first() {
                let _ = set_option(first, libc::SOL_SOCKET, libc::SO_REUSEPORT, 0i32);
            }
        }
    }
    Ok(joined)
}

fn share(
    joined: &mut Joined,
    handshake_sockets: bool,
    threads: usize,
    local: SocketAddr,
    seed: u32,
) -> io::Result<()> {
    let Joined {
        flows, handshakes, ..
    } = joined;
    if let Some(first) = flows.first() {
        set_option(first, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1i32)?;
    }
    // The kernel numbers the sockets of a group in the order in which they joined.
    for _ in 1..threads {
        flows.push(join_one(local)?);
    }
    for _ in 0..if handshake_sockets { threads } else { 0 } {
        handshakes.push(join_one(local)?);
    }
    match flows.first() {
        Some(first) => attach(first, program(threads as u32, handshake_sockets, seed)),
        None => Ok(()),
    }
}

fn join_one(local: SocketAddr) -> io::Result<OwnedFd> {
    let v6 = local.is_ipv6();
    let fd = new_socket(v6, v6 && local.ip().is_unspecified())?;
    set_option(&fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1i32)?;
    bind(&fd, local)?;
    Ok(fd)
}

fn seed() -> Result<u32> {
    let mut random =
        Random::from_os().map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(random.next_u64() as u32)
}
