//! `udp-rl1`: netcode, RL1, the session and FlatBuffers, as a GameServer speaks them.

mod as_wire;
mod inbox;
mod outbox;
mod packet;
mod received;
mod sent;
mod speaker;
#[cfg(test)]
mod vectors_test;

use std::io;
use std::net::SocketAddr;

use ggscale_transport_addon::clients::Clients;
use ggscale_transport_core::{Event as CoreEvent, FlowId, Random, Wheel};

use super::link::Link;
use super::message::Heard;
use super::sources::{flow_of, source_of};
use super::tickets::{Mint, Tickets};
use super::wire::{Event, Now, What};
pub use speaker::Settings;
use speaker::{Speaker, NEVER_US, PACKET_BYTES_MAX};

/// Payloads of netcode that are received.
const PAYLOAD_BYTES_MAX: usize = 1200;

/// Where connect tokens come from.
pub enum Tokens {
    /// The HTTP face of the server, as for players.
    Asked(Tickets),
    /// Made here under the server's key.
    Minted(Box<Mint>),
}

#[derive(Default)]
struct Flow {
    id: Option<FlowId>,
    speaker: Option<Box<Speaker>>,
    /// When its timer fires.
    armed_us: u64,
    is_dirty: bool,
    is_stalled: bool,
    /// Netcode's goodbye follows the last payload.
    ends: bool,
}

pub struct Rl1Wire {
    links: Vec<Link>,
    tokens: Tokens,
    settings: Settings,
    flows: Vec<Flow>,
    first_flow: u32,
    /// Flows with something to send.
    dirty: Vec<u32>,
    timers: Wheel,
    random: Random,
    heard: Vec<Heard>,
    lost: u64,
}

impl Rl1Wire {
    pub fn open(
        server: SocketAddr,
        tokens: Tokens,
        settings: Settings,
        (first_flow, flows, sockets): (u32, u32, u32),
        now_us: u64,
    ) -> super::Opened<Self> {
        let mut links = Vec::new();
        for _ in 0..sockets {
            let random = Random::from_os()?;
            let clients = Clients::new(flows.div_ceil(sockets), PAYLOAD_BYTES_MAX, random);
            links.push(Link::open(server, Some(Box::new(clients)))?);
        }
        let mut all = Vec::new();
        all.resize_with(flows as usize, Flow::default);
        Ok(Self {
            links,
            tokens,
            settings,
            flows: all,
            first_flow,
            dirty: Vec::new(),
            timers: Wheel::new(now_us),
            random: Random::from_os()?,
            heard: Vec::new(),
            lost: 0,
        })
    }

    fn dial(&mut self, now: Now, flow: u32, token: &[u8]) -> bool {
        let source = source_of(self.first_flow + flow);
        let index = flow as usize % self.links.len();
        let link = self.links.get_mut(index);
        let made = link.and_then(|link| link.connect(now.clock, token, source));
        match (made, self.flows.get_mut(flow as usize)) {
            (Some(Ok(id)), Some(state)) => {
                state.id = Some(id);
                state.ends = false;
                true
            }
            _ => false,
        }
    }

    fn touch(&mut self, flow: u32) {
        let Some(state) = self.flows.get_mut(flow as usize) else {
            return;
        };
        if !state.is_dirty {
            state.is_dirty = true;
            self.dirty.push(flow);
        }
    }

    fn handle_core_events(&mut self, now: Now, events: &mut Vec<Event>) {
        for index in 0..self.links.len() {
            while let Some((event, source)) = self
                .links
                .get_mut(index)
                .and_then(|link| link.poll_flow_event())
            {
                let Some(flow) = flow_of(source).and_then(|it| it.checked_sub(self.first_flow))
                else {
                    continue;
                };
                match event {
                    CoreEvent::Opened { .. } => self.begin_speaking(now, flow),
                    CoreEvent::Closed { .. } => {
                        self.forget(flow);
                        let what = What::Closed;
                        events.push(Event { flow, what });
                    }
                    _ => {}
                }
            }
        }
    }

    fn begin_speaking(&mut self, now: Now, flow: u32) {
        let seed = self.random.next_u64();
        if let Some(state) = self.flows.get_mut(flow as usize) {
            let speaker = Speaker::new(&self.settings, now.clock.mono_us, seed);
            state.speaker = Some(Box::new(speaker));
            state.armed_us = NEVER_US;
        }
        self.touch(flow);
    }

    fn forget(&mut self, flow: u32) {
        if let Some(state) = self.flows.get_mut(flow as usize) {
            let speaker = state.speaker.take();
            self.lost += speaker.map_or(0, |speaker| u64::from(speaker.lost()));
            state.id = None;
        }
        self.timers.cancel(flow);
    }

    fn receive(&mut self, now: Now, events: &mut Vec<Event>) {
        let mut heard = std::mem::take(&mut self.heard);
        for link in &mut self.links {
            let (flows, dirty, first) = (&mut self.flows, &mut self.dirty, self.first_flow);
            link.receive_from(now.clock, |source, payload| {
                let Some(flow) = source
                    .and_then(flow_of)
                    .and_then(|it| it.checked_sub(first))
                else {
                    return;
                };
                let Some(state) = flows.get_mut(flow as usize).filter(|it| !it.is_stalled) else {
                    return;
                };
                let Some(speaker) = &mut state.speaker else {
                    return;
                };
                let is_closed = speaker.receive(payload, now.clock.mono_us, &mut heard);
                if !state.is_dirty {
                    state.is_dirty = true;
                    dirty.push(flow);
                }
                state.ends |= is_closed;
                for heard in heard.drain(..) {
                    let event = match heard {
                        Heard::Quiet => continue,
                        Heard::Hello => Event {
                            flow,
                            what: What::Opened,
                        },
                        other => Event::heard(flow, other),
                    };
                    events.push(event);
                }
            });
        }
        self.heard = heard;
    }

    fn handle_tickets(&mut self, now: Now, events: &mut Vec<Event>) -> io::Result<()> {
        let Tokens::Asked(tickets) = &mut self.tokens else {
            return Ok(());
        };
        tickets.turn()?;
        let mut answered = Vec::new();
        while let Some(answer) = tickets.take() {
            answered.push(answer);
        }
        for answer in answered {
            let flow = answer.flow;
            let token = answer.ticket.and_then(|ticket| ticket.connect_token);
            if !token.is_some_and(|token| self.dial(now, flow, &token)) {
                let what = What::Closed;
                events.push(Event { flow, what });
            }
        }
        Ok(())
    }

    /// Everything that this flow has to send now, and its timer.
    fn write(&mut self, now: Now, flow: u32) {
        let index = flow as usize % self.links.len();
        let (Some(state), Some(link)) =
            (self.flows.get_mut(flow as usize), self.links.get_mut(index))
        else {
            return;
        };
        state.is_dirty = false;
        let (Some(id), Some(speaker)) = (state.id, &mut state.speaker) else {
            return;
        };
        let source = source_of(self.first_flow + flow);
        let settings = &self.settings;
        let now_us = now.clock.mono_us;
        while link.send_written(now.clock, id, source, PACKET_BYTES_MAX, |out| {
            speaker.write(now_us, out, settings)
        }) {}
        if state.ends {
            state.ends = false;
            link.close_flow(now.clock, id);
        }
        let due_us = speaker.deadline_us();
        if due_us < state.armed_us {
            state.armed_us = due_us;
            self.timers.arm(flow, due_us);
        }
    }
}
