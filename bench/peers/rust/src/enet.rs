//! ENet (C, Debian's libenet): reliable packets on one channel, flushed at once. One host has all peers of
//! the load; ENet takes at most 4,095.

use std::ffi::{c_char, c_int, c_void, CString};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::ptr::NonNull;

use ggscale_bench::load::message::Message;
use ggscale_bench::load::wire::{Event, Now, Traffic, What, Wire};
use ggscale_bench::load::{read_head, write_head, LoadArguments};
use serde_json::Value;

use crate::serving::EchoServer;

type Host = NonNull<c_void>;

const HEARD: c_int = 1;
const OPENED: c_int = 2;
const CLOSED: c_int = 3;
/// Headers of IPv4 and UDP.
const HEADER_BYTES: u64 = 28;
/// ENet has no clock of its own to ask: resends and pings are looked for so often.
const WAIT_MS: i32 = 5;
const PAYLOAD_BYTES_MAX: usize = 1400;

// shim/enet.c
extern "C" {
    fn peers_enet_listen(ip: *const c_char, peers: usize) -> Option<Host>;
    fn peers_enet_load(peers: usize) -> Option<Host>;
    fn peers_enet_fd(host: Host) -> c_int;
    fn peers_enet_port(host: Host) -> u16;
    fn peers_enet_echo(host: Host) -> u64;
    fn peers_enet_connect(host: Host, ip: *const c_char, port: u16, flow: u32) -> c_int;
    fn peers_enet_disconnect(host: Host, flow: u32);
    fn peers_enet_send(host: Host, flow: u32, bytes: *const u8, length: usize) -> c_int;
    fn peers_enet_next(
        host: Host,
        first: c_int,
        flow: *mut u32,
        out: *mut u8,
        length: *mut usize,
    ) -> c_int;
    fn peers_enet_flush(host: Host);
    fn peers_enet_traffic(host: Host, out: *mut u64);
}

pub struct Server {
    host: Host,
    address: SocketAddr,
    echoed: u64,
}

impl Server {
    pub fn open(ip: IpAddr, flows: u32) -> io::Result<Self> {
        let text = CString::new(ip.to_string())?;
        // SAFETY: a string that ends in zero; the host is checked and lives as long as the process.
        let host = unsafe { peers_enet_listen(text.as_ptr(), flows as usize) };
        let host = host.ok_or_else(|| io::Error::other("enet_host_create failed"))?;
        // SAFETY: a live host.
        let port = unsafe { peers_enet_port(host) };
        Ok(Self {
            host,
            address: SocketAddr::new(ip, port),
            echoed: 0,
        })
    }
}

impl EchoServer for Server {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn fd(&self) -> RawFd {
        // SAFETY: a live host.
        unsafe { peers_enet_fd(self.host) }
    }

    fn turn(&mut self) -> io::Result<()> {
        // SAFETY: a live host, used by this thread alone.
        self.echoed += unsafe { peers_enet_echo(self.host) };
        Ok(())
    }

    fn echoed(&self) -> u64 {
        self.echoed
    }

    fn wait_ms(&self) -> i32 {
        WAIT_MS
    }
}

pub struct Load {
    host: Host,
    ip: CString,
    port: u16,
    payload: Vec<u8>,
    traffic: Traffic,
}

impl Load {
    pub fn open(arguments: &LoadArguments) -> io::Result<Self> {
        // SAFETY: the host is checked and lives as long as the process.
        let host = unsafe { peers_enet_load(arguments.flows as usize) };
        Ok(Self {
            host: host.ok_or_else(|| io::Error::other("enet_host_create failed"))?,
            ip: CString::new(arguments.server.ip().to_string())?,
            port: arguments.server.port(),
            payload: vec![0; arguments.payload_bytes],
            traffic: Traffic::default(),
        })
    }
}

impl Wire for Load {
    fn loses(&self) -> bool {
        false
    }

    fn begin(&mut self, _: Now, flow: u32) -> io::Result<()> {
        // SAFETY: a live host and a string that ends in zero.
        let made = unsafe { peers_enet_connect(self.host, self.ip.as_ptr(), self.port, flow) };
        match made {
            0 => Ok(()),
            _ => Err(io::Error::other(format!("flow {flow}: no peer"))),
        }
    }

    fn end(&mut self, _: Now, flow: u32) {
        // SAFETY: a live host; the shim checks the number.
        unsafe { peers_enet_disconnect(self.host, flow) };
    }

    fn send(&mut self, _: Now, flow: u32, message: Message) -> bool {
        write_head(&mut self.payload, flow, message);
        // SAFETY: a live host; the bytes are copied.
        unsafe { peers_enet_send(self.host, flow, self.payload.as_ptr(), self.payload.len()) == 0 }
    }

    fn turn(&mut self, _: Now, events: &mut Vec<Event>) {
        let mut payload = [0u8; PAYLOAD_BYTES_MAX];
        let mut first = 1;
        loop {
            let (mut flow, mut length) = (0, payload.len());
            // SAFETY: a live host, and room for `length` bytes.
            let kind = unsafe {
                let out = payload.as_mut_ptr();
                peers_enet_next(self.host, first, &mut flow, out, &mut length)
            };
            first = 0;
            let what = match kind {
                HEARD => {
                    events.push(read_head(payload.get(..length).unwrap_or(&[])));
                    continue;
                }
                OPENED => What::Opened,
                CLOSED => What::Closed,
                _ => return,
            };
            events.push(Event { flow, what });
        }
    }

    fn flush(&mut self, _: Now) {
        // SAFETY: a live host.
        unsafe { peers_enet_flush(self.host) };
    }

    fn stall(&mut self, _: u32) {}

    fn traffic(&mut self) -> Traffic {
        let mut new = [0u64; 4];
        // SAFETY: a live host, and room for four numbers.
        unsafe { peers_enet_traffic(self.host, new.as_mut_ptr()) };
        let [packets_out, bytes_out, packets_in, bytes_in] = new;
        self.traffic.add(Traffic {
            packets_out,
            bytes_out: bytes_out + packets_out * HEADER_BYTES,
            packets_in,
            bytes_in: bytes_in + packets_in * HEADER_BYTES,
        });
        self.traffic
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn fds(&self) -> Vec<RawFd> {
        // SAFETY: a live host.
        vec![unsafe { peers_enet_fd(self.host) }]
    }
}
