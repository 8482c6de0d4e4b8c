//! `json-ws` and `json-http`: a TCP connection per flow, all of them in one epoll.

mod as_wire;
mod connection;
pub mod http;
pub mod stream;
mod websocket;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use super::arguments::{LoadArguments, WireKind};
use super::message::{Heard, Shape};
use super::sources::source_of;
use super::tickets::Tickets;
use super::wire::{Event, Now, Traffic, What};
use crate::epoll::Epoll;
use connection::{Connection, Stage};
use stream::{Stream, READ_BYTES};

/// A session acknowledgement leaves after so many frames, or after this long (docs/WIRE.md §2).
const ACK_FRAMES: u32 = 64;
const ACK_DELAY_NS: u64 = 100_000_000;

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
