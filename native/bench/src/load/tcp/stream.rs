//! A TCP connection that does not block: bytes in, bytes out, and what the kernel counted.

use std::io::{self, ErrorKind, Read, Write};
use std::mem::zeroed;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::load::wire::Traffic;

pub const READ_BYTES: usize = 64 * 1024;
/// IPv4 and TCP headers of a segment with the timestamp option, which Linux always agrees on with itself.
const SEGMENT_BYTES: u64 = 20 + 20 + 12;
const TCP_INFO_BYTES: usize = 256;
/// Of `struct tcp_info` (linux/tcp.h).
const BYTES_RECEIVED_AT: usize = 128;
const SEGMENTS_OUT_AT: usize = 136;
const SEGMENTS_IN_AT: usize = 140;
const BYTES_SENT_AT: usize = 200;

pub struct Stream {
    stream: TcpStream,
    input: Vec<u8>,
    /// Bytes of `input` that were consumed already.
    consumed: usize,
    output: Vec<u8>,
    written: usize,
    pub is_ended: bool,
}

impl Stream {
    /// Begins to connect from this address; the port is the kernel's choice.
    pub fn connect(server: SocketAddr, source: Ipv4Addr) -> io::Result<Self> {
        let SocketAddr::V4(server) = server else {
            return Err(io::Error::other("an IPv4 address is needed"));
        };
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: a plain system call; the descriptor is ours alone.
        let fd = unsafe { libc::socket(libc::AF_INET, kind, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made and checked.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        set(&fd, libc::IPPROTO_TCP, libc::TCP_NODELAY);
        // One port may serve many source addresses: it is chosen when the peer is known.
        set(&fd, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT);
        call(&fd, source, 0, libc::bind)?;
        match call(&fd, *server.ip(), server.port(), libc::connect) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            other => other?,
        }
        Ok(Self {
            stream: TcpStream::from(fd),
            input: Vec::new(),
            consumed: 0,
            output: Vec::new(),
            written: 0,
            is_ended: false,
        })
    }

    pub fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Reads once, by way of `scratch`; what came is in `input`.
    pub fn read(&mut self, scratch: &mut [u8]) -> io::Result<usize> {
        if self.consumed == self.input.len() {
            self.input.clear();
            self.consumed = 0;
        }
        match self.stream.read(scratch) {
            Ok(0) => {
                self.is_ended = true;
                Ok(0)
            }
            Ok(count) => {
                let came = scratch.get(..count).unwrap_or(&[]);
                self.input.extend_from_slice(came);
                Ok(count)
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected => Ok(0),
                _ => {
                    self.is_ended = true;
                    Err(error)
                }
            },
        }
    }

    pub fn input(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or(&[])
    }

    pub fn consume(&mut self, count: usize) {
        self.consumed += count;
        if self.consumed > READ_BYTES && self.consumed * 2 > self.input.len() {
            self.input.drain(..self.consumed);
            self.consumed = 0;
        }
    }

    /// What is put here leaves with `write`.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// True when nothing is left.
    pub fn write(&mut self) -> io::Result<bool> {
        while let Some(rest) = self.output.get(self.written..).filter(|it| !it.is_empty()) {
            match self.stream.write(rest) {
                Ok(count) => self.written += count,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::NotConnected => return Ok(false),
                    ErrorKind::Interrupted => {}
                    _ => {
                        self.is_ended = true;
                        return Err(error);
                    }
                },
            }
        }
        self.output.clear();
        self.written = 0;
        Ok(true)
    }

    /// As TCP_INFO has it. Loopback's segments are larger than those of an Ethernet, which is to the
    /// advantage of TCP.
    pub fn traffic(&self) -> Traffic {
        let mut info = [0u8; TCP_INFO_BYTES];
        let mut length = info.len() as libc::socklen_t;
        // SAFETY: room for as many bytes as said.
        unsafe {
            libc::getsockopt(
                self.fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                info.as_mut_ptr().cast(),
                &mut length,
            );
        }
        let u32_at = |at: usize| {
            let bytes = info.get(at..).and_then(|it| it.first_chunk::<4>());
            bytes.map_or(0, |bytes| u64::from(u32::from_ne_bytes(*bytes)))
        };
        let u64_at = |at: usize| {
            let bytes = info.get(at..).and_then(|it| it.first_chunk::<8>());
            bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
        };
        let (packets_out, packets_in) = (u32_at(SEGMENTS_OUT_AT), u32_at(SEGMENTS_IN_AT));
        Traffic {
            packets_out,
            bytes_out: u64_at(BYTES_SENT_AT) + packets_out * SEGMENT_BYTES,
            packets_in,
            bytes_in: u64_at(BYTES_RECEIVED_AT) + packets_in * SEGMENT_BYTES,
        }
    }
}

fn set(fd: &OwnedFd, level: i32, name: i32) {
    let on = 1i32;
    // SAFETY: an integer option and its size; a refusal leaves what was there.
    unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw const on).cast(),
            size_of::<i32>() as libc::socklen_t,
        );
    }
}

type AddressCall = unsafe extern "C" fn(i32, *const libc::sockaddr, libc::socklen_t) -> i32;

fn call(fd: &OwnedFd, address: Ipv4Addr, port: u16, call: AddressCall) -> io::Result<()> {
    // SAFETY: a plain C structure, for which zeros are a valid value.
    let mut name: libc::sockaddr_in = unsafe { zeroed() };
    name.sin_family = libc::AF_INET as libc::sa_family_t;
    name.sin_port = port.to_be();
    name.sin_addr.s_addr = u32::from(address).to_be();
    let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    // SAFETY: bind or connect, with a valid address of this length.
    let result = unsafe { call(fd.as_raw_fd(), (&raw const name).cast(), length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
