//! The load: any number of flows in one process on at most eight sockets, with a source address per
//! flow. Closed loop (a window of payloads in flight per flow) or paced (an open loop at fixed
//! times). The same for the floor and for the measured server, apart from the protocol.

mod connect;
mod link;
mod schedule;

use std::io;
use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use ggscale_transport_addon::clients::Clients;
use ggscale_transport_core::{Clock, FlowId, Random, COUNTER_COUNT, COUNTER_NAMES};
use serde_json::{json, Map, Value};

use crate::control::{tell, Command, Control, STDIN};
use crate::histogram::Histogram;
use crate::meter::{cpu_ns, heap_bytes, pin, resident_bytes, wall_ns};
use link::{source_of, Link};
use schedule::Schedule;

pub use connect::unix_s;
pub use link::source_of as source_of_flow;

const SOCKETS_MAX: u32 = 8;
const FLOWS_PER_SOCKET: u32 = 2_000;
/// Flow, time it was meant to leave, and which measured stretch it belongs to.
const HEAD_BYTES: usize = 4 + 8 + 4;
/// Without an answer for this long a payload of the closed loop counts as lost.
const LOST_NS: u64 = 200_000_000;
/// Forgeries are made up for at most this long after a late look.
const FORGE_CATCH_UP_NS: u64 = 20_000_000;
const CONTROL_NS: u64 = 1_000_000;
/// How long after the last send an echo may still come.
const TAIL_NS: u64 = 250_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Payloads as they are, for the floor
    Plain,
    /// A netcode client per flow
    Netcode,
}

#[derive(Args, Debug)]
pub struct LoadArguments {
    /// Address of the server
    #[arg(long)]
    server: SocketAddr,
    #[arg(long, value_enum)]
    protocol: Protocol,
    #[arg(long)]
    flows: u32,
    /// Payloads per second and flow; 0: a closed loop
    #[arg(long, default_value_t = 0.0)]
    hz: f64,
    /// Payloads in flight per flow in a closed loop
    #[arg(long, default_value_t = 1)]
    window: u16,
    #[arg(long, default_value_t = 100)]
    payload_bytes: usize,
    /// Handshakes begun per second
    #[arg(long, default_value_t = 1_000.0)]
    connect_rate: f64,
    /// Processor to stay on
    #[arg(long)]
    cpu: Option<usize>,
    /// Sleep between sends instead of looking at the clock and the sockets all the time
    #[arg(long)]
    sleep: bool,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of the first flow: another load beside this one takes others
    #[arg(long, default_value_t = 0)]
    first_flow: u32,
    /// Payloads that do not open, per second, from the flows' own addresses and beside their own
    #[arg(long, default_value_t = 0)]
    forge: u64,
}

#[derive(Clone, Copy)]
struct LoadFlow {
    id: FlowId,
    in_flight: u16,
    is_open: bool,
    last_send_ns: u64,
}

/// Counts of one measured stretch.
#[derive(Clone, Copy, Default)]
struct Stretch {
    offered: u64,
    delivered: u64,
}

pub struct Load {
    arguments: LoadArguments,
    links: Vec<Link>,
    flows: Vec<LoadFlow>,
    schedule: Option<Schedule>,
    stretch: u32,
    current: Stretch,
    rtt: Histogram,
    /// How much later than meant a payload left.
    lag: Histogram,
    /// Answers that came twice or named no flow.
    strange: u64,
    lost_in_closed_loop: u64,
    echoes: Vec<u32>,
    forged: u64,
    forge_due_ns: u64,
    paused_ns: u64,
    stopped_ns: u64,
    next_look_ns: u64,
    /// Resident bytes before the first flow was made.
    resident_before: u64,
    heap_before: u64,
}

