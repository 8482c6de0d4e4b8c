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

use super::socket::{bind, local_address, new_socket, prepare, probe, set_buffer, set_option};
use super::steering::{attach, program, GROUP_MAX};
use super::sys::{Kernel, Sys};
use super::{UdpIo, UdpOptions, HANDSHAKE_BUFFER_BYTES};
use crate::error::{Code, Failure, Result};
use crate::features::Features;
use crate::sockets::{bytes_for, pause_ms};

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
        Self::open_with(Kernel, options, threads)
    }

    pub(super) fn open_with<S: Sys + Clone>(
        mut sys: S,
        options: &UdpOptions,
        threads: usize,
    ) -> Result<Vec<UdpIo<S>>> {
        if threads == 0 || threads > GROUP_MAX {
            let message = format!("threads must be from 1 to {GROUP_MAX}, not {threads}");
            return Err(Failure::new(Code::BadOption, message));
        }
        let v6 = options.address.is_ipv6();
        let dual_stack = options.is_dual_stack();
        let what = format!("bind {}", options.address);
        let first = new_socket(v6, dual_stack)
            .and_then(|fd| bind(&fd, options.address).map(|()| fd))
            .map_err(|error| Failure::from_io(&what, &error))?;
        let local =
            local_address(&first).map_err(|error| Failure::from_io("getsockname", &error))?;
        let plan = Plan {
            threads,
            handshake_sockets: options.handshake_socket,
            local,
            dual_stack,
            seed: seed()?,
        };
        let joined = plan
            .join(&mut sys, first)
            .map_err(|error| Failure::from_io("sharing the port among threads", &error))?;
        let mut handshakes = joined.handshakes.into_iter();
        let mut opened = Vec::with_capacity(threads);
        for flows in joined.flows {
            let mut features = Features {
                dual_stack,
                steering: joined.steering,
                ..Features::default()
            };
            prepare(&mut sys, &flows, local, &mut features);
            probe(&mut sys, &flows, options.gro, &mut features);
            size_buffers(&mut sys, &flows, options, threads, &mut features);
            let handshake = handshakes.next();
            if let Some(fd) = &handshake {
                prepare(&mut sys, fd, local, &mut Features::default());
                set_buffer(&mut sys, fd, true, HANDSHAKE_BUFFER_BYTES);
                features.handshake_socket = true;
            }
            opened.push(UdpIo::new(sys.clone(), flows, handshake, local, features));
        }
        Ok(opened)
    }
}

/// Asks for the buffers of one thread, which has its share of the flows.
fn size_buffers<S: Sys>(
    sys: &mut S,
    fd: &OwnedFd,
    options: &UdpOptions,
    threads: usize,
    features: &mut Features,
) {
    let flows = options.expected_flows.div_ceil(threads as u32);
    let wanted = |asked| {
        if asked == 0 {
            bytes_for(flows)
        } else {
            asked
        }
    };
    let receive = set_buffer(sys, fd, true, wanted(options.receive_buffer_bytes));
    let send = set_buffer(sys, fd, false, wanted(options.send_buffer_bytes));
    features.receive_buffer_bytes = receive;
    features.send_buffer_bytes = send;
    features.receive_pause_ms = pause_ms(receive, flows);
}

/// What the sockets behind the first need to know.
struct Plan {
    threads: usize,
    handshake_sockets: bool,
    local: SocketAddr,
    dual_stack: bool,
    seed: u32,
}

impl Plan {
    /// Lets the other sockets join the exclusively bound `first`.
    fn join<S: Sys>(&self, sys: &mut S, first: OwnedFd) -> io::Result<Joined> {
        let mut joined = Joined {
            flows: vec![first],
            handshakes: Vec::new(),
            steering: false,
        };
        if self.threads == 1 && !self.handshake_sockets {
            return Ok(joined);
        }
        match self.share(sys, &mut joined) {
            Ok(()) => joined.steering = true,
            Err(error) if self.threads > 1 => return Err(error),
            Err(_) => {
                // The port is no longer shared; requests come to the flows' socket.
                joined.handshakes.clear();
                if let Some(first) = joined.flows.first() {
                    let _ = set_option(sys, first, libc::SOL_SOCKET, libc::SO_REUSEPORT, 0);
                }
            }
        }
        Ok(joined)
    }

    fn share<S: Sys>(&self, sys: &mut S, joined: &mut Joined) -> io::Result<()> {
        let Joined {
            flows, handshakes, ..
        } = joined;
        if let Some(first) = flows.first() {
            set_option(sys, first, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
        }
        // The kernel numbers the sockets of a group in the order in which they joined.
        for _ in 1..self.threads {
            flows.push(self.join_one(sys)?);
        }
        if self.handshake_sockets {
            for _ in 0..self.threads {
                handshakes.push(self.join_one(sys)?);
            }
        }
        let program = program(self.threads as u32, self.handshake_sockets, self.seed);
        match flows.first() {
            Some(first) => attach(sys, first, program),
            None => Ok(()),
        }
    }

    fn join_one<S: Sys>(&self, sys: &mut S) -> io::Result<OwnedFd> {
        let fd = new_socket(self.local.is_ipv6(), self.dual_stack)?;
        set_option(sys, &fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
        bind(&fd, self.local)?;
        Ok(fd)
    }
}

fn seed() -> Result<u32> {
    let mut random =
        Random::from_os().map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    Ok(random.next_u64() as u32)
}
