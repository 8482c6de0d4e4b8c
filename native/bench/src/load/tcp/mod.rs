//! `json-ws` and `json-http`: a TCP connection per flow, all of them in one epoll.

pub mod http;
pub mod stream;
mod websocket;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use serde_json::Value;

use super::arguments::{LoadArguments, WireKind};
use super::message::{Heard, Message, Shape};
use super::sources::source_of;
use super::text;
use super::tickets::Tickets;
use super::wire::{Event, Now, Traffic, What, Wire};
use crate::epoll::Epoll;
use stream::{Stream, READ_BYTES};

/// A session acknowledgement leaves after so many frames, or after this long (docs/WIRE.md §2).
const ACK_FRAMES: u32 = 64;
const ACK_DELAY_NS: u64 = 100_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The upgrade is on its way.
    Upgrades,
    /// A GameServer says `$hello` first.
    AwaitsHello,
    Open,
}

struct Connection {
    stream: Stream,
    stage: Stage,
    is_dirty: bool,
    /// Game frames that came, and how many of them were acknowledged.
    frames: u32,
    acked: u32,
    owes_ack: bool,
    /// A goodbye was said.
    ends: bool,
}

pub struct TcpWire {
    server: SocketAddr,
    is_ws: bool,
    path: String,
    tickets: Option<Tickets>,
    shape: Shape,
    first_flow: u32,
    connections: Vec<Option<Box<Connection>>>,
    epoll: Epoll,
    ready: Vec<u64>,
    dirty: Vec<u32>,
    acks: VecDeque<(u64, u32)>,
    scratch: Vec<u8>,
    text: Vec<u8>,
    /// What happened outside `turn`.
    later: Vec<Event>,
    /// Of connections that are gone.
    past: Traffic,
    mask: u32,
}

impl TcpWire {
    pub fn open(arguments: &LoadArguments) -> io::Result<Self> {
        let mut connections = Vec::new();
        connections.resize_with(arguments.flows as usize, || None);
        Ok(Self {
            server: arguments.server,
            is_ws: arguments.wire == WireKind::JsonWs,
            path: arguments.path.clone(),
            tickets: arguments.tickets.map(Tickets::new),
            shape: arguments.shape(),
            first_flow: arguments.first_flow,
            connections,
            epoll: Epoll::new()?,
            ready: Vec::new(),
            dirty: Vec::new(),
            acks: VecDeque::new(),
            scratch: vec![0; READ_BYTES],
            text: Vec::new(),
            later: Vec::new(),
            past: Traffic::default(),
            mask: 0x9e37_79b9,
        })
    }

    fn dial(&mut self, flow: u32, path: &str) -> io::Result<()> {
        let mut stream = Stream::connect(self.server, source_of(self.first_flow + flow))?;
        self.epoll.add(stream.fd(), u64::from(flow))?;
        if self.is_ws {
            websocket::write_upgrade(stream.output(), path);
        }
        let connection = Connection {
            stream,
            stage: if self.is_ws {
                Stage::Upgrades
            } else {
                Stage::Open
            },
            is_dirty: false,
            frames: 0,
            acked: 0,
            owes_ack: false,
            ends: false,
        };
        if let Some(place) = self.connections.get_mut(flow as usize) {
            *place = Some(Box::new(connection));
        }
        self.touch(flow);
        if !self.is_ws {
            // A request may be sent before the connection stands.
            let what = What::Opened;
            self.later.push(Event { flow, what });
        }
        Ok(())
    }

    fn touch(&mut self, flow: u32) {
        let connection = self.connections.get_mut(flow as usize);
        if let Some(Some(connection)) = connection {
            if !connection.is_dirty {
                connection.is_dirty = true;
                self.dirty.push(flow);
            }
        }
    }

    /// Puts the text of `self.text` into the stream.
    fn put(&mut self, flow: u32) -> bool {
        let Some(Some(connection)) = self.connections.get_mut(flow as usize) else {
            return false;
        };
        let out = connection.stream.output();
        if self.is_ws {
            self.mask = self
                .mask
                .wrapping_mul(0x0019_660d)
                .wrapping_add(0x3c6e_f35f);
            websocket::write_frame(out, websocket::TEXT, self.mask, &self.text);
        } else {
            http::write_post(out, &self.path, "", &self.text);
        }
        self.touch(flow);
        true
    }

