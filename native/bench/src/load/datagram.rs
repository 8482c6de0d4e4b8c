//! Wires that are datagrams and nothing else: `plain` for the floor, `netcode` for the native server,
//! `json-dgram` for an echo in JavaScript. What is lost is lost.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::RawFd;

use ggscale_transport_addon::clients::Clients;
use ggscale_transport_core::{Event as CoreEvent, FlowId, Random};
use serde_json::{json, Value};

use super::arguments::{LoadArguments, WireKind};
use super::link::{counters_of, Link};
use super::message::{Heard, Message, Shape};
use super::sources::{flow_of, source_of};
use super::text;
use super::tickets::Mint;
use super::wire::{Event, Now, Traffic, What, Wire};

/// Flow, number, time.
pub(super) const HEAD_BYTES: usize = 12;
const JSON_BYTES_MAX: usize = 1400;
/// Forgeries are made up for at most this long after a late look.
const FORGE_CATCH_UP_NS: u64 = 20_000_000;
const NO_FLOW: FlowId = FlowId {
    slot: 0,
    generation: 0,
};

pub struct DatagramWire {
    links: Vec<Link>,
    kind: WireKind,
    /// `netcode`
    mint: Mint,
    ids: Vec<FlowId>,
    stalled: u32,
    first_flow: u32,
    payload_bytes: usize,
    shape: Shape,
    text: Vec<u8>,
    forge: u64,
    forged: u64,
    forge_due_ns: u64,
}

impl DatagramWire {
    pub fn open(arguments: &LoadArguments, sockets: u32, mint: Mint) -> super::Opened<Self> {
        let flows = arguments.flows;
        let mut links = Vec::new();
        for _ in 0..sockets {
            let clients = if arguments.wire == WireKind::Netcode {
                let (flows, random) = (flows.div_ceil(sockets), Random::from_os()?);
                let clients = Clients::new(flows, arguments.payload_bytes, random);
                Some(Box::new(clients))
            } else {
                None
            };
            links.push(Link::open(arguments.server, clients)?);
        }
        Ok(Self {
            links,
            kind: arguments.wire,
            mint,
            ids: vec![NO_FLOW; flows as usize],
            stalled: 0,
            first_flow: arguments.first_flow,
            payload_bytes: arguments.payload_bytes.max(HEAD_BYTES),
            shape: arguments.shape(),
            text: Vec::new(),
            forge: arguments.forge,
            forged: 0,
            forge_due_ns: 0,
        })
    }

    /// As somebody would who can write the flows' addresses on an envelope, and knows no key.
    fn send_forged(&mut self, now_ns: u64) {
        if self.forge == 0 {
            return;
        }
        let gap_ns = 1_000_000_000 / self.forge.max(1);
        let oldest_ns = now_ns.saturating_sub(FORGE_CATCH_UP_NS);
        self.forge_due_ns = self.forge_due_ns.max(oldest_ns);
        while self.forge_due_ns <= now_ns {
            self.forge_due_ns += gap_ns;
            let link_index = self.forged as usize % self.links.len();
            if let Some(link) = self.links.get_mut(link_index) {
                self.forged += u64::from(link.send_forged(self.forged));
            }
        }
    }

    fn handle_core_events(&mut self, events: &mut Vec<Event>) {
        for link in &mut self.links {
            while let Some((event, source)) = link.poll_flow_event() {
                let what = match event {
                    CoreEvent::Opened { .. } => What::Opened,
                    CoreEvent::Closed { .. } => What::Closed,
                    _ => continue,
                };
                if let Some(flow) = flow_of(source).and_then(|it| it.checked_sub(self.first_flow)) {
                    events.push(Event { flow, what });
                }
            }
        }
    }
}

impl Wire for DatagramWire {
    fn connects(&self) -> bool {
        self.kind == WireKind::Netcode
    }

    fn rests(&self) -> bool {
        false
    }

    fn loses(&self) -> bool {
        true
    }

