//! The flows as the engine sees them.

use std::io;
use std::os::fd::RawFd;

use serde_json::Value;

use super::{websocket, TcpWire};
use crate::load::message::Message;
use crate::load::text;
use crate::load::tickets::Tickets;
use crate::load::wire::{Event, Now, Traffic, What, Wire};

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