    fn handle_tickets(&mut self, events: &mut Vec<Event>) -> io::Result<()> {
        let Some(tickets) = &mut self.tickets else {
            return Ok(());
        };
        tickets.turn()?;
        let mut answers = Vec::new();
        while let Some(answer) = tickets.take() {
            answers.push(answer);
        }
        for answer in answers {
            let flow = answer.flow;
            match answer.ticket {
                Some(ticket) => {
                    let path = format!("/v1/game/ws?ticket={}", ticket.ticket);
                    self.dial(flow, &path)?;
                }
                None => {
                    let what = What::Closed;
                    events.push(Event { flow, what });
                }
            }
        }
        Ok(())
    }

    /// Reads what is there, and takes every frame or response that is complete.
    fn receive(&mut self, now: Now, flow: u32, events: &mut Vec<Event>) {
        let Some(Some(connection)) = self.connections.get_mut(flow as usize) else {
            return;
        };
        // An error is the end of the stream.
        let _ = connection.stream.read(&mut self.scratch);
        loop {
            let taken = if self.is_ws {
                let has_session = self.tickets.is_some();
                connection.take_frame(flow, has_session, events)
            } else {
                connection.take_response(flow, events)
            };
            match taken {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    events.push(Event::heard(flow, Heard::Strange));
                    connection.stream.is_ended = true;
                    break;
                }
            }
        }
        let is_ended = connection.stream.is_ended;
        let has_output = !connection.stream.output().is_empty();
        let unacked = connection.frames - connection.acked;
        let owes = self.tickets.is_some() && unacked > 0 && !connection.ends;
        if owes && unacked < ACK_FRAMES && !connection.owes_ack {
            connection.owes_ack = true;
            self.acks.push_back((now.ns + ACK_DELAY_NS, flow));
        }
        if is_ended {
            self.drop_connection(flow);
            let what = What::Closed;
            events.push(Event { flow, what });
        } else if owes && unacked >= ACK_FRAMES {
            self.acknowledge(flow);
        } else if has_output {
            self.touch(flow);
        }
    }

    fn acknowledge(&mut self, flow: u32) {
        let Some(Some(connection)) = self.connections.get_mut(flow as usize) else {
            return;
        };
        connection.acked = connection.frames;
        let frames = connection.frames;
        self.text.clear();
        let text = format!(r#"{{"type":"$ack","payload":{{"frames":{frames}}}}}"#);
        self.text.extend_from_slice(text.as_bytes());
        self.put(flow);
    }

    fn drop_connection(&mut self, flow: u32) {
        let place = self.connections.get_mut(flow as usize);
        if let Some(connection) = place.and_then(Option::take) {
            self.past.add(connection.stream.traffic());
        }
    }
}

impl Connection {
    /// True when there may be more.
    fn take_frame(
        &mut self,
        flow: u32,
        has_session: bool,
        events: &mut Vec<Event>,
    ) -> io::Result<bool> {
        if self.stage == Stage::Upgrades {
            let Some(used) = websocket::take_upgrade(self.stream.input())? else {
                return Ok(false);
            };
            self.stream.consume(used);
            self.stage = Stage::AwaitsHello;
            if !has_session {
                self.stage = Stage::Open;
                let what = What::Opened;
                events.push(Event { flow, what });
            }
            return Ok(true);
        }
        let Some(frame) = websocket::take_frame(self.stream.input())? else {
            return Ok(false);
        };
        let used = frame.used;
        match frame.opcode {
            websocket::TEXT => {
                let heard = text::read(frame.payload);
                let is_own = frame.payload.starts_with(br#"{"type":"$"#);
                self.frames += u32::from(!is_own);
                match heard {
                    Heard::Hello if self.stage == Stage::AwaitsHello => {
                        self.stage = Stage::Open;
                        let what = What::Opened;
                        events.push(Event { flow, what });
                    }
                    Heard::Quiet | Heard::Hello => {}
                    other => events.push(Event::heard(flow, other)),
                }
            }
            websocket::PING => {
                let payload = frame.payload.to_vec();
                websocket::write_frame(
                    self.stream.output(),
                    websocket::PONG,
                    0x5a5a_5a5a,
                    &payload,
                );
            }
            websocket::PONG => {}
            websocket::CLOSE => self.stream.is_ended = true,
            _ => events.push(Event::heard(flow, Heard::Strange)),
        }
        self.stream.consume(used);
        Ok(true)
    }

    fn take_response(&mut self, flow: u32, events: &mut Vec<Event>) -> io::Result<bool> {
        let Some(response) = http::take_response(self.stream.input())? else {
            return Ok(false);
        };
        let heard = match response.status {
            200 => text::read(response.body),
            _ => Heard::Strange,
        };
        let used = response.used;
        events.push(Event::heard(flow, heard));
        self.stream.consume(used);
        Ok(true)
    }
}

impl Wire for TcpWire {
    fn loses(&self) -> bool {
        false
    }

