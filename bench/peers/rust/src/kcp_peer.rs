//! KCP (crate `kcp`, a port of skywind3000's ikcp.c): nodelay 1, interval 10 ms, fast resend at 2, no
//! congestion window, which its documentation calls the fastest mode. It has no sockets: it is given
//! batches. What a turn says is flushed at once and takes the acknowledgements with it; what only has
//! to be acknowledged waits for the next interval, as ikcp_update does it. Flows with nothing to do are
//! not updated.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::time::Instant;

use ggscale_bench::load::message::Message;
use ggscale_bench::load::wire::{Event, Now, Traffic, What, Wire};
use ggscale_bench::load::{read_head, source_of_flow, write_head, LoadArguments};
use ggscale_transport_core::Path;
use kcp::{get_conv, Kcp, KCP_OVERHEAD};
use serde_json::Value;

use crate::datagrams::{Datagrams, Way};
use crate::serving::EchoServer;

const INTERVAL_MS: u32 = 10;
const FAST_RESEND: i32 = 2;
const WINDOW: u16 = 128;
const PAYLOAD_BYTES_MAX: usize = 1400;

struct Flow {
    kcp: Kcp<Way>,
    /// Something came that is not acknowledged yet.
    owes: bool,
}

impl Flow {
    fn new(conv: u32, way: Way, now_ms: u32) -> Self {
        let mut kcp = Kcp::new(conv, way);
        kcp.set_nodelay(true, INTERVAL_MS as i32, FAST_RESEND, true);
        kcp.set_wndsize(WINDOW, WINDOW);
        let mut flow = Self { kcp, owes: false };
        flow.update(now_ms);
        flow
    }

    /// Resends and acknowledges what is due. KCP's errors are those of its output, which has none.
    fn update(&mut self, now_ms: u32) {
        let _ = self.kcp.update(now_ms);
    }

    fn is_busy(&self) -> bool {
        self.owes || self.kcp.wait_snd() > 0
    }
}

/// All flows of a process, by conversation, and the interval they share.
struct Flows {
    by_conv: Vec<Option<Flow>>,
    origin: Instant,
    due_ms: u32,
    /// Some flow had something to do at the last interval.
    is_busy: bool,
}

impl Flows {
    fn new(count: u32) -> Self {
        Self {
            by_conv: (0..count).map(|_| None).collect(),
            origin: Instant::now(),
            due_ms: 0,
            is_busy: false,
        }
    }

    fn now_ms(&self) -> u32 {
        self.origin.elapsed().as_millis() as u32
    }

    fn do_due(&mut self, now_ms: u32) {
        if now_ms < self.due_ms {
            return;
        }
        self.due_ms = now_ms + INTERVAL_MS;
        self.is_busy = false;
        for flow in self.by_conv.iter_mut().flatten() {
            if flow.is_busy() {
                flow.update(now_ms);
                flow.owes = false;
                self.is_busy |= flow.is_busy();
            }
        }
    }
}

pub struct Server {
    datagrams: Datagrams,
    flows: Flows,
    echoed: u64,
}

impl Server {
    pub fn open(host: IpAddr, flows: u32) -> io::Result<Self> {
        Ok(Self {
            datagrams: Datagrams::open(SocketAddr::new(host, 0))?,
            flows: Flows::new(flows),
            echoed: 0,
        })
    }

    /// One batch: how many datagrams it had.
    fn echo(&mut self, now_ms: u32) -> usize {
        let mut message = [0u8; PAYLOAD_BYTES_MAX];
        let mut newcomers: Vec<(u32, Path, Vec<u8>)> = Vec::new();
        let (flows, echoed) = (&mut self.flows, &mut self.echoed);
        let count = self.datagrams.receive(|path, datagram| {
            if datagram.len() < KCP_OVERHEAD {
                return;
            }
            let conv = get_conv(datagram);
            match flows.by_conv.get_mut(conv as usize) {
                Some(Some(flow)) => {
                    *echoed += answer(flow, now_ms, datagram, &mut message);
                    flows.is_busy = true;
                }
                Some(None) => newcomers.push((conv, path, datagram.to_vec())),
                None => {}
            }
        });
        for (conv, path, datagram) in newcomers {
            let way = self.datagrams.way(path);
            if let Some(slot) = self.flows.by_conv.get_mut(conv as usize) {
                let flow = slot.get_or_insert_with(|| Flow::new(conv, way, now_ms));
                self.echoed += answer(flow, now_ms, &datagram, &mut message);
                self.flows.is_busy = true;
            }
        }
        self.datagrams.flush();
        count
    }
}

