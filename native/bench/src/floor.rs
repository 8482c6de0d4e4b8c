//! The floor: what an echo costs when there is nothing but the kernel. epoll, recvmmsg, sendmmsg, the
//! production batch size, a wake per arrival; no protocol, no key, no flow table, no clock.

use std::io;
use std::mem::zeroed;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};

use clap::Args;
use ggscale_transport_addon::io::{BATCH, DATAGRAM_BYTES};
use serde_json::json;

use crate::control::{tell, Command, Control, STDIN};
use crate::epoll::Epoll;
use crate::histogram::Histogram;
use crate::meter::{cpu_ns, heap_bytes, pin, resident_bytes, wall_ns};

const KEY_SOCKET: u64 = 0;
const KEY_STDIN: u64 = 1;
const BATCHES_PER_WAKE: u32 = 64;

#[derive(Args, Debug)]
pub struct FloorArguments {
    /// Processor to stay on
    #[arg(long)]
    cpu: Option<usize>,
    /// SO_RCVBUF and SO_SNDBUF in bytes
    #[arg(long, default_value_t = 4 << 20)]
    buffer_bytes: usize,
    /// Ask the kernel for arrival times (SO_TIMESTAMPNS): what that alone costs
    #[arg(long)]
    timestamps: bool,
    /// Ask for the local address and name it when sending (IP_PKTINFO), as a server does that is
    /// bound to all addresses
    #[arg(long)]
    packet_info: bool,
}

/// One batch; what the kernel is given points into it.
struct Batch {
    buffers: [[u8; DATAGRAM_BYTES]; BATCH],
    names: [libc::sockaddr_in; BATCH],
    vectors: [libc::iovec; BATCH],
    messages: [libc::mmsghdr; BATCH],
    received: [[u64; CONTROL_WORDS]; BATCH],
    source: [u64; CONTROL_WORDS],
}

/// Room for the control messages of a datagram, in words of 8 bytes.
const CONTROL_WORDS: usize = 12;

struct Floor {
    socket: UdpSocket,
    batch: Box<Batch>,
    calls: Histogram,
    echoed: u64,
    not_sent: u64,
    /// Bytes of control data to receive into, and to send.
    control_bytes: (usize, usize),
}

pub fn run(arguments: &FloorArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.set_nonblocking(true)?;
    set_buffers(socket.as_raw_fd(), arguments.buffer_bytes);
    set_notes(socket.as_raw_fd(), arguments);
    let epoll = Epoll::new()?;
    epoll.add(socket.as_raw_fd(), KEY_SOCKET)?;
    epoll.add(STDIN, KEY_STDIN)?;
    let address = socket.local_addr()?;
    let mut floor = Floor {
        socket,
        batch: new_batch(),
        calls: Histogram::default(),
        echoed: 0,
        not_sent: 0,
        control_bytes: (0, 0),
    };
    if arguments.timestamps || arguments.packet_info {
        floor.control_bytes.0 = CONTROL_WORDS * 8;
    }
    if arguments.packet_info {
        floor.control_bytes.1 = write_source(&mut floor.batch.source);
    }
    tell(&json!({ "ready": address.to_string(), "pinned": pinned }))?;
    let mut control = Control::default();
    let mut paused = true;
    loop {
        let keys = if paused || control.has_word() {
            1 << KEY_STDIN
        } else {
            epoll.wait(-1)?
        };
        if keys & 1 << KEY_STDIN != 0 {
            match control.read(true)? {
                Some(Command::Run) => paused = false,
                Some(Command::Pause) => {
                    floor.empty()?;
                    paused = true;
                    tell(&json!({ "paused": true }))?;
                }
                Some(Command::Mark) => floor.mark()?,
                Some(Command::Stop) => return Ok(()),
                Some(Command::Connect) | None => {}
            }
        }
        if keys & 1 << KEY_SOCKET != 0 {
            // Bounded: a load that is faster must not keep it from its words.
            for _ in 0..BATCHES_PER_WAKE {
                if floor.echo()? < BATCH {
                    break;
                }
            }
        }
    }
}

impl Floor {
    /// One batch in, the same batch out; how many datagrams it had.
    fn echo(&mut self) -> io::Result<usize> {
        let count = self.receive()?;
        let mut sent = 0;
        while sent < count {
            match self.send(sent, count) {
                Ok(more) => sent += more,
                // Nothing is known about this datagram: the next ones go all the same.
                Err(_) => {
                    self.not_sent += 1;
                    sent += 1;
                }
            }
        }
        self.echoed += count as u64;
        Ok(count)
    }