    fn begin(&mut self, _now: Now, flow: u32) -> io::Result<()> {
        if let Some(tickets) = &mut self.tickets {
            tickets.ask(flow, self.first_flow + flow);
            return Ok(());
        }
        let path = self.path.clone();
        self.dial(flow, &path)
    }

    fn end(&mut self, _now: Now, flow: u32) {
        let Some(Some(connection)) = self.connections.get_mut(flow as usize) else {
            return;
        };
        connection.ends = true;
        if self.is_ws {
            // 1000.
            let out = connection.stream.output();
            websocket::write_frame(out, websocket::CLOSE, 0x5a5a_5a5a, &[3, 0xe8]);
            self.touch(flow);
        } else {
            self.drop_connection(flow);
            let what = What::Closed;
            self.later.push(Event { flow, what });
        }
    }

    fn send(&mut self, _now: Now, flow: u32, message: Message) -> bool {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text::write(self.shape, message, &mut text);
        self.text = text;
        self.put(flow)
    }

    fn turn(&mut self, now: Now, events: &mut Vec<Event>) {
        if let Err(error) = self.handle_tickets(events) {
            eprintln!("ggscale-bench: tickets: {error}");
        }
        events.append(&mut self.later);
        let mut ready = std::mem::take(&mut self.ready);
        if let Err(error) = self.epoll.poll_keys(&mut ready) {
            eprintln!("ggscale-bench: epoll: {error}");
        }
        for flow in ready.drain(..) {
            self.receive(now, flow as u32, events);
        }
        self.ready = ready;
        while let Some((due_ns, flow)) = self.acks.front().copied() {
            if due_ns > now.ns {
                break;
            }
            self.acks.pop_front();
            if let Some(Some(connection)) = self.connections.get_mut(flow as usize) {
                connection.owes_ack = false;
                if connection.frames > connection.acked && !connection.ends {
                    self.acknowledge(flow);
                }
            }
        }
    }

    fn flush(&mut self, _now: Now) {
        let mut dirty = std::mem::take(&mut self.dirty);
        let mut later = Vec::new();
        for flow in dirty.drain(..) {
            let Some(Some(connection)) = self.connections.get_mut(flow as usize) else {
                continue;
            };
            // An error is told by the next read.
            match connection.stream.write() {
                Ok(false) => later.push(flow),
                Ok(true) | Err(_) => connection.is_dirty = false,
            }
        }
        self.dirty = later;
    }

    fn stall(&mut self, flow: u32) {
        if let Some(Some(connection)) = self.connections.get(flow as usize) {
            // Not watched: not read.
            let _ = self.epoll.remove(connection.stream.fd());
        }
    }

    fn traffic(&mut self) -> Traffic {
        let mut sum = self.past;
        for connection in self.connections.iter().flatten() {
            sum.add(connection.stream.traffic());
        }
        sum
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        let refusals = self.tickets.as_ref().map(Tickets::refusals);
        let refusals = refusals.map(|value| ("ticketRefusals", value));
        refusals.into_iter().collect()
    }

    fn fds(&self) -> Vec<RawFd> {
        vec![self.epoll.fd()]
    }
}
