//! The flows as the engine sees them.

use std::io;
use std::os::fd::RawFd;

use serde_json::{json, Value};

use super::speaker::NEVER_US;
use super::{Rl1Wire, Tokens};
use crate::load::link::{counters_of, Link};
use crate::load::message::Message;
use crate::load::wire::{Event, Now, Traffic, Wire};

/// Between two looks at the sockets, as for what is due to be sent.
const TIMERS_AT_ONCE: usize = 256;

impl Wire for Rl1Wire {
    fn loses(&self) -> bool {
        false
    }

    fn begin(&mut self, now: Now, flow: u32) -> io::Result<()> {
        let number = self.first_flow + flow;
        let token = match &mut self.tokens {
            Tokens::Asked(tickets) => {
                tickets.ask(flow, number);
                return Ok(());
            }
            Tokens::Minted(mint) => mint.token(now.clock.unix_s, number)?,
        };
        if self.dial(now, flow, &token) {
            return Ok(());
        }
        Err(io::Error::other(format!("flow {flow} cannot be dialled")))
    }

    fn end(&mut self, _now: Now, flow: u32) {
        if let Some(state) = self.flows.get_mut(flow as usize) {
            if let Some(speaker) = &mut state.speaker {
                speaker.close();
            }
            state.ends = true;
        }
        self.touch(flow);
    }

    fn send(&mut self, _now: Now, flow: u32, message: Message) -> bool {
        let state = self.flows.get_mut(flow as usize);
        let Some(speaker) = state.and_then(|state| state.speaker.as_mut()) else {
            return false;
        };
        speaker.outbox.push(message);
        self.touch(flow);
        true
    }

    fn turn(&mut self, now: Now, events: &mut Vec<Event>) {
        if let Err(error) = self.handle_tickets(now, events) {
            eprintln!("ggscale-bench: tickets: {error}");
        }
        self.receive(now, events);
        self.handle_core_events(now, events);
        for _ in 0..TIMERS_AT_ONCE {
            let Some(flow) = self.timers.poll(now.clock.mono_us) else {
                break;
            };
            if let Some(state) = self.flows.get_mut(flow as usize) {
                state.armed_us = NEVER_US;
                if let Some(speaker) = &mut state.speaker {
                    speaker.handle_timeout(now.clock.mono_us);
                }
            }
            self.touch(flow);
        }
    }

    fn flush(&mut self, now: Now) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for flow in dirty.drain(..) {
            self.write(now, flow);
        }
        self.dirty = dirty;
        for link in &mut self.links {
            link.service(now.clock);
            link.flush();
        }
    }

    fn stall(&mut self, flow: u32) {
        if let Some(state) = self.flows.get_mut(flow as usize) {
            state.is_stalled = true;
        }
    }

    fn traffic(&mut self) -> Traffic {
        let mut sum = Traffic::default();
        for link in &self.links {
            sum.add(link.traffic);
        }
        sum
    }

    fn figures(&mut self) -> Vec<(&'static str, Value)> {
        let speakers = self.flows.iter().filter_map(|flow| flow.speaker.as_ref());
        let lost = self.lost + speakers.map(|it| u64::from(it.lost())).sum::<u64>();
        let mut figures = counters_of(&mut self.links);
        figures.push(("packetsDeclaredLost", json!(lost)));
        if let Tokens::Asked(tickets) = &self.tokens {
            figures.push(("ticketRefusals", tickets.refusals()));
        }
        figures
    }

    fn fds(&self) -> Vec<RawFd> {
        self.links.iter().map(Link::fd).collect()
    }
}