    fn begin(&mut self, now: Now, flow: u32) -> io::Result<()> {
        let number = self.first_flow + flow;
        let token = self.mint.token(now.clock.unix_s, number)?;
        let index = flow as usize % self.links.len();
        let link = self.links.get_mut(index);
        let made = link.and_then(|link| link.connect(now.clock, &token, source_of(number)));
        match (made, self.ids.get_mut(flow as usize)) {
            (Some(Ok(made)), Some(id)) => {
                *id = made;
                Ok(())
            }
            (other, _) => Err(io::Error::other(format!("flow {flow}: {other:?}"))),
        }
    }

    fn end(&mut self, now: Now, flow: u32) {
        let index = flow as usize % self.links.len();
        if let (Some(id), Some(link)) = (self.ids.get(flow as usize), self.links.get_mut(index)) {
            link.close_flow(now.clock, *id);
        }
    }

    fn send(&mut self, now: Now, flow: u32, message: Message) -> bool {
        let index = flow as usize % self.links.len();
        let (Some(id), Some(link)) = (self.ids.get(flow as usize), self.links.get_mut(index))
        else {
            return false;
        };
        let source = source_of(self.first_flow + flow);
        if self.kind == WireKind::JsonDgram {
            self.text.clear();
            text::write(self.shape, message, &mut self.text);
            let text = &self.text;
            let length = text.len().min(JSON_BYTES_MAX);
            return link.send(now.clock, *id, source, length, |payload| {
                payload.copy_from_slice(text.get(..length).unwrap_or(&[]));
            });
        }
        link.send(now.clock, *id, source, self.payload_bytes, |payload| {
            write_head(payload, flow, message);
        })
    }

    fn turn(&mut self, now: Now, events: &mut Vec<Event>) {
        self.send_forged(now.ns);
        let (first, stalled) = (self.first_flow, self.stalled);
        let is_json = self.kind == WireKind::JsonDgram;
        for link in &mut self.links {
            link.receive_from(now.clock, |source, payload| {
                let event = if is_json {
                    read_text(source, first, payload)
                } else {
                    read_head(payload)
                };
                if event.flow >= stalled {
                    events.push(event);
                }
            });
        }
        self.handle_core_events(events);
    }

    fn flush(&mut self, now: Now) {
        for link in &mut self.links {
            link.service(now.clock);
            link.flush();
        }
    }

    fn stall(&mut self, flow: u32) {
        self.stalled = self.stalled.max(flow + 1);
    }

    fn traffic(&mut self) -> Traffic {
        let mut sum = Traffic::default();
        for link in &self.links {
            sum.add(link.traffic);
        }
        sum
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        let mut figures = counters_of(&mut self.links);
        figures.push(("forged", json!(self.forged)));
        figures
    }

    fn fds(&self) -> Vec<RawFd> {
        self.links.iter().map(Link::fd).collect()
    }
}

fn read_text(source: Option<Ipv4Addr>, first: u32, text: &[u8]) -> Event {
    let flow = source
        .and_then(flow_of)
        .and_then(|it| it.checked_sub(first));
    match flow {
        Some(flow) => Event::heard(flow, text::read(text)),
        None => Event::heard(u32::MAX, Heard::Strange),
    }
}

/// Flow, number and time at the front of a payload of bytes.
pub fn write_head(payload: &mut [u8], flow: u32, message: Message) {
    let (Message::Echo { seq, sent_us } | Message::Input { seq, sent_us }) = message;
    if let Some((head, _)) = payload.split_first_chunk_mut::<HEAD_BYTES>() {
        let words = [flow, seq, sent_us].map(u32::to_le_bytes);
        head.copy_from_slice(words.as_flattened());
    }
}

/// What a payload of bytes says that came back.
pub fn read_head(payload: &[u8]) -> Event {
    let read = (|| {
        let size = payload.len() as u32;
        let (flow, rest) = payload.split_first_chunk::<4>()?;
        let (seq, rest) = rest.split_first_chunk::<4>()?;
        let (sent_us, _) = rest.split_first_chunk::<4>()?;
        let [flow, seq, sent_us] = [flow, seq, sent_us].map(|it| u32::from_le_bytes(*it));
        let echo = Heard::Echo { seq, sent_us, size };
        Some(Event::heard(flow, echo))
    })();
    read.unwrap_or(Event::heard(u32::MAX, Heard::Strange))
}