    fn receive(&mut self) -> io::Result<usize> {
        let start = wall_ns();
        let Batch {
            vectors,
            messages,
            received,
            ..
        } = &mut *self.batch;
        let parts = vectors.iter_mut().zip(received);
        for ((vector, control), message) in parts.zip(messages.iter_mut()) {
            if self.control_bytes.0 > 0 {
                message.msg_hdr.msg_control = control.as_mut_ptr().cast();
                message.msg_hdr.msg_controllen = self.control_bytes.0 as _;
            }
            vector.iov_len = DATAGRAM_BYTES;
            message.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        }
        // SAFETY: BATCH headers that point into the live batch.
        let count = unsafe {
            libc::recvmmsg(
                self.socket.as_raw_fd(),
                messages.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        self.calls.record(wall_ns().saturating_sub(start));
        if count < 0 {
            return match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                error => Err(error),
            };
        }
        Ok(count as usize)
    }

    /// Sends the datagrams `from..to` of the batch as they came; how many the kernel took.
    fn send(&mut self, from: usize, to: usize) -> io::Result<usize> {
        let start = wall_ns();
        let Batch {
            vectors,
            messages,
            source,
            ..
        } = &mut *self.batch;
        let parts = vectors.iter_mut().zip(messages.iter_mut());
        for (vector, message) in parts.take(to).skip(from) {
            vector.iov_len = message.msg_len as usize;
            if self.control_bytes.0 > 0 {
                message.msg_hdr.msg_control = source.as_mut_ptr().cast();
                message.msg_hdr.msg_controllen = self.control_bytes.1 as _;
            }
        }
        let messages = messages.get_mut(from..to).unwrap_or(&mut []);
        // SAFETY: the headers point into the live batch.
        let count = unsafe {
            libc::sendmmsg(
                self.socket.as_raw_fd(),
                messages.as_mut_ptr(),
                messages.len() as libc::c_uint,
                libc::MSG_DONTWAIT as _,
            )
        };
        self.calls.record(wall_ns().saturating_sub(start));
        match count {
            1.. => Ok(count as usize),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Throws away what arrived late.
    fn empty(&mut self) -> io::Result<()> {
        while self.receive()? > 0 {}
        Ok(())
    }

    fn mark(&mut self) -> io::Result<()> {
        let (cpu_ns, wall_ns) = (cpu_ns(), wall_ns());
        tell(&json!({
            "cpuNs": cpu_ns,
            "wallNs": wall_ns,
            "echoed": self.echoed,
            "notSent": self.not_sent,
            "residentBytes": resident_bytes(),
            "heapBytes": heap_bytes(),
            "syscallNs": self.calls.take(),
        }))
    }
}

/// The pointers are set once: the batch does not move.
fn new_batch() -> Box<Batch> {
    // SAFETY: plain C structures and bytes, for which zeros are a valid value.
    let mut batch: Box<Batch> = unsafe { Box::new(zeroed()) };
    let Batch {
        buffers,
        names,
        vectors,
        messages,
        ..
    } = &mut *batch;
    let parts = buffers.iter_mut().zip(names.iter_mut()).zip(vectors);
    for (((buffer, name), vector), message) in parts.zip(messages.iter_mut()) {
        vector.iov_base = buffer.as_mut_ptr().cast();
        let name: *mut libc::sockaddr_in = name;
        message.msg_hdr.msg_name = name.cast();
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
    }
    batch
}

/// Past rmem_max where that is allowed, as the measured server does.
fn set_buffers(fd: RawFd, bytes: usize) {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX / 2);
    let options = [
        libc::SO_RCVBUF,
        libc::SO_SNDBUF,
        libc::SO_RCVBUFFORCE,
        libc::SO_SNDBUFFORCE,
    ];
    for option in options {
        // SAFETY: an integer option and its size; a refusal leaves what was there.
        unsafe {
            libc::setsockopt(
                fd,
                libc::SOL_SOCKET,
                option,
                (&raw const bytes).cast(),
                size_of::<i32>() as libc::socklen_t,
            );
        }
    }
}

fn set_notes(fd: RawFd, arguments: &FloorArguments) {
    let wanted = [
        (arguments.timestamps, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
        (arguments.packet_info, libc::IPPROTO_IP, libc::IP_PKTINFO),
    ];
    let on = 1i32;
    for (_, level, name) in wanted.into_iter().filter(|(wanted, ..)| *wanted) {
        // SAFETY: an integer option and its size.
        unsafe {
            libc::setsockopt(
                fd,
                level,
                name,
                (&raw const on).cast(),
                size_of::<i32>() as libc::socklen_t,
            );
        }
    }
}

/// The control message that names 127.0.0.1 as the source; its length.
fn write_source(control: &mut [u64; CONTROL_WORDS]) -> usize {
    let bytes = size_of::<libc::in_pktinfo>() as u32;
    let header = control.as_mut_ptr().cast::<libc::cmsghdr>();
    // SAFETY: `control` is aligned and has room for one header with this structure.
    unsafe {
        let mut info: libc::in_pktinfo = zeroed();
        info.ipi_spec_dst.s_addr = u32::from(std::net::Ipv4Addr::LOCALHOST).to_be();
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        (*header).cmsg_len = libc::CMSG_LEN(bytes) as _;
        libc::CMSG_DATA(header)
            .cast::<libc::in_pktinfo>()
            .write_unaligned(info);
        libc::CMSG_SPACE(bytes) as usize
    }
}