pub fn run(arguments: LoadArguments) -> io::Result<()> {
    let pinned = arguments.cpu.is_some_and(pin);
    let mut load = Load::open(arguments).map_err(io::Error::other)?;
    let sockets = load.links.len();
    tell(&json!({ "ready": true, "pinned": pinned, "sockets": sockets }))?;
    let mut control = Control::default();
    loop {
        match control.read(true)? {
            Some(Command::Connect) => load.connect()?,
            Some(Command::Run) => {
                let last = load.serve(&mut control)?;
                if last == Command::Stop {
                    return load.close();
                }
            }
            Some(Command::Mark) => tell(&load.mark())?,
            Some(Command::Stop) => return load.close(),
            Some(Command::Pause) => tell(&json!({ "paused": true }))?,
            None => {}
        }
    }
}

impl Load {
    fn open(arguments: LoadArguments) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let wanted = arguments.flows.div_ceil(FLOWS_PER_SOCKET);
        let sockets = wanted.clamp(1, SOCKETS_MAX);
        let mut links = Vec::new();
        for _ in 0..sockets {
            let clients = match arguments.protocol {
                Protocol::Plain => None,
                Protocol::Netcode => {
                    let flows = arguments.flows.div_ceil(sockets);
                    let random = Random::from_os()?;
                    Some(Box::new(Clients::new(
                        flows,
                        arguments.payload_bytes,
                        random,
                    )))
                }
            };
            links.push(Link::open(arguments.server, clients)?);
        }
        let id = FlowId {
            slot: 0,
            generation: 0,
        };
        let flow = LoadFlow {
            id,
            in_flight: 0,
            is_open: arguments.protocol == Protocol::Plain,
            last_send_ns: 0,
        };
        let flows = vec![flow; arguments.flows as usize];
        let schedule = (arguments.hz > 0.0)
            .then(|| Schedule::new(arguments.flows, arguments.hz, arguments.seed));
        Ok(Self {
            links,
            flows,
            schedule,
            stretch: 0,
            current: Stretch::default(),
            rtt: Histogram::default(),
            lag: Histogram::default(),
            strange: 0,
            lost_in_closed_loop: 0,
            echoes: Vec::with_capacity(64),
            forged: 0,
            forge_due_ns: 0,
            paused_ns: 0,
            stopped_ns: wall_ns(),
            next_look_ns: 0,
            resident_before: resident_bytes(),
            heap_before: heap_bytes(),
            arguments,
        })
    }

    /// Time as the clients see it: it stands still while the load is paused, so that no timer of
    /// theirs is overdue afterwards.
    fn clock(&self, now_ns: u64) -> Clock {
        Clock {
            mono_us: now_ns.saturating_sub(self.paused_ns) / 1000,
            unix_s: connect::unix_s(),
        }
    }

    /// Sends and receives until a pause or the end; says which.
    fn serve(&mut self, control: &mut Control) -> io::Result<Command> {
        let start_ns = wall_ns();
        self.paused_ns += start_ns.saturating_sub(self.stopped_ns);
        if let Some(schedule) = &mut self.schedule {
            schedule.start(start_ns);
        } else {
            self.send_windows(start_ns);
        }
        let mut clock = self.clock(start_ns);
        let mut next_control_ns = start_ns;
        self.next_look_ns = start_ns + LOST_NS;
        loop {
            let now_ns = wall_ns();
            clock.mono_us = now_ns.saturating_sub(self.paused_ns) / 1000;
            self.send_due(clock, now_ns);
            self.send_forged(now_ns);
            self.receive(clock, true);
            for link in &mut self.links {
                link.service(clock);
                link.flush();
            }
            if self.schedule.is_none() && now_ns > self.next_look_ns {
                self.look_for_lost(clock, now_ns);
            }
            if now_ns >= next_control_ns || self.arguments.sleep {
                next_control_ns = now_ns + CONTROL_NS;
                match control.read(false)? {
                    Some(Command::Mark) => tell(&self.mark())?,
                    Some(Command::Pause) => {
                        self.pause(clock)?;
                        return Ok(Command::Pause);
                    }
                    Some(Command::Stop) => return Ok(Command::Stop),
                    _ => {}
                }
            }
            if self.arguments.sleep {
                self.sleep();
            }
        }
    }

    fn send_due(&mut self, clock: Clock, now_ns: u64) {
        loop {
            let taken = self.schedule.as_mut().and_then(|it| it.take(now_ns));
            let Some((flow, due_ns)) = taken else {
                return;
            };
            self.lag.record(now_ns - due_ns);
            self.send(clock, flow, due_ns);
        }
    }

    /// As somebody would who can write the flows' addresses on an envelope, and knows no key.
    fn send_forged(&mut self, now_ns: u64) {
        if self.arguments.forge == 0 {
            return;
        }
        let gap_ns = 1_000_000_000 / self.arguments.forge.max(1);
        self.forge_due_ns = self
            .forge_due_ns
            .max(now_ns.saturating_sub(FORGE_CATCH_UP_NS));
        while self.forge_due_ns <= now_ns {
            self.forge_due_ns += gap_ns;
            let link_index = self.forged as usize % self.links.len();
            if let Some(link) = self.links.get_mut(link_index) {
                self.forged += u64::from(link.send_forged(self.forged));
            }
        }
    }

    fn send_windows(&mut self, now_ns: u64) {
        let clock = self.clock(now_ns);
        for flow in 0..self.arguments.flows {
            let in_flight = self.flows.get(flow as usize).map_or(0, |it| it.in_flight);
            for _ in in_flight..self.arguments.window {
                self.send(clock, flow, now_ns);
            }
        }
        for link in &mut self.links {
            link.flush();
        }
    }

    fn send(&mut self, clock: Clock, flow: u32, due_ns: u64) {
        let link_index = flow as usize % self.links.len();
        let (Some(state), Some(link)) = (
            self.flows.get_mut(flow as usize),
            self.links.get_mut(link_index),
        ) else {
            return;
        };
        if !state.is_open {
            return;
        }
        let (stretch, length) = (self.stretch, self.arguments.payload_bytes);
        let source = source_of(self.arguments.first_flow + flow);
        let sent = link.send(clock, state.id, source, length, |payload| {
            write_head(payload, flow, due_ns, stretch);
        });
        if sent {
            state.in_flight = state.in_flight.saturating_add(1);
            state.last_send_ns = due_ns;
            self.current.offered += 1;
        }
    }

    /// One batch of every socket; in a closed loop each echo is answered with the next payload.
    fn receive(&mut self, clock: Clock, answer: bool) {
        let now_ns = wall_ns();
        let is_closed_loop = self.schedule.is_none() && answer;
        let mut echoes = std::mem::take(&mut self.echoes);
        for link in &mut self.links {
            let (flows, current) = (&mut self.flows, &mut self.current);
            let (rtt, strange, stretch) = (&mut self.rtt, &mut self.strange, self.stretch);
            link.receive(clock, |payload| {
                let Some((flow, due_ns, of)) = read_head(payload) else {
                    *strange += 1;
                    return;
                };
                match flows.get_mut(flow as usize).filter(|it| it.in_flight > 0) {
                    Some(state) => state.in_flight -= 1,
                    None => *strange += 1,
                }
                if of == stretch {
                    current.delivered += 1;
                    rtt.record(now_ns.saturating_sub(due_ns));
                }
                if is_closed_loop {
                    echoes.push(flow);
                }
            });
        }
        for flow in echoes.drain(..) {
            self.send(clock, flow, now_ns);
        }
        self.echoes = echoes;
    }

    fn look_for_lost(&mut self, clock: Clock, now_ns: u64) {
        self.next_look_ns = now_ns + LOST_NS;
        for flow in 0..self.arguments.flows {
            let Some(state) = self.flows.get_mut(flow as usize) else {
                return;
            };
            if state.in_flight > 0 && now_ns.saturating_sub(state.last_send_ns) > LOST_NS {
                let lost = std::mem::take(&mut state.in_flight);
                self.lost_in_closed_loop += u64::from(lost);
                for _ in 0..lost {
                    self.send(clock, flow, now_ns);
                }
            }
        }
    }

    /// Stops sending, waits for what is on the way, and tells how the stretch went.
    fn pause(&mut self, mut clock: Clock) -> io::Result<()> {
        let until_ns = wall_ns() + TAIL_NS;
        while wall_ns() < until_ns && self.flows.iter().any(|flow| flow.in_flight > 0) {
            clock.mono_us = wall_ns().saturating_sub(self.paused_ns) / 1000;
            for _ in 0..64 {
                self.receive(clock, false);
            }
            for link in &mut self.links {
                link.service(clock);
                link.flush();
            }
        }
        for flow in &mut self.flows {
            flow.in_flight = 0;
        }
        self.stopped_ns = wall_ns();
        let mut told = self.mark();
        if let Some(object) = told.as_object_mut() {
            object.insert("paused".into(), Value::Bool(true));
        }
        tell(&told)
    }

    /// What the stretch since the last mark was, and the beginning of the next.
    fn mark(&mut self) -> Value {
        let mut core = [0u64; COUNTER_COUNT];
        for link in &self.links {
            link.add_counters(&mut core);
        }
        let named = COUNTER_NAMES.iter().zip(core);
        let counters: Map<String, Value> = named
            .filter(|(_, value)| *value > 0)
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let overflowed: u64 = self.links.iter_mut().map(Link::take_overflowed).sum();
        let refused: u64 = self.links.iter().map(|link| link.refused).sum();
        let Stretch { offered, delivered } = std::mem::take(&mut self.current);
        self.stretch += 1;
        json!({
            "offered": offered,
            "delivered": delivered,
            "open": self.flows.iter().filter(|flow| flow.is_open).count(),
            "refused": refused,
            "overflowed": overflowed,
            "strange": self.strange,
            "forged": self.forged,
            "lostInClosedLoop": self.lost_in_closed_loop,
            "rttNs": self.rtt.take(),
            "lagNs": self.lag.take(),
            "cpuNs": cpu_ns(),
            "wallNs": wall_ns(),
            "residentBytes": resident_bytes(),
            "heapBytes": heap_bytes(),
            "counters": counters,
        })
    }

    fn sleep(&self) {
        let now_ns = wall_ns();
        let due_ns = self.schedule.as_ref().map_or(u64::MAX, Schedule::due_ns);
        let wait_ns = due_ns.saturating_sub(now_ns).min(1_000_000);
        let mut fds: Vec<libc::pollfd> = Vec::with_capacity(self.links.len() + 1);
        let watched = self.links.iter().map(Link::fd).chain([STDIN]);
        fds.extend(watched.map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        }));
        let wait = libc::timespec {
            tv_sec: 0,
            tv_nsec: wait_ns as _,
        };
        // SAFETY: as many pollfds as said, a valid timespec, no signal mask.
        unsafe {
            libc::ppoll(
                fds.as_mut_ptr(),
                fds.len() as libc::nfds_t,
                &wait,
                std::ptr::null(),
            );
        }
    }

    /// Says nothing to the server: it is stopped as well.
    fn close(&mut self) -> io::Result<()> {
        tell(&json!({ "stopped": true }))
    }
}

fn write_head(payload: &mut [u8], flow: u32, due_ns: u64, stretch: u32) {
    if let Some((head, _)) = payload.split_first_chunk_mut::<HEAD_BYTES>() {
        let mut bytes = [0; HEAD_BYTES];
        let (first, rest) = bytes.split_at_mut(4);
        first.copy_from_slice(&flow.to_le_bytes());
        let (middle, last) = rest.split_at_mut(8);
        middle.copy_from_slice(&due_ns.to_le_bytes());
        last.copy_from_slice(&stretch.to_le_bytes());
        *head = bytes;
    }
}

fn read_head(payload: &[u8]) -> Option<(u32, u64, u32)> {
    let (flow, rest) = payload.split_first_chunk::<4>()?;
    let (due_ns, rest) = rest.split_first_chunk::<8>()?;
    let (stretch, _) = rest.split_first_chunk::<4>()?;
    Some((
        u32::from_le_bytes(*flow),
        u64::from_le_bytes(*due_ns),
        u32::from_le_bytes(*stretch),
    ))
}
