//! Batches for a protocol that has no sockets of its own: recvmmsg and sendmmsg, as the floor has them.

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::rc::Rc;

use ggscale_bench::load::wire::Traffic;
use ggscale_transport_addon::io::{Io, Outgoing, Queue, Scratch, BATCH};
use ggscale_transport_addon::udp::{UdpIo, UdpOptions};
use ggscale_transport_core::Path;

const BUFFER_BYTES: usize = 4 << 20;
/// Headers of IPv4 and UDP.
const HEADER_BYTES: usize = 28;

/// What waits to be sent: bytes of all datagrams, and where each of them ends.
#[derive(Default)]
pub struct Outbox {
    bytes: Vec<u8>,
    ends: Vec<(usize, Path)>,
}

/// One flow's way into the outbox: a write is a datagram.
pub struct Way {
    outbox: Rc<RefCell<Outbox>>,
    pub path: Path,
}

impl Write for Way {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        let outbox = &mut *self.outbox.borrow_mut();
        outbox.bytes.extend_from_slice(datagram);
        outbox.ends.push((outbox.bytes.len(), self.path));
        Ok(datagram.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Datagrams {
    io: UdpIo,
    scratch: Scratch,
    outbox: Rc<RefCell<Outbox>>,
    pub traffic: Traffic,
}

impl Datagrams {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let io = UdpIo::open(&UdpOptions {
            receive_buffer_bytes: BUFFER_BYTES,
            send_buffer_bytes: BUFFER_BYTES,
            ..UdpOptions::new(address)
        })
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(Self {
            scratch: Scratch::with_bytes(io.scratch_bytes()),
            io,
            outbox: Rc::default(),
            traffic: Traffic::default(),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.io.local_address()
    }

    pub fn fd(&self) -> RawFd {
        self.io.flows_fd()
    }

    pub fn way(&self, path: Path) -> Way {
        let outbox = Rc::clone(&self.outbox);
        Way { outbox, path }
    }

    /// One batch; how many datagrams there were.
    pub fn receive(&mut self, mut each: impl FnMut(Path, &[u8])) -> usize {
        let received = self.io.receive(Queue::Flows, BATCH, &mut self.scratch);
        let count = received.unwrap_or(0);
        for index in 0..count {
            let Some(&arrival) = self.scratch.arrivals.get(index) else {
                break;
            };
            let datagram = self.scratch.bytes(&arrival);
            self.traffic.packets_in += 1;
            self.traffic.bytes_in += (datagram.len() + HEADER_BYTES) as u64;
            each(arrival.path, datagram);
        }
        count
    }

    /// Sends what waits; what the kernel refuses is lost.
    pub fn flush(&mut self) {
        let outbox = &mut *self.outbox.borrow_mut();
        let mut sent = 0;
        while let Some(&(_, path)) = outbox.ends.get(sent) {
            let mut batch = [Outgoing { bytes: &[], path }; BATCH];
            let mut start = match sent {
                0 => 0,
                _ => outbox.ends.get(sent - 1).map_or(0, |(end, _)| *end),
            };
            let mut count = 0;
            for (slot, &(end, path)) in batch.iter_mut().zip(outbox.ends.iter().skip(sent)) {
                let bytes = outbox.bytes.get(start..end).unwrap_or(&[]);
                *slot = Outgoing { bytes, path };
                start = end;
                count += 1;
            }
            let batch = batch.get(..count).unwrap_or(&[]);
            match self.io.send(batch) {
                Ok(taken) => {
                    let taken = taken.max(1);
                    self.traffic.packets_out += taken as u64;
                    let bytes = batch
                        .iter()
                        .take(taken)
                        .map(|it| it.bytes.len() + HEADER_BYTES);
                    self.traffic.bytes_out += bytes.sum::<usize>() as u64;
                    sent += taken;
                }
                Err(libc::EINTR) => {}
                Err(_) => sent += 1,
            }
        }
        outbox.bytes.clear();
        outbox.ends.clear();
    }
}