/// Takes a datagram and sends back what it brought; how many messages that were.
fn answer(flow: &mut Flow, now_ms: u32, datagram: &[u8], message: &mut [u8]) -> u64 {
    flow.update(now_ms);
    if flow.kcp.input(datagram).is_err() {
        return 0;
    }
    let mut count = 0;
    while let Ok(length) = flow.kcp.recv(message) {
        if flow.kcp.send(message.get(..length).unwrap_or(&[])).is_ok() {
            count += 1;
        }
    }
    flow.owes = count == 0;
    if count > 0 {
        let _ = flow.kcp.flush();
    }
    count
}

impl EchoServer for Server {
    fn address(&self) -> SocketAddr {
        self.datagrams.address()
    }

    fn fd(&self) -> RawFd {
        self.datagrams.fd()
    }

    fn turn(&mut self) -> io::Result<()> {
        let now_ms = self.flows.now_ms();
        self.echo(now_ms);
        self.flows.do_due(now_ms);
        self.datagrams.flush();
        Ok(())
    }

    fn echoed(&self) -> u64 {
        self.echoed
    }

    fn wait_ms(&self) -> i32 {
        if self.flows.is_busy {
            self.flows.due_ms.saturating_sub(self.flows.now_ms()) as i32
        } else {
            -1
        }
    }
}

pub struct Load {
    datagrams: Datagrams,
    server: SocketAddr,
    flows: Flows,
    payload: Vec<u8>,
    opened: Vec<u32>,
}

impl Load {
    pub fn open(arguments: &LoadArguments) -> io::Result<Self> {
        Ok(Self {
            datagrams: Datagrams::open(SocketAddr::from(([0, 0, 0, 0], 0)))?,
            server: arguments.server,
            flows: Flows::new(arguments.flows),
            payload: vec![0; arguments.payload_bytes],
            opened: Vec::new(),
        })
    }
}

impl Wire for Load {
    fn loses(&self) -> bool {
        false
    }

    /// KCP has no handshake: a conversation is a number that both sides know.
    fn begin(&mut self, _: Now, flow: u32) -> io::Result<()> {
        let now_ms = self.flows.now_ms();
        // An address of its own, as every flow of the floor has: else the kernel could send the server's
        // answers to all of them as one train.
        let way = self.datagrams.way(Path {
            remote: self.server,
            local: Some(source_of_flow(flow).into()),
        });
        if let Some(slot) = self.flows.by_conv.get_mut(flow as usize) {
            *slot = Some(Flow::new(flow, way, now_ms));
            self.opened.push(flow);
        }
        Ok(())
    }

    fn end(&mut self, _: Now, _: u32) {}

    fn send(&mut self, _: Now, flow: u32, message: Message) -> bool {
        let now_ms = self.flows.now_ms();
        write_head(&mut self.payload, flow, message);
        let Some(Some(flow)) = self.flows.by_conv.get_mut(flow as usize) else {
            return false;
        };
        flow.update(now_ms);
        flow.owes = false;
        flow.kcp.send(&self.payload).is_ok() && flow.kcp.flush().is_ok()
    }

    fn turn(&mut self, _: Now, events: &mut Vec<Event>) {
        let now_ms = self.flows.now_ms();
        for flow in self.opened.drain(..) {
            let what = What::Opened;
            events.push(Event { flow, what });
        }
        let flows = &mut self.flows;
        let mut message = [0u8; PAYLOAD_BYTES_MAX];
        self.datagrams.receive(|_, datagram| {
            if datagram.len() < KCP_OVERHEAD {
                return;
            }
            let conv = get_conv(datagram) as usize;
            let Some(Some(flow)) = flows.by_conv.get_mut(conv) else {
                return;
            };
            flow.update(now_ms);
            flow.owes = flow.kcp.input(datagram).is_ok();
            while let Ok(length) = flow.kcp.recv(&mut message) {
                events.push(read_head(message.get(..length).unwrap_or(&[])));
            }
        });
        flows.do_due(now_ms);
    }

    fn flush(&mut self, _: Now) {
        self.datagrams.flush();
    }

    fn stall(&mut self, _: u32) {}

    fn traffic(&mut self) -> Traffic {
        self.datagrams.traffic
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.datagrams.fd()]
    }
}
